/// How a run comes to its end, once its steps have: the verdict about a drill, diagnostics, the undoing of the root
/// scope, `on_rollback_failure`, `always`, outputs. Always in this order, one after the other.
struct EndingMachine: Sendable {
  /// What of it is to be done now.
  enum Stage: Sendable, Equatable {
    case judging
    case onFailure(StepPath)
    case startingRollback(reason: String)
    case unwinding(RollbackStack.Entry)
    case endingRollback(RollbackOutcome)
    case onRollbackFailure(StepPath)
    case always(StepPath)
    case outputs
    case ending
  }

  /// How the drill was judged; nil before, and for what is no drill.
  private(set) var verdict: DrillVerdict?
  private(set) var outputs: [String: Value]?
  private(set) var outputsError: StepError?
  /// A failing `always` step makes the run failed.
  private(set) var alwaysFailed = false
  private(set) var ended: RunEnded?
  /// A person has decided about the rollback since the run ended.
  private(set) var isDecidedSinceEnd = false

  mutating func judge(_ verdict: DrillVerdict) { self.verdict = verdict }

  mutating func take(_ outputs: [String: Value], _ error: StepError?) {
    self.outputs = outputs
    outputsError = error
  }

  mutating func end(_ ended: RunEnded) {
    self.ended = ended
    isDecidedSinceEnd = false
  }

  /// One of the `always` steps has come to its end.
  mutating func noteAlways(_ ended: StepEnded, _ step: ActionStep?) {
    let isDone = PlantedMistake.unknownAlwaysIsGood.isMade ? ended.status != .failed : ended.status.isDone
    if !isDone, step?.continuesOnError != true { alwaysFailed = true }
  }

  mutating func apply(_ fact: RollbackFact) {
    switch fact {
    case .settled, .closed, .abandoned: break
    case .resumed: ended = nil
    case .skipped: isDecidedSinceEnd = true
    }
  }

  /// As far as the steps tell: what `always` sees in `run.outcome`.
  func outcome(of run: RunMachine) -> RunOutcome {
    switch run.stop {
    case nil where alwaysFailed || outputsError != nil || run.borne != nil: .failed
    case nil: verdict?.isMissed == true ? .objectiveMissed : .succeeded
    case .failure, .refused: .failed
    case .cancel: .cancelled
    }
  }

  /// Exit codes of `docs/command.md`: if several apply, 4 wins.
  func result(of run: RunMachine) -> RunEnded {
    let rollback = run.rollback ?? .notNeeded
    let outcome = outcome(of: run)
    let code: ExitCode =
      switch (rollback, outcome) {
      case (.failed, _), (.blocked, _): .rollbackFailed
      case _ where run.isLeftOut: .rollbackFailed
      case (_, .cancelled): .cancelled
      case (.succeeded, .failed): .rolledBack
      case (_, .failed): .failed
      case (_, .objectiveMissed): .objectiveMissed
      case (_, .succeeded): .succeeded
      }
    return RunEnded(
      outcome: outcome, rollback: rollback, exitCode: code.rawValue, outputs: outputs ?? [:], drill: verdict)
  }
}

/// What the interpreter is to do now.
public enum Order: Sendable, Equatable {
  /// Ask the live checks before the first change.
  case check
  /// Evaluate the step's `if` and fields, capture `before`, and report.
  case begin(String, Purpose)
  /// The intent is durable: make the call.
  case call(String)
  /// Nobody saw how the call went: find out, by the effect's class.
  case reconcile(String)
  /// Pause until then, and begin the next attempt.
  case retry(String, at: Timestamp)
  /// Poll until it holds.
  case watch(String)
  /// Tell people that the run waits for one of them.
  case tell(String)
  /// Wait for the answer to the question whether the step may go on.
  case ask(String, until: Timestamp)
  /// Ask a person; nothing else can be done.
  case park(String, until: Timestamp)
  /// Ask a person whether a run of a restored store may go on.
  case awaitRestored
  /// Probe a step that did not succeed, and let it come to rest, before it is undone.
  case settle(String)
  /// Read the moments that the drill is measured by.
  case judge
  case evaluateOutputs
  case done(RunEnded)
}

extension RunMachine {
  /// The order that follows from the state; facts that need no work have been added by `handle` before.
  public var next: Order {
    if isRestored, !PlantedMistake.restoredNotAsked.isMade { return .awaitRestored }
    if let ended { return .done(ended) }
    if let active { return order(for: active) }
    if !isChecked { return .check }
    switch stage {
    case .steps: return .begin(mainSteps[cursor].path, .do)
    case .judging: return .judge
    case .onFailure(let path): return .begin(path, .onFailure)
    case .unwinding(let entry):
      guard case .steps(let paths, _) = entry.kind, entry.state == .settled || needsNoProbe(entry) else {
        return .settle(entry.step)
      }
      guard let path = paths.first(where: { !state(of: $0).status.isEnded }) else { return .settle(entry.step) }
      return .begin(path, .undo)
    case .onRollbackFailure(let path): return .begin(path, .onRollbackFailure)
    case .always(let path): return .begin(path, .always)
    case .outputs, .ending, .startingRollback, .endingRollback: return .evaluateOutputs
    }
  }

  private func order(for path: String) -> Order {
    switch state(of: path).progress {
    case .calling: .call(path)
    case .lost: .reconcile(path)
    case .retrying(let instant): .retry(path, at: instant)
    case .waiting: .watch(path)
    case .parked(let until, let question): isToBeTold(question) ? .tell(path) : .park(path, until: until)
    case .asking(let question): isToBeTold(question.number) ? .tell(path) : .ask(path, until: question.until)
    }
  }

  private func isToBeTold(_ question: Int) -> Bool { !runbook.onWaiting.isEmpty && !toldQuestions.contains(question) }

  enum Stage {
    case steps
    case judging
    case onFailure(String)
    case startingRollback(String)
    case unwinding(RollbackStack.Entry)
    case endingRollback(RollbackOutcome)
    case onRollbackFailure(String)
    case always(String)
    case outputs
    case ending
  }

  var stage: Stage {
    if stop == nil, cursor < mainSteps.count { return .steps }
    if isToBeJudged { return .judging }
    if rollback == nil {
      if let stop, !stop.isRefusal, rollbackStartedAt == nil, let path = firstPending(runbook.onFailure) {
        return .onFailure(path)
      }
      return rollbackStage
    }
    if rollback == .failed || rollback == .blocked, let path = firstPending(runbook.onRollbackFailure) {
      return .onRollbackFailure(path)
    }
    if let path = firstPending(runbook.always) { return .always(path) }
    if outputs == nil, outcome.isReached, !runbook.outputs.isEmpty { return .outputs }
    return .ending
  }

  private var rollbackStage: Stage {
    guard rollbackStartedAt == nil else {
      guard let entry = stack.newestOpen else {
        if isLeftOut { return .endingRollback(.failed) }
        return .endingRollback(stack.entries.contains { $0.state == .undone } ? .succeeded : .notNeeded)
      }
      if entry.state == .failed { return .endingRollback(.failed) }
      if entry.kind == .irreversible, blocks(entry) { return .endingRollback(.blocked) }
      return .unwinding(entry)
    }
    guard stack.hasOpen else { return .endingRollback(isLeftOut ? .failed : .notNeeded) }
    let policy = runbook.rollbackPolicy
    switch stop {
    case nil:
      let isLeft = PlantedMistake.missLeftStanding.isMade && verdict?.isMissed == true
      return policy.after.contains(.success) && !isLeft ? .startingRollback("success") : .endingRollback(.notNeeded)
    case .failure: return policy.after.contains(.failure) ? .startingRollback("failure") : .endingRollback(.none)
    case .refused: return .endingRollback(.notNeeded)
    case .cancel(_, let rollback):
      guard rollback else { return .endingRollback(.pending) }
      return policy.after.contains(.cancel) ? .startingRollback("cancel") : .endingRollback(.none)
    }
  }

  /// An irreversible step blocks when older steps still need undoing, or when its own effect is what must be undone.
  private func blocks(_ entry: RollbackStack.Entry) -> Bool {
    let state = state(of: entry.step)
    if state.status != .succeeded { return state.effect != .none }
    return stack.hasUndoable(below: entry.step)
  }

  private func firstPending(_ steps: [ValidatedStep]) -> String? {
    steps.first { !state(of: $0.path).status.isEnded }?.path
  }

  /// A step that succeeded is known to have happened and to be at rest, unless a request of it may still arrive, or
  /// nobody waited for what it started.
  func needsNoProbe(_ entry: RollbackStack.Entry) -> Bool {
    let state = state(of: entry.step)
    let mayArrive = state.lostSince != nil && !PlantedMistake.lateRequestForgotten.isMade
    return state.status == .succeeded && !mayArrive && !startsUnwatched(entry.step)
  }

  /// Its call was accepted, and the step did not wait for what came of it.
  func startsUnwatched(_ path: String) -> Bool {
    guard let step = steps[path], step.action.wait != nil, step.effect != .none else { return false }
    return step.wait.isSkipped || state(of: path).status != .succeeded
  }

  /// As far as the steps tell: what `always` sees in `run.outcome`.
  public var outcome: RunOutcome {
    switch stop {
    case nil where alwaysFailed || outputsError != nil: .failed
    case nil: verdict?.isMissed == true ? .objectiveMissed : .succeeded
    case .failure, .refused: .failed
    case .cancel: .cancelled
    }
  }

  /// Exit codes of `docs/command.md`: if several apply, 4 wins.
  var ending: RunEnded {
    let rollback = rollback ?? .notNeeded
    let code: Int32 =
      switch (rollback, outcome) {
      case (.failed, _), (.blocked, _): 4
      case _ where isLeftOut: 4
      case (_, .cancelled): 5
      case (.succeeded, .failed): 3
      case (_, .failed): 1
      case (_, .objectiveMissed): 8
      case (_, .succeeded): 0
      }
    return RunEnded(
      outcome: outcome, rollback: rollback, exitCode: code, outputs: outputs ?? [:], drill: verdict)
  }

  /// `queued waiting running rolling_back ending ended`
  public var status: String {
    if isRestored { return "waiting" }
    if ended != nil { return "ended" }
    if openQuestion != nil || openApproval != nil { return "waiting" }
    switch stage {
    case .steps, .judging, .onFailure: return "running"
    case .startingRollback, .unwinding, .onRollbackFailure: return "rolling_back"
    case .endingRollback, .always, .outputs, .ending:
      return rollbackStartedAt != nil && rollback == nil ? "rolling_back" : "ending"
    }
  }
}

extension RunMachine.Stop {
  var isRefusal: Bool { if case .refused = self { true } else { false } }
}

extension RunMachine {
  /// What is to be done now: at most one order for each step, a function of the state; facts that need no work have
  /// been added by `handle` before.
  public var orders: [Order] {
    if isRestored, !PlantedMistake.restoredNotAsked.isMade { return [.awaitRestored] }
    if let ended { return [.done(ended)] }
    if !active.isEmpty { return active.compactMap { order(for: $0) } }
    if !isChecked { return [.check] }
    if let step = root.nextStep { return [.begin(step.path, .do)] }
    return [order(for: ending.stage(of: self))]
  }

  private func order(for path: StepPath) -> Order? {
    switch state(of: path).order {
    case nil: nil
    case .call: .call(path)
    case .reconcile: .reconcile(path)
    case .retry(let instant): .retry(path, at: instant)
    case .watch: .watch(path)
    case .park(let until, let question): isToBeTold(question) ? .tell(path) : .park(path, until: until)
    case .ask(let question): isToBeTold(question.number) ? .tell(path) : .ask(path, until: question.until)
    }
  }

  private func isToBeTold(_ question: Int) -> Bool { !runbook.onWaiting.isEmpty && !questions.told.contains(question) }

  private func order(for stage: EndingMachine.Stage) -> Order {
    switch stage {
    case .judging: return .judge
    case .onFailure(let path): return .begin(path, .onFailure)
    case .onRollbackFailure(let path): return .begin(path, .onRollbackFailure)
    case .always(let path): return .begin(path, .always)
    case .unwinding(let entry):
      guard case .steps(let paths, _) = entry.kind, entry.state == .settled || needsNoProbe(entry),
        let path = paths.first(where: { !state(of: $0).status.isEnded })
      else { return .settle(entry.step) }
      return .begin(path, .undo)
    case .outputs, .ending, .startingRollback, .endingRollback: return .evaluateOutputs
    }
  }

  /// A step that succeeded is known to have happened and to be at rest, unless a request of it may still arrive, or
  /// nobody waited for what it started.
  func needsNoProbe(_ entry: RollbackStack.Entry) -> Bool {
    let state = state(of: entry.step)
    let mayArrive = state.lostSince != nil && !PlantedMistake.lateRequestForgotten.isMade
    return state.status == .succeeded && !mayArrive && !startsUnwatched(entry.step)
  }

  /// Its call was accepted, and the step did not wait for what came of it.
  func startsUnwatched(_ path: StepPath) -> Bool {
    guard let step = steps[path], step.action.wait != nil, step.effect != .none else { return false }
    return step.wait.isSkipped || state(of: path).status != .succeeded
  }

  /// As far as the steps tell: what `always` sees in `run.outcome`.
  public var outcome: RunOutcome { ending.outcome(stop) }

  /// `queued waiting running rolling_back ending ended`
  public var status: String {
    if isRestored { return "waiting" }
    if ended != nil { return "ended" }
    if openQuestion != nil || openApproval != nil { return "waiting" }
    if root.nextStep != nil { return "running" }
    switch ending.stage(of: self) {
    case .judging, .onFailure: return "running"
    case .startingRollback, .unwinding, .onRollbackFailure: return "rolling_back"
    case .endingRollback, .always, .outputs, .ending:
      return root.rollbackStartedAt != nil && rollback == nil ? "rolling_back" : "ending"
    }
  }
}

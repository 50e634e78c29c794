extension EndingMachine {
  /// What is to be done now in a run whose steps have come to their end.
  func stage(of run: RunMachine) -> Stage {
    let scope = run.root
    if run.isToBeJudged { return .judging }
    if scope.rollback == nil {
      if let stop = scope.stop, !stop.isRefusal, scope.rollbackStartedAt == nil,
        let path = firstPending(.onFailure, run)
      {
        return .onFailure(path)
      }
      return rollbackStage(of: run)
    }
    if scope.rollback == .failed || scope.rollback == .blocked, let path = firstPending(.onRollbackFailure, run) {
      return .onRollbackFailure(path)
    }
    if let path = firstPending(.always, run) { return .always(path) }
    if outputs == nil, outcome(scope.stop).isReached, !run.runbook.outputs.isEmpty { return .outputs }
    return .ending
  }

  private func rollbackStage(of run: RunMachine) -> Stage {
    let scope = run.root
    guard scope.rollbackStartedAt == nil else {
      guard let entry = scope.stack.newestOpen else {
        if scope.isLeftOut || scope.stack.hasUndoneInVain { return .endingRollback(.failed) }
        return .endingRollback(scope.stack.entries.contains { $0.state == .undone } ? .succeeded : .notNeeded)
      }
      if entry.state == .failed { return .endingRollback(.failed) }
      if entry.kind == .irreversible, blocks(entry, run) { return .endingRollback(.blocked) }
      return run.isExhausted(entry) ? .endingRollback(.failed) : .unwinding(entry)
    }
    guard scope.stack.hasOpen else { return .endingRollback(scope.isLeftOut ? .failed : .notNeeded) }
    let policy = run.runbook.rollbackPolicy
    switch scope.stop {
    case nil:
      let isLeft = PlantedMistake.missLeftStanding.isMade && verdict?.isMissed == true
      let isUndone = policy.after.contains(.success) && !isLeft
      return isUndone ? .startingRollback(reason: "success") : .endingRollback(.notNeeded)
    case .failure:
      return policy.after.contains(.failure) ? .startingRollback(reason: "failure") : .endingRollback(.none)
    case .refused: return .endingRollback(.notNeeded)
    case .cancel(_, let rollback):
      guard rollback else { return .endingRollback(.pending) }
      return policy.after.contains(.cancel) ? .startingRollback(reason: "cancel") : .endingRollback(.none)
    }
  }

  /// An irreversible step blocks when older steps still need undoing, or when its own effect is what must be undone.
  private func blocks(_ entry: RollbackStack.Entry, _ run: RunMachine) -> Bool {
    let state = run.state(of: entry.step)
    if state.status != .succeeded { return state.effect != .none }
    return run.stack.hasUndoable(below: entry.step)
  }

  private func firstPending(_ section: RunbookSection, _ run: RunMachine) -> StepPath? {
    run.runbook.value.body(of: section).leaves.first { !run.state(of: $0.path).status.isEnded }?.path
  }
}

extension EndingMachine {
  /// What is to be done now in a run whose steps have come to their end.
  func stage(of run: RunMachine) -> Stage {
    if run.isToBeJudged { return .judging }
    if run.rollback == nil {
      if let stop = run.stop, !stop.isRefusal, run.root.rollbackStartedAt == nil,
        let path = firstPending(.onFailure, run)
      {
        return .onFailure(path)
      }
      return rollbackStage(of: run)
    }
    if run.rollback == .failed || run.rollback == .blocked, let path = firstPending(.onRollbackFailure, run) {
      return .onRollbackFailure(path)
    }
    if let path = firstPending(.always, run) { return .always(path) }
    if outputs == nil, outcome(of: run).isReached, !run.runbook.outputs.isEmpty { return .outputs }
    return .ending
  }

  private func rollbackStage(of run: RunMachine) -> Stage {
    guard run.root.rollbackStartedAt == nil else {
      switch run.unwinding(of: .root) {
      case .entry(let entry): return .unwinding(entry)
      case .ended(let outcome): return .endingRollback(outcome)
      }
    }
    guard run.stack.hasOpen else { return .endingRollback(run.isLeftOut ? .failed : nothingLeft(run)) }
    let policy = run.runbook.rollbackPolicy
    switch run.stop {
    case nil:
      let isLeft = PlantedMistake.missLeftStanding.isMade && verdict?.isMissed == true
      let isUndone = policy.after.contains(.success) && !isLeft
      return isUndone ? .startingRollback(reason: "success") : .endingRollback(nothingLeft(run))
    case .failure:
      return policy.after.contains(.failure) ? .startingRollback(reason: "failure") : .endingRollback(.none)
    case .refused: return .endingRollback(.notNeeded)
    case .cancel(_, let rollback):
      guard rollback else { return .endingRollback(.pending) }
      return policy.after.contains(.cancel) ? .startingRollback(reason: "cancel") : .endingRollback(.none)
    }
  }

  /// Iterations that failed were undone by themselves: then that is what became of the run's rollback.
  private func nothingLeft(_ run: RunMachine) -> RollbackOutcome {
    run.stack.hasUndone(within: .root) ? .succeeded : .notNeeded
  }

  private func firstPending(_ section: RunbookSection, _ run: RunMachine) -> StepPath? {
    run.runbook.value.body(of: section).leaves.first { !run.state(of: $0.path).status.isEnded }?.path
  }
}

// Why the run ended, what of it is still owed, and what may be done about it.
extension RunReport {
  /// The step whose failure ended the run: the one the words at the end name. Of a step that holds others it is the one
  /// in it that failed.
  public var failedStep: StepReport? { failedPosition.map { steps[$0] } }

  private var failedPosition: Int? {
    let root = roots.first { steps[$0].isMain && !plan.borne.contains(steps[$0].path) && steps[$0].hasFailed }
    return (root ?? stuckIteration).map { cause(of: $0) }
  }

  /// The step that its error names, if that is known and stands in it.
  func cause(of index: Int) -> Int {
    guard steps[index].isHolder, let path = steps[index].error?.value["step"]?.string, let inner = stepIndex[path],
      StepPath(path).isWithin(StepPath(steps[index].path)) || around(inner).contains(index)
    else { return index }
    return inner
  }

  /// Loops some of whose iterations failed, which was borne: the run went on, and counts as failed at its end.
  public var borneLoops: [StepReport] {
    steps.filter { step in
      guard let holds = step.holds, holds.isLoop, holds.failed > 0 else { return false }
      return step.status == .succeeded && !plan.borne.contains(step.template)
    }
  }

  func isOwed(_ index: Int) -> Bool {
    let step = steps[index]
    guard step.isMain, step.startedAt != nil, step.closed == nil else { return false }
    return undoOfStep[step.path]?.isEmpty == false || plan.irreversible.contains(step.template)
  }

  /// Newest first.
  var owedPositions: [Int] { steps.indices.reversed().filter { isOwed($0) } }

  /// Steps whose undo is still owed, newest first: over all branches and iterations the reverse of the order in which
  /// they were begun. A cancel would undo these.
  public var owed: [StepReport] { owedPositions.map { steps[$0] } }

  private var newestOwed: StepReport? { steps.indices.last { isOwed($0) }.map { steps[$0] } }

  /// The rollback stopped, or waits for a person, and has something left to do.
  public var owesRollback: Bool {
    abandoned == nil && rollback.isOne(of: .failed, .blocked, .pending) && newestOwed != nil
  }

  /// The step that cannot be undone and keeps the rollback from the older ones, until a person leaves it out.
  public var blockingStep: String? {
    guard rollback == .blocked, let first = newestOwed, plan.irreversible.contains(first.template) else { return nil }
    return first.path
  }

  /// `runbook rollback resume` would be accepted: that, or a person has decided about the rollback since the run ended.
  public var canResumeRollback: Bool { owesRollback || status == .ended && isDecidedSinceEnd }

  /// Undo steps and steps that `runbook rollback skip` would accept, the one to decide about first.
  public var skippable: [String] {
    owed.flatMap { step in
      undo(of: step.path).filter { !$0.status.isOne(of: .succeeded, .skipped) }.map(\.entry) + [step.path]
    }
  }

  /// A cancel would still find something to stop.
  public var canCancel: Bool {
    guard status.isOne(of: .queued, .running, .waiting), cancelledBy == nil, rollbackReason == nil,
      posted == nil, stuckIteration == nil
    else {
      return false
    }
    // The last step goes on while a person is asked about it; one that ended without a certain outcome has ended.
    if let last = plan.last, let status = step(last)?.status, !status.isOne(of: .pending, .started),
      status != .unknown || !isAsked(about: last)
    {
      return false
    }
    // What fails inside another step is that step's matter until it ends itself.
    return !roots.contains { index in
      let step = steps[index]
      let isBorne = plan.borne.contains(step.path)
      return !step.isMain
        || step.status.isOne(of: .failed, .cancelled, .notApplied) && !isBorne
        || step.status == .unknown && !isAsked(about: step.path) && !isBorne
    }
  }

  /// Some of what the step did was undone.
  private func wasUndone(_ step: StepReport) -> Bool {
    step.closed == "undone"
      || undo(of: step.path).contains { !$0.status.isOne(of: .pending, .closed, .skipped) }
  }

  /// From where `runbook rerun --from` may begin: the step of the list in which the run failed, unless one before it
  /// was undone.
  public var rerunFrom: String? {
    // What a drill measures begins at its first step.
    guard !isDrill, let failed = failedPosition else { return nil }
    let root = root(of: failed)
    return steps[..<root].contains { $0.isMain && wasUndone($0) } ? nil : steps[root].path
  }
}

/// `drill.stop_if`: what is asked beside the steps as long as they go on. The first that holds stops the run, as a step
/// that failed would. One that cannot be asked stops it too: nobody would notice what it was written for.
extension RunMachine {
  /// Conditions that are not asked yet.
  var conditionsToBegin: [StepPath] {
    guard !root.isOver else { return [] }
    return stopConditions.filter { state(of: $0).status == .pending }
  }

  private var stopConditions: [StepPath] { runbook.drill?.stopIf.leaves.map(\.path) ?? [] }

  /// How many of the steps that go on are not in the list of the run.
  var conditionsAsked: Int {
    runbook.drill == nil ? 0 : active.count { state(of: $0).purpose == .stopIf }
  }

  /// The steps have come to their end, and there is nothing left that it could stop.
  func isAskedInVain(_ path: StepPath) -> Bool {
    active.contains(path) && state(of: path).purpose == .stopIf && root.isOver
  }

  /// Why the steps are stopped when the condition has ended so; nil if they are not.
  func stop(by path: StepPath, _ ended: StepEnded) -> Scope.Stop? {
    guard !root.isOver else { return nil }
    switch ended.status {
    case .succeeded:
      let failure = StepFailure(.stopCondition, "the condition that stops the drill holds", effect: .none)
      return .failure(StepError(failure, step: path, attempt: ended.attempt))
    case .failed, .unknown, .notApplied: return ended.error.map { .failure($0) }
    case .pending, .skipped, .started, .cancelled, .notRun: return nil
    }
  }
}

public import Runbook

/// This process at work on one run: carries it out, keeps its lease, and brings it the messages of people.
public struct WorkOnRun: Sendable {
  private let context: OperationContext
  private let fence: Fence
  private let storeExecutor: (any TaskExecutor)?

  /// - Parameters:
  ///   - fence: of the process: ends it before its lease ends in the middle of a request.
  ///   - storeExecutor: where the lease is renewed if the store may block the thread that asks it; nil: where the
  ///     caller works.
  public init(_ context: OperationContext, fence: Fence, storeExecutor: (any TaskExecutor)? = nil) {
    self.context = context
    self.fence = fence
    self.storeExecutor = storeExecutor
  }

  /// Works until the run has ended, must be left, or needs a person. Then this process owns the run no longer.
  /// - Parameter assignment: of `StartRun`, `ResumeRun` or `RollBack`, with the observer and the control of the caller.
  public func carryOut(_ assignment: RunAssignment) async -> RunEnd {
    var assignment = assignment
    let lease = assignment.lease
    let tenure = RunTenure(lease, clock: context.clock, fence: fence)
    assignment.tenure = tenure
    let known = (try? await context.store.requests(for: lease.runID, after: 0))?.last?.id ?? 0
    let keeper = LeaseKeeper(
      store: context.store, lease: lease, tenure: tenure, control: assignment.control, clock: context.clock,
      executor: storeExecutor, lastKnownRequest: lease.epoch > 1 ? known : 0)
    let interpreter = Interpreter(assignment)
    let end = await withTaskGroup(of: Void.self) { group in
      // One, beside the run and cancelled with its end: the group waits until it has let go of the store.
      group.addTask { await keeper.work() }
      let end = await interpreter.run()
      group.cancelAll()
      return end
    }
    await context.store.dropProof(of: lease)
    return end
  }
}

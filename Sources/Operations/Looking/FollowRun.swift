public import Runbook

/// Watches a run that another process carries out: reads its journal until it ends, is left, or needs a person.
public struct FollowRun: Sendable {
  private let context: OperationContext
  private let run: String
  private static let pollTime = Duration.milliseconds(500)

  public init(_ run: String, _ context: OperationContext) {
    self.run = run
    self.context = context
  }

  /// The runbook that it was started with, and its own time line; nil what this release cannot read.
  public func preparation() async -> (runbook: ValidatedRunbook?, clock: RunClock?) {
    guard let runbook = await context.runbook(of: run) else { return (nil, nil) }
    return (runbook, try? await RunOutlook(of: run, runbook, in: context.store).clock(context.clock))
  }

  /// - Parameter observe: given every event, oldest first.
  /// - Returns: where the run stands when it goes on no more.
  /// - Throws: `store`.
  public func follow(_ observe: (RunEvent) -> Void) async throws(OperationRefusal) -> RunStanding {
    var last: Int64 = 0
    while true {
      let standing = try await context.standing(of: run)
      for event in try await context.events(of: run, after: last) {
        last = event.sequence
        observe(event)
      }
      if standing != .goingOn { return standing }
      await context.clock.sleep(for: FollowRun.pollTime)
    }
  }
}

import Runbook
import Simulator
import Stores
import Testing

/// From every state some command leads to an end with the locks free.
@Suite struct SkippedUndoTests {
  private static let text = """
    runbook: v1
    name: skipping
    locks: [rack-1]
    steps:
      - id: change
        run: echo change
        rollback: [{run: exit 9, retry: {attempts: 1}}, {run: echo second}]
      - {id: stop, fail: no luck}
    """

  private func stopped() async throws -> MovingWorld {
    let world = try MovingWorld(Self.text, scripts: [.init(matching: "exit 9", exitCode: 9)])
    #expect(try await world.start().exitCode == 4)
    #expect(world.locks == ["rack-1"])
    return world
  }

  @Test func aSkippedUndoStepLeavesTheOthersOfItsEntryOwed() async throws {
    let world = try await stopped()
    var desk = try await world.desk()
    #expect(try await desk.skip("change.undo[0]", reason: "by hand", by: "ops"))
    try await desk.resume(by: "ops")
    try world.store.release(desk.lease)
    let end = try await world.resume()
    #expect(world.end(of: "change.undo[1]")?.fields["status"] == "succeeded", "\(world.story)")
    // A person left something out: a person must look, and nothing is owed.
    #expect(end.exitCode == 4)
    #expect(world.locks == [])
  }

  @Test func theLastOwedEntryCanBeSkippedAndTheRunEnds() async throws {
    let world = try await stopped()
    var desk = try await world.desk()
    #expect(try await desk.skip("change", reason: "by hand", by: "ops"))
    #expect(desk.canResume)
    #expect(world.locks == ["rack-1"], "nobody would be told that the run has not come to its end")
    try await desk.resume(by: "ops")
    try world.store.release(desk.lease)
    #expect(try await world.resume().exitCode == 4)
    #expect(world.locks == [])
    #expect(try await world.desk().canResume == false)
  }

  @Test func anUndosOwnRetryIsObeyed() async throws {
    let world = try await stopped()
    #expect(world.started.count == 2, "\(world.started)")
  }

  @Test func anUndoWhoseConditionWasFalseIsNotCalledUndone() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: condition
      steps:
        - {id: change, run: echo change, rollback: [{run: echo undo, if: 1 > 2}]}
        - {id: stop, fail: no luck}
      """)
    let end = try await world.start()
    #expect(end.exitCode == 1)
    #expect(world.events("undo.closed").first?.fields["reason"] == "its condition was false", "\(world.story)")
  }

  @Test func ofTwoWhoGoOnWithARollbackOneActsAndTheOtherIsTold() async throws {
    let world = try MovingWorld(Self.text, scripts: [.init(matching: "exit 9", exitCode: 9, times: 1)])
    #expect(try await world.start().exitCode == 4)
    let lease = try await world.process().takeOver(MovingWorld.runID)
    var desk = try await RollbackDesk(world.runbook, store: world.store, lease: lease, clock: world.clock)
    await #expect(throws: StoreFailure.owned(lease)) { try await world.process().takeOver(MovingWorld.runID) }
    try await desk.resume(by: "ops")
    let rivals = Rivals(world)
    let end = await world.process().work(on: lease, KillSwitch(tellingAll: { _ in rivals.tryAll() }))
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(rivals.robberies == 0)
    #expect(rivals.refusals > 5)
    #expect(world.started.count == 4, "\(world.started)")
    // Who comes when it is over finds nothing to go on with.
    #expect(try await world.desk().canResume == false)
  }
}

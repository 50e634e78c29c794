import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct FreeLockTests {
  let place = OperationPlace(scripts: [.init(matching: "echo undo", exitCode: 9)])

  private func free(_ lock: String) async throws(OperationRefusal) -> FreeLock.Freed {
    try await FreeLock(place.context()).free(lock, reason: "its machine is gone")
  }

  private func refused(_ lock: String) async -> OperationRefusal? {
    await refusal { () async throws(OperationRefusal) in try await free(lock) }
  }

  @Test func aLockThatNoRunHoldsIsRefusedWithTheLocksThatAreHeld() async throws {
    #expect(await refused("rack") == .noLock("rack", held: []))
    _ = try await place.begin(Sample.locked)
    #expect(await refused("rock") == .noLock("rock", held: ["rack"]))
  }

  @Test func theLockOfARunThatIsWorkedOnStays() async throws {
    let holder = try await place.begin(Sample.locked)
    #expect(await refused("rack") == .owned(holder.lease, canCancel: true))
    #expect(try place.store.holder(of: "rack") == holder.lease.runID)
  }

  @Test func aLockIsFreedWithAnEntryInTheJournalOfItsRun() async throws {
    let holder = try await place.begin(Sample.locked)
    place.die(holder)
    let freed = try await free("rack")
    #expect(freed.runID == holder.lease.runID && freed.owed.isEmpty && freed.run?.status == "running")
    #expect(try place.store.heldLocks().isEmpty)
    let last = try #require(try await place.context().events(of: freed.runID).last)
    #expect(last.event == "lock.freed" && last.fields["by"] == "ops" && last.fields["reason"] == "its machine is gone")
    #expect(try place.store.ownership(of: freed.runID) == .none)
  }

  @Test func theStepsThatTheRunStillOwesAreNamed() async throws {
    let run = try await place.run("locks: [rack]\n" + Sample.undone)
    #expect(
      try await free("rack")
        == FreeLock.Freed(
          runID: run, run: try place.store.summary(of: run), owed: ["change"]))
  }
}

import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct RollBackTests {
  /// Its undo step fails the first time.
  let place = OperationPlace(scripts: [.init(matching: "echo undo", exitCode: 9, times: 1)])

  private func rollback(_ run: String, acceptsRestored: Bool = false) async throws -> RollBack {
    RollBack(
      try await place.resumption(run, acceptsRestored: acceptsRestored), acceptsRestored: acceptsRestored)
  }

  private func stopped() async throws -> String {
    let run = try await place.run(Sample.undone)
    #expect(try place.store.summary(of: run).exit == .rollbackFailed)
    return run
  }

  @Test func aRollbackThatStoppedIsGoneOnWith() async throws {
    let run = try await stopped()
    let resumed = try await rollback(run).resume(in: place.world)
    #expect(resumed.owed == ["change"])
    #expect(resumed.oldestOwed != nil)
    #expect(await place.work(on: resumed.assignment).exit == .rolledBack)
  }

  @Test func aRunWithoutAStoppedRollbackHasNothingToDecideAbout() async throws {
    let place = OperationPlace()
    let done = RollBack(try await place.resumption(try await place.run(Sample.one)))
    let ended = await refusal { () async throws(OperationRefusal) in try await done.abandon(reason: "r") }
    guard case .nothingToUndo(_, .known(.succeeded)?, .known(.notNeeded)?)? = ended else {
      Issue.record("\(String(describing: ended))")
      return
    }
    let assignment = try await place.begin(Sample.one)
    place.die(assignment)
    let open = RollBack(try await place.resumption(assignment.lease.runID))
    #expect(
      await refusal { () async throws(OperationRefusal) in try await open.skip("one", reason: "r") }
        == .rollbackNotStopped(run: assignment.lease.runID))
    #expect(try place.store.ownership(of: assignment.lease.runID) == .gone(assignment.lease))
  }

  @Test func anUndoStepThatIsNotThereIsRefusedWithTheOnesThatAreLeft() async throws {
    let run = try await stopped()
    let rollback = try await rollback(run)
    #expect(
      await refusal { () async throws(OperationRefusal) in try await rollback.skip("chance", reason: "r") }
        == .noEntry(run: run, entry: "chance", left: ["change.undo[0]", "change"]))
    // The run was given up again.
    #expect(try place.store.ownership(of: run) == .none)
    #expect(try await rollback.skip("change", reason: "by hand") == false)
    #expect(try place.store.ownership(of: run) == .none)
  }

  @Test func anAbandonedRollbackFreesTheLocksAndIsRememberedWithItsReason() async throws {
    let run = try await stopped()
    let rollback = try await rollback(run)
    #expect(try await rollback.abandon(reason: "replaced"))
    let again = await refusal { () async throws(OperationRefusal) in try await rollback.abandon(reason: "again") }
    guard case .rollbackAbandoned(run, "ops", _, "replaced")? = again else {
      Issue.record("\(String(describing: again))")
      return
    }
  }

  @Test func theRollbackOfARestoredRunNeedsAPersonsWord() async throws {
    let run = try await stopped()
    let lease = try place.store.takeOver(run, owner: OperationPlace.other, leaseFor: .seconds(10))
    var row = try place.store.summary(of: run)
    row.isRestored = true
    _ = try place.store.append([], to: run, epoch: lease.epoch, summary: row, locks: [], releasingLocks: false)
    try place.store.release(lease)
    let hesitant = try await rollback(run)
    #expect(
      await refusal { () async throws(OperationRefusal) in try await hesitant.resume(in: place.world) }
        == .restored(run: run))
    let resumed = try await rollback(run, acceptsRestored: true).resume(in: place.world)
    #expect(await place.work(on: resumed.assignment).exit == .rolledBack)
  }
}

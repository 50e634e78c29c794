import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct WorkOnRunTests {
  let place = OperationPlace()
  private static let slow = "steps:\n  - {id: nap, sleep: 60s}\n  - {id: one, run: echo one, rollback: none}\n"

  @Test func theLeaseIsRenewedWhileTheRunGoesOn() async throws {
    let assignment = try await place.begin(Self.slow)
    let end = await place.work(on: assignment)
    #expect(end.exit == .succeeded)
    #expect(place.clock.monotonic >= .seconds(60))
  }

  @Test func aRunThatAnotherProcessHasTakenOverIsLeft() async throws {
    let assignment = try await place.begin(Self.slow)
    place.die(assignment)
    let other = try place.store.takeOver(
      assignment.lease.runID, owner: OperationPlace.other, leaseFor: .seconds(600))
    let end = await place.work(on: assignment)
    #expect(end.exit == .refused)
    #expect(place.scripts.ledger.isEmpty)
    #expect(try place.store.ownership(of: assignment.lease.runID) == .alive(other))
  }

  @Test func aMessageThatWasPostedBeforeTheWorkBeganIsHeeded() async throws {
    let assignment = try await place.begin(Self.slow)
    place.die(assignment)
    let run = assignment.lease.runID
    _ = try place.store.post("cancel", body: Array("{\"rollback\":true}".utf8), to: run, requester: "eve") { _ in false
    }
    let resumed = try await place.resumption(run).takeOver(in: place.world)
    #expect(await place.work(on: resumed).exit == .cancelled)
    #expect(place.scripts.ledger.isEmpty)
  }

  @Test(arguments: [
    (RunEnd.parked(step: "s", until: Timestamp(seconds: 0)), ExitCode.waiting), (.restored, .waiting),
    (.left(reason: "r"), .stopped), (.lost(.fenced(by: nil)), .refused),
    (.lost(.lockHeld(lock: "l", by: "r")), .refused),
    (.lost(.writeFailed("w")), .stopped),
  ])
  func theEndOfTheWorkHasOneExitCode(_ end: RunEnd, _ code: ExitCode) {
    #expect(end.exit == code && end.exitCode == code.rawValue)
  }
}

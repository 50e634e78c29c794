import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct CancelRunTests {
  let place = OperationPlace()

  private func cancel(
    _ run: String, rollsBack: Bool = true, acceptsRestored: Bool = false, by person: String = "ops",
    isWaiting: () -> Void = {}
  ) async throws(OperationRefusal) -> CancelRun.Outcome {
    var place = place
    place.requester = person
    let row = try await FindRun(place.context()).find(.id(run))
    return try await CancelRun(row, rollsBack: rollsBack, acceptsRestored: acceptsRestored, place.context())
      .ask(isWaiting: isWaiting)
  }

  @Test func aRunThatHasEndedIsNotCancelled() async throws {
    let run = try await place.run(Sample.one)
    #expect(await refusal { () async throws(OperationRefusal) in try await cancel(run) } == .ended(run: run))
    #expect(try place.store.requests(for: run, after: 0).isEmpty)
  }

  @Test func aCancelOfARunWithoutAProcessWaitsForTheNextOne() async throws {
    let assignment = try await place.begin(Sample.one)
    place.die(assignment)
    let run = assignment.lease.runID
    #expect(try await cancel(run) == .asked(isLive: false))
    #expect(try place.store.requests(for: run, after: 0).map(\.kind) == ["cancel"])
    let resumed = try await place.resumption(run).takeOver(in: place.world)
    #expect(await place.work(on: resumed).exit == .cancelled)
  }

  @Test func anOwnerThatIsSilentForAMinuteIsNotWaitedForAnyLonger() async throws {
    let run = try await place.begin(Sample.one).lease.runID
    var told = 0
    let renewed = place.store
    let begin = place.clock.monotonic
    let outcome = try await cancel(run) {
      told += 1
      // It lives, and finishes a call.
      if let lease = try? renewed.lease(of: run) { _ = try? renewed.renew(lease, leaseFor: .seconds(600)) }
    }
    #expect(outcome == .asked(isLive: true))
    #expect(told == 1)
    #expect(place.clock.monotonic - begin >= .seconds(60))
  }

  @Test func theAnswerOfTheOwnerIsTold() async throws {
    for isHeeded in [true, false] {
      let place = OperationPlace()
      let assignment = try await place.begin(Sample.one)
      let lease = assignment.lease
      let row = try place.store.summary(of: lease.runID)
      let outcome: Result<CancelRun.Outcome, OperationRefusal>
      do throws(OperationRefusal) {
        outcome = .success(
          try await CancelRun(row, rollsBack: true, acceptsRestored: false, place.context()).ask {
            let body: Value = ["_request": 1, "reason": "it is too late"]
            let entry = NewEntry(
              at: place.clock.now, kind: isHeeded ? "cancel.requested" : "request.ignored", body: JSONWriter.bytes(body)
            )
            _ = try? place.store.append(
              [entry], to: lease.runID, epoch: lease.epoch, summary: nil, locks: [], releasingLocks: false)
          })
      } catch { outcome = .failure(error) }
      #expect(
        outcome
          == (isHeeded
            ? .success(.heeded(isLive: true))
            : .failure(.cancelTooLate(run: lease.runID, reason: "it is too late"))))
    }
  }

  @Test func whoAsksAgainIsToldOfTheFirstCancel() async throws {
    let assignment = try await place.begin(Sample.one)
    place.die(assignment)
    let run = assignment.lease.runID
    _ = try await cancel(run, by: "first")
    guard case .askedBefore(let earlier, false) = try await cancel(run, by: "second") else {
      Issue.record("it was not told")
      return
    }
    #expect(earlier.requester == "first")
    #expect(
      await refusal { () async throws(OperationRefusal) in try await cancel(run, rollsBack: false) }
        == .otherCancel(run: run, earlier, rollsBack: true, isLive: false))
    #expect(try place.store.requests(for: run, after: 0).count == 1)
  }

  @Test func aRunOfARestoredStoreIsCancelledWhenAPersonSaysThatItMayGoOn() async throws {
    let assignment = try await place.begin(Sample.one)
    try place.markRestored(assignment)
    place.die(assignment)
    let run = assignment.lease.runID
    #expect(await refusal { () async throws(OperationRefusal) in try await cancel(run) } == .restored(run: run))
    #expect(try await cancel(run, acceptsRestored: true) == .asked(isLive: false))
  }
}

import Runbook
import Stores
import TestSupport
import Testing

/// Who may write a run: leases, epochs and locks, in every store.
@Suite struct LeaseTests {
  let folder = TemporaryFolder()

  @Test(arguments: StoreUnderTest.allCases)
  func aLivingOwnerIsNotRobbed(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    bench.clock.advance(.milliseconds(9999))
    let other = try bench.another()
    await #expect(throws: StoreFailure.owned(lease)) {
      try await other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    }
    #expect(try await other.ownership(of: "r1") == .alive(lease))
    #expect(try await bench.store.ownership(of: "r1") == .alive(lease))
    #expect(try await bench.store.lease(of: "r1") == lease)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aClockThatWasSetRobsNobody(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    let other = try bench.another()
    for step in [Duration.seconds(20), .seconds(86_400 * 3650), .seconds(-86_400 * 7300)] {
      bench.clock.stepWallClock(by: step)
      #expect(try await other.ownership(of: "r1") == .alive(lease))
      await #expect(throws: StoreFailure.owned(lease)) {
        try await other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
      }
    }
    bench.clock.advance(.seconds(10))
    #expect(try await other.ownership(of: "r1") == .frozen(lease))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theRunOfAFrozenOwnerIsTakenOver(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    bench.clock.advance(.seconds(10))
    let other = try bench.another()
    #expect(try await other.ownership(of: "r1") == .frozen(lease))
    let taken = try await other.takeOver("r1", owner: .second, leaseFor: .seconds(5))
    #expect(taken.epoch == 2)
    #expect(taken.owner == .second)
    #expect(taken.expiresAt == bench.clock.now + .seconds(5))
    #expect(taken.until == BootTime(id: "manual", elapsed: .seconds(15)))
    // The new owner proves its own life beside the frozen one.
    #expect(try await bench.another().ownership(of: "r1") == .alive(taken))
    await #expect(throws: StoreFailure.owned(taken)) {
      try await bench.another().takeOver("r1", owner: .first, leaseFor: .seconds(5))
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theRunOfAProcessThatIsGoneIsTakenOverAtOnce(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    try await bench.end(lease)
    #expect(try await bench.store.ownership(of: "r1") == .gone(lease))
    let taken = try await bench.store.takeOver("r1", owner: .second, leaseFor: .seconds(5))
    #expect(taken.epoch == 2)
    #expect(try await bench.store.ownership(of: "r1") == .alive(taken))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func whoGivesUpItsProofIsGoneForOthers(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    await bench.store.dropProof(of: lease)
    #expect(try await bench.another().ownership(of: "r1") == .gone(lease))
    // Still the newest epoch: its writes are good until somebody takes the run over.
    #expect(try await bench.store.add(["2"]) == 2)
    let renewed = try await bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(try await bench.another().ownership(of: "r1") == .alive(renewed))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aFrozenOwnerIsFencedWhenItWakes(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let old = try await bench.store.begin(locks: ["l"])
    bench.clock.advance(.seconds(11))
    let new = try await bench.another().takeOver("r1", owner: .second, leaseFor: .seconds(10))
    let fenced = StoreFailure.fenced(by: new)
    await #expect(throws: fenced) {
      try await bench.store.add(["late"], summary: .sample("r1", status: "ended"), releasingLocks: true)
    }
    await #expect(throws: fenced) { try await bench.store.add([], locks: ["m"]) }
    await #expect(throws: fenced) { try await bench.store.renew(old, leaseFor: .seconds(10)) }
    await #expect(throws: fenced) { try await bench.store.release(old) }
    #expect(try await bench.store.bodies() == ["{}"])
    #expect(try await bench.store.summary(of: "r1").status == "running")
    #expect(try await bench.store.locks(of: "r1") == ["l"])
    #expect(try await bench.store.add(["2"], epoch: 2) == 2)
    #expect(try await bench.store.entries(of: "r1", after: 1).map(\.epoch) == [2])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func anEpochFromTheFutureIsFencedToo(_ kind: StoreUnderTest) async throws {
    let store = try kind.open(in: folder).store
    let lease = try await store.begin()
    await #expect(throws: StoreFailure.fenced(by: lease)) { try await store.add(["x"], epoch: 2) }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aReleasedRunBelongsToNobody(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    try await bench.store.release(try await bench.store.begin(locks: ["l"]))
    let other = try bench.another()
    #expect(try await other.lease(of: "r1") == nil)
    #expect(try await other.ownership(of: "r1") == .none)
    await #expect(throws: StoreFailure.fenced(by: nil)) { try await bench.store.add(["late"]) }
    #expect(try await other.locks(of: "r1") == ["l"])
    #expect(try await other.takeOver("r1", owner: .second, leaseFor: .seconds(10)).epoch == 2)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRenewedLeaseLastsLonger(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    bench.clock.advance(.seconds(9))
    let renewed = try await bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(renewed.epoch == 1)
    bench.clock.advance(.seconds(9))
    await #expect(throws: StoreFailure.owned(renewed)) {
      try await bench.another().takeOver("r1", owner: .second, leaseFor: .seconds(10))
    }
    #expect(try await bench.store.add(["2"]) == 2)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLeaseThatHasEndedIsRenewedIfNobodyTookTheRunOver(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let lease = try await bench.store.begin()
    bench.clock.advance(.seconds(60))
    let other = try bench.another()
    #expect(try await other.ownership(of: "r1") == .frozen(lease))
    let renewed = try await bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(try await other.ownership(of: "r1") == .alive(renewed))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLockHasOneHolder(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1", locks: ["a"])
    try await bench.store.begin("r2", locks: ["b"])
    try bench.reopen()
    let store = bench.store
    let held = StoreFailure.lockHeld(lock: "a", by: "r1")
    await #expect(throws: held) { try await store.begin("r3", key: "k", locks: ["c", "a"]) }
    await #expect(throws: held) {
      try await store.add(["2"], to: "r2", summary: .sample("r2", status: "ended"), locks: ["d", "a"])
    }
    #expect(try await store.holder(of: "c") == nil)
    #expect(try await store.holder(of: "d") == nil)
    #expect(try await store.bodies(of: "r2").count == 1)
    #expect(try await store.summary(of: "r2").status == "running")
    await #expect(throws: StoreFailure.notFound("r3")) { try await store.summary(of: "r3") }
    #expect(try await store.run(withKey: "k") == nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunMayTakeItsOwnLockAgainAndReleasesAllAtOnce(_ kind: StoreUnderTest) async throws {
    let store = try kind.open(in: folder).store
    try await store.begin("r1", locks: ["a", "a"])
    try await store.add([], locks: ["b", "a"])
    #expect(try await store.locks(of: "r1") == ["a", "b"])
    try await store.add(["end"], locks: ["c"], releasingLocks: true)
    #expect(try await store.locks(of: "r1") == [])
    #expect(try await store.holder(of: "b") == nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func locksOutlastTheLeaseAndTheOwner(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    try await bench.store.begin("r1", locks: ["a"])
    bench.clock.advance(.seconds(86_400))
    #expect(try await bench.store.holder(of: "a") == "r1")
    _ = try await bench.store.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    #expect(try await bench.store.holder(of: "a") == "r1")
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLockThatIsFreedByHandIsFreeAndJournaled(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1", locks: ["a", "b"])
    try await bench.store.begin("r2", locks: ["c"])
    #expect(try await bench.store.heldLocks().map(\.name) == ["a", "b", "c"])
    let entry = NewEntry.sample("why", kind: "lock.freed")
    await #expect(throws: StoreFailure.notFound("c")) {
      try await bench.store.freeLock("c", of: "r1", epoch: 1, entry: entry)
    }
    await #expect(throws: StoreFailure.notFound("x")) {
      try await bench.store.freeLock("x", of: "r1", epoch: 1, entry: entry)
    }
    await #expect(throws: (any Error).self) { try await bench.store.freeLock("a", of: "r1", epoch: 2, entry: entry) }
    try await bench.store.freeLock("a", of: "r1", epoch: 1, entry: entry)
    try bench.reopen()
    #expect(try await bench.store.locks(of: "r1") == ["b"])
    #expect(try await bench.store.holder(of: "a") == nil)
    #expect(try await bench.store.bodies(of: "r1").last == "why")
    #expect(
      try await bench.store.heldLocks() == [HeldLock(name: "b", runID: "r1"), HeldLock(name: "c", runID: "r2")])
    try await bench.store.begin("r3", locks: ["a"])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunThatEndsWithItsLocksOwesItsRollbackUntilTheyAreReleased(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    for id in ["r1", "r2", "r3"] { try await bench.store.begin(id) }
    try await bench.store.end("r1", releasingLocks: false)
    try await bench.store.end("r2")
    #expect(try await bench.store.owedRuns().map(\.id) == ["r1"])
    try await bench.store.add(["skipped"], to: "r1")
    #expect(try await bench.store.summary(of: "r1").isOwed)
    try bench.reopen()
    // Resumed, it is open again; ended again without its locks, it owes nothing.
    try await bench.store.add(["resumed"], to: "r1", summary: .sample("r1", status: "rolling_back"))
    #expect(try await bench.store.owedRuns().isEmpty)
    #expect(try await bench.store.openRuns().map(\.id) == ["r3", "r1"])
    try await bench.store.end("r1", releasingLocks: false)
    #expect(try await bench.store.summary(of: "r1").isOwed)
    try await bench.store.add(["abandoned"], to: "r1", releasingLocks: true)
    #expect(try await !bench.store.summary(of: "r1").isOwed)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theFirstEntryIsReadAlone(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1")
    try await bench.store.add(["2", "3"])
    try bench.reopen()
    #expect(try await bench.store.firstEntry(of: "r1") == bench.store.entries(of: "r1", after: 0).first)
    await #expect(throws: StoreFailure.notFound("r9")) { try await bench.store.firstEntry(of: "r9") }
  }
}

import Runbook
import Stores
import TestSupport
import Testing

/// Who may write a run: leases, epochs and locks, in every store.
@Suite struct LeaseTests {
  let folder = TemporaryFolder()

  @Test(arguments: StoreUnderTest.allCases)
  func aLivingOwnerIsNotRobbed(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    bench.clock.advance(.milliseconds(9999))
    let other = try bench.another()
    #expect(throws: StoreFailure.owned(lease)) {
      try other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    }
    #expect(try other.ownership(of: "r1") == .alive(lease))
    #expect(try bench.store.ownership(of: "r1") == .alive(lease))
    #expect(try bench.store.lease(of: "r1") == lease)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aClockThatWasSetRobsNobody(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    let other = try bench.another()
    for step in [Duration.seconds(20), .seconds(86_400 * 3650), .seconds(-86_400 * 7300)] {
      bench.clock.stepWallClock(by: step)
      #expect(try other.ownership(of: "r1") == .alive(lease))
      #expect(throws: StoreFailure.owned(lease)) {
        try other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
      }
    }
    bench.clock.advance(.seconds(10))
    #expect(try other.ownership(of: "r1") == .frozen(lease))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theRunOfAFrozenOwnerIsTakenOver(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    bench.clock.advance(.seconds(10))
    let other = try bench.another()
    #expect(try other.ownership(of: "r1") == .frozen(lease))
    let taken = try other.takeOver("r1", owner: .second, leaseFor: .seconds(5))
    #expect(taken.epoch == 2)
    #expect(taken.owner == .second)
    #expect(taken.expiresAt == bench.clock.now + .seconds(5))
    #expect(taken.until == BootTime(id: "manual", elapsed: .seconds(15)))
    // The new owner proves its own life beside the frozen one.
    #expect(try bench.another().ownership(of: "r1") == .alive(taken))
    #expect(throws: StoreFailure.owned(taken)) {
      try bench.another().takeOver("r1", owner: .first, leaseFor: .seconds(5))
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theRunOfAProcessThatIsGoneIsTakenOverAtOnce(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    try bench.end(lease)
    #expect(try bench.store.ownership(of: "r1") == .gone(lease))
    let taken = try bench.store.takeOver("r1", owner: .second, leaseFor: .seconds(5))
    #expect(taken.epoch == 2)
    #expect(try bench.store.ownership(of: "r1") == .alive(taken))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func whoGivesUpItsProofIsGoneForOthers(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    bench.store.dropProof(of: lease)
    #expect(try bench.another().ownership(of: "r1") == .gone(lease))
    // Still the newest epoch: its writes are good until somebody takes the run over.
    #expect(try bench.store.add(["2"]) == 2)
    let renewed = try bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(try bench.another().ownership(of: "r1") == .alive(renewed))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aFrozenOwnerIsFencedWhenItWakes(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let old = try bench.store.begin(locks: ["l"])
    bench.clock.advance(.seconds(11))
    let new = try bench.another().takeOver("r1", owner: .second, leaseFor: .seconds(10))
    let fenced = StoreFailure.fenced(by: new)
    #expect(throws: fenced) {
      try bench.store.add(["late"], summary: .sample("r1", status: "ended"), releasingLocks: true)
    }
    #expect(throws: fenced) { try bench.store.add([], locks: ["m"]) }
    #expect(throws: fenced) { try bench.store.renew(old, leaseFor: .seconds(10)) }
    #expect(throws: fenced) { try bench.store.release(old) }
    #expect(try bench.store.bodies() == ["{}"])
    #expect(try bench.store.summary(of: "r1").status == "running")
    #expect(try bench.store.locks(of: "r1") == ["l"])
    #expect(try bench.store.add(["2"], epoch: 2) == 2)
    #expect(try bench.store.entries(of: "r1", after: 1).map(\.epoch) == [2])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func anEpochFromTheFutureIsFencedToo(_ kind: StoreUnderTest) throws {
    let store = try kind.open(in: folder).store
    let lease = try store.begin()
    #expect(throws: StoreFailure.fenced(by: lease)) { try store.add(["x"], epoch: 2) }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aReleasedRunBelongsToNobody(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    try bench.store.release(try bench.store.begin(locks: ["l"]))
    let other = try bench.another()
    #expect(try other.lease(of: "r1") == nil)
    #expect(try other.ownership(of: "r1") == .none)
    #expect(throws: StoreFailure.fenced(by: nil)) { try bench.store.add(["late"]) }
    #expect(try other.locks(of: "r1") == ["l"])
    #expect(try other.takeOver("r1", owner: .second, leaseFor: .seconds(10)).epoch == 2)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRenewedLeaseLastsLonger(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    bench.clock.advance(.seconds(9))
    let renewed = try bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(renewed.epoch == 1)
    bench.clock.advance(.seconds(9))
    #expect(throws: StoreFailure.owned(renewed)) {
      try bench.another().takeOver("r1", owner: .second, leaseFor: .seconds(10))
    }
    #expect(try bench.store.add(["2"]) == 2)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLeaseThatHasEndedIsRenewedIfNobodyTookTheRunOver(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    let lease = try bench.store.begin()
    bench.clock.advance(.seconds(60))
    let other = try bench.another()
    #expect(try other.ownership(of: "r1") == .frozen(lease))
    let renewed = try bench.store.renew(lease, leaseFor: .seconds(10))
    #expect(try other.ownership(of: "r1") == .alive(renewed))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLockHasOneHolder(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    try bench.store.begin("r1", locks: ["a"])
    try bench.store.begin("r2", locks: ["b"])
    try bench.reopen()
    let store = bench.store
    let held = StoreFailure.lockHeld(lock: "a", by: "r1")
    #expect(throws: held) { try store.begin("r3", key: "k", locks: ["c", "a"]) }
    #expect(throws: held) {
      try store.add(["2"], to: "r2", summary: .sample("r2", status: "ended"), locks: ["d", "a"])
    }
    #expect(try store.holder(of: "c") == nil)
    #expect(try store.holder(of: "d") == nil)
    #expect(try store.bodies(of: "r2").count == 1)
    #expect(try store.summary(of: "r2").status == "running")
    #expect(throws: StoreFailure.notFound("r3")) { try store.summary(of: "r3") }
    #expect(try store.run(withKey: "k") == nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunMayTakeItsOwnLockAgainAndReleasesAllAtOnce(_ kind: StoreUnderTest) throws {
    let store = try kind.open(in: folder).store
    try store.begin("r1", locks: ["a", "a"])
    try store.add([], locks: ["b", "a"])
    #expect(try store.locks(of: "r1") == ["a", "b"])
    try store.add(["end"], locks: ["c"], releasingLocks: true)
    #expect(try store.locks(of: "r1") == [])
    #expect(try store.holder(of: "b") == nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func locksOutlastTheLeaseAndTheOwner(_ kind: StoreUnderTest) throws {
    let bench = try kind.open(in: folder)
    try bench.store.begin("r1", locks: ["a"])
    bench.clock.advance(.seconds(86_400))
    #expect(try bench.store.holder(of: "a") == "r1")
    _ = try bench.store.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    #expect(try bench.store.holder(of: "a") == "r1")
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aLockThatIsFreedByHandIsFreeAndJournaled(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    try bench.store.begin("r1", locks: ["a", "b"])
    try bench.store.begin("r2", locks: ["c"])
    #expect(try bench.store.heldLocks().map(\.name) == ["a", "b", "c"])
    let entry = NewEntry.sample("why", kind: "lock.freed")
    #expect(throws: StoreFailure.notFound("c")) { try bench.store.freeLock("c", of: "r1", epoch: 1, entry: entry) }
    #expect(throws: StoreFailure.notFound("x")) { try bench.store.freeLock("x", of: "r1", epoch: 1, entry: entry) }
    #expect(throws: (any Error).self) { try bench.store.freeLock("a", of: "r1", epoch: 2, entry: entry) }
    try bench.store.freeLock("a", of: "r1", epoch: 1, entry: entry)
    try bench.reopen()
    #expect(try bench.store.locks(of: "r1") == ["b"])
    #expect(try bench.store.holder(of: "a") == nil)
    #expect(try bench.store.bodies(of: "r1").last == "why")
    #expect(
      try bench.store.heldLocks() == [HeldLock(name: "b", runID: "r1"), HeldLock(name: "c", runID: "r2")])
    try bench.store.begin("r3", locks: ["a"])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunThatEndsWithItsLocksOwesItsRollbackUntilTheyAreReleased(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    for id in ["r1", "r2", "r3"] { try bench.store.begin(id) }
    try bench.store.end("r1", releasingLocks: false)
    try bench.store.end("r2")
    #expect(try bench.store.owedRuns().map(\.id) == ["r1"])
    try bench.store.add(["skipped"], to: "r1")
    #expect(try bench.store.summary(of: "r1").isOwed)
    try bench.reopen()
    // Resumed, it is open again; ended again without its locks, it owes nothing.
    try bench.store.add(["resumed"], to: "r1", summary: .sample("r1", status: "rolling_back"))
    #expect(try bench.store.owedRuns().isEmpty && bench.store.openRuns().map(\.id) == ["r3", "r1"])
    try bench.store.end("r1", releasingLocks: false)
    #expect(try bench.store.summary(of: "r1").isOwed)
    try bench.store.add(["abandoned"], to: "r1", releasingLocks: true)
    #expect(try !bench.store.summary(of: "r1").isOwed)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theFirstEntryIsReadAlone(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    try bench.store.begin("r1")
    try bench.store.add(["2", "3"])
    try bench.reopen()
    #expect(try bench.store.firstEntry(of: "r1") == bench.store.entries(of: "r1", after: 0).first)
    #expect(throws: StoreFailure.notFound("r9")) { try bench.store.firstEntry(of: "r9") }
  }
}

import Runbook
import TestSupport
import Testing

/// What every store promises.
@Suite struct RunStoreTests {
  let folder = TemporaryFolder()

  @Test(arguments: StoreUnderTest.allCases)
  func aCreatedRunIsReadBackAsItWas(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    var run = RunSummary.sample("r7", key: "deploy-42")
    run.outcome = "failed"
    run.rollback = "pending"
    run.exitCode = -1
    run.endedAt = ManualClock.start + .seconds(5)
    let lease = try await bench.store.create(
      run, owner: .second, leaseFor: .milliseconds(1500), locks: ["b", "a"],
      entries: [.sample("1"), .sample("2", kind: "x")])
    try bench.reopen()
    let store = bench.store
    #expect(try await store.summary(of: "r7") == run)
    #expect(try await store.run(withKey: "deploy-42") == run)
    #expect(try await store.locks(of: "r7") == ["a", "b"])
    #expect(
      lease
        == Lease(
          runID: "r7", epoch: 1, owner: .second, renewedAt: ManualClock.start,
          expiresAt: ManualClock.start + .milliseconds(1500),
          until: BootTime(id: "manual", elapsed: .milliseconds(1500))))
    #expect(try await store.lease(of: "r7") == lease)
    let at = ManualClock.start + .nanoseconds(1)
    #expect(
      try await store.entries(of: "r7", after: 0) == [
        JournalEntry(sequence: 1, at: at, epoch: 1, kind: "step.started", body: Array("1".utf8)),
        JournalEntry(sequence: 2, at: at, epoch: 1, kind: "x", body: Array("2".utf8)),
      ])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func entriesAreNumberedWithoutGapsAndReadFromAnyPlace(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin()
    #expect(try await bench.store.add(["2", "3"]) == 3)
    #expect(try await bench.store.add([]) == 3)
    #expect(try await bench.store.add(["4"]) == 4)
    try bench.reopen()
    #expect(try await bench.store.add(["5"]) == 5)
    #expect(try await bench.store.entries(of: "r1", after: 0).map(\.sequence) == [1, 2, 3, 4, 5])
    #expect(try await bench.store.bodies(after: 3) == ["4", "5"])
    #expect(try await bench.store.bodies(after: 5) == [])
    #expect(try await bench.store.bodies(after: .max) == [])
    #expect(try await bench.store.bodies(after: -1).count == 5)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func anyBytesAreKept(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin()
    let bodies: [[UInt8]] = [[], [0], [0xff, 0xfe, 0], Array(repeating: 0x61, count: 100_000)]
    let entries = bodies.map { NewEntry(at: Timestamp(seconds: 0), kind: "größe\u{0}🧯", body: $0) }
    try await bench.store.append(
      entries, to: "r1", epoch: 1, summary: nil, locks: ["l\u{0}", ""], releasingLocks: false)
    try bench.reopen()
    let read = try await bench.store.entries(of: "r1", after: 1)
    #expect(read.map(\.body) == bodies)
    #expect(read.allSatisfy { $0.kind == "größe\u{0}🧯" })
    #expect(try await bench.store.locks(of: "r1") == ["", "l\u{0}"])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func anUnknownRunIsNotFound(_ kind: StoreUnderTest) async throws {
    let store = try kind.open(in: folder).store
    let lease = Lease(
      runID: "r9", epoch: 1, owner: .first, renewedAt: ManualClock.start, expiresAt: ManualClock.start)
    let missing = StoreFailure.notFound("r9")
    await #expect(throws: missing) { try await store.add(["1"], to: "r9") }
    await #expect(throws: missing) { try await store.entries(of: "r9", after: 0) }
    await #expect(throws: missing) { try await store.summary(of: "r9") }
    await #expect(throws: missing) { try await store.lease(of: "r9") }
    await #expect(throws: missing) { try await store.takeOver("r9", owner: .first, leaseFor: .seconds(1)) }
    await #expect(throws: missing) { try await store.renew(lease, leaseFor: .seconds(1)) }
    await #expect(throws: missing) { try await store.release(lease) }
    await #expect(throws: missing) { try await store.post("cancel", body: [], to: "r9", requester: "ops") }
    await #expect(throws: missing) { try await store.requests(for: "r9", after: 0) }
    #expect(try await store.run(withKey: "k") == nil)
    #expect(try await store.holder(of: "l") == nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunIsCreatedOnce(_ kind: StoreUnderTest) async throws {
    let store = try kind.open(in: folder).store
    try await store.begin()
    guard case .unusable = await failure(ofAwaiting: { () async throws(StoreFailure) in try await store.begin() })
    else {
      Issue.record("the second run of one id was not refused")
      return
    }
    #expect(try await store.bodies().count == 1)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aKeyNamesOneRunForEver(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1", key: "k")
    var ended = RunSummary.sample("r1", key: nil, status: "ended")
    try await bench.store.add(["end"], summary: ended, releasingLocks: true)
    try bench.reopen()
    ended.key = "k"
    await #expect(throws: StoreFailure.keyTaken(ended)) { try await bench.store.begin("r2", key: "k", locks: ["l"]) }
    await #expect(throws: StoreFailure.notFound("r2")) { try await bench.store.summary(of: "r2") }
    #expect(try await bench.store.holder(of: "l") == nil)
    try await bench.store.begin("r3", key: "K")
    try await bench.store.begin("r4", key: nil)
    try await bench.store.begin("r5", key: nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func summariesAreTheNewestFirst(_ kind: StoreUnderTest) async throws {
    let store = try kind.open(in: folder).store
    for id in ["r2", "r1", "r3"] { try await store.begin(id) }
    try await store.add([], to: "r2", summary: .sample("r2", status: "ended"))
    #expect(try await store.summaries(limit: 2).map(\.id) == ["r3", "r2"])
    #expect(try await store.summaries(limit: .max).map(\.id) == ["r3", "r2", "r1"])
    #expect(try await store.summaries(limit: 0).isEmpty)
    #expect(try await store.summaries(limit: -1).isEmpty)
    #expect(try await store.openRuns().map(\.id) == ["r3", "r1"])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aSummaryChangesWithItsEntries(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1", key: "k")
    var changed = RunSummary.sample("r1", key: "k", status: "ended")
    changed.outcome = "failed"
    changed.exitCode = 3
    changed.endedAt = bench.clock.now
    changed.isRestored = true
    try await bench.store.add(["2"], summary: changed)
    try bench.reopen()
    // It has ended, and its locks were not released.
    changed.isOwed = true
    #expect(try await bench.store.summary(of: "r1") == changed)
    changed.isRestored = false
    try await bench.store.add([], summary: changed)
    #expect(try await bench.store.summary(of: "r1") == changed)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theDigestKeyStaysTheSame(_ kind: StoreUnderTest) throws {
    var bench = try kind.open(in: folder)
    let key = bench.store.digestKey
    #expect(key.count == 32)
    try bench.reopen()
    #expect(bench.store.digestKey == key)
    #expect(!bench.store.isOutOfSpace)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func requestsArriveInOrderAtTheirRun(_ kind: StoreUnderTest) async throws {
    var bench = try kind.open(in: folder)
    try await bench.store.begin("r1")
    try await bench.store.begin("r2")
    try await bench.store.post("cancel", body: [1, 0], to: "r1", requester: "ops")
    try await bench.store.post("cancel", body: [], to: "r2", requester: "eve")
    bench.clock.advance(.seconds(3))
    try await bench.store.post("resolve", body: [2], to: "r1", requester: "größe")
    try bench.reopen()
    let all = try await bench.store.requests(for: "r1", after: 0)
    #expect(all.map(\.kind) == ["cancel", "resolve"])
    #expect(all.map(\.body) == [[1, 0], [2]])
    #expect(all.map(\.requester) == ["ops", "größe"])
    #expect(all.map(\.at) == [ManualClock.start, ManualClock.start + .seconds(3)])
    guard let first = all.first, let last = all.last else { return }
    #expect(try await bench.store.requests(for: "r1", after: first.id) == [last])
    #expect(try await bench.store.requests(for: "r1", after: last.id) == [])
  }
}

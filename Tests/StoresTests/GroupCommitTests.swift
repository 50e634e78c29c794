import Runbook
import Stores
import TestSupport
import Testing

/// Batches of several runs in one transaction.
@Suite struct GroupCommitTests {
  let folder = TemporaryFolder()

  private func batch(_ run: String, epoch: Int64 = 1, locks: [String] = []) -> JournalBatch {
    JournalBatch([.sample("2"), .sample("3")], of: run, epoch: epoch, locks: locks)
  }

  private func begun(_ kind: StoreUnderTest) async throws -> Bench {
    let bench = try kind.open(in: folder)
    for run in ["r1", "r2", "r3", "r4"] {
      _ = try await bench.store.create(
        .sample(run), owner: .first, leaseFor: .seconds(10), locks: run == "r1" ? ["taken"] : [],
        entries: [.sample("1")])
    }
    return bench
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aRunThatWasTakenOverFailsAlone(_ kind: StoreUnderTest) async throws {
    var bench = try await begun(kind)
    let results = await bench.store.commit([batch("r1"), batch("r2", epoch: 7), batch("r3")])
    #expect(results.map { try? $0.get() } == [3, nil, 3])
    guard case .failure(.fenced) = results[1] else {
      Issue.record("it is not fenced: \(results[1])")
      return
    }
    try bench.reopen()
    #expect(try await bench.store.entries(of: "r1", after: 0).count == 3)
    #expect(try await bench.store.entries(of: "r2", after: 0).count == 1)
    #expect(try await bench.store.entries(of: "r3", after: 0).count == 3)
  }

  /// The lock that was taken before the refused one is not kept either.
  @Test(arguments: StoreUnderTest.allCases)
  func aLockThatIsHeldRefusesItsOwnBatchAndNothingOfItIsKept(_ kind: StoreUnderTest) async throws {
    let bench = try await begun(kind)
    let results = await bench.store.commit([
      batch("r2", locks: ["free", "taken"]), batch("r3", locks: ["free"]), batch("r4", locks: ["free"]),
    ])
    #expect(results.map { try? $0.get() } == [nil, 3, nil])
    #expect(results[0] == .failure(.lockHeld(lock: "taken", by: "r1")))
    #expect(results[2] == .failure(.lockHeld(lock: "free", by: "r3")))
    #expect(try await bench.store.entries(of: "r2", after: 0).count == 1)
    #expect(try await bench.store.holder(of: "free") == "r3")
  }

  @Test(arguments: StoreUnderTest.allCases)
  func twoBatchesOfOneRunAreWrittenInTheirOrder(_ kind: StoreUnderTest) async throws {
    var bench = try await begun(kind)
    let results = await bench.store.commit([batch("r1"), batch("r1"), batch("r2")])
    #expect(results.map { try? $0.get() } == [3, 5, 3])
    try bench.reopen()
    #expect(try await bench.store.entries(of: "r1", after: 0).map(\.sequence) == [1, 2, 3, 4, 5])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aCommitInWhichEveryBatchFailsChangesNothing(_ kind: StoreUnderTest) async throws {
    var bench = try await begun(kind)
    let results = await bench.store.commit([batch("r1", epoch: 9), batch("nobody")])
    #expect(results.allSatisfy { (try? $0.get()) == nil })
    try bench.reopen()
    #expect(try await bench.store.entries(of: "r1", after: 0).count == 1)
    #expect(try await bench.store.summaries(limit: 10).count == 4)
  }
}

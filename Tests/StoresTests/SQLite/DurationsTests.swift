import Runbook
import SQLite
import Stores
import TestSupport
import Testing

/// How long waits took, for the rhythm of later ones.
@Suite struct DurationsTests {
  let folder = TemporaryFolder()
  let clock = ManualClock()

  func open() throws(StoreFailure) -> SQLiteStore { try SQLiteStore(at: folder.path("runbook.db"), clock: clock) }

  @Test func theMiddleOneIsTheUsualOneAndOutlivesTheProcess() throws {
    let store = try open()
    #expect(store.usualDuration(of: "vps_org host snapshot.create") == nil)
    for seconds in [300, 10, 400] as [Int64] {
      store.noteDuration(.seconds(seconds), of: "vps_org host snapshot.create")
    }
    store.noteDuration(.seconds(1), of: "vps_org host server.stop")
    #expect(try open().usualDuration(of: "vps_org host snapshot.create") == .seconds(300))
    #expect(try open().usualDuration(of: "vps_org host server.stop") == .seconds(1))
  }

  @Test func onlyTheLastTwentyCount() throws {
    let store = try open()
    for _ in 0..<30 { store.noteDuration(.seconds(1000), of: "kind") }
    for _ in 0..<20 { store.noteDuration(.seconds(5), of: "kind") }
    #expect(store.usualDuration(of: "kind") == .seconds(5))
    let kept = try Connection(path: folder.path("runbook.db"), busyTimeout: 0)
      .all("SELECT count(*) FROM durations") { $0.integer(0) }
    #expect(kept == [20])
  }

  @Test func aStoreFromBeforeIsGivenThePlaceForThem() throws {
    let runs = try open()
    let lease = try runs.begin()
    let database = try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
    try database.age(lease, owner: lease.owner)
    try database.script(
      """
      DROP TABLE durations; DROP INDEX locks_by_run; DROP INDEX flagged_runs; DROP TABLE swept; DROP TABLE sweeps;
      DROP TABLE output_chunks; DROP TABLE output_streams;
      ALTER TABLE runs DROP COLUMN until_boot; ALTER TABLE runs DROP COLUMN until_elapsed;
      PRAGMA user_version = 1;
      """)
    let store = try open()
    store.noteDuration(.seconds(7), of: "kind")
    #expect(store.usualDuration(of: "kind") == .seconds(7))
    #expect(try store.summaries(limit: 10).count == 1)
  }

  @Test func aStoreFromBeforeTellsWhichRollbacksAreOwed() throws {
    let runs = try open()
    var leases: [Lease] = []
    for id in ["r1", "r2", "r3"] {
      leases.append(try runs.begin(id))
      var summary = RunSummary.sample(id, status: "ended")
      summary.rollback = id == "r3" ? "succeeded" : "failed"
      let end = NewEntry.sample("end", kind: id == "r2" ? "rollback.abandoned" : "run.ended")
      // Earlier releases noted nothing, which is what is noted of a run that released its locks.
      try runs.append([end], to: id, epoch: 1, summary: summary, locks: [], releasingLocks: true)
    }
    #expect(try runs.owedRuns().isEmpty)
    let database = try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
    for lease in leases { try database.age(lease, owner: lease.owner) }
    try database.script(
      """
      DROP INDEX flagged_runs; DROP TABLE swept; DROP TABLE sweeps; DROP TABLE output_chunks; DROP TABLE output_streams;
      ALTER TABLE runs DROP COLUMN until_boot; ALTER TABLE runs DROP COLUMN until_elapsed; PRAGMA user_version = 3;
      """)
    let store = try open()
    #expect(try store.owedRuns().map(\.id) == ["r1"])
    #expect(try store.sweepable(endedBefore: ManualClock.start + .seconds(1)).isEmpty)
  }

  @Test func whatMakesNoSenseIsNoTrap() throws {
    let store = try open()
    store.noteDuration(.seconds(-5), of: "kind")
    store.noteDuration(.seconds(Int64.max), of: "other")
    store.noteDuration(.seconds(1), of: String(repeating: "x", count: 5000))
    #expect(store.usualDuration(of: "kind") == .zero)
    #expect(store.usualDuration(of: "other") == .seconds(366 * 86_400))
    #expect(store.usualDuration(of: String(repeating: "x", count: 5000)) == nil)
  }
}

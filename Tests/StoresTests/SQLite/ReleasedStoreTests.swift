import Glibc
import Runbook
import SQLite
import Stores
import TestSupport
import Testing

/// Store files that earlier releases wrote, with runs open in them, are opened by this one and lose nothing. How a file
/// is added stands in `Tests/StoresTests/Releases/README.md`.
@Suite struct ReleasedStoreTests {
  /// One run as that release left it: status, how many entries, who holds which locks, what was asked of it.
  struct Left: Sendable, CustomTestStringConvertible {
    var name: String
    var status: String
    var exitCode: Int32?
    var entries: Int
    var epoch: Int64 = 1
    /// Its owner did not give the lease up.
    var isOwned = true
    var locks: [String] = []
    var requests: [String] = []
    var key: String?
    var testDescription: String { name }
  }

  static let left: [Left] = [
    Left(
      name: "cloud", status: "running", entries: 7, locks: ["vps_org/127.0.0.1:8098/server/12345"]),
    Left(name: "cloud", status: "ended", exitCode: 0, entries: 11),
    Left(name: "killed", status: "running", entries: 5, locks: ["rack-6"]),
    Left(name: "left", status: "running", entries: 9, epoch: 2, isOwned: false, locks: ["rack-5"]),
    Left(name: "cancelled", status: "waiting", entries: 7, isOwned: false, locks: ["rack-4"], requests: ["cancel"]),
    Left(
      name: "answered", status: "waiting", entries: 7, isOwned: false, locks: ["rack-3", "shelf-3"],
      requests: ["resolve"]),
    Left(name: "parked", status: "waiting", entries: 7, isOwned: false, locks: ["rack-2"]),
    Left(name: "stuck", status: "ended", exitCode: 4, entries: 15, locks: ["rack-1"]),
    Left(name: "waited", status: "ended", exitCode: 0, entries: 6),
    Left(name: "undone", status: "ended", exitCode: 3, entries: 12),
    Left(name: "done", status: "ended", exitCode: 0, entries: 7, key: "ci-4711"),
  ]

  let folder = TemporaryFolder(inMemory: true)
  let clock = ManualClock()

  /// - Parameter form: 3 as it was written; 1 and 2 are made from it by taking away what later ones added.
  private func copy(form: Int = 3, mark: Bool = true) throws {
    folder.write("runbook.db", try Repository.bytes("Tests/StoresTests/Releases/0.1.0.store"))
    if mark { folder.write("runbook.db.lock", try Repository.bytes("Tests/StoresTests/Releases/0.1.0.store.lock")) }
    guard form < 3 else { return }
    let connection = try Connection(path: folder.path("runbook.db"), busyTimeout: 0)
    try connection.script("DROP INDEX locks_by_run; PRAGMA user_version = 2")
    if form == 1 { try connection.script("DROP TABLE durations; PRAGMA user_version = 1") }
  }

  private func open(_ name: String = "runbook.db") throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    options.reserve = 4096
    return try SQLiteStore(at: folder.path(name), clock: clock, options: options)
  }

  private func version(of name: String) throws -> Int64? {
    try Connection(path: folder.path(name), busyTimeout: 0).first("PRAGMA user_version") { $0.integer(0) }
  }

  /// Reading verifies checksums and hash chains.
  private func left(in store: SQLiteStore) throws -> [Left] {
    try store.summaries(limit: 99).map { run in
      let entries = try store.entries(of: run.id, after: 0)
      for entry in entries { _ = try Fact(entry) }
      let lease = try store.lease(of: run.id)
      return Left(
        name: run.name, status: run.status, exitCode: run.exitCode, entries: entries.count,
        epoch: lease?.epoch ?? entries.map(\.epoch).max() ?? 0, isOwned: lease != nil,
        locks: try store.locks(of: run.id), requests: try store.requests(for: run.id, after: 0).map(\.kind),
        key: run.key)
    }
  }

  @Test(arguments: 1...3)
  func aReleasedStoreWithRunsOpenIsMigratedAndLosesNothing(_ form: Int) throws {
    try copy(form: form)
    let store = try open()
    #expect(store.warning == nil)
    _ = try open("new.db")
    #expect(try version(of: "runbook.db") == (try version(of: "new.db")))
    let found = try left(in: store)
    #expect(found.map { "\($0)" } == Self.left.map { "\($0)" })
    #expect(try store.openRuns().count == Self.left.filter { $0.status != "ended" }.count)
    #expect(try store.summaries(limit: 99).filter(\.isRestored).isEmpty)
    for (run, expected) in zip(try store.summaries(limit: 99), Self.left) {
      for lock in expected.locks { #expect(try store.holder(of: lock) == run.id) }
    }
    let took = store.usualDuration(of: "vps_org 127.0.0.1:8098 server.stop")
    #expect((took == nil) == (form == 1))
    #expect(try store.run(withKey: "ci-4711")?.name == "done")
  }

  /// Its runs can be worked on: one that was killed is taken over, its journal goes on, its locks are given back.
  @Test(arguments: 1...3)
  func aRunOfAReleasedStoreIsTakenOverAndEnded(_ form: Int) throws {
    try copy(form: form)
    let store = try open()
    // Its owners were of another host: their leases end by the wall clock.
    clock.stepWallClock(by: .seconds(10 * 366 * 86_400))
    for run in try store.openRuns() {
      let entries = try store.entries(of: run.id, after: 0)
      let lease = try store.takeOver(run.id, owner: .first, leaseFor: .seconds(10))
      #expect(lease.epoch == (entries.map(\.epoch).max() ?? 0) + 1)
      var summary = run
      summary.status = "ended"
      try store.add(["{}"], to: run.id, epoch: lease.epoch, summary: summary, releasingLocks: true)
      #expect(try store.entries(of: run.id, after: 0).count == entries.count + 1)
      #expect(try store.locks(of: run.id).isEmpty)
    }
    #expect(try open().openRuns().isEmpty)
  }

  /// A copy without its mark may be older than what its runs have done: each that is open, or owes its rollback, is
  /// marked.
  @Test func aReleasedStoreWithoutItsMarkCountsAsPutBack() throws {
    try copy(mark: false)
    let store = try open()
    #expect(store.warning?.contains("older copy") == true)
    for run in try store.summaries(limit: 99) {
      #expect(run.isRestored == (run.status != "ended" || run.isOwed), "\(run.name)")
    }
    #expect(try left(in: store).count == Self.left.count)
  }
}

import Runbook
import SQLite
import Synchronization
import TestSupport

@testable import Stores

/// A new store adds one case, and runs every test of `RunStoreTests`.
enum StoreUnderTest: String, CaseIterable {
  case memory, sqlite

  func open(in folder: TemporaryFolder) throws(StoreFailure) -> Bench {
    let clock = ManualClock()
    switch self {
    case .memory: return Bench(store: MemoryStore(clock: clock), clock: clock, folder: folder, kind: self)
    case .sqlite:
      return Bench(
        store: try SQLiteStore(at: folder.path("runbook.db"), clock: clock), clock: clock, folder: folder, kind: self)
    }
  }
}

/// A store, the clock it reads, and the folder it lies in.
struct Bench {
  var store: any RunStore
  let clock: ManualClock
  let folder: TemporaryFolder
  let kind: StoreUnderTest

  /// What another process opens while this one lives.
  func another() throws(StoreFailure) -> any RunStore {
    kind == .sqlite ? try SQLiteStore(at: folder.path("runbook.db"), clock: clock) : store
  }

  /// The process of this store ends: the kernel drops what it held.
  mutating func end(_ lease: Lease) async throws(StoreFailure) {
    if kind == .memory { await store.dropProof(of: lease) }
    try reopen()
  }

  /// What a new process would open.
  mutating func reopen() throws(StoreFailure) {
    if kind == .sqlite { store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock) }
  }
}

/// Stands still until it is moved.
final class ManualClock: EngineClock {
  private let elapsed = Mutex(Duration.zero)
  private let wallOffset = Mutex(Duration.zero)
  static let start = Timestamp(seconds: 1_768_564_800, nanoseconds: 123_456_789)
  var now: Timestamp { ManualClock.start + monotonic + wallOffset.withLock { $0 } }
  var boot: BootTime { BootTime(id: "manual", elapsed: monotonic) }
  /// As an operator sets it.
  func stepWallClock(by duration: Duration) { wallOffset.withLock { $0 += duration } }
  var monotonic: Duration { elapsed.withLock { $0 } }
  func sleep(for duration: Duration) async { advance(duration) }
  func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}

extension Owner {
  static let first = Owner(host: "one", bootID: "boot-1", pid: 11, processStart: 1000)
  static let second = Owner(host: "two", bootID: "boot-2", pid: 22, processStart: .max)
}

extension RunSummary {
  static func sample(_ id: String = "r1", key: String? = nil, status: String = "running") -> RunSummary {
    RunSummary(
      id: id, name: "pre_upgrade", status: status, startedAt: ManualClock.start, key: key, fingerprint: "f-\(id)")
  }
}

extension RunSummary {
  /// Of a run that has ended, with its rollback failed if it keeps its locks.
  static func ended(_ id: String, key: String?, releasingLocks: Bool, at instant: Timestamp?) -> RunSummary {
    var summary = RunSummary.sample(id, key: key, status: "ended")
    summary.rollback = releasingLocks ? "none" : "failed"
    summary.outcome = "failed"
    summary.endedAt = instant ?? ManualClock.start
    return summary
  }
}

extension NewEntry {
  static func sample(_ text: String, kind: String = "step.started") -> NewEntry {
    NewEntry(at: ManualClock.start + .nanoseconds(1), kind: kind, body: Array(text.utf8))
  }
}

extension RunStore {
  /// A run with one entry and no locks.
  @discardableResult
  func begin(
    _ id: String = "r1", key: String? = nil, owner: Owner = .first, locks: [String] = []
  ) async throws(StoreFailure) -> Lease {
    try await create(
      .sample(id, key: key), owner: owner, leaseFor: .seconds(10), locks: locks,
      entries: [.sample("{}", kind: "run.started")])
  }

  @discardableResult
  func add(
    _ texts: [String], to id: String = "r1", epoch: Int64 = 1, summary: RunSummary? = nil, locks: [String] = [],
    releasingLocks: Bool = false
  ) async throws(StoreFailure) -> Int64 {
    try await append(
      texts.map { .sample($0) }, to: id, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks)
  }

  func bodies(of id: String = "r1", after sequence: Int64 = 0) async throws(StoreFailure) -> [String] {
    try await entries(of: id, after: sequence).map { String(decoding: $0.body, as: UTF8.self) }
  }
}

extension RunStore {
  /// Ends the run, with its rollback failed if it keeps its locks.
  func end(
    _ id: String, key: String? = nil, releasingLocks: Bool = true, at instant: Timestamp? = nil
  ) async throws(StoreFailure) {
    try await add(
      ["end"], to: id, summary: .ended(id, key: key, releasingLocks: releasingLocks, at: instant),
      releasingLocks: releasingLocks)
  }
}

extension Connection {
  /// Makes the lease what a release without boot times would have written.
  func age(_ lease: Lease, owner: Owner) throws {
    var former = lease
    former.owner = owner
    former.until = nil
    try run(
      """
      UPDATE runs SET until_boot = NULL, until_elapsed = NULL, owner_host = ?, owner_boot = ?, owner_pid = ?,
        owner_start = ?, lease_seal = ? WHERE id = ?
      """, .text(owner.host), .text(owner.bootID), .integer(Int64(owner.pid)),
      .integer(Int64(bitPattern: owner.processStart)), .integer(former.seal(isOwned: true)), .text(lease.runID))
  }
}

/// The failure that `body` throws; nil if it throws none.
func failure(of body: () throws(StoreFailure) -> Void) -> StoreFailure? {
  do throws(StoreFailure) {
    try body()
    return nil
  } catch { return error }
}

/// The same, of work that may suspend.
func failure(ofAwaiting body: () async throws(StoreFailure) -> Void) async -> StoreFailure? {
  do throws(StoreFailure) {
    try await body()
    return nil
  } catch { return error }
}

public import Runbook
import Synchronization

/// A store that lives as long as the process: for `--simulate` and for tests. It outlives the interpreter that used it,
/// so a crash is an interpreter that stops and another one that opens the same store.
public final class MemoryStore: RunStore {
  public let digestKey: [UInt8]
  private let clock: any EngineClock
  private let content = Mutex(Content())

  /// - Parameters:
  ///   - clock: its boot-time clock decides when leases end.
  /// - digestKey: 32 bytes; constant by default, so that a simulated run repeats exactly. Nothing of it leaves the
  /// process.
  public init(clock: any EngineClock, digestKey: [UInt8] = [UInt8](repeating: 0x5a, count: 32)) {
    self.clock = clock
    self.digestKey = digestKey
  }

  public func create(
    _ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry]
  ) throws(StoreFailure) -> Lease {
    let lease = Lease(runID: run.id, epoch: 1, owner: owner, for: leaseFor, clock)
    try content.withLock { content throws(StoreFailure) in
      if let key = run.key, let other = content.runs.values.first(where: { $0.summary.key == key }) {
        throw .keyTaken(other.summary)
      }
      guard content.runs[run.id] == nil else { throw .unusable("there already is a run `\(run.id)` in memory") }
      try content.checkFree(locks, for: run.id)
      content.runs[run.id] = Run(summary: run, lease: lease)
      content.take(locks, for: run.id)
      content.runs[run.id]?.append(entries)
    }
    return lease
  }

  /// Puts a run back as earlier processes left it: entries of any epochs, requests read or not, locks still held. It
  /// has no owner; the next `takeOver` gets the epoch after `epoch`.
  ///
  /// - Parameters:
  ///   - entries: numbered from 1 without gaps.
  ///   - epoch: of its last owner.
  /// - Throws: `unusable` if there is such a run already, `lockHeld` if another run holds one of its locks.
  public func restore(
    _ run: RunSummary, entries: [JournalEntry], requests: [RunRequest], locks: [String], epoch: Int64
  ) throws(StoreFailure) {
    let gone = Owner(host: "gone", bootID: "gone", pid: 0, processStart: 0)
    let lease = Lease(runID: run.id, epoch: epoch, owner: gone, renewedAt: clock.now, expiresAt: clock.now)
    try content.withLock { content throws(StoreFailure) in
      guard content.runs[run.id] == nil else { throw .unusable("there already is a run `\(run.id)` in memory") }
      try content.checkFree(locks, for: run.id)
      content.take(locks, for: run.id)
      content.runs[run.id] = Run(summary: run, lease: lease, isOwned: false, entries: entries, requests: requests)
    }
  }

  @discardableResult
  public func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) throws(StoreFailure) -> Int64 {
    try content.withLock { content throws(StoreFailure) in
      try content.check(runID, ownedAt: epoch)
      try content.checkFree(locks, for: runID)
      content.take(locks, for: runID)
      content.runs[runID]?.append(entries)
      let wasOwed = content.runs[runID]?.summary.isOwed ?? false
      if var summary {
        summary.id = runID
        summary.key = content.runs[runID]?.summary.key
        content.runs[runID]?.summary = summary
      }
      if releasingLocks { content.locks = content.locks.filter { $0.value != runID } }
      content.runs[runID]?.summary.settle(releasingLocks: releasingLocks, isNew: summary != nil, was: wasOwed)
      return Int64(content.runs[runID]?.entries.count ?? 0)
    }
  }

  @discardableResult
  public func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool,
    output: [OutputWrite]
  ) throws(StoreFailure) -> Int64 {
    let last = try append(
      entries, to: runID, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks)
    try appendOutput(output, to: runID, epoch: epoch)
    return last
  }

  public func appendOutput(_ writes: [OutputWrite], to runID: String, epoch: Int64) throws(StoreFailure) {
    try content.withLock { content throws(StoreFailure) in
      try content.check(runID, ownedAt: epoch)
      content.output.append(writes, to: runID)
    }
  }

  public func outputStreams(of runID: String) throws(StoreFailure) -> [StoredStream] {
    _ = try run(runID)
    return content.withLock { $0.output.streams(of: runID) }
  }

  public func outputStream(_ key: String, _ stream: OutputStream) throws(StoreFailure) -> StoredStream? {
    content.withLock { $0.output.find(key, stream)?.stream }
  }

  public func outputChunk(
    _ key: String, _ stream: OutputStream, from position: Int64
  ) throws(StoreFailure) -> OutputChunk? {
    content.withLock { content in
      content.output.find(key, stream)?.chunks.first { $0.firstByte + Int64($0.body.count) > position }
    }
  }

  public func outputChunk(_ key: String, _ stream: OutputStream, line: Int64) throws(StoreFailure) -> OutputChunk? {
    content.withLock { content in
      content.output.find(key, stream)?.chunks.last { $0.firstLine <= line }
    }
  }

  public func copyOutput(_ keys: [String], to runID: String, epoch: Int64) throws(StoreFailure) {
    try content.withLock { content throws(StoreFailure) in
      try content.check(runID, ownedAt: epoch)
      content.output.copy(keys, to: runID)
    }
  }

  public func entries(of runID: String, after sequence: Int64) throws(StoreFailure) -> [JournalEntry] {
    let entries = try run(runID).entries
    return Array(entries.dropFirst(Int(clamping: max(0, sequence))))
  }

  public func firstEntry(of runID: String) throws(StoreFailure) -> JournalEntry? { try run(runID).entries.first }

  public var isOutOfSpace: Bool { false }

  public func summary(of runID: String) throws(StoreFailure) -> RunSummary { try run(runID).summary }

  public func summaries(limit: Int) throws(StoreFailure) -> [RunSummary] {
    let all = content.withLock { $0.runs.values.map(\.summary) }
    return Array(all.sorted { $0.id > $1.id }.prefix(max(0, limit)))
  }

  public func openRuns() throws(StoreFailure) -> [RunSummary] {
    try summaries(limit: .max).filter { $0.status != "ended" }
  }

  public func owedRuns() throws(StoreFailure) -> [RunSummary] {
    try summaries(limit: .max).filter { $0.status == "ended" && ($0.isOwed || $0.isRestored) }
  }

  public func run(withKey key: String) throws(StoreFailure) -> RunSummary? {
    content.withLock { $0.runs.values.first { $0.summary.key == key }?.summary }
  }

  public func lease(of runID: String) throws(StoreFailure) -> Lease? {
    let run = try run(runID)
    return run.isOwned ? run.lease : nil
  }

  public func ownership(of runID: String) throws(StoreFailure) -> RunOwnership {
    try run(runID).ownership(at: clock.boot)
  }

  public func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) throws(StoreFailure) -> Lease {
    let clock = clock
    return try content.withLock { content throws(StoreFailure) in
      guard let run = content.runs[runID] else { throw .notFound(runID) }
      if case .alive(let lease) = run.ownership(at: clock.boot) { throw .owned(lease) }
      let lease = Lease(runID: runID, epoch: run.lease.epoch + 1, owner: owner, for: leaseFor, clock)
      content.runs[runID]?.lease = lease
      content.runs[runID]?.isOwned = true
      content.runs[runID]?.isProven = true
      return lease
    }
  }

  public func renew(_ lease: Lease, leaseFor: Duration) throws(StoreFailure) -> Lease {
    let renewed = Lease(runID: lease.runID, epoch: lease.epoch, owner: lease.owner, for: leaseFor, clock)
    try content.withLock { content throws(StoreFailure) in
      try content.check(lease.runID, ownedAt: lease.epoch)
      content.runs[lease.runID]?.lease = renewed
      content.runs[lease.runID]?.isProven = true
    }
    return renewed
  }

  public func release(_ lease: Lease) throws(StoreFailure) {
    try content.withLock { content throws(StoreFailure) in
      try content.check(lease.runID, ownedAt: lease.epoch)
      content.runs[lease.runID]?.isOwned = false
    }
  }

  public func dropProof(of lease: Lease) {
    content.withLock { content in
      if content.runs[lease.runID]?.lease.epoch == lease.epoch { content.runs[lease.runID]?.isProven = false }
    }
  }

  public func locks(of runID: String) throws(StoreFailure) -> [String] {
    content.withLock { content in content.locks.filter { $0.value == runID }.keys.sorted() }
  }

  public func holder(of lock: String) throws(StoreFailure) -> String? { content.withLock { $0.locks[lock] } }

  public func heldLocks() throws(StoreFailure) -> [HeldLock] {
    content.withLock { content in
      content.locks.map { HeldLock(name: $0.key, runID: $0.value) }.sorted { $0.name < $1.name }
    }
  }

  public func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) throws(StoreFailure) {
    try content.withLock { content throws(StoreFailure) in
      try content.check(runID, ownedAt: epoch)
      guard content.locks[lock] == runID else { throw .notFound(lock) }
      content.locks[lock] = nil
      content.runs[runID]?.append([entry])
    }
  }

  public func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) throws(StoreFailure) -> PostedRequest {
    let now = clock.now
    return try content.withLock { content throws(StoreFailure) in
      guard let earlier = content.runs[runID]?.requests else { throw .notFound(runID) }
      if let found = earlier.first(where: isInTheWay) { return .refused(found) }
      let id = Int64(earlier.count + 1)
      content.runs[runID]?.requests.append(
        RunRequest(id: id, kind: kind, body: body, requester: requester, at: now))
      return .posted(id)
    }
  }

  public func requests(for runID: String, after id: Int64) throws(StoreFailure) -> [RunRequest] {
    try run(runID).requests.filter { $0.id > id }
  }

  public func usualDuration(of key: String) -> Duration? {
    content.withLock { content in
      let all = (content.durations[key] ?? []).sorted()
      return all.isEmpty ? nil : all[all.count / 2]
    }
  }

  public func noteDuration(_ duration: Duration, of key: String) {
    content.withLock { $0.durations[key] = ($0.durations[key] ?? []).suffix(19) + [duration] }
  }

  private func run(_ runID: String) throws(StoreFailure) -> Run {
    guard let run = content.withLock({ $0.runs[runID] }) else { throw .notFound(runID) }
    return run
  }
}

private struct Run {
  var summary: RunSummary
  var lease: Lease
  var isOwned = true
  /// Its owner lives, until somebody says that it does not.
  var isProven = true
  var entries: [JournalEntry] = []
  var requests: [RunRequest] = []

  func ownership(at now: BootTime) -> RunOwnership {
    guard isOwned else { return .none }
    guard isProven, let until = lease.until, now.id == until.id else { return .gone(lease) }
    return now.elapsed < until.elapsed ? .alive(lease) : .frozen(lease)
  }

  mutating func append(_ new: [NewEntry]) {
    for entry in new {
      entries.append(
        JournalEntry(
          sequence: Int64(entries.count + 1), at: entry.at, epoch: lease.epoch, kind: entry.kind, body: entry.body))
    }
  }
}

/// Changed in place, so its caller checks before it changes anything: all or nothing.
private struct Content {
  var output = OutputShelf()
  var runs: [String: Run] = [:]
  /// Who holds each lock.
  var locks: [String: String] = [:]
  /// The newest twenty of each kind, newest last.
  var durations: [String: [Duration]] = [:]

  func check(_ runID: String, ownedAt epoch: Int64) throws(StoreFailure) {
    guard let run = runs[runID] else { throw .notFound(runID) }
    if PlantedMistake.epochNotChecked.isMade { return }
    guard run.isOwned, run.lease.epoch == epoch else { throw .fenced(by: run.isOwned ? run.lease : nil) }
  }

  func checkFree(_ wanted: [String], for runID: String) throws(StoreFailure) {
    for lock in wanted where !PlantedMistake.lockNotExclusive.isMade {
      if let holder = locks[lock], holder != runID { throw .lockHeld(lock: lock, by: holder) }
    }
  }

  mutating func take(_ wanted: [String], for runID: String) {
    for lock in wanted { locks[lock] = runID }
  }
}

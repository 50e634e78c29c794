public import Runbook
import SQLite

// The rows of runs, and the right to write them.
extension SQLiteStore {
  public func summary(of runID: String) throws(StoreFailure) -> RunSummary {
    try read { try $0.row(of: runID).summary }
  }

  public func summaries(limit: Int) throws(StoreFailure) -> [RunSummary] {
    try read { database in
      let ids = try database.connection.all(
        "SELECT id FROM runs ORDER BY id DESC LIMIT ?", .integer(Int64(max(0, limit)))
      ) { $0.text(0) }
      return try ids.map { try database.row(of: $0).summary }
    }
  }

  public func openRuns() throws(StoreFailure) -> [RunSummary] {
    try read { database in
      let ids = try database.connection.all("SELECT id FROM runs WHERE status <> 'ended' ORDER BY id DESC") {
        $0.text(0)
      }
      return try ids.map { try database.row(of: $0).summary }
    }
  }

  public func owedRuns() throws(StoreFailure) -> [RunSummary] {
    try read { database in
      let ids = try database.connection.all("SELECT id FROM runs WHERE restored <> 0 ORDER BY id DESC") { $0.text(0) }
      return try ids.map { try database.row(of: $0).summary }.filter { $0.status == "ended" }
    }
  }

  public func run(withKey key: String) throws(StoreFailure) -> RunSummary? {
    try read { try $0.summary(withKey: key) }
  }

  public func lease(of runID: String) throws(StoreFailure) -> Lease? {
    try read { try $0.row(of: runID).heldLease }
  }

  public func ownership(of runID: String) throws(StoreFailure) -> RunOwnership {
    try read { [clock] in try $0.ownership(of: $0.row(of: runID), clock) }
  }

  public func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) throws(StoreFailure) -> Lease {
    try write(.forNewWork) { [clock] database in
      let row = try database.row(of: runID)
      if case .alive(let lease) = try database.ownership(of: row, clock) { throw StoreFailure.owned(lease) }
      let epoch = try database.proveLife(above: row.head)
      let lease = Lease(runID: runID, epoch: epoch, owner: owner, for: leaseFor, clock)
      try database.update(lease, isOwned: true)
      database.endingProofs.append(OwnerLocks.Proof(run: row.head.number, epoch: row.head.epoch))
      return lease
    }
  }

  public func renew(_ lease: Lease, leaseFor: Duration) throws(StoreFailure) -> Lease {
    try write(.mayUseReserve) { [clock] database in
      let head = try database.head(of: lease.runID, epoch: lease.epoch)
      _ = try database.proveLife(OwnerLocks.Proof(run: head.number, epoch: head.epoch))
      let renewed = Lease(runID: lease.runID, epoch: lease.epoch, owner: lease.owner, for: leaseFor, clock)
      try database.update(renewed, isOwned: true)
      return renewed
    }
  }

  public func release(_ lease: Lease) throws(StoreFailure) {
    try write(.mayUseReserve) { database in
      let head = try database.head(of: lease.runID, epoch: lease.epoch)
      try database.update(lease, isOwned: false)
      database.endingProofs.append(OwnerLocks.Proof(run: head.number, epoch: head.epoch))
    }
  }

  public func dropProof(of lease: Lease) {
    // A store that cannot be read gives it up with the process.
    _ = try? read { database in
      guard let head = try RunHead.find(lease.runID, on: database.connection) else { return }
      database.owners.giveUp(OwnerLocks.Proof(run: head.number, epoch: lease.epoch))
    }
  }
}

extension Lease {
  /// From now on.
  init(runID: String, epoch: Int64, owner: Owner, for duration: Duration, _ clock: any EngineClock) {
    let (now, boot) = (clock.now, clock.boot)
    self.init(
      runID: runID, epoch: epoch, owner: owner, renewedAt: now, expiresAt: now + duration,
      until: BootTime(id: boot.id, elapsed: boot.elapsed + duration))
  }
}

extension Database {
  /// The run's row, verified.
  func row(of runID: String) throws -> RunRow {
    guard let row = try RunRow.find(runID, on: connection) else { throw StoreFailure.notFound(runID) }
    guard row.isIntact else { throw damaged("the row of run `\(runID)` does not match its checksum") }
    return row
  }

  func summary(withKey key: String) throws -> RunSummary? {
    let id = try connection.first("SELECT id FROM runs WHERE key = ?", .text(key)) { $0.text(0) }
    return try id.map { try row(of: $0).summary }
  }

  func insert(_ run: RunSummary, _ lease: Lease) throws {
    try connection.run(
      """
      INSERT INTO runs (epoch, owned, last_sequence, head, id, name, status, outcome, rollback, exit_code, started_at,
        ended_at, key, fingerprint, restored, summary_seal, owner_host, owner_boot, owner_pid, owner_start, renewed_at,
        expires_at, lease_seal, until_boot, until_elapsed, last_request, lock_count)
      VALUES (?, 1, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
      """,
      .integer(lease.epoch), .bytes(JournalChain.start(of: run.id)), .text(run.id), .text(run.name), .text(run.status),
      .text(run.outcome), .text(run.rollback), .integer(run.exitCode.map { Int64($0) }),
      .integer(run.startedAt.storedNanoseconds), .integer(run.endedAt?.storedNanoseconds), .text(run.key),
      .text(run.fingerprint), .integer(run.flags), .integer(run.seal), .text(lease.owner.host),
      .text(lease.owner.bootID), .integer(Int64(lease.owner.pid)),
      .integer(Int64(bitPattern: lease.owner.processStart)), .integer(lease.renewedAt.storedNanoseconds),
      .integer(lease.expiresAt.storedNanoseconds), .integer(lease.seal(isOwned: true)), .text(lease.until?.id),
      .integer(lease.until?.elapsed.storedNanoseconds))
  }

  /// A run keeps its id and its key for good. Without a new summary only what the release of locks means is noted.
  func update(_ new: RunSummary?, of runID: String, releasingLocks: Bool) throws {
    let stored = try row(of: runID).summary
    var summary = new ?? stored
    summary.id = runID
    summary.key = stored.key
    summary.settle(releasingLocks: releasingLocks, isNew: new != nil, was: stored.isOwed)
    guard summary != stored else { return }
    try connection.run(
      """
      UPDATE runs SET name = ?, status = ?, outcome = ?, rollback = ?, exit_code = ?, started_at = ?, ended_at = ?,
        fingerprint = ?, restored = ?, summary_seal = ? WHERE id = ?
      """,
      .text(summary.name), .text(summary.status), .text(summary.outcome), .text(summary.rollback),
      .integer(summary.exitCode.map { Int64($0) }), .integer(summary.startedAt.storedNanoseconds),
      .integer(summary.endedAt?.storedNanoseconds), .text(summary.fingerprint), .integer(summary.flags),
      .integer(summary.seal), .text(runID))
  }

  func update(_ lease: Lease, isOwned: Bool) throws {
    try connection.run(
      """
      UPDATE runs SET epoch = ?, owned = ?, owner_host = ?, owner_boot = ?, owner_pid = ?, owner_start = ?,
        renewed_at = ?, expires_at = ?, lease_seal = ?, until_boot = ?, until_elapsed = ? WHERE id = ?
      """,
      .integer(lease.epoch), .integer(isOwned ? 1 : 0), .text(lease.owner.host), .text(lease.owner.bootID),
      .integer(Int64(lease.owner.pid)), .integer(Int64(bitPattern: lease.owner.processStart)),
      .integer(lease.renewedAt.storedNanoseconds), .integer(lease.expiresAt.storedNanoseconds),
      .integer(lease.seal(isOwned: isOwned)), .text(lease.until?.id),
      .integer(lease.until?.elapsed.storedNanoseconds), .text(lease.runID))
  }
}

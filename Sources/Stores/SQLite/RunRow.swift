import Runbook
import SQLite

/// The columns of a run that every append needs: who may write, and where its journal ends.
struct RunHead {
  var number: Int64
  var epoch: Int64
  var isOwned: Bool
  var lastSequence: Int64
  var hash: [UInt8]

  static func find(_ runID: String, on connection: Connection) throws(SQLiteError) -> RunHead? {
    try connection.first("SELECT number, epoch, owned, last_sequence, head FROM runs WHERE id = ?", .text(runID)) {
      RunHead($0)
    }
  }

  init(_ row: borrowing Statement) {
    number = row.integer(0)
    epoch = row.integer(1)
    isOwned = row.integer(2) == 1
    lastSequence = row.integer(3)
    hash = row.bytes(4)
  }

  /// The last entry's sequence number has 32 bits in `entries.place`.
  var firstPlace: Int64 { number << 32 }
  func place(_ sequence: Int64) -> Int64 { firstPlace + sequence }
  static let lastSequence: Int64 = 0xffff_ffff
}

/// A whole row of `runs`, with its checksums as stored.
struct RunRow {
  var head: RunHead
  var summary: RunSummary
  var lease: Lease
  private var summarySeal: Int64
  private var leaseSeal: Int64

  static func find(_ runID: String, on connection: Connection) throws(SQLiteError) -> RunRow? {
    try connection.first(
      """
      SELECT number, epoch, owned, last_sequence, head, id, name, status, outcome, rollback, exit_code, started_at,
        ended_at, key, fingerprint, restored, summary_seal, owner_host, owner_boot, owner_pid, owner_start, renewed_at,
        expires_at, lease_seal, until_boot, until_elapsed
      FROM runs WHERE id = ?
      """, .text(runID)
    ) { RunRow($0) }
  }

  /// Columns in the order of `find`.
  private init(_ row: borrowing Statement) {
    head = RunHead(row)
    let id = row.text(5)
    summary = RunSummary(
      id: id, name: row.text(6), status: row.text(7), outcome: row.isNull(8) ? nil : row.text(8),
      rollback: row.isNull(9) ? nil : row.text(9),
      exitCode: row.isNull(10) ? nil : Int32(truncatingIfNeeded: row.integer(10)),
      startedAt: Timestamp(storedNanoseconds: row.integer(11)),
      endedAt: row.isNull(12) ? nil : Timestamp(storedNanoseconds: row.integer(12)),
      key: row.isNull(13) ? nil : row.text(13), fingerprint: row.text(14))
    summary.flags = row.integer(15)
    summarySeal = row.integer(16)
    lease = Lease(
      runID: id, epoch: head.epoch,
      owner: Owner(
        host: row.text(17), bootID: row.text(18), pid: Int32(truncatingIfNeeded: row.integer(19)),
        processStart: UInt64(bitPattern: row.integer(20))),
      renewedAt: Timestamp(storedNanoseconds: row.integer(21)),
      expiresAt: Timestamp(storedNanoseconds: row.integer(22)),
      until: row.isNull(24) ? nil : BootTime(id: row.text(24), elapsed: .nanoseconds(row.integer(25))))
    leaseSeal = row.integer(23)
  }

  /// Stores the summary's flags alone.
  func writeFlags(on connection: Connection) throws(SQLiteError) {
    try connection.run(
      "UPDATE runs SET restored = ?, summary_seal = ? WHERE number = ?", .integer(summary.flags),
      .integer(summary.seal), .integer(head.number))
  }

  /// The lease, unless it was released.
  var heldLease: Lease? { head.isOwned ? lease : nil }

  /// Whether the row is as it was written.
  var isIntact: Bool { summarySeal == summary.seal && leaseSeal == lease.seal(isOwned: head.isOwned) }
}

extension RunSummary {
  /// The column `restored`: 1 restored, 2 the rollback is owed.
  var flags: Int64 {
    get { (isRestored ? 1 : 0) + (isOwed ? 2 : 0) }
    set {
      isRestored = newValue & 1 != 0
      isOwed = newValue & 2 != 0
    }
  }

  /// What an append means for the two flags: an ended run owes its rollback as long as it keeps its locks, and is asked
  /// nothing any more once it owes nothing.
  /// - Parameters:
  ///   - isNew: the append has a summary.
  ///   - wasOwed: what was stored before it.
  mutating func settle(releasingLocks: Bool, isNew: Bool, was wasOwed: Bool) {
    isOwed = status == "ended" && !releasingLocks && (isNew || wasOwed)
    if status == "ended", !isOwed, releasingLocks { isRestored = false }
  }

  var seal: Int64 {
    var record = RecordBytes()
    record.append(id)
    record.append(name)
    record.append(status)
    record.append(outcome)
    record.append(rollback)
    record.append(exitCode.map { Int64($0) })
    record.append(startedAt.storedNanoseconds)
    record.append(endedAt?.storedNanoseconds)
    record.append(key)
    record.append(fingerprint)
    record.append(flags)
    return record.seal
  }
}

extension Lease {
  func seal(isOwned: Bool) -> Int64 {
    var record = RecordBytes()
    record.append(runID)
    record.append(epoch)
    record.append(Int64(isOwned ? 1 : 0))
    record.append(owner.host)
    record.append(owner.bootID)
    record.append(Int64(owner.pid))
    record.append(Int64(bitPattern: owner.processStart))
    record.append(renewedAt.storedNanoseconds)
    record.append(expiresAt.storedNanoseconds)
    if let until {
      record.append(until.id)
      record.append(until.elapsed.storedNanoseconds)
    }
    return record.seal
  }
}

extension Duration {
  /// Saturating.
  var storedNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflow || carried ? (seconds < 0 ? .min : .max) : sum
  }
}

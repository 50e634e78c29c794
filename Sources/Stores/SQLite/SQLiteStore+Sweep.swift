public import Runbook
import SQLite

// Removing runs that have ended, and giving their space back.
extension SQLiteStore {
  /// What a sweep has removed.
  public struct Sweep: Sendable, Equatable {
    public var runs: [String] = []
    public var entries: Int64 = 0
    public init() {}
  }

  /// Runs that ended before `instant`, owe nothing, hold no lock and wait for nobody, oldest first.
  public func sweepable(endedBefore instant: Timestamp) throws(StoreFailure) -> [RunSummary] {
    try read { database in
      let ids = try database.connection.all(
        """
        SELECT id FROM runs WHERE status = 'ended' AND restored = 0 AND lock_count = 0 AND ended_at < ? ORDER BY id
        """, .integer(instant.storedNanoseconds)
      ) { $0.text(0) }
      return try ids.map { try database.row(of: $0).summary }
    }
  }

  /// So many runs are removed in one transaction: others wait for its end.
  private static let batch = 50

  /// Removes those of `runs` that still may be, with their entries and requests. Their keys are free again.
  public func sweep(_ runs: [String], endedBefore instant: Timestamp) throws(StoreFailure) -> Sweep {
    var sweep = Sweep()
    for start in stride(from: 0, to: runs.count, by: SQLiteStore.batch) {
      let some = Array(runs[start..<min(start + SQLiteStore.batch, runs.count)])
      let removed = try write(.mayUseReserve) { [clock] database in
        var removed = Sweep()
        for id in some {
          guard let count = try database.remove(id, endedBefore: instant, at: clock.now) else { continue }
          removed.runs.append(id)
          removed.entries += count
        }
        try database.forgetSwept(before: clock.now - WitnessFolders.memory)
        return removed
      }
      sweep.runs += removed.runs
      sweep.entries += removed.entries
    }
    return sweep
  }

  /// Makes the file shorter if a quarter of it is unused; everybody else waits meanwhile.
  /// - Returns: the bytes that of disk space were freed.
  public func giveSpaceBack() throws(StoreFailure) -> Int64 {
    let (pages, unused, size) = try read { try $0.pages }
    guard unused >= 64, unused * 4 >= pages else { return 0 }
    try alone { try $0.connection.run("VACUUM") }
    let left = try read { try $0.pages.all }
    return max(0, pages - left) * size
  }

  /// Removes witnesses, of whatever store, that nobody has written for a year.
  /// - Returns: how many.
  @discardableResult
  public func sweepWitnesses() -> Int { WitnessFolders(options.witnesses, besides: path).sweep(at: clock.now) }
}

extension Database {
  fileprivate var pages: (all: Int64, unused: Int64, size: Int64) {
    get throws(SQLiteError) {
      (
        try connection.first("PRAGMA page_count") { $0.integer(0) } ?? 0,
        try connection.first("PRAGMA freelist_count") { $0.integer(0) } ?? 0,
        try connection.first("PRAGMA page_size") { $0.integer(0) } ?? 0
      )
    }
  }

  /// - Returns: how many entries went; nil if the run may not go.
  fileprivate func remove(_ id: String, endedBefore instant: Timestamp, at now: Timestamp) throws -> Int64? {
    let head = try connection.first(
      """
      SELECT number, epoch, owned, last_sequence, head FROM runs
      WHERE id = ? AND status = 'ended' AND restored = 0 AND lock_count = 0 AND ended_at < ?
      """, .text(id), .integer(instant.storedNanoseconds)
    ) { RunHead($0) }
    guard let head else { return nil }
    _ = try row(of: id)
    let (first, last) = (SQLiteValue.integer(head.firstPlace), SQLiteValue.integer(head.place(RunHead.lastSequence)))
    try connection.run("DELETE FROM entries WHERE place > ? AND place <= ?", first, last)
    try connection.run("DELETE FROM requests WHERE place > ? AND place <= ?", first, last)
    try removeOutput(of: head)
    try connection.run("DELETE FROM runs WHERE number = ?", .integer(head.number))
    try connection.run(
      "INSERT OR REPLACE INTO swept (run_id, last_sequence, at) VALUES (?, ?, ?)", .text(id),
      .integer(head.lastSequence), .integer(now.storedNanoseconds))
    try connection.run("UPDATE sweeps SET entries = entries + ?", .integer(head.lastSequence))
    return head.lastSequence
  }

  fileprivate func forgetSwept(before instant: Timestamp) throws(SQLiteError) {
    try connection.run("DELETE FROM swept WHERE at < ?", .integer(instant.storedNanoseconds))
  }
}

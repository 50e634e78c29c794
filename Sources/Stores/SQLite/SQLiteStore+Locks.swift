public import Runbook
import SQLite

// Locks, and messages to the owners of runs.
extension SQLiteStore {
  public func locks(of runID: String) throws(StoreFailure) -> [String] {
    try read { database in
      try database.checkLocks()
      let locks = try database.locks(
        database.connection.all("SELECT name, run_id, seal FROM locks WHERE run_id = ? ORDER BY name", .text(runID)) {
          LockRow($0)
        }
      ).map(\.name)
      let count = try database.connection.first("SELECT lock_count FROM runs WHERE id = ?", .text(runID)) {
        $0.integer(0)
      }
      guard Int64(locks.count) == count ?? 0 else { throw database.damaged("locks of run `\(runID)` are missing") }
      return locks
    }
  }

  public func holder(of lock: String) throws(StoreFailure) -> String? {
    try read { try $0.holder(of: lock) }
  }

  public func heldLocks() throws(StoreFailure) -> [HeldLock] {
    try read { database in
      let rows = try database.connection.all("SELECT name, run_id, seal FROM locks ORDER BY name") { LockRow($0) }
      return try database.locks(rows).map { HeldLock(name: $0.name, runID: $0.runID) }
    }
  }

  public func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) throws(StoreFailure) {
    try write(.mayUseReserve) { database in
      var head = try database.head(of: runID, epoch: epoch)
      guard try database.holder(of: lock) == runID else { throw StoreFailure.notFound(lock) }
      try database.connection.run("DELETE FROM locks WHERE name = ?", .text(lock))
      try database.connection.run("UPDATE runs SET lock_count = lock_count - 1 WHERE id = ?", .text(runID))
      try database.append([entry], to: runID, &head)
    }
  }

  public func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) throws(StoreFailure) -> PostedRequest {
    try write(.mayUseReserve) { [clock] database in
      let connection = database.connection
      let (run, last) = try database.mailbox(of: runID)
      if let found = try database.requests(for: runID, after: 0).first(where: isInTheWay) { return .refused(found) }
      let request = RunRequest(id: last + 1, kind: kind, body: body, requester: requester, at: clock.now)
      guard request.id <= RunHead.lastSequence else {
        throw StoreFailure.unusable("run `\(runID)` has had too many requests")
      }
      try connection.run(
        "INSERT INTO requests (place, kind, body, requester, at, seal) VALUES (?, ?, ?, ?, ?, ?)",
        .integer(run << 32 + request.id), .text(kind), .bytes(body), .text(requester),
        .integer(request.at.storedNanoseconds), .integer(request.seal(of: runID)))
      try connection.run("UPDATE runs SET last_request = ? WHERE number = ?", .integer(request.id), .integer(run))
      return .posted(request.id)
    }
  }

  public func requests(for runID: String, after id: Int64) throws(StoreFailure) -> [RunRequest] {
    try read { try $0.requests(for: runID, after: id) }
  }
}

/// A row of `locks`, with its checksum as stored.
struct LockRow {
  let name: String
  let runID: String
  fileprivate let storedSeal: Int64

  init(_ row: borrowing Statement) {
    name = row.text(0)
    runID = row.text(1)
    storedSeal = row.integer(2)
  }

  static func seal(_ name: String, _ runID: String) -> Int64 {
    var record = RecordBytes()
    record.append(name)
    record.append(runID)
    return record.seal
  }
}

extension RunRequest {
  fileprivate func seal(of runID: String) -> Int64 {
    var record = RecordBytes()
    record.append(runID)
    record.append(id)
    record.append(kind)
    record.append(body)
    record.append(requester)
    record.append(at.storedNanoseconds)
    return record.seal
  }
}

extension Database {
  func holder(of lock: String) throws -> String? {
    let row = try connection.first("SELECT name, run_id, seal FROM locks WHERE name = ?", .text(lock)) { LockRow($0) }
    return try row.map { try locks([$0]) }?.first?.runID
  }

  /// All of them, once a process: a lock whose name was garbled must not look free to the run that wants it.
  fileprivate func checkLocks() throws {
    guard !hasCheckedLocks else { return }
    _ = try locks(connection.all("SELECT name, run_id, seal FROM locks") { LockRow($0) })
    hasCheckedLocks = true
  }

  /// The same locks, if all are as they were written.
  func locks(_ rows: [LockRow]) throws -> [LockRow] {
    for row in rows where LockRow.seal(row.name, row.runID) != row.storedSeal {
      throw damaged("the lock `\(row.name)` does not match its checksum")
    }
    return rows
  }

  /// A lock that the run holds already is no obstacle.
  func take(_ locks: [String], for runID: String) throws {
    var taken: Int64 = 0
    for lock in locks {
      switch try holder(of: lock) {
      case runID?: continue
      case .some where PlantedMistake.lockNotExclusive.isMade: continue
      case let other?: throw StoreFailure.lockHeld(lock: lock, by: other)
      case nil:
        try connection.run(
          "INSERT INTO locks (name, run_id, seal) VALUES (?, ?, ?)", .text(lock), .text(runID),
          .integer(LockRow.seal(lock, runID)))
        taken += 1
      }
    }
    guard taken > 0 else { return }
    try connection.run("UPDATE runs SET lock_count = lock_count + ? WHERE id = ?", .integer(taken), .text(runID))
  }

  func releaseLocks(of runID: String) throws(SQLiteError) {
    try connection.run("DELETE FROM locks WHERE run_id = ?", .text(runID))
    try connection.run("UPDATE runs SET lock_count = 0 WHERE id = ? AND lock_count > 0", .text(runID))
  }

  /// The run's number, and the id of the last request to it.
  fileprivate func mailbox(of runID: String) throws -> (run: Int64, last: Int64) {
    let found = try connection.first("SELECT number, last_request FROM runs WHERE id = ?", .text(runID)) {
      ($0.integer(0), $0.integer(1))
    }
    guard let found else { throw StoreFailure.notFound(runID) }
    return found
  }

  fileprivate func requests(for runID: String, after id: Int64) throws -> [RunRequest] {
    let (run, last) = try mailbox(of: runID)
    let first = max(0, id)
    guard first < last else { return [] }
    let rows = try connection.all(
      "SELECT place, kind, body, requester, at, seal FROM requests WHERE place > ? AND place <= ? ORDER BY place",
      .integer(run << 32 + first), .integer(run << 32 + RunHead.lastSequence)
    ) { row in
      let request = RunRequest(
        id: row.integer(0) - run << 32, kind: row.text(1), body: row.bytes(2), requester: row.text(3),
        at: Timestamp(storedNanoseconds: row.integer(4)))
      return (request, row.integer(5))
    }
    for (request, seal) in rows where request.seal(of: runID) != seal {
      throw damaged("request \(request.id) to run `\(runID)` does not match its checksum")
    }
    guard rows.map(\.0.id) == Array(first + 1...last) else {
      throw damaged("requests to run `\(runID)` are missing")
    }
    return rows.map(\.0)
  }
}

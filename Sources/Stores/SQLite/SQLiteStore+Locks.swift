public import Runbook
import SQLite

// Locks, and messages to the owners of runs.
extension SQLiteStore {
  public func locks(of runID: String) throws(StoreFailure) -> [String] {
    try read { database in
      // All of them: a lock whose run was garbled must not look free.
      try database.locks(database.connection.all("SELECT name, run_id, seal FROM locks ORDER BY name") { HeldLock($0) })
        .filter { $0.runID == runID }.map(\.name)
    }
  }

  public func holder(of lock: String) throws(StoreFailure) -> String? {
    try read { try $0.holder(of: lock) }
  }

  public func post(_ kind: String, body: [UInt8], to runID: String, requester: String) throws(StoreFailure) {
    try write(.mayUseReserve) { [clock] database in
      guard try RunHead.find(runID, on: database.connection) != nil else { throw StoreFailure.notFound(runID) }
      let request = RunRequest(id: 0, kind: kind, body: body, requester: requester, at: clock.now)
      try database.connection.run(
        "INSERT INTO requests (run_id, kind, body, requester, at, seal) VALUES (?, ?, ?, ?, ?, ?)",
        .text(runID), .text(kind), .bytes(body), .text(requester), .integer(request.at.storedNanoseconds),
        .integer(request.seal(of: runID)))
    }
  }

  public func requests(for runID: String, after id: Int64) throws(StoreFailure) -> [RunRequest] {
    try read { database in
      guard try RunHead.find(runID, on: database.connection) != nil else { throw StoreFailure.notFound(runID) }
      let rows = try database.connection.all(
        "SELECT id, kind, body, requester, at, seal FROM requests WHERE run_id = ? AND id > ? ORDER BY id",
        .text(runID), .integer(id)
      ) { row in
        let request = RunRequest(
          id: row.integer(0), kind: row.text(1), body: row.bytes(2), requester: row.text(3),
          at: Timestamp(storedNanoseconds: row.integer(4)))
        return (request, row.integer(5))
      }
      for (request, seal) in rows where request.seal(of: runID) != seal {
        throw database.damaged("request \(request.id) to run `\(runID)` does not match its checksum")
      }
      return rows.map(\.0)
    }
  }
}

struct HeldLock {
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
  /// Without its id, which the database gives.
  fileprivate func seal(of runID: String) -> Int64 {
    var record = RecordBytes()
    record.append(runID)
    record.append(kind)
    record.append(body)
    record.append(requester)
    record.append(at.storedNanoseconds)
    return record.seal
  }
}

extension Database {
  func holder(of lock: String) throws -> String? {
    let row = try connection.first("SELECT name, run_id, seal FROM locks WHERE name = ?", .text(lock)) { HeldLock($0) }
    return try row.map { try locks([$0]) }?.first?.runID
  }

  /// The same locks, if all are as they were written.
  func locks(_ rows: [HeldLock]) throws -> [HeldLock] {
    for row in rows where HeldLock.seal(row.name, row.runID) != row.storedSeal {
      throw damaged("the lock `\(row.name)` does not match its checksum")
    }
    return rows
  }

  /// A lock that the run holds already is no obstacle.
  func take(_ locks: [String], for runID: String) throws {
    for lock in locks {
      switch try holder(of: lock) {
      case runID?: continue
      case let other?: throw StoreFailure.lockHeld(lock: lock, by: other)
      case nil:
        try connection.run(
          "INSERT INTO locks (name, run_id, seal) VALUES (?, ?, ?)", .text(lock), .text(runID),
          .integer(HeldLock.seal(lock, runID)))
      }
    }
  }
}

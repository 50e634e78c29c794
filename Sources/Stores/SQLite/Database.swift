import Runbook
import SQLite

/// The open store: connection, lock, reserve and log, and the one way to write. Not `Sendable`: `SQLiteStore` keeps it
/// in a `Mutex`.
final class Database {
  let connection: Connection
  let path: String
  let owners: OwnerLocks
  private let lock: StoreLock
  private var reserve: SpaceReserve
  private var log: WriteAheadLog
  private let incarnation: String
  /// Set once a write or flush has failed: nothing is written, or read, ever after.
  private var broken: StoreFailure?
  private(set) var isOutOfSpace = false
  /// Every lock in the file was as it was written when this process looked first.
  var hasCheckedLocks = false
  /// The newest entry of the running transaction.
  private var newest: StoreMark?
  /// Taken in the running transaction.
  var newProofs: [OwnerLocks.Proof] = []
  /// To be given up when the running transaction has been committed.
  var endingProofs: [OwnerLocks.Proof] = []

  init(
    connection: Connection, path: String, lock: StoreLock, owners: OwnerLocks, reserve: SpaceReserve,
    log: WriteAheadLog,
    incarnation: String
  ) {
    self.connection = connection
    self.path = path
    self.lock = lock
    self.owners = owners
    self.reserve = reserve
    self.log = log
    self.incarnation = incarnation
  }

  /// What a write may do when the disk is full.
  enum Space {
    /// Begins something new: asks for a whole reserve, and fails without it.
    case forNewWork
    /// Finishes something begun: may use the reserve up.
    case mayUseReserve
  }

  /// Runs `body` in one durable transaction under the store's lock. All or nothing.
  func write<Result>(_ space: Space, _ body: () throws -> Result) throws(StoreFailure) -> Result {
    if let broken { throw broken }
    try lock.acquire()
    defer { lock.release() }
    switch space {
    case .forNewWork:
      try reserve.restore()
      isOutOfSpace = false
      return try attempt(body)
    case .mayUseReserve:
      do throws(StoreFailure) { return try attempt(body) } catch {
        // The failed attempt is rolled back: nothing of it was flushed, so this is no repeated flush.
        guard case .diskFull = error, broken == nil, reserve.release() else { throw error }
        isOutOfSpace = true
        return try attempt(body)
      }
    }
  }

  private func attempt<Result>(_ body: () throws -> Result) throws(StoreFailure) -> Result {
    newest = nil
    newProofs = []
    endingProofs = []
    var changes: Int64 = 0
    let result: Result
    do {
      try waitForOthers { try connection.run("BEGIN IMMEDIATE") }
      result = try body()
      if newest == nil { changes = try countChange() }
      try connection.run("COMMIT")
    } catch {
      let failure = failure(for: error, writing: true)
      undo()
      for proof in newProofs { owners.giveUp(proof) }
      throw failure
    }
    for proof in endingProofs { owners.giveUp(proof) }
    if let newest {
      lock.write(newest.line, at: .entry)
    } else {
      lock.write(ChangeMark(incarnation: incarnation, changes: changes).line, at: .changes)
    }
    // What was committed stays committed: a failure here is met by the next call.
    if connection.frames == 0 { broken = Database.notLogging(path) }
    do { try log.committed(on: connection) } catch { _ = failure(for: error, writing: true) }
    return result
  }

  /// A program that is none of ours may hold SQLite's lock on the file, a backup for instance: what was begun waits for
  /// it as for a neighbour. Each attempt waits for `lock.interval` by itself.
  private func waitForOthers<Result>(_ body: () throws -> Result) throws -> Result {
    var waited = Duration.zero
    while true {
      do { return try body() } catch let error as SQLiteError where error.code & 0xff == Database.busy {
        undo()
        guard broken == nil else { throw error }
        waited += lock.interval
        lock.onWait?(StoreWait(path: path, holder: nil, waited: waited))
      }
    }
  }

  /// SQLITE_BUSY.
  private static let busy: Int32 = 5

  private func countChange() throws(SQLiteError) -> Int64 {
    try connection.first("UPDATE store SET changes = changes + 1 RETURNING changes") { $0.integer(0) } ?? 0
  }

  private func undo() {
    guard broken == nil, connection.isInTransaction else { return }
    do { try connection.run("ROLLBACK") } catch {
      broken = .writeFailed("the store `\(path)` could not take back a transaction: \(error)")
    }
  }

  /// Says after which entry the mark is to stand when the transaction has been committed.
  func mark(_ runID: String, sequence: Int64, hash: [UInt8]) {
    newest = StoreMark(incarnation: incarnation, runID: runID, sequence: sequence, hash: hash)
  }

  /// Runs `body` on one consistent state of the store.
  func read<Result>(_ body: () throws -> Result) throws(StoreFailure) -> Result {
    if let broken { throw broken }
    do {
      return try waitForOthers {
        try connection.run("BEGIN")
        let result = try body()
        try connection.run("COMMIT")
        return result
      }
    } catch {
      let failure = failure(for: error, writing: false)
      undo()
      throw failure
    }
  }

  /// A commit that went past the write-ahead log.
  static func notLogging(_ path: String) -> StoreFailure {
    .writeFailed("the store `\(path)` has lost its write-ahead log, what is on the disk is unknown")
  }

  func damaged(_ what: String) -> StoreFailure {
    .damaged("the store `\(path)` is damaged: \(what); nothing was repaired, put back a backup")
  }

  private func failure(for error: any Error, writing: Bool) -> StoreFailure {
    if let failure = error as? StoreFailure { return failure }
    guard let error = error as? SQLiteError else { return .unusable("the store `\(path)` failed: \(error)") }
    let failure = StoreFailure(error, path: path, writing: writing)
    if case .writeFailed = failure { broken = failure }
    return failure
  }
}

extension StoreFailure {
  /// What an error of SQLite means to whoever uses the store.
  init(_ error: SQLiteError, path: String, writing: Bool) {
    switch error.kind {
    case .full: self = .diskFull(path: path)
    case .readOnly: self = .readOnly(path: path)
    case .corrupt, .constraint:
      self = .damaged("the store `\(path)` is damaged: \(error); nothing was repaired, put back a backup")
    case .ioError where writing:
      self = .writeFailed("writing the store `\(path)` failed, what is on the disk is unknown: \(error)")
    case .ioError: self = .unusable("the store `\(path)` cannot be read: \(error)")
    case .busy: self = .unusable("the store `\(path)` is locked by another program: \(error)")
    case .cannotOpen, .outOfMemory, .other: self = .unusable("the store `\(path)` cannot be used: \(error)")
    }
  }
}

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
  /// The newest entry of the running transaction, and how many it adds.
  private var newest: StoreMark?
  private var added: Int64 = 0
  private let witness: StoreWitness?
  /// Taken in the running transaction.
  var newProofs: [OwnerLocks.Proof] = []
  /// To be given up when the running transaction has been committed.
  var endingProofs: [OwnerLocks.Proof] = []

  init(
    connection: Connection, path: String, lock: StoreLock, owners: OwnerLocks, reserve: SpaceReserve,
    log: WriteAheadLog, incarnation: String, witness: StoreWitness?
  ) {
    self.connection = connection
    self.path = path
    self.lock = lock
    self.owners = owners
    self.reserve = reserve
    self.log = log
    self.incarnation = incarnation
    self.witness = witness
  }

  /// What a write may do when the disk is full.
  enum Space {
    /// Begins something new: asks for a whole reserve, and fails without it.
    case forNewWork
    /// Finishes something begun: may use the reserve up.
    case mayUseReserve
    /// Can be done without: neither asks for a reserve nor uses it.
    case forOutput
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
    case .forOutput:
      if isOutOfSpace { throw .diskFull(path: path) }
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
    added = 0
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
    writeMark(changes: changes)
    // What was committed stays committed: a failure here is met by the next call.
    if connection.frames == 0 { broken = Database.notLogging(path) }
    do { if try log.committed(on: connection) { noteFiles() } } catch { _ = failure(for: error, writing: true) }
    return result
  }

  /// Runs `body` so that nothing of it remains if it fails with a word about its own run, and the rest of the
  /// transaction goes on. An error of SQLite itself ends the whole transaction.
  func byItself<Value>(_ body: () throws -> Value) throws -> Result<Value, StoreFailure> {
    let before = (newest, added, newProofs, endingProofs)
    try connection.run("SAVEPOINT one")
    do {
      let value = try body()
      try connection.run("RELEASE one")
      return .success(value)
    } catch let failure as StoreFailure {
      try connection.run("ROLLBACK TO one")
      try connection.run("RELEASE one")
      for proof in newProofs.dropFirst(before.2.count) { owners.giveUp(proof) }
      (newest, added, newProofs, endingProofs) = before
      return .failure(failure)
    }
  }

  private func writeMark(changes: Int64) {
    let marks = witness.map { [lock.mark, $0.mark] } ?? [lock.mark]
    if let newest {
      let total = lock.mark.total.map { $0 + added }
      for mark in marks { mark.write(newest, total: total) }
    } else {
      let line = ChangeMark(incarnation: incarnation, changes: changes).line
      for mark in marks { mark.write(line, at: .changes) }
    }
  }

  /// How the files are left, so that the next one to open them sees whether somebody has changed them.
  func noteFiles() {
    let files = FilesMark(of: path)
    if lock.mark.files != files { lock.mark.write(files.line, at: .files) }
  }

  /// Runs `body` outside of a transaction, under the store's lock: for what SQLite does in a transaction of its own.
  func alone(_ body: () throws -> Void) throws(StoreFailure) {
    if let broken { throw broken }
    try lock.acquire()
    defer { lock.release() }
    do { try body() } catch { throw failure(for: error, writing: true) }
    if connection.frames == 0 { broken = Database.notLogging(path) }
    do { try connection.checkpoint(emptying: true) } catch {
      // Readers in the way: the log keeps everything.
      if error.kind != .busy, error.kind != .full { throw failure(for: error, writing: true) }
    }
    noteFiles()
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
      broken = .writeFailed("the store `\(path)` could not roll back a transaction: \(error)")
    }
  }

  /// Says after which entry the mark is to stand when the transaction has been committed.
  func mark(_ runID: String, sequence: Int64, hash: [UInt8], adding count: Int) {
    added += Int64(count)
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

  func direct<Result>(_ body: () throws -> Result) throws(StoreFailure) -> Result {
    if let broken { throw broken }
    do { return try body() } catch { throw failure(for: error, writing: false) }
  }

  /// A commit that went past the write-ahead log.
  static func notLogging(_ path: String) -> StoreFailure {
    .writeFailed("the store `\(path)` has lost its write-ahead log, the content of the disk is unknown")
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
  /// What an error of SQLite means to a user of the store.
  init(_ error: SQLiteError, path: String, writing: Bool) {
    switch error.kind {
    case .full: self = .diskFull(path: path)
    case .readOnly: self = .readOnly(path: path)
    case .corrupt, .constraint:
      self = .damaged("the store `\(path)` is damaged: \(error); nothing was repaired, put back a backup")
    case .ioError where writing:
      self = .writeFailed("writing the store `\(path)` failed, the content of the disk is unknown: \(error)")
    case .ioError: self = .unusable("the store `\(path)` cannot be read: \(error)")
    case .busy: self = .unusable("the store `\(path)` is locked by another program: \(error)")
    case .cannotOpen, .outOfMemory, .other: self = .unusable("the store `\(path)` cannot be used: \(error)")
    }
  }
}

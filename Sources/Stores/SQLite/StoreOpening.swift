import Runbook
import SQLite

/// From a path to a store that is safe to use, or the reason why not. All of it under the store's lock, so that two
/// processes do not both make, migrate or recover it.
struct StoreOpening {
  let path: String
  let options: SQLiteStore.Options
  /// Of the wall clock.
  let now: Timestamp

  struct Opened {
    var database: Database
    var digestKey: [UInt8]
    var warning: String?
    var note: String?
  }

  func open() throws(StoreFailure) -> Opened {
    let exists = try StoreFolder.check(path, creating: options.creates)
    let hasRemains = hasLog || StoreFolder.size(of: path + ".lock") > 0
    guard exists || options.creates || hasRemains else { throw .notFound(path) }
    let lock = try StoreLock(besides: path, every: options.waitInterval, onWait: options.onWait)
    try lock.acquire()
    defer { lock.release() }
    try checkItIsNotGone(lock)
    guard exists || options.creates else { throw .notFound(path) }
    if !exists { try StoreFolder.makeFile(path) }
    do {
      let connection = try Connection(path: path, busyTimeout: Int32(clamping: options.waitInterval.milliseconds))
      guard !connection.isReadOnly else { throw StoreFailure.readOnly(path: path) }
      return try open(connection, lock)
    } catch let failure as StoreFailure {
      throw failure
    } catch let error as SQLiteError {
      throw error.code & 0xff == StoreOpening.notADatabase
        ? .unusable("`\(path)` is not a runbook store: \(error)") : StoreFailure(error, path: path, writing: true)
    } catch {
      throw .unusable("the store `\(path)` cannot be opened: \(error)")
    }
  }

  private var hasLog: Bool { StoreFolder.size(of: path + "-wal") > 0 }

  /// Asked before SQLite sees the file, because it deletes the log of a database that is gone or empty.
  private func checkItIsNotGone(_ lock: StoreLock) throws(StoreFailure) {
    guard StoreFolder.size(of: path) == 0 else { return }
    try checkItHeldNoRuns(lock)
    guard !hasLog else {
      throw .damaged(
        "the store `\(path)` is gone or empty, but its log `\(path)-wal` is there: put it back, or delete the log to "
          + "begin anew")
    }
  }

  private func checkItHeldNoRuns(_ lock: StoreLock) throws(StoreFailure) {
    guard (lock.mark.entry?.sequence ?? 0) > 0 else { return }
    throw .damaged(
      "the store `\(path)` is gone or empty, but it held runs: put it back, or delete `\(lock.path)` to begin anew")
  }

  /// SQLITE_NOTADB.
  private static let notADatabase: Int32 = 26

  private func open(_ connection: Connection, _ lock: StoreLock) throws -> Opened {
    let reserve = SpaceReserve(besides: path, size: options.reserve)
    let known = Migrations.newest
    let version = try version(of: connection)
    guard version <= known else { throw StoreFailure.tooNew(found: version, known: known) }
    try connection.run(
      PlantedMistake.flushDropped.isMade ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL")
    // Half a megabyte of pages, not two: runs append, and read their own journal only when they are carried on.
    try connection.run("PRAGMA cache_size = -512")
    if version == 0 {
      try checkItHeldNoRuns(lock)
      try reserve.restore()
    }
    // Also for a store that has it: a maker whose disk failed may have left it without.
    let mode = try connection.first("PRAGMA journal_mode = WAL") { $0.text(0) }
    guard mode == "wal" else {
      throw StoreFailure.unusable("`\(path)` lies on a file system that cannot hold a write-ahead log")
    }
    if version < known { try migrate(connection, from: version) }
    let folders = WitnessFolders(options.witnesses, besides: path)
    var recognition = try StoreRecognition(path: path, connection: connection, lock: lock, folders: folders, now: now)
    var warning: String?
    if !(try recognition.isWhole) {
      if version > 0 { warning = try recognition.restored() }
      try recognition.writeMarks()
      try lock.flush()
    }
    try recognition.bringMarksUpToDate()
    let witness = folders.make(recognition.incarnation, as: lock.mark)
    let note = options.witnesses.isEmpty || version == 0 || warning != nil ? nil : try recognition.note(witness)
    let log = WriteAheadLog(of: path, limit: options.checkpointFrames)
    let database = Database(
      connection: connection, path: path, lock: lock, owners: try OwnerLocks(besides: path), reserve: reserve,
      log: log, incarnation: recognition.incarnation, witness: witness)
    database.noteFiles()
    return Opened(database: database, digestKey: recognition.digestKey, warning: warning, note: note)
  }

  /// 0 for a new store.
  private func version(of connection: Connection) throws -> Int {
    let version = try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0
    let application = try connection.first("PRAGMA application_id") { $0.integer(0) } ?? 0
    if application == Migrations.applicationID, version > 0 { return Int(version) }
    let tables = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } ?? 0
    guard application == 0, version == 0, tables == 0 else {
      throw StoreFailure.unusable("`\(path)` is an SQLite database of another program, not a runbook store")
    }
    return 0
  }

  private func migrate(_ connection: Connection, from version: Int) throws {
    try connection.run("BEGIN IMMEDIATE")
    for script in Migrations.all.dropFirst(version) { try connection.script(script) }
    if version > 0, version < Migrations.flags { try markOwed(connection) }
    if version == 0 {
      let identity = Identity(incarnation: Identity.random(16).hexadecimal, digestKey: Identity.random(32))
      try connection.run(
        "INSERT INTO store (only, incarnation, digest_key, seal, changes) VALUES (1, ?, ?, ?, 0)",
        .text(identity.incarnation), .bytes(identity.digestKey), .integer(identity.seal))
    }
    try connection.run("COMMIT")
    // SQLite says "wal" even when the disk failed while it was changed.
    guard connection.frames > 0 else { throw Database.notLogging(path) }
  }

  /// Earlier releases did not note which ended runs owe their rollback.
  private func markOwed(_ connection: Connection) throws {
    let owed = try connection.all(
      """
      SELECT id FROM runs WHERE status = 'ended' AND rollback IN ('failed', 'blocked', 'pending') AND NOT EXISTS (
        SELECT 1 FROM entries WHERE place > number << 32 AND place < (number + 1) << 32 AND kind = 'rollback.abandoned')
      """
    ) { $0.text(0) }
    for id in owed {
      guard var row = try RunRow.find(id, on: connection), row.isIntact else { continue }
      row.summary.isOwed = true
      try row.writeFlags(on: connection)
    }
  }
}

import Runbook
import SQLite

/// From a path to a store that is safe to use, or the reason why not. All of it under the store's lock, so that two
/// processes do not both make, migrate or recover it.
struct StoreOpening {
  let path: String
  let options: SQLiteStore.Options

  struct Opened {
    var database: Database
    var digestKey: [UInt8]
    var warning: String?
  }

  func open() throws(StoreFailure) -> Opened {
    let exists = try StoreFolder.check(path, creating: options.creates)
    guard exists || options.creates else { throw .notFound(path) }
    let lock = try StoreLock(besides: path, every: options.waitInterval, onWait: options.onWait)
    try lock.acquire()
    defer { lock.release() }
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

  /// SQLITE_NOTADB.
  private static let notADatabase: Int32 = 26

  private func open(_ connection: Connection, _ lock: StoreLock) throws -> Opened {
    let reserve = SpaceReserve(besides: path, size: options.reserve)
    let known = Migrations.newest
    let version = try version(of: connection)
    guard version <= known else { throw StoreFailure.tooNew(found: version, known: known) }
    try connection.run("PRAGMA synchronous = FULL")
    // Half a megabyte of pages, not two: runs append, and read their own journal only when they are carried on.
    try connection.run("PRAGMA cache_size = -512")
    if version == 0 {
      guard (StoreMark(lock.read(.entry))?.sequence ?? 0) == 0 else {
        throw StoreFailure.damaged(
          "the store `\(path)` is gone or empty, but it held runs: put it back, or delete `\(lock.path)` to begin anew")
      }
      try reserve.restore()
    }
    // Also for a store that has it: a maker whose disk failed may have left it without.
    let mode = try connection.first("PRAGMA journal_mode = WAL") { $0.text(0) }
    guard mode == "wal" else {
      throw StoreFailure.unusable("`\(path)` lies on a file system that cannot hold a write-ahead log")
    }
    if version < known { try migrate(connection, from: version) }
    var store = try identity(of: connection, lock)
    var warning: String?
    if !store.isWhole {
      if version > 0 { warning = try restored(connection, &store) }
      lock.write(StoreMark(incarnation: store.incarnation).line, at: .entry)
      lock.write(ChangeMark(incarnation: store.incarnation, changes: 0).line, at: .changes)
      try lock.flush()
    }
    let log = WriteAheadLog(of: path, limit: options.checkpointFrames)
    let database = Database(
      connection: connection, path: path, lock: lock, owners: try OwnerLocks(besides: path), reserve: reserve,
      log: log, incarnation: store.incarnation)
    return Opened(database: database, digestKey: store.digestKey, warning: warning)
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

  /// Reads who this store is, and whether it holds what its mark says.
  private func identity(of connection: Connection, _ lock: StoreLock) throws -> Identity {
    let mark = StoreMark(lock.read(.entry))
    let changeMark = ChangeMark(lock.read(.changes))
    let row = try connection.first(
      """
      SELECT incarnation, digest_key, seal, changes,
        (SELECT hash FROM runs JOIN entries ON place = (number << 32) + ?2 WHERE id = ?1)
      FROM store
      """, .text(mark?.runID ?? ""), .integer(mark?.sequence ?? 0)
    ) { row in
      (Identity(incarnation: row.text(0), digestKey: row.bytes(1)), row.integer(2), row.integer(3), row.bytes(4))
    }
    guard let (stored, seal, changes, hash) = row, stored.seal == seal else {
      throw StoreFailure.damaged("the store `\(path)` is damaged: its first table does not match its checksum")
    }
    var identity = stored
    let hasEntry = mark.map { $0.incarnation == identity.incarnation && $0.hash == hash } ?? false
    let hasChanges = changeMark.map { $0.incarnation == identity.incarnation && $0.changes <= changes } ?? false
    identity.isWhole = hasEntry && hasChanges
    identity.hadRuns = (mark?.sequence ?? 0) > 0
    return identity
  }

  /// Gives the copy an identity of its own and marks every run that had not ended.
  /// - Returns: a warning; nil if there never was a run (the store was being made when its maker was stopped).
  private func restored(_ connection: Connection, _ store: inout Identity) throws -> String? {
    store.incarnation = Identity.random(16).hexadecimal
    try connection.run("BEGIN IMMEDIATE")
    let open = try connection.all("SELECT number, id FROM runs WHERE status <> 'ended'") { ($0.integer(0), $0.text(1)) }
    for (number, id) in open {
      guard var row = try RunRow.find(id, on: connection) else { continue }
      row.summary.isRestored = true
      try connection.run(
        "UPDATE runs SET restored = 1, summary_seal = ? WHERE number = ?", .integer(row.summary.seal), .integer(number))
    }
    try connection.run(
      "UPDATE store SET incarnation = ?, seal = ?", .text(store.incarnation), .integer(store.seal))
    try connection.run("COMMIT")
    let hasRuns = try connection.first("SELECT 1 FROM runs LIMIT 1") { _ in true } ?? false
    guard hasRuns || store.hadRuns else { return nil }
    let names = open.map(\.1).joined(separator: ", ")
    let runs = open.isEmpty ? "no run was open" : "open runs may have done more than is known: \(names)"
    return "the store `\(path)` lacks what was written last, so it is an older copy or was cut; \(runs)"
  }
}

/// Who a store is. A copy that is put back gets a new incarnation.
private struct Identity {
  var incarnation: String
  var digestKey: [UInt8]
  /// It holds what its mark says.
  var isWhole = false
  /// Its mark knows of a run.
  var hadRuns = false

  init(incarnation: String, digestKey: [UInt8]) {
    self.incarnation = incarnation
    self.digestKey = digestKey
  }

  var seal: Int64 {
    var record = RecordBytes()
    record.append(incarnation)
    record.append(digestKey)
    return record.seal
  }

  /// From the kernel's generator (getrandom).
  static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}

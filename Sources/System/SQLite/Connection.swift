import CSQLite

/// One connection to one database file. Not `Sendable`: code that shares it keeps it in a `Mutex`. Do not carry it over
/// a `fork`: SQLite's locks belong to the process.
///
/// It is opened strictly: the schema is not trusted (no functions with side effects in views or triggers), defensive
/// (no writes to internal tables), extended error codes, no checkpoint on close and none by itself.
@safe public final class Connection {
  private let handle: OpaquePointer
  /// Where SQLite writes the length of the write-ahead log after a commit.
  private let frameCounter: UnsafeMutablePointer<Int32>
  /// Prepared statements by the address of their text.
  private var statements: [UInt: Box] = [:]

  private final class Box {
    let statement: Statement
    init(_ statement: consuming Statement) { self.statement = statement }
  }

  /// - Parameters:
  ///   - path: absolute, so that it is never taken for a URI. The file must exist; an empty one is an empty database.
  ///   - busyTimeout: in milliseconds, how long to wait for a lock of another program.
  public init(path: String, busyTimeout: Int32) throws(SQLiteError) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let handle = unsafe opened else {
      let error =
        if let handle = unsafe opened { unsafe Connection.error(code, on: handle) } else {
          SQLiteError(code, systemError: 0, message: "out of memory")
        }
      unsafe sqlite3_close_v2(opened)
      throw error
    }
    unsafe self.handle = handle
    unsafe frameCounter = .allocate(capacity: 1)
    unsafe frameCounter.initialize(to: 0)
    unsafe sqlite3_busy_timeout(handle, busyTimeout)
    for (option, value) in Connection.strictness {
      _ = unsafe runbook_sqlite_configure(handle, option, value)
    }
    unsafe runbook_sqlite_count_frames(handle, frameCounter)
  }

  private static let strictness: [(option: Int32, value: Int32)] = [
    (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1),
    (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_DQS_DML, 0),
  ]

  deinit {
    statements.removeAll()
    unsafe sqlite3_close_v2(handle)
    unsafe frameCounter.deallocate()
  }

  /// Frames (pages) in the write-ahead log at the last commit of this connection; 0 before the first.
  public var frames: Int { Int(unsafe frameCounter.pointee) }

  /// The database file or its folder cannot be written: SQLite opened it for reading only.
  public var isReadOnly: Bool { unsafe sqlite3_db_readonly(handle, "main") == 1 }

  public var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Runs one statement to its end. It stays prepared: `sql` is a literal, values are bound.
  public func run(_ sql: StaticString, _ values: SQLiteValue...) throws(SQLiteError) {
    let box = try prepared(sql)
    defer { box.statement.reset() }
    try box.statement.bind(values)
    while try box.statement.step() {}
  }

  /// The first row, or nil.
  public func first<Row>(
    _ sql: StaticString, _ values: SQLiteValue..., read: (borrowing Statement) -> Row
  ) throws(SQLiteError) -> Row? {
    let box = try prepared(sql)
    defer { box.statement.reset() }
    try box.statement.bind(values)
    return try box.statement.step() ? read(box.statement) : nil
  }

  public func all<Row>(
    _ sql: StaticString, _ values: SQLiteValue..., read: (borrowing Statement) -> Row
  ) throws(SQLiteError) -> [Row] {
    let box = try prepared(sql)
    defer { box.statement.reset() }
    try box.statement.bind(values)
    var rows: [Row] = []
    while try box.statement.step() { rows.append(read(box.statement)) }
    return rows
  }

  /// Runs several statements that are used once: a schema.
  public func script(_ sql: StaticString) throws(SQLiteError) {
    let text = unsafe UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
    let code = unsafe sqlite3_exec(handle, text, nil, nil, nil)
    guard code == SQLITE_OK else { throw unsafe Connection.error(code, on: handle) }
  }

  /// Copies the write-ahead log into the database as far as readers allow. `emptying` also cuts the log's file to
  /// nothing.
  public func checkpoint(emptying: Bool) throws(SQLiteError) {
    let mode = emptying ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
    guard code == SQLITE_OK else { throw unsafe Connection.error(code, on: handle) }
  }

  /// The version of the library that is linked, such as `3.40.1`.
  public static var libraryVersion: String { unsafe String(cString: sqlite3_libversion()) }

  private func prepared(_ sql: StaticString) throws(SQLiteError) -> Box {
    let key = UInt(bitPattern: unsafe sql.utf8Start)
    if let box = statements[key] { return box }
    let box = Box(try unsafe Statement(sql, on: handle))
    statements[key] = box
    return box
  }

  static func error(_ code: Int32, on handle: OpaquePointer) -> SQLiteError {
    let message = unsafe sqlite3_errmsg(handle)
    return unsafe SQLiteError(
      code, systemError: sqlite3_system_errno(handle), message: message.map { unsafe String(cString: $0) } ?? "")
  }
}

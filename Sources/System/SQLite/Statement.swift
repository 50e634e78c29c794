import CSQLite

/// A value handed to a statement.
public enum SQLiteValue: Sendable {
  case null
  case integer(Int64)
  case text(String)
  case bytes([UInt8])

  public static func text(_ text: String?) -> SQLiteValue { text.map { .text($0) } ?? .null }
  public static func integer(_ number: Int64?) -> SQLiteValue { number.map { .integer($0) } ?? .null }
}

/// A prepared statement. Ends its `sqlite3_stmt` when it goes out of scope; not copyable, so never freed twice.
/// While it is stepped it is also the current row: columns count from 0.
@safe public struct Statement: ~Copyable {
  private let handle: OpaquePointer

  init(_ sql: StaticString, on connection: OpaquePointer) throws(SQLiteError) {
    var prepared: OpaquePointer?
    let text = unsafe UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
    let length = Int32(truncatingIfNeeded: sql.utf8CodeUnitCount)
    let code = unsafe sqlite3_prepare_v3(
      connection, text, length, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let handle = unsafe prepared else { throw unsafe Connection.error(code, on: connection) }
    unsafe self.handle = handle
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Binds from parameter 1 on. Text and bytes are copied.
  borrowing func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
    var index: Int32 = 1
    for value in values {
      let code =
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .text(var text):
          text.withUTF8 { bytes in
            unsafe runbook_sqlite_bind_text(handle, index, bytes.baseAddress, UInt64(bytes.count))
          }
        case .bytes(let bytes):
          unsafe bytes.withUnsafeBytes { bytes in
            unsafe runbook_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
          }
        }
      guard code == SQLITE_OK else { throw failure(code) }
      index += 1
    }
  }

  /// True if there is a row, false at the end.
  borrowing func step() throws(SQLiteError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw failure(code)
    }
  }

  /// Makes it ready for its next use and lets go of its locks.
  borrowing func reset() { _ = unsafe sqlite3_reset(handle) }

  private borrowing func failure(_ code: Int32) -> SQLiteError {
    guard let connection = unsafe sqlite3_db_handle(handle) else {
      return SQLiteError(code, systemError: 0, message: "SQLite failed")
    }
    return unsafe Connection.error(code, on: connection)
  }

  public borrowing func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

  /// 0 for NULL.
  public borrowing func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  /// Empty for NULL; invalid UTF-8 is repaired (who stores hashes finds out).
  public borrowing func text(_ column: Int32) -> String {
    guard let start = unsafe sqlite3_column_text(handle, column) else { return "" }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Empty for NULL.
  public borrowing func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}

import SQLite
import TestSupport
import Testing

@Suite struct ConnectionTests {
  let folder = TemporaryFolder()

  func open(_ name: String = "x.db") throws -> Connection {
    folder.write(name, folder.read(name))
    return try Connection(path: folder.path(name), busyTimeout: 0)
  }

  @Test func valuesComeBackAsTheyWereBound() throws {
    let connection = try open()
    try connection.script("CREATE TABLE t (a, b, c, d)")
    try connection.run(
      "INSERT INTO t VALUES (?, ?, ?, ?)", .integer(.min), .text("ö\u{0}🧯"), .bytes([0, 255]), .null)
    try connection.run("INSERT INTO t VALUES (?, ?, ?, ?)", .integer(.max), .text(""), .bytes([]), .text(nil))
    let rows = try connection.all("SELECT a, b, c, d FROM t ORDER BY rowid") { row in
      "\(row.integer(0)) \(row.text(1)) \(row.bytes(2)) \(row.isNull(1)) \(row.isNull(2)) \(row.isNull(3))"
    }
    #expect(
      rows == [
        "\(Int64.min) ö\u{0}🧯 [0, 255] false false true", "\(Int64.max)  [] false false true",
      ])
  }

  @Test func aStatementCanBeUsedAgain() throws {
    let connection = try open()
    for number in Int64(1)...3 {
      #expect(try connection.first("SELECT ? + 1", .integer(number)) { $0.integer(0) } == number + 1)
    }
    #expect(try connection.first("SELECT 1 WHERE 0") { $0.integer(0) } == nil)
  }

  @Test func anErrorIsTyped() throws {
    let connection = try open()
    try connection.script("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT")
    try connection.run("INSERT INTO t VALUES (1)")
    let error = #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO t VALUES (1)") }
    #expect(error?.kind == .constraint)
    #expect(#expect(throws: SQLiteError.self) { try connection.script("SELEC") }?.kind == .other)
    // After an error the statement is good again.
    try connection.run("BEGIN")
    #expect(connection.isInTransaction)
    try connection.run("ROLLBACK")
    #expect(!connection.isInTransaction)
  }

  @Test func whatIsNoDatabaseIsCorrupt() throws {
    folder.write("x.db", [UInt8](repeating: 0x41, count: 5000))
    let connection = try Connection(path: folder.path("x.db"), busyTimeout: 0)
    #expect(#expect(throws: SQLiteError.self) { try connection.run("PRAGMA user_version") }?.kind == .corrupt)
  }

  @Test func aMissingFileIsNotMade() {
    let error = #expect(throws: SQLiteError.self) { try Connection(path: folder.path("no.db"), busyTimeout: 0) }
    #expect(error?.kind == .cannotOpen)
    #expect(folder.names.isEmpty)
  }

  @Test func aLockOfAnotherConnectionIsBusy() throws {
    let one = try open()
    let other = try open("x.db")
    try one.run("BEGIN EXCLUSIVE")
    #expect(#expect(throws: SQLiteError.self) { try other.run("BEGIN IMMEDIATE") }?.kind == .busy)
  }

  @Test func theLogIsNotCopiedByItself() throws {
    let connection = try open()
    _ = try connection.first("PRAGMA journal_mode = WAL") { $0.text(0) }
    try connection.script("CREATE TABLE t (a)")
    let before = folder.read("x.db")
    for _ in 0..<1200 { try connection.run("INSERT INTO t VALUES (zeroblob(4000))") }
    #expect(connection.frames > 1200)
    #expect(folder.read("x.db") == before)
    try connection.checkpoint(emptying: true)
    #expect(folder.read("x.db").count > 4_000_000)
    #expect(folder.read("x.db-wal").isEmpty)
  }

  @Test func theSchemaIsNotTrusted() throws {
    let connection = try open()
    #expect(try connection.first("PRAGMA trusted_schema") { $0.integer(0) } == 0)
    #expect(throws: SQLiteError.self) { try connection.script("PRAGMA writable_schema = 1; DELETE FROM sqlite_schema") }
  }
}

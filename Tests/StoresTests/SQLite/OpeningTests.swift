import Glibc
import Runbook
import SQLite
import Stores
import TestSupport
import Testing

/// What may be opened as a store, and what is refused with which words.
@Suite struct OpeningTests {
  let folder = TemporaryFolder()
  let clock = ManualClock()

  func open(_ name: String = "runbook.db", creates: Bool = true) throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    options.creates = creates
    return try SQLiteStore(at: folder.path(name), clock: clock, options: options)
  }

  /// The words it is refused with; fails if it is opened.
  func refusal(_ name: String) throws -> String {
    guard case .unusable(let words) = failure(of: { () throws(StoreFailure) in _ = try open(name) }) else {
      Issue.record("`\(name)` was not refused as unusable")
      return ""
    }
    #expect(words.contains(folder.path))
    return words
  }

  @Test func aNewStoreIsSeenByItsOwnerAlone() throws {
    let store = try open("state/of/mine/runbook.db")
    try store.begin()
    for name in ["state", "state/of", "state/of/mine"] { #expect(folder.mode(name) == 0o700) }
    let files = [
      "runbook.db", "runbook.db-shm", "runbook.db-wal", "runbook.db.lock", "runbook.db.owners", "runbook.db.reserve",
    ]
    for name in files { #expect(folder.mode("state/of/mine/\(name)") == 0o600) }
    #expect(store.warning == nil)
  }

  @Test func twoStoresHaveDifferentKeys() throws {
    #expect(try open("a.db").digestKey != (try open("b.db").digestKey))
  }

  @Test func whoeverOnlyLooksMakesNoStore() throws {
    #expect(throws: StoreFailure.notFound(folder.path("no/runbook.db"))) { try open("no/runbook.db", creates: false) }
    #expect(throws: StoreFailure.notFound(folder.path("runbook.db"))) { try open(creates: false) }
    #expect(folder.names.isEmpty)
  }

  @Test func anEmptyFileBecomesAStore() throws {
    folder.write("runbook.db", [])
    try open().begin()
    #expect(try open().bodies() == ["{}"])
  }

  @Test func aStoreThatIsGoneIsNotBegunAnewInSilence() throws {
    try open().begin()
    for name in ["runbook.db", "runbook.db-wal", "runbook.db-shm"] { unsafe unlink(folder.path(name)) }
    guard case .damaged(let words) = failure(of: { () throws(StoreFailure) in _ = try open() }) else {
      Issue.record("it was not refused")
      return
    }
    #expect(words.contains("delete `\(folder.path("runbook.db.lock"))`"))
    unsafe unlink(folder.path("runbook.db.lock"))
    #expect(try open().summaries(limit: 1).isEmpty)
  }

  @Test func aStoreWhoseMakerWasStoppedIsFinishedWithoutAWarning() throws {
    _ = try open()
    unsafe unlink(folder.path("runbook.db.lock"))
    #expect(try open().warning == nil)
  }

  @Test func aFolderIsRefused() throws {
    unsafe mkdir(folder.path("x"), 0o700)
    #expect(try refusal("x").contains("is a folder"))
  }

  @Test func aPipeIsRefusedAtOnce() throws {
    unsafe mkfifo(folder.path("x"), 0o600)
    #expect(try refusal("x").contains("not a regular file"))
  }

  @Test func aPlaceBelowAFileIsRefused() throws {
    folder.write("x", [1])
    #expect(try refusal("x/runbook.db").contains("is not a folder"))
  }

  @Test(arguments: [
    [UInt8]("this is no database, and it must stay as it is\n".utf8), [UInt8](repeating: 0, count: 8192),
  ])
  func garbageIsRefusedAndLeftAlone(_ content: [UInt8]) throws {
    folder.write("x", content)
    #expect(try refusal("x").contains("not a runbook store"))
    #expect(folder.read("x") == content)
  }

  @Test func theDatabaseOfAnotherProgramIsRefusedAndLeftAlone() throws {
    folder.write("x", [])
    try Connection(path: folder.path("x"), busyTimeout: 0).script(
      "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);")
    let before = folder.read("x")
    #expect(try refusal("x").contains("another program"))
    #expect(folder.read("x") == before)
  }

  @Test func aNewerStoreIsRefusedUntouched() throws {
    try open().begin()
    try Connection(path: folder.path("runbook.db"), busyTimeout: 0).script("PRAGMA user_version = 99")
    let before = ["runbook.db", "runbook.db-wal", "runbook.db.lock"].map(folder.read)
    #expect(throws: StoreFailure.tooNew(found: 99, known: 6)) { try open() }
    #expect(["runbook.db", "runbook.db-wal", "runbook.db.lock"].map(folder.read) == before)
  }

  @Test func aFolderWhereEverybodyMayWriteIsRefusedWithAFix() throws {
    unsafe mkdir(folder.path("open"), 0o700)
    unsafe chmod(folder.path("open"), 0o1777)
    #expect(try refusal("open/runbook.db").contains("chmod o-w \(folder.path("open"))"))
    #expect(!folder.names.contains("open/runbook.db"))
  }

  @Test func aStoreThatEverybodyMayWriteIsRefusedWithAFix() throws {
    try open().begin()
    unsafe chmod(folder.path("runbook.db"), 0o666)
    #expect(try refusal("runbook.db").contains("chmod 600"))
  }

  @Test func aLockFileThatIsALinkIsRefused() throws {
    folder.write("victim", [1, 2, 3])
    unsafe symlink(folder.path("victim"), folder.path("runbook.db.lock"))
    _ = try refusal("runbook.db")
    #expect(folder.read("victim") == [1, 2, 3])
  }

  @Test func twoStoresOnOneFileSeeEachOther() throws {
    let one = try open()
    let other = try open()
    try one.begin("r1")
    try other.begin("r2")
    #expect(try one.summaries(limit: 9).map(\.id) == ["r2", "r1"])
    try other.add(["from the other"], to: "r1")
    #expect(try one.add(["from the one"], to: "r1") == 3)
  }

  @Test func theLinkedLibraryIsNamed() {
    #expect(Connection.libraryVersion.hasPrefix("3."))
  }
}

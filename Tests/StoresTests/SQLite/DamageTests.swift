import Runbook
import SQLite
import Stores
import TestSupport
import Testing

/// A damaged, cut or old store is noticed, named, and never repaired in silence.
@Suite struct DamageTests {
  let folder = TemporaryFolder(inMemory: true)
  let clock = ManualClock()
  private static let files = ["runbook.db", "runbook.db-wal", "runbook.db.lock", "runbook.db.reserve"]

  private func open(_ folder: TemporaryFolder, checkpointFrames: Int = 1000) throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    options.checkpointFrames = checkpointFrames
    options.reserve = 4096
    return try SQLiteStore(at: folder.path("runbook.db"), clock: clock, options: options)
  }

  /// Runs, locks, requests and entries enough for some pages.
  private func fill(_ store: SQLiteStore) throws {
    for number in 1...4 {
      let id = "r\(number)"
      try store.begin(id, key: "key \(number)", locks: ["server/\(number)"])
      for step in 1...12 {
        try store.add((0..<3).map { "\(id) \(step) \($0) " + String(repeating: "x", count: 60) }, to: id)
      }
      try store.post("cancel", body: Array("{}".utf8), to: id, requester: "ops")
    }
    try store.add([], to: "r4", summary: .sample("r4", key: "key 4", status: "ended"), releasingLocks: true)
  }

  /// All that the store answers, as text.
  private func everything(in store: SQLiteStore) throws(StoreFailure) -> [String] {
    var lines = ["key \(store.digestKey)"]
    for id in ["r1", "r2", "r3", "r4"] {
      lines.append("\(try store.summary(of: id)) \(String(describing: try store.lease(of: id)))")
      lines.append("\(try store.locks(of: id)) \(try store.requests(for: id, after: 0))")
      for entry in try store.entries(of: id, after: 0) { lines.append("\(id) \(entry)") }
    }
    return lines
  }

  private func copy(to other: TemporaryFolder, changing name: String, _ change: (inout [UInt8]) -> Void) {
    for file in DamageTests.files {
      var content = folder.read(file)
      if file == name { change(&content) }
      other.write(file, content)
    }
  }

  /// Places spread over `count` bytes, always the same.
  private func places(in count: Int, _ wanted: Int) -> [Int] {
    let step = max(1, count / wanted)
    return stride(from: 0, to: count, by: step).map { min(count - 1, $0 + ($0 * 7919) % step) }
  }

  @Test(arguments: ["runbook.db", "runbook.db-wal"])
  func aFlippedBitChangesNoAnswerInSilence(_ file: String) throws {
    // Everything in the database's file, or (never copied) in the write-ahead log.
    let store = try open(folder, checkpointFrames: file == "runbook.db" ? 1 : 1_000_000)
    try fill(store)
    let whole = try everything(in: store)
    var size = folder.read(file).count
    // The log's file is longer than what is in it: all after that is zeros.
    if file == "runbook.db-wal" { size = folder.read(file).lastIndex { $0 != 0 } ?? 0 }
    #expect(size > 40_000)
    var noticed = 0
    for (round, place) in places(in: size, Campaign.count(250, torture: 4000)).enumerated() {
      let other = TemporaryFolder(inMemory: true)
      copy(to: other, changing: file) { $0[place] ^= 1 << UInt8(round % 8) }
      do throws(StoreFailure) {
        let damaged = try open(other)
        let answers = try everything(in: damaged)
        let isSame = answers == whole
        if damaged.warning != nil { noticed += 1 } else { #expect(isSame, "bit \(round % 8) of byte \(place)") }
      } catch {
        noticed += 1
        switch error {
        case .damaged(let words), .unusable(let words):
          #expect(words.contains(other.path), "it names the store: \(words)")
        case .notFound, .tooNew: break
        default: Issue.record("bit \(round % 8) of byte \(place): \(error)")
        }
      }
    }
    #expect(noticed > 50)
  }

  @Test func aCutLogLeavesABeginningAndSaysSo() throws {
    let store = try open(folder, checkpointFrames: 1_000_000)
    try fill(store)
    let whole = try ["r1", "r2", "r3", "r4"].map { try store.bodies(of: $0) }
    let size = folder.read("runbook.db-wal").lastIndex { $0 != 0 } ?? 0
    var refused = 0
    for place in places(in: size, Campaign.count(60, torture: 4000)) {
      let other = TemporaryFolder(inMemory: true)
      copy(to: other, changing: "runbook.db-wal") { $0.removeSubrange(place...) }
      let cut: SQLiteStore
      do throws(StoreFailure) { cut = try open(other) } catch {
        // Not even the tables are in what is left.
        guard case .damaged = error else {
          Issue.record("cut at \(place): \(error)")
          continue
        }
        refused += 1
        continue
      }
      var kept = 0
      for (number, bodies) in whole.enumerated() {
        let id = "r\(number + 1)"
        let found: [String]
        do throws(StoreFailure) { found = try cut.bodies(of: id) } catch {
          #expect(error == .notFound(id))
          continue
        }
        #expect(found == Array(bodies.prefix(found.count)), "cut at \(place)")
        kept += found.count
        let isOpen = try cut.summary(of: id).status != "ended"
        #expect(try cut.summary(of: id).isRestored == (isOpen && cut.warning != nil))
      }
      if kept < whole.map(\.count).reduce(0, +) { #expect(cut.warning != nil, "cut at \(place)") }
      // It can be used.
      try cut.begin("r9")
    }
    #expect(refused > 0)
  }

  @Test(
    arguments: [
      ("DELETE FROM entries WHERE place = (1 << 32) + 5", "entry 5 of run `r1` is missing"),
      ("DELETE FROM entries WHERE place = (1 << 32) + 37", "does not end at entry 37"),
      ("UPDATE entries SET body = x'00' WHERE place = (1 << 32) + 5", "entry 5 of run `r1` does not match"),
      ("UPDATE entries SET at = at + 1 WHERE place = (1 << 32) + 5", "entry 5 of run `r1` does not match"),
      ("UPDATE entries SET epoch = 2 WHERE place = (1 << 32) + 5", "entry 5 of run `r1` does not match"),
      ("UPDATE entries SET kind = 'x' WHERE place = (1 << 32) + 5", "entry 5 of run `r1` does not match"),
      (
        "UPDATE entries SET body = (SELECT body FROM entries WHERE place = (2 << 32) + 5) WHERE place = (1 << 32) + 5",
        "entry 5"
      ),
      ("INSERT INTO entries VALUES ((1 << 32) + 38, 0, 1, 'x', x'00', x'00')", "entry 38 of run `r1` does not match"),
      ("UPDATE runs SET status = 'ended' WHERE number = 1", "row of run `r1`"),
      ("UPDATE runs SET expires_at = 0 WHERE number = 1", "row of run `r1`"),
      ("UPDATE runs SET last_sequence = 36 WHERE number = 1", "does not end at entry 36"),
      ("UPDATE locks SET run_id = 'r2' WHERE name = 'server/1'", "lock `server/1`"),
      ("DELETE FROM locks WHERE name = 'server/1'", "locks of run `r1` are missing"),
      ("UPDATE requests SET requester = 'eve' WHERE place = (1 << 32) + 1", "request 1"),
      ("DELETE FROM requests WHERE place = (1 << 32) + 1", "requests to run `r1` are missing"),
    ] as [(StaticString, String)])
  func aChangedRowIsNamed(_ change: StaticString, _ words: String) throws {
    let store = try open(folder)
    try fill(store)
    try Connection(path: folder.path("runbook.db"), busyTimeout: 1000).script(change)
    guard case .damaged(let found) = failure(of: { () throws(StoreFailure) in _ = try everything(in: store) }) else {
      Issue.record("it was not noticed")
      return
    }
    #expect(found.contains(words) && found.contains(folder.path))
  }

  @Test func anOlderCopyThatIsPutBackIsNoticedOnce() throws {
    var store: SQLiteStore? = try open(folder)
    if let store { try fill(store) }
    let copy = DamageTests.files.prefix(2).map { ($0, folder.read($0)) }
    try store?.add(["after the copy was made"], to: "r2")
    store = nil
    for (name, content) in copy { folder.write(name, content) }
    folder.write("runbook.db-shm", [])

    let restored = try open(folder)
    #expect(try #require(restored.warning).contains("r1, r2, r3"))
    #expect(try ["r1", "r2", "r3", "r4"].map { try restored.summary(of: $0).isRestored } == [true, true, true, false])
    let again = try open(folder)
    #expect(again.warning == nil)
    #expect(try again.summary(of: "r1").isRestored)
    try again.add(["a person has looked"], to: "r1", summary: .sample("r1", key: "key 1"))
    #expect(try !again.summary(of: "r1").isRestored)
  }

  @Test func aCopyInAnotherPlaceIsNoticed() throws {
    let store = try open(folder)
    try store.begin()
    let other = TemporaryFolder(inMemory: true)
    for name in DamageTests.files.prefix(2) { other.write(name, folder.read(name)) }
    let copy = try open(other)
    #expect(copy.warning != nil)
    #expect(try copy.summary(of: "r1").isRestored)
    #expect(copy.digestKey == store.digestKey)
    #expect(try open(folder).warning == nil)
  }
}

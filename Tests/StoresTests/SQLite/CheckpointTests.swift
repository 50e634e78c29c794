import Runbook
import Stores
import TestSupport
import Testing

/// The write-ahead log neither grows for ever nor is lost.
@Suite struct CheckpointTests {
  let folder = TemporaryFolder(inMemory: true)
  let clock = ManualClock()

  @Test func theLogIsCopiedIntoTheDatabaseAndUsedAgain() throws {
    let store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock)
    try store.begin()
    let body = String(repeating: "x", count: 2000)
    for _ in 0..<1500 { try store.add([body, body]) }
    #expect(folder.read("runbook.db-wal").count < 6 << 20)
    #expect(folder.read("runbook.db").count > 5 << 20)
    #expect(try store.entries(of: "r1", after: 0).count == 3001)
  }

  @Test func processesThatLeaveSoonTidyUpForTheNext() throws {
    for number in 0..<200 {
      let store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock)
      try store.begin("r\(100 + number)")
      try store.add(["1"], to: "r\(100 + number)")
    }
    #expect(folder.read("runbook.db-wal").count < 2 << 20)
    #expect(folder.read("runbook.db").count > 50_000)
    #expect(try SQLiteStore(at: folder.path("runbook.db"), clock: clock).summaries(limit: .max).count == 200)
  }

  @Test func theLogOfAHugeEntryIsCutAgain() throws {
    var options = SQLiteStore.Options()
    options.checkpointFrames = 20
    let store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock, options: options)
    try store.begin()
    let huge = NewEntry(at: clock.now, kind: "stdout", body: [UInt8](repeating: 0x61, count: 2 << 20))
    try store.append([huge], to: "r1", epoch: 1, summary: nil, locks: [], releasingLocks: false)
    #expect(folder.read("runbook.db-wal").count < 1 << 20)
    #expect(try store.add(["2"]) == 3)
    #expect(try store.entries(of: "r1", after: 1).map(\.body.count) == [2 << 20, 1])
  }
}

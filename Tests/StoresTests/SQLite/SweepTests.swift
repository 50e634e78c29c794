import Glibc
import Runbook
import Stores
import TestSupport
import Testing

/// Removing old runs, and copying a store that is in use.
@Suite struct SweepTests {
  let place = StorePlace()
  private let longAgo = ManualClock.start - .seconds(100 * 86_400)
  private let limit = ManualClock.start - .seconds(90 * 86_400)

  /// Names tell what they are.
  private func fill(_ store: SQLiteStore) throws {
    for id in ["gone", "young", "open", "owed", "again"] {
      try store.begin(id, key: "key of \(id)", locks: ["lock of \(id)"])
      for step in 0..<60 { try store.add(["\(id) \(step) " + String(repeating: "x", count: 3000)], to: id) }
      try store.post("cancel", body: [], to: id, requester: "ops")
    }
    for id in ["gone", "again"] { try store.end(id, key: "key of \(id)", at: longAgo) }
    try store.end("young", key: "key of young")
    try store.end("owed", key: "key of owed", releasingLocks: false, at: longAgo)
  }

  @Test func onlyRunsThatAreOverAndOweNothingAreRemoved() throws {
    let store = try place.open()
    try fill(store)
    store.noteDuration(.seconds(3), of: "wait")
    #expect(try store.sweepable(endedBefore: limit).map(\.id) == ["again", "gone"])
    let sweep = try store.sweep(["again", "gone", "young", "open", "owed"], endedBefore: limit)
    #expect(sweep.runs == ["again", "gone"])
    #expect(sweep.entries == 124)
    #expect(Set(try store.summaries(limit: 9).map(\.id)) == ["young", "open", "owed"])
    #expect(store.usualDuration(of: "wait") == .seconds(3))
    #expect(throws: StoreFailure.notFound("gone")) { try store.entries(of: "gone", after: 0) }
    let whole = try store.everything(of: ["young", "open", "owed"])
    // Its key is free again, and what lies where it lay is the new run's.
    try store.begin("new", key: "key of gone")
    #expect(try store.requests(for: "new", after: 0).isEmpty)
    #expect(try store.bodies(of: "new") == ["{}"])
    let other = try place.open()
    #expect(other.warning == nil)
    #expect(try other.everything(of: ["young", "open", "owed"]) == whole)
  }

  @Test func theSpaceOfRemovedRunsIsGivenBack() throws {
    let store = try place.open(checkpointFrames: 16)
    let other = try place.open()
    try fill(store)
    for id in ["young", "open", "owed"] { try store.add(["x"], to: id) }
    let before = place.folder.read("state/runbook.db").count
    try store.end("open", at: longAgo)
    _ = try store.sweep(["gone", "again", "open"], endedBefore: limit)
    #expect(try store.giveSpaceBack() > 400_000)
    #expect(place.folder.read("state/runbook.db").count < before / 2)
    #expect(try store.giveSpaceBack() == 0)
    try other.add(["goes on"], to: "owed")
    #expect(try store.bodies(of: "owed").last == "goes on")
    #expect(try place.open().warning == nil)
  }

  @Test func aCopyFromBeforeASweepIsNoticed() throws {
    let store = try place.open()
    try fill(store)
    let older = place.copy()
    _ = try store.sweep(["gone", "again"], endedBefore: limit)
    place.put(older)
    #expect(try place.open().warning != nil)
  }

  @Test func aBackupHoldsAllThatTheStoreHolds() throws {
    let store = try place.open()
    try fill(store)
    let ids = ["gone", "young", "open", "owed", "again"]
    let target = place.folder.path("copy.db")
    #expect(try store.backUp(to: target) > 100_000)
    #expect(place.folder.mode("copy.db") == 0o600)
    #expect(place.names(in: "").filter { $0.hasPrefix(".runbook") }.isEmpty)
    let whole = try store.everything(of: ids)
    try store.add(["later"], to: "open")
    let copy = try SQLiteStore(at: target, clock: place.clock)
    // A copy in another place is a copy, and says so.
    #expect(copy.warning != nil)
    #expect(try copy.summary(of: "open").isRestored && !copy.summary(of: "young").isRestored)
    #expect(try copy.everything(of: ids).count == whole.count)
    #expect(try copy.entries(of: "open", after: 0).count == store.entries(of: "open", after: 0).count - 1)
    #expect(copy.digestKey == store.digestKey)
  }

  @Test func aBackupReplacesNothing() throws {
    let store = try place.open()
    place.folder.write("copy.db", [7])
    guard
      case .unusable(let words) = failure(of: { () throws(StoreFailure) in
        try store.backUp(to: place.folder.path("copy.db"))
      })
    else {
      Issue.record("it was not refused")
      return
    }
    #expect(words.contains("there already"))
    #expect(place.folder.read("copy.db") == [7])
    guard
      case .unusable = failure(of: { () throws(StoreFailure) in
        try store.backUp(to: place.folder.path("none/copy.db"))
      })
    else {
      Issue.record("a folder that is not there was not refused")
      return
    }
  }

  @Test func aBackupInPlaceOfItsStoreIsKnownAsAnOlderCopy() throws {
    var store: SQLiteStore? = try place.open()
    if let store { try fill(store) }
    try store?.backUp(to: place.folder.path("copy.db"))
    let backup = place.folder.read("copy.db")
    let logs = ["runbook.db-wal", "runbook.db-shm"]
    // Nothing was done since: nothing is lost.
    store = nil
    place.put(["runbook.db": backup], only: ["runbook.db"] + logs)
    store = try place.open()
    #expect(store?.warning == nil)
    try store?.add(["later"], to: "open")
    store = nil
    let newer = place.copy()
    let witnesses = place.witnessCopy()
    place.put(["runbook.db": backup], only: ["runbook.db"] + logs)
    #expect(try place.open().warning != nil)
    // The log of the one before beside it is refused, with the way out, and that way works.
    place.put(newer)
    place.putWitnesses(witnesses)
    place.put(["runbook.db": backup], only: ["runbook.db"])
    if let failure = failure(of: { () throws(StoreFailure) in _ = try place.open() }) {
      guard case .damaged(let words) = failure else {
        Issue.record("\(failure)")
        return
      }
      #expect(words.contains("runbook.db-wal"))
    }
    place.put([:], only: logs)
    #expect(try place.open().warning != nil)
  }
}

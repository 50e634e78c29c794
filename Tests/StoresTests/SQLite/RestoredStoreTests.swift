import Glibc
import Runbook
import Stores
import TestSupport
import Testing

/// A store that was put back from an older copy is noticed, by what its user has seen of it elsewhere.
@Suite struct RestoredStoreTests {
  let place = StorePlace()
  private static let runs = ["r1", "r2", "r3"]

  /// Three open runs, and a copy of the store as it was in the middle of them: then the first goes on, and last of all
  /// the third.
  /// - Parameter isCheckpointed: what the third did at last is then in the log, all else in the database's file.
  private func story(isCheckpointed: Bool = false) throws -> StorePlace.Copy {
    let frames = isCheckpointed ? 1 : 1_000_000
    var store: SQLiteStore? = try place.open(checkpointFrames: frames)
    for id in Self.runs {
      // So many that what belongs to the three does not lie on one page.
      for number in 0..<40 { try store?.begin("\(id) \(number)") }
      try store?.begin(id, locks: ["server/\(id)"])
      try store?.add((0..<12).map { "\(id) \($0) " + String(repeating: "x", count: 300) }, to: id)
    }
    store = nil
    let older = place.copy()
    store = try place.open(checkpointFrames: frames)
    try store?.add(["r1 goes on"], to: "r1")
    store = try place.open()
    try store?.add(["r3 goes on"], to: "r3")
    try store?.post("cancel", body: [], to: "r3", requester: "ops")
    return older
  }

  @Test func aFolderThatIsPutBackAsAWholeIsNoticedOnce() throws {
    let older = try story()
    place.put(older)
    let restored = try place.open()
    let warning = try #require(restored.warning)
    #expect(warning.contains("open runs may have done more than its journal says: r1, r1 0"))
    #expect(warning.contains("the locks they held are free"))
    #expect(try Self.runs.allSatisfy { try restored.summary(of: $0).isRestored })
    // New runs go on normally.
    try restored.begin("r9")
    #expect(try !restored.summary(of: "r9").isRestored)
    let again = try place.open()
    #expect(again.warning == nil)
    #expect(again.note == nil)
    #expect(try again.summary(of: "r1").isRestored)
    // The same copy once more.
    place.put(older)
    #expect(try place.open().warning != nil)
  }

  /// Files beside each other that do not belong together: noticed, refused, or nothing is missing.
  @Test(arguments: [false, true])
  func noSubsetOfFilesThatIsPutBackLosesAnythingInSilence(_ isCheckpointed: Bool) throws {
    let older = try story(isCheckpointed: isCheckpointed)
    let newer = place.copy()
    let witnesses = place.witnessCopy()
    let truth = try place.open().everything(of: Self.runs)
    var noticed = 0
    for subset in 1..<(1 << StorePlace.files.count) {
      let names = StorePlace.files.enumerated().filter { subset >> $0.offset & 1 == 1 }.map(\.element)
      place.put(newer)
      place.put(older, only: names)
      place.putWitnesses(witnesses)
      do throws(StoreFailure) {
        let store = try place.open()
        if store.warning != nil {
          noticed += 1
          for id in Self.runs where (try? store.summary(of: id)) != nil {
            #expect(try store.summary(of: id).isRestored, "\(names)")
          }
        } else {
          #expect(try store.everything(of: Self.runs) == truth, "\(names)")
        }
      } catch {
        noticed += 1
        guard case .damaged(let words) = error else {
          Issue.record("\(names): \(error)")
          continue
        }
        #expect(words.contains(place.store))
      }
      if !names.contains("runbook.db"), !names.contains("runbook.db-wal") {
        place.put(newer)
        place.put(older, only: names)
        place.putWitnesses(witnesses)
        #expect(try place.open().warning == nil, "\(names)")
      }
    }
    #expect(noticed >= 8)
  }

  @Test func aRunWhoseRollbackIsOwedIsMarkedAndOneThatOwesNothingIsNot() throws {
    let store = try place.open()
    for id in ["r1", "r2", "r3"] { try store.begin(id, locks: ["server/\(id)"]) }
    try store.end("r2", releasingLocks: false)
    try store.end("r3")
    let older = place.copy()
    try store.add(["more"], to: "r1")
    place.put(older)
    let restored = try place.open()
    #expect(try ["r1", "r2", "r3"].map { try restored.summary(of: $0).isRestored } == [true, true, false])
    #expect(try restored.owedRuns().map(\.id) == ["r2"])
    // Only a summary that says so takes the mark away, no other append.
    var summary = try restored.summary(of: "r1")
    try restored.add(["left"], to: "r1")
    try restored.add(["left"], to: "r1", summary: summary)
    #expect(try restored.summary(of: "r1").isRestored)
    summary.isRestored = false
    try restored.add(["accepted"], to: "r1", summary: summary)
    #expect(try !restored.summary(of: "r1").isRestored)
    // An abandoned rollback asks for nothing.
    try restored.add(["abandoned"], to: "r2", summary: try restored.summary(of: "r2"), releasingLocks: true)
    #expect(try restored.owedRuns().isEmpty)
  }

  @Test func aFolderThatIsMovedIsNoCopy() throws {
    _ = try story()
    let truth = try place.open().everything(of: Self.runs)
    unsafe rename(place.folder.path("state"), place.folder.path("moved"))
    var options = SQLiteStore.Options()
    options.witnesses = [place.witnesses]
    let store = try SQLiteStore(at: place.folder.path("moved/runbook.db"), clock: place.clock, options: options)
    #expect(store.warning == nil && store.note == nil)
    #expect(try store.everything(of: Self.runs) == truth)
  }

  @Test(arguments: [true, false])
  func ofAFolderAndItsCopyTheSecondToBeUsedIsNoticed(_ isCopyFirst: Bool) throws {
    _ = try story()
    let whole = place.copy()
    unsafe mkdir(place.folder.path("other"), 0o700)
    for (name, content) in whole { place.folder.write("other/\(name)", content) }
    var options = SQLiteStore.Options()
    options.witnesses = [place.witnesses]
    let paths = [place.store, place.folder.path("other/runbook.db")]
    let first = try SQLiteStore(at: paths[isCopyFirst ? 1 : 0], clock: place.clock, options: options)
    #expect(first.warning == nil)
    try first.add(["more"], to: "r1")
    let second = try SQLiteStore(at: paths[isCopyFirst ? 0 : 1], clock: place.clock, options: options)
    #expect(second.warning != nil)
    try first.add(["more"], to: "r1")
    #expect(try SQLiteStore(at: paths[isCopyFirst ? 1 : 0], clock: place.clock, options: options).warning == nil)
  }

  @Test func aStoreWithoutAWitnessIsSaidOnce() throws {
    let older = try story()
    place.putWitnesses([:])
    let note = try place.open().note
    #expect(note?.contains("for the first time by this user") == true)
    #expect(try place.open().note == nil)
    // Without a witness nothing can be told, and from then on it can.
    place.putWitnesses([:])
    place.put(older)
    let store = try place.open()
    #expect(store.warning == nil && store.note != nil)
    let again = place.copy()
    try store.add(["more"], to: "r1")
    place.put(again)
    #expect(try place.open().warning != nil)
    // A new store has nothing to say.
    #expect(try StorePlace().open().note == nil)
  }

  @Test func aWitnessThatCannotBeWrittenIsSaidOnceAndHindersNothing() throws {
    place.folder.write("file", [1])
    unsafe mkdir(place.folder.path("open"), 0o700)
    unsafe mkdir(place.folder.path("open/witness"), 0o700)
    unsafe chmod(place.folder.path("open"), 0o777)
    unsafe symlink(place.witnesses, place.folder.path("link"))
    let unusable = ["file/witness", "open/witness", "link", "state/data/witness"].map(place.folder.path)
    _ = try place.open(witnesses: unusable)
    let store = try place.open(witnesses: unusable)
    #expect(store.note?.contains("put back from an older copy") == true)
    try store.begin()
    #expect(try place.open(witnesses: unusable).note == nil)
    #expect(place.names(in: "open/witness").isEmpty && place.witnessNames.isEmpty)
    #expect(!place.names(in: "state").contains("data"))
    // The first that can be used is.
    _ = try place.open(witnesses: unusable + [place.witnesses])
    #expect(place.witnessNames.count == 1)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, Comment(rawValue: SmallDisk.whyNot)))
  func aWitnessThatCanOnlyBeReadStillTells() throws {
    let disk = try #require(SmallDisk(kilobytes: 100))
    let folder = disk.path + "/runbook/witness"
    var store: SQLiteStore? = try place.open(witnesses: [folder])
    try store?.begin()
    let older = place.copy()
    try store?.add(["more"], to: "r1")
    store = nil
    #expect(disk.makeReadOnly())
    #expect(try place.open(witnesses: [folder]).warning == nil)
    place.put(older)
    #expect(try place.open(witnesses: [folder]).warning != nil)
  }

  @Test func aStoreThatOthersHaveUsedSinceIsNormal() throws {
    let mine = try place.open()
    try mine.begin("r1")
    unsafe mkdir(place.folder.path("data/runbook/theirs"), 0o700)
    let theirs = try place.open(witnesses: [place.folder.path("data/runbook/theirs")])
    #expect(theirs.note != nil)
    try theirs.add(["more"], to: "r1")
    try theirs.end("r1", at: ManualClock.start - .seconds(100))
    #expect(try theirs.sweep(["r1"], endedBefore: ManualClock.start).runs == ["r1"])
    // My witness names an entry of a run that is no longer there.
    let again = try place.open()
    #expect(again.warning == nil && again.note == nil)
  }

  @Test func aStoreThatIsGoneKeepsItsLog() throws {
    _ = try story()
    let files = place.copy()
    let all = ["runbook.db", "runbook.db-wal", "runbook.db-shm"]
    for gone in [["runbook.db"], ["runbook.db", "runbook.db.lock"], all] {
      place.put(files)
      place.put([:], only: gone)
      for creates in [true, false] {
        let failure = failure { () throws(StoreFailure) in _ = try place.open(creates: creates) }
        guard case .damaged(let words) = failure else {
          Issue.record("\(gone): \(String(describing: failure))")
          continue
        }
        #expect(words.contains("is gone or empty"))
      }
      if gone != all { #expect(place.copy()["runbook.db-wal"] == files["runbook.db-wal"], "\(gone)") }
      #expect(place.copy()["runbook.db"] == nil, "\(gone)")
    }
    place.put(files)
    #expect(try place.open().warning == nil)
  }

  @Test func witnessesThatNobodyWroteForAYearGo() throws {
    let store = try place.open()
    try store.begin()
    let old = Glibc.time(nil) - 400 * 86_400
    place.folder.write("data/runbook/witness/old.mark", [1])
    var times = [timespec(tv_sec: old, tv_nsec: 0), timespec(tv_sec: old, tv_nsec: 0)]
    unsafe utimensat(AT_FDCWD, place.folder.path("data/runbook/witness/old.mark"), &times, 0)
    // The clock of these tests stands in the past: so does its year.
    place.clock.advance(.seconds(Int64(Glibc.time(nil)) - ManualClock.start.seconds))
    #expect(store.sweepWitnesses() == 1)
    #expect(place.witnessNames.count == 1)
  }
}

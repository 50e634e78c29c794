import Glibc
import Runbook
import Stores
import TestSupport
import Testing

/// A disk that is full or read-only.
@Suite struct FullDiskTests {
  let clock = ManualClock()

  private func open(_ disk: SmallDisk, reserve: Int64) throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    options.reserve = reserve
    return try SQLiteStore(at: disk.path + "/runbook.db", clock: clock, options: options)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, Comment(rawValue: SmallDisk.whyNot)))
  func anOutcomeIsStillWrittenOnAFullDisk() throws {
    let disk = try #require(SmallDisk(kilobytes: 4000))
    let full = StoreFailure.diskFull(path: disk.path + "/runbook.db")
    let store = try open(disk, reserve: 256 << 10)
    let lease = try store.begin()
    disk.fill()
    // The log has some room; then the reserve is given up.
    let outcome = String(repeating: "x", count: 2000)
    var written = 1
    while !store.isOutOfSpace, written < 2000 {
      try store.add([outcome])
      written += 1
    }
    #expect(store.isOutOfSpace, "the disk was never full")
    #expect(try store.entries(of: "r1", after: 0).count == written)
    // Nothing new is begun.
    #expect(throws: StoreFailure.diskFull(path: disk.path + "/runbook.db.reserve")) { try store.begin("r2") }
    #expect(throws: StoreFailure.diskFull(path: disk.path + "/runbook.db.reserve")) {
      try store.takeOver("r1", owner: .second, leaseFor: .seconds(1))
    }
    // What was begun goes on until the reserve is used up; then it fails clearly, and nothing is half written.
    _ = try store.renew(lease, leaseFor: .seconds(10))
    var refusal: StoreFailure?
    for _ in 0..<2000 where refusal == nil {
      refusal = failure(of: { () throws(StoreFailure) in try store.add([outcome, outcome]) })
      if refusal == nil { written += 2 }
    }
    #expect(refusal == full)
    #expect(try store.entries(of: "r1", after: 0).count == written)
    // Space returns.
    disk.empty()
    try store.begin("r2")
    #expect(!store.isOutOfSpace)
    #expect(try store.add([outcome]) == Int64(written + 1))
    #expect(try open(disk, reserve: 256 << 10).entries(of: "r1", after: 0).count == written + 1)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, Comment(rawValue: SmallDisk.whyNot)), arguments: [40, 100, 200, 300, 600])
  func aTinyDiskIsRefusedOrUsedUpClearly(_ kilobytes: Int) throws {
    let disk = try #require(SmallDisk(kilobytes: kilobytes))
    var answered = 0
    let refusal = failure(of: { () throws(StoreFailure) in
      let store = try open(disk, reserve: 64 << 10)
      try store.begin()
      while true {
        answered += 1
        try store.add(["entry"])
      }
    })
    guard case .diskFull(let path) = refusal else {
      Issue.record("it ended with \(String(describing: refusal))")
      return
    }
    #expect(path.hasPrefix(disk.path + "/runbook.db"))
    guard answered > 0 else { return }
    // A new process can read it, or says why not.
    do throws(StoreFailure) {
      #expect(try open(disk, reserve: 64 << 10).entries(of: "r1", after: 0).count == answered)
    } catch {
      guard case .diskFull = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test(.enabled(if: SmallDisk.isPermitted, Comment(rawValue: SmallDisk.whyNot)))
  func aReadOnlyStoreIsRefusedByItsPath() throws {
    let disk = try #require(SmallDisk(kilobytes: 4000))
    let path = disk.path + "/runbook.db"
    do { try open(disk, reserve: 0).begin() }
    #expect(disk.makeReadOnly())
    #expect(throws: StoreFailure.readOnly(path: path)) { try open(disk, reserve: 0) }
    #expect(throws: StoreFailure.readOnly(path: disk.path + "/new/runbook.db")) {
      try SQLiteStore(at: disk.path + "/new/runbook.db", clock: clock)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func aFolderThatMayNotBeWrittenIsRefusedByItsPath() throws {
    let folder = TemporaryFolder()
    unsafe mkdir(folder.path("shut"), 0o500)
    let path = folder.path("shut/runbook.db")
    #expect(throws: StoreFailure.readOnly(path: path)) { try SQLiteStore(at: path, clock: clock) }
  }
}

import Glibc
import Posix
import Runbook
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import Stores

/// How an owner of a run proves its life, and what becomes of a process that waits for a neighbour.
@Suite struct OwnersTests {
  let folder = TemporaryFolder()
  let clock = ManualClock()

  private func open(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    change(&options)
    return try SQLiteStore(at: folder.path("runbook.db"), clock: clock, options: options)
  }

  private func database() throws -> Connection { try Connection(path: folder.path("runbook.db"), busyTimeout: 1000) }

  private func age(_ lease: Lease, owner: Owner) throws { try database().age(lease, owner: owner) }

  private static var living: Owner {
    let own = ProcessIdentity.own
    return Owner(host: Host.name, bootID: own.bootID, pid: own.pid, processStart: own.start)
  }

  @Test func anOwnerOfAnEarlierReleaseIsJudgedByTheRuleOfThen() throws {
    let store = try open()
    let lease = try store.begin()
    try age(lease, owner: Self.living)
    let other = try open()
    guard case .alive(let judged) = try other.ownership(of: "r1") else {
      Issue.record("a living process of the earlier release was not seen")
      return
    }
    #expect(judged.until == nil)
    #expect(throws: StoreFailure.owned(judged)) {
      try other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    }
    // Gone on this host: at once.
    var gone = Self.living
    gone.processStart += 1
    try age(lease, owner: gone)
    guard case .gone = try other.ownership(of: "r1") else {
      Issue.record("a process that is gone was taken for alive")
      return
    }
    // On another host: until its lease has ended by the wall clock.
    try age(lease, owner: .first)
    #expect(try other.ownership(of: "r1").isLive)
    clock.advance(.seconds(10))
    let taken = try other.takeOver("r1", owner: .second, leaseFor: .seconds(10))
    #expect(taken.epoch == 2)
    #expect(try open().ownership(of: "r1") == .alive(taken))
  }

  @Test func aStoreOfAnEarlierReleaseKeepsItsRuns() throws {
    let store = try open()
    let lease = try store.begin(locks: ["l"])
    try age(lease, owner: Self.living)
    try database().script(
      """
      DROP INDEX flagged_runs; DROP TABLE swept; DROP TABLE sweeps; DROP TABLE output_chunks; DROP TABLE output_streams;
      ALTER TABLE runs DROP COLUMN until_boot; ALTER TABLE runs DROP COLUMN until_elapsed; PRAGMA user_version = 3;
      """)
    let migrated = try open()
    #expect(try migrated.lease(of: "r1")?.owner == Self.living)
    #expect(try migrated.ownership(of: "r1").isLive)
    #expect(try migrated.locks(of: "r1") == ["l"])
  }

  @Test func aFileOfOwnersThatWasRemovedIsMadeAgain() throws {
    let store = try open()
    let lease = try store.begin()
    unsafe unlink(folder.path("runbook.db.owners"))
    let renewed = try store.renew(lease, leaseFor: .seconds(10))
    #expect(try open().ownership(of: "r1") == .alive(renewed))
    #expect(folder.mode("runbook.db.owners") == 0o600)
  }

  @Test func aFailedTransactionLeavesNoProofOfLife() throws {
    let store = try open()
    try store.begin("r1", locks: ["l"])
    #expect(throws: StoreFailure.lockHeld(lock: "l", by: "r1")) { try store.begin("r2", locks: ["l"]) }
    // The number of the run that was not created is given to another one, of another process.
    let lease = try open().begin("r3")
    #expect(try store.ownership(of: "r3") == .gone(lease))
    #expect(try store.takeOver("r3", owner: .second, leaseFor: .seconds(1)).epoch == 2)
  }

  @Test func anEpochThatALivingProcessHoldsIsPassedOver() throws {
    let first = try open()
    let lease = try first.begin()
    first.dropProof(of: lease)
    let second = try open()
    #expect(try second.takeOver("r1", owner: .second, leaseFor: .seconds(10)).epoch == 2)
    // The row is as it was before: an older copy was put back.
    try database().run(
      "UPDATE runs SET epoch = 1, lease_seal = ?, owner_host = ?, owner_boot = ?, owner_pid = ?, owner_start = ?",
      .integer(lease.seal(isOwned: true)), .text(lease.owner.host), .text(lease.owner.bootID),
      .integer(Int64(lease.owner.pid)), .integer(Int64(bitPattern: lease.owner.processStart)))
    let third = try open()
    #expect(try third.takeOver("r1", owner: .first, leaseFor: .seconds(10)).epoch == 3)
    guard case .fenced? = failure(of: { () throws(StoreFailure) in try second.add(["late"], epoch: 2) }) else {
      Issue.record("two owners had the same epoch")
      return
    }
  }

  @Test func aChildDoesNotInheritTheProofOfLife() throws {
    var store: SQLiteStore? = try open()
    let lease = try #require(try store?.begin())
    let none = try Descriptor.open("/dev/null", O_RDWR)
    let child = try SpawnRequest(
      "/bin/sleep", arguments: ["sleep", "60"], environment: [],
      descriptors: [none.number, none.number, none.number]
    ).start()
    defer {
      _ = kill(child, SIGKILL)
      Children.reap(child)
    }
    #expect(try open().ownership(of: "r1") == .alive(lease))
    store = nil
    // A child of another test may hold a copy for a moment, between its fork and its exec.
    var state = try open().ownership(of: "r1")
    for _ in 0..<2000 where state != .gone(lease) {
      usleep(5000)
      state = try open().ownership(of: "r1")
    }
    #expect(state == .gone(lease))
  }

  @Test func aProgramThatHoldsTheDatabaseIsWaitedFor() throws {
    let told = Mutex<[StoreWait]>([])
    let store = try open {
      $0.waitInterval = .milliseconds(20)
      $0.onWait = { wait in told.withLock { $0.append(wait) } }
    }
    let other = try database()
    try other.run("BEGIN IMMEDIATE")
    let isDone = Mutex(false)
    try Thread.start {
      _ = try? store.begin()
      isDone.withLock { $0 = true }
    }
    while told.withLock({ $0.count }) < 2 { usleep(1000) }
    #expect(!isDone.withLock { $0 })
    try other.run("ROLLBACK")
    while !isDone.withLock({ $0 }) { usleep(1000) }
    #expect(try store.bodies() == ["{}"])
    #expect(
      told.withLock { $0 }.last?.words.hasPrefix("waiting for `\(store.path)`, held by another process for ") == true)
  }

  @Test func whoeverWaitsForANeighbourSaysSoAndGoesOn() throws {
    let told = Mutex<[StoreWait]>([])
    let store = try open {
      $0.waitInterval = .milliseconds(20)
      $0.onWait = { wait in told.withLock { $0.append(wait) } }
    }
    let file = unsafe Glibc.open(folder.path("runbook.db.lock"), O_RDWR | O_CLOEXEC)
    #expect(flock(file, LOCK_EX) == 0)
    let isDone = Mutex(false)
    try Thread.start {
      _ = try? store.begin()
      isDone.withLock { $0 = true }
    }
    while told.withLock({ $0.count }) < 3 { usleep(1000) }
    #expect(!isDone.withLock { $0 })
    close(file)
    while !isDone.withLock({ $0 }) { usleep(1000) }
    #expect(try store.bodies() == ["{}"])
    let waits = told.withLock { $0 }
    #expect(waits[0].holder == getpid())
    #expect(waits[1].waited == .milliseconds(40))
    #expect(
      waits[0].words.hasPrefix("waiting for `\(folder.path("runbook.db.lock"))`, held by process \(getpid()) for "))
  }

  /// The table of a machine on which many locks are held does not come in one piece.
  @Test func theHolderIsNamedAmongManyLocks() throws {
    let told = Mutex<[StoreWait]>([])
    let path = folder.path("many")
    let held = try StoreLock(besides: path, every: .seconds(60), onWait: nil)
    try held.acquire()
    let others = (0..<300).map { unsafe Glibc.open(folder.path("other-\($0)"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
    defer { for other in others { close(other) } }
    for other in others { #expect(flock(other, LOCK_EX) == 0) }
    let isDone = Mutex(false)
    try Thread.start {
      let waiting = try? StoreLock(besides: path, every: .milliseconds(20)) { wait in
        told.withLock { $0.append(wait) }
      }
      try? waiting?.acquire()
      isDone.withLock { $0 = true }
    }
    while told.withLock({ $0.isEmpty }) { usleep(1000) }
    held.release()
    while !isDone.withLock({ $0 }) { usleep(1000) }
    #expect(told.withLock { $0 }.first?.holder == getpid())
  }
}

import Glibc
import Posix
import Runbook
import Stores
import TestSupport
import Testing

/// Any number of processes share a store; each may die at any time.
@Suite(.serialized) struct ManyProcessesTests {
  let folder = TemporaryFolder(inMemory: true)

  @Test func processesThatShareAStoreLoseAndDoubleNothing() throws {
    let path = folder.path("runbook.db")
    let runs = Campaign.count(6, torture: 60)
    // Two of them have far too much to do, and die in the middle of it.
    let processes = try (1...6).map { seed in
      try HammerProcess(path, seed: seed, runs: seed > 4 ? 1_000_000 : runs, appends: 12)
    }
    for victim in processes.suffix(2) {
      while victim.lines.count < 20, Glibc.kill(victim.pid, 0) == 0 { usleep(500) }
      victim.kill()
      #expect(victim.end() == .signalled(SIGKILL), "it was killed before it had ended")
    }
    for process in processes.dropLast(2) { #expect(process.end() == .exited(0)) }
    let last = try HammerProcess(path, seed: 7, runs: 2, appends: 12)
    #expect(last.end() == .exited(0))
    let store = try SQLiteStore(at: path, clock: ManualClock())
    #expect(store.warning == nil)
    try store.check(processes + [last])
    #expect(try store.summaries(limit: .max).count >= 4 * runs + 2)
    let epochs = try store.summaries(limit: .max).map { try store.lease(of: $0.id)?.epoch ?? 0 }
    #expect(epochs.contains { $0 > 2 }, "runs were taken over")
  }

  @Test func aBackupOfAStoreThatOthersWriteIsOneStateOfIt() throws {
    let path = folder.path("runbook.db")
    let processes = try (1...3).map { try HammerProcess(path, seed: $0, runs: 1_000_000, appends: 12) }
    while processes.contains(where: { $0.lines.count < 20 && Glibc.kill($0.pid, 0) == 0 }) { usleep(500) }
    let store = try SQLiteStore(at: path, clock: ManualClock())
    var sizes: [Int] = []
    for number in 0..<4 {
      try store.backUp(to: folder.path("copy\(number).db"))
      let copy = try SQLiteStore(at: folder.path("copy\(number).db"), clock: ManualClock())
      let journals = try copy.summaries(limit: .max).map { try copy.entries(of: $0.id, after: 0) }
      sizes.append(journals.map(\.count).reduce(0, +))
      #expect(try copy.heldLocks().count <= journals.count)
    }
    for process in processes {
      #expect(Glibc.kill(process.pid, 0) == 0, "it ended while it was copied: \(process.lines.last ?? "")")
      process.kill()
      process.end()
    }
    #expect(sizes == sizes.sorted() && sizes[0] > 0)
  }

  @Test func removingRunsBesideOthersLosesNothingOfTheirs() throws {
    let path = folder.path("runbook.db")
    let store = try SQLiteStore(at: path, clock: ManualClock())
    for number in 0..<40 {
      let id = "old\(number)"
      try store.begin(id)
      try store.add((0..<4).map { "\($0)" + String(repeating: "x", count: 6000) }, to: id)
      try store.end(id, at: ManualClock.start - .seconds(100))
    }
    let processes = try (1...3).map { try HammerProcess(path, seed: $0, runs: 1_000_000, appends: 12) }
    while processes.contains(where: { $0.lines.count < 20 && Glibc.kill($0.pid, 0) == 0 }) { usleep(500) }
    let old = try store.sweepable(endedBefore: ManualClock.start).map(\.id)
    #expect(try store.sweep(old, endedBefore: ManualClock.start).runs.count == 40)
    #expect(try store.giveSpaceBack() > 100_000)
    let counts = processes.map(\.lines.count)
    for (process, count) in zip(processes, counts) {
      while process.lines.count < count + 5, Glibc.kill(process.pid, 0) == 0 { usleep(500) }
      process.kill()
      process.end()
    }
    let after = try SQLiteStore(at: path, clock: ManualClock())
    #expect(after.warning == nil)
    try after.check(processes)
  }

  @Test(.enabled(if: Tracer.isPermitted, "strace is missing or not permitted"))
  func aProcessMayDieAtAnyWriteOrFlush() throws {
    let calls = "pwrite64,fdatasync,fsync,ftruncate,mknod,mknodat,unlink,fallocate"
    var point = 1
    var died = 0
    while true {
      let folder = TemporaryFolder(inMemory: true)
      let path = folder.path("runbook.db")
      let process = try HammerProcess(
        path, seed: 1, runs: 1, appends: 2, under: Tracer.injecting("signal=KILL", at: point, of: calls))
      if process.end() == .exited(0) { break }
      died += 1
      let store = try SQLiteStore(at: path, clock: ManualClock())
      #expect(store.warning == nil, "killed at \(point)")
      try store.check([process], "killed at \(point)")
      try store.begin("r9")
      point += 1
    }
    #expect(died >= 10)
  }

  /// SQLite flushes with fdatasync and does not look at the flush of a folder (two of them here); ours do with fsync.
  @Test(
    .enabled(if: Tracer.isPermitted, "strace is missing or not permitted"),
    arguments: [("fdatasync", 9, 4), ("fsync", 2, 0), ("pwrite64", 10, 80)])
  func aFailedWriteOrFlushIsFatal(_ call: String, _ least: Int, _ harmless: Int) throws {
    var point = 1
    var failed = 0
    var clean = 0
    // Making the log longer and setting the mark may also fail without harm.
    while clean <= harmless {
      let folder = TemporaryFolder(inMemory: true)
      let path = folder.path("runbook.db")
      let process = try HammerProcess(
        path, seed: 1, runs: 1, appends: 2, under: Tracer.injecting("error=EIO", at: point, of: call))
      switch process.end() {
      case .exited(0): clean += Campaign.count(call == "pwrite64" ? 8 : 1, torture: 1)
      case .exited(3): failed += 1
      case let end: Issue.record("\(call) \(point): \(end) \(process.lines)")
      }
      // What was answered before is there; the next process goes on.
      let store = try SQLiteStore(at: path, clock: ManualClock())
      try store.check([process], "\(call) \(point)")
      try store.begin("r9")
      point += Campaign.count(call == "pwrite64" ? 3 : 1, torture: 1)
    }
    #expect(failed >= least)
  }
}

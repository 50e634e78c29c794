import Glibc
import Runbook
import Stores

/// One of several processes that share a store: creates runs, appends to them, and takes over runs of the others, as
/// fast as it can. Everything that was answered is printed (`RUN SEQUENCE BODY`, one line each, written at once), so
/// that the test can ask whether all of it is in the store, also when this process is killed in the middle.
struct Hammer {
  let store: String
  let seed: UInt64
  let runs: Int
  let appends: Int

  func run() throws(StoreFailure) {
    let clock = SystemClock()
    let store = try SQLiteStore(at: store, clock: clock)
    do throws(StoreFailure) { try hammer(store, clock) } catch {
      if case .writeFailed = error { askAgain(store, after: error) }
      throw error
    }
  }

  /// Once writing has failed, the store must not do anything any more.
  private func askAgain(_ store: SQLiteStore, after failure: StoreFailure) {
    do throws(StoreFailure) {
      _ = try store.openRuns()
      say("refused: the store went on reading after a failed write")
    } catch {
      if error != failure { say("refused: the store fails in another way: \(error)") }
    }
  }

  private func hammer(_ store: SQLiteStore, _ clock: SystemClock) throws(StoreFailure) {
    let owner = Owner(host: "here", bootID: "boot", pid: getpid(), processStart: seed)
    for number in 0..<runs {
      let id = "r\(seed)x\(number)"
      let summary = RunSummary(id: id, name: "hammer", status: "running", startedAt: clock.now, fingerprint: "f")
      let body = "\(seed).\(number).create"
      // A lease that has expired at once: any other process may take the run over at any time.
      let lease = try store.create(
        summary, owner: owner, leaseFor: .zero, locks: ["lock/\(id)"],
        entries: [NewEntry(at: clock.now, kind: "created", body: Array(body.utf8))])
      say("\(id) 1 \(body)")
      try append(to: lease, named: "\(seed).\(number)", in: store, clock)
      // Somebody else's.
      guard let other = try store.openRuns().randomElement() else { continue }
      let taken: Lease
      do throws(StoreFailure) {
        taken = try store.takeOver(other.id, owner: owner, leaseFor: .zero)
      } catch {
        if case .owned = error { continue }
        throw error
      }
      try append(to: taken, named: "\(seed).\(number).t\(taken.epoch)", in: store, clock)
    }
  }

  /// Until done or taken over by another process.
  private func append(to lease: Lease, named name: String, in store: SQLiteStore, _ clock: SystemClock)
    throws(StoreFailure)
  {
    for number in 0..<appends {
      let body = "\(name).\(number)"
      let entry = NewEntry(at: clock.now, kind: "hammered", body: Array(body.utf8))
      do throws(StoreFailure) {
        let last = try store.append(
          [entry, entry], to: lease.runID, epoch: lease.epoch, summary: nil, locks: [], releasingLocks: false)
        say("\(lease.runID) \(last - 1) \(body)")
        say("\(lease.runID) \(last) \(body)")
      } catch {
        if case .fenced = error { return }
        throw error
      }
    }
  }

  private func say(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { bytes in _ = unsafe write(1, bytes.baseAddress, bytes.count) }
  }
}

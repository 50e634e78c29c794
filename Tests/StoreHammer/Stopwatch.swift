import Glibc
import Runbook
import Stores

/// Prints how long the store takes, in microseconds.
struct Stopwatch {
  let store: String
  let count: Int
  private let clock = SystemClock()

  init(store: String, count: Int) {
    self.store = store
    self.count = count
  }

  private func microseconds(_ body: () throws(StoreFailure) -> Void) throws(StoreFailure) -> Int64 {
    let begun = clock.monotonic
    try body()
    let (seconds, attoseconds) = (clock.monotonic - begun).components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  private var owner: Owner { Owner(host: "here", bootID: "boot", pid: getpid(), processStart: 1) }
  private var entry: NewEntry {
    NewEntry(at: clock.now, kind: "step.started", body: [UInt8](repeating: 0x61, count: 250))
  }
  private func summary(_ id: String) -> RunSummary {
    RunSummary(id: id, name: "measure", status: "running", startedAt: clock.now, fingerprint: "f")
  }

  /// Opening, creating, appending (three entries a time), reading, each by itself.
  func run() throws(StoreFailure) {
    let id = "r\(UInt64.random(in: .min ... .max))"
    var opened: SQLiteStore?
    let opening = try microseconds { () throws(StoreFailure) in opened = try SQLiteStore(at: store, clock: clock) }
    guard let opened else { return }
    let creating = try microseconds { () throws(StoreFailure) in
      _ = try opened.create(summary(id), owner: owner, leaseFor: .seconds(10), locks: [], entries: [entry])
    }
    let appending = try microseconds { () throws(StoreFailure) in
      for _ in 0..<count {
        try opened.append([entry, entry, entry], to: id, epoch: 1, summary: nil, locks: [], releasingLocks: false)
      }
    }
    let reading = try microseconds { () throws(StoreFailure) in _ = try opened.entries(of: id, after: 0) }
    print("open \(opening) create \(creating) append \(Double(appending) / Double(count)) read \(reading)")
  }

  /// Open, create, two appends, release: what `runbook run` of one step asks of the store.
  func runOne() throws(StoreFailure) {
    let id = "r\(UInt64.random(in: .min ... .max))"
    let opened = try SQLiteStore(at: store, clock: clock)
    let lease = try opened.create(summary(id), owner: owner, leaseFor: .seconds(10), locks: [], entries: [entry])
    try opened.append([entry, entry], to: id, epoch: 1, summary: nil, locks: [], releasingLocks: false)
    var ended = summary(id)
    ended.status = "ended"
    try opened.append([entry], to: id, epoch: 1, summary: ended, locks: [], releasingLocks: true)
    try opened.release(lease)
  }
}

import Runbook
import Stores

// The helpers of `StoreUnderTest.swift`, without suspension: what SQLite answers, it answers at once.
extension SQLiteStore {
  /// A run with one entry and no locks.
  @discardableResult
  func begin(
    _ id: String = "r1", key: String? = nil, owner: Owner = .first, locks: [String] = []
  ) throws(StoreFailure) -> Lease {
    try create(
      .sample(id, key: key), owner: owner, leaseFor: .seconds(10), locks: locks,
      entries: [.sample("{}", kind: "run.started")])
  }

  @discardableResult
  func add(
    _ texts: [String], to id: String = "r1", epoch: Int64 = 1, summary: RunSummary? = nil, locks: [String] = [],
    releasingLocks: Bool = false
  ) throws(StoreFailure) -> Int64 {
    try append(
      texts.map { .sample($0) }, to: id, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks)
  }

  func bodies(of id: String = "r1", after sequence: Int64 = 0) throws(StoreFailure) -> [String] {
    try entries(of: id, after: sequence).map { String(decoding: $0.body, as: UTF8.self) }
  }

  func post(_ kind: String, body: [UInt8], to runID: String, requester: String) throws(StoreFailure) {
    _ = try post(kind, body: body, to: runID, requester: requester) { _ in false }
  }

  /// Ends the run, with its rollback failed if it keeps its locks.
  func end(
    _ id: String, key: String? = nil, releasingLocks: Bool = true, at instant: Timestamp? = nil
  ) throws(StoreFailure) {
    try add(
      ["end"], to: id, summary: .ended(id, key: key, releasingLocks: releasingLocks, at: instant),
      releasingLocks: releasingLocks)
  }

  /// All that the store answers about these runs, as text.
  func everything(of runs: [String]) throws(StoreFailure) -> [String] {
    var lines: [String] = []
    for id in runs {
      lines.append("\(try summary(of: id)) \(String(describing: try lease(of: id)))")
      lines.append("\(try locks(of: id)) \(try requests(for: id, after: 0))")
      for entry in try entries(of: id, after: 0) { lines.append("\(id) \(entry)") }
    }
    return lines
  }
}

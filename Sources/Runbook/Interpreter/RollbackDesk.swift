/// What a person may do about a run whose rollback stopped: skip an entry or abandon the rest. Journaled like
/// everything else; `rollback resume` goes on with what is left.
public struct RollbackDesk: Sendable {
  public let store: any RunStore
  public let lease: Lease
  private var machine: RunMachine

  /// - Parameter lease: of a take-over of the run; released by the caller.
  public init(_ runbook: ValidatedRunbook, store: any RunStore, lease: Lease) throws(StoreFailure) {
    self.store = store
    self.lease = lease
    machine = RunMachine(runbook)
    for entry in try store.entries(of: lease.runID, after: 0) { machine.apply(try Fact(entry), at: entry.at) }
  }

  public var rollback: RollbackOutcome? { machine.rollback }
  public var hasEnded: Bool { machine.ended != nil }
  /// Steps whose undo is still owed, newest first.
  public var owed: [String] { machine.stack.entries.filter(\.isOpen).map(\.step).reversed() }
  /// When the oldest of them was started: the age of what would be restored.
  public var oldestOwed: Timestamp? { owed.compactMap { machine.state(of: $0).startedAt }.min() }

  /// - Returns: false if no such entry is owed.
  public mutating func skip(_ entry: String, reason: String, by: String, at instant: Timestamp) throws(StoreFailure)
    -> Bool
  {
    guard owed.contains(UndoPath.owner(of: entry)) else { return false }
    try append(.undoSkipped(entry: entry, reason: reason, by: by, request: 0), at: instant, releasingLocks: false)
    return true
  }

  /// Nothing more will be undone; the run's locks are free.
  public mutating func abandon(reason: String, by: String, at instant: Timestamp) throws(StoreFailure) {
    try append(.rollbackAbandoned(reason: reason, by: by, request: 0), at: instant, releasingLocks: true)
  }

  /// Opens the rollback again; an `Interpreter` on the lease then carries it on.
  public mutating func resume(by: String, at instant: Timestamp) throws(StoreFailure) {
    try append(.rollbackResumed(by: by, request: 0), at: instant, releasingLocks: false)
  }

  private mutating func append(_ fact: Fact, at instant: Timestamp, releasingLocks: Bool) throws(StoreFailure) {
    machine.apply(fact, at: instant)
    var summary = try store.summary(of: lease.runID)
    summary.status = machine.status
    try store.append(
      [fact.entry(at: instant)], to: lease.runID, epoch: lease.epoch, summary: summary, locks: [],
      releasingLocks: releasingLocks)
  }
}

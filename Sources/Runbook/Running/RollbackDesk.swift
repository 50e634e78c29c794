/// What a person may do about a run whose rollback stopped: skip an entry or abandon the rest. Journaled like
/// everything else; `rollback resume` goes on with what is left. Needs no secrets.
public struct RollbackDesk: Sendable {
  public let store: any RunStore
  public let lease: Lease
  private let clock: RunClock
  private var machine: RunMachine

  /// - Parameter lease: of a take-over of the run; released by the caller.
  public init(
    _ runbook: ValidatedRunbook, store: any RunStore, lease: Lease, clock: any EngineClock
  ) async throws(StoreFailure) {
    self.store = store
    self.lease = lease
    machine = RunMachine(runbook)
    var latest = Timestamp(seconds: 0)
    for entry in try await store.entries(of: lease.runID, after: 0) {
      machine.apply(try Fact(entry), at: entry.at)
      latest = max(latest, entry.at)
    }
    self.clock = RunClock(clock, last: machine.anchor, latest: latest)
    if try await store.summary(of: lease.runID).isRestored { machine.apply(.run(.storeRestored), at: self.clock.now) }
  }

  public var rollback: RollbackOutcome? { machine.rollback }
  public var hasEnded: Bool { machine.ended != nil }
  public var canResume: Bool { machine.canResumeRollback }
  /// A person must say first that a run of a restored store may go on.
  public var isRestored: Bool { machine.isRestored }
  /// Steps whose undo is still owed, newest first.
  public var owed: [String] { owedSteps.map(\.text) }
  private var owedSteps: [StepPath] { machine.stack.entries.filter(\.isOpen).map(\.step).reversed() }
  /// When the oldest of them was started: the age of what would be restored.
  public var oldestOwed: Timestamp? { owedSteps.compactMap { machine.startedAt(of: $0) }.min() }

  /// Undo steps and entries that can be skipped, as a person names them.
  public var skippable: [String] {
    machine.stack.entries.reversed().filter(\.isOpen).flatMap { entry -> [String] in
      guard case .steps(let undo, _) = entry.kind else { return [entry.step.text] }
      return (undo.filter { !machine.state(of: $0).status.isDone } + [entry.step]).map(\.text)
    }
  }

  /// - Parameter entry: an undo step (`update.undo[0]`), or a step for its whole entry.
  /// - Returns: false if no such entry is owed.
  public mutating func skip(_ entry: String, reason: String, by: String) async throws(StoreFailure) -> Bool {
    guard skippable.contains(entry) else { return false }
    // The locks stay until the rollback is resumed: only then has the run come to its end again.
    try await append(
      [.rollback(.skipped(entry: StepPath(entry), reason: reason, by: by, request: 0))], keepsLocks: true)
    return true
  }

  /// Nothing more will be undone; the run's locks are free. That is a decision about a restored run, too.
  public mutating func abandon(reason: String, by: String) async throws(StoreFailure) {
    var facts: [Fact] = isRestored ? [.run(.storeRestored), .run(.restoredAccepted(by: by))] : []
    facts.append(.rollback(.abandoned(reason: reason, by: by, request: 0)))
    try await append(facts)
    // A person must look at a run of which something was left out.
    if hasEnded { try await append([.run(.ended(machine.ending.result(of: machine)))]) }
  }

  /// A person says that the run of a restored store may go on.
  public mutating func acceptRestored(by: String) async throws(StoreFailure) {
    guard isRestored else { return }
    try await append([.run(.storeRestored), .run(.restoredAccepted(by: by))])
  }

  /// Opens the rollback again; an `Interpreter` on the lease then carries it on.
  public mutating func resume(by: String) async throws(StoreFailure) {
    try await append([.rollback(.resumed(by: by, request: 0))])
  }

  private mutating func append(_ facts: [Fact], keepsLocks: Bool = false) async throws(StoreFailure) {
    let instant = clock.now
    for fact in facts { machine.apply(fact, at: instant) }
    let facts = facts + machine.followUp(at: instant)
    var summary = try await store.summary(of: lease.runID)
    summary.status = machine.status
    summary.isRestored = machine.isRestored
    if let ended = machine.ended {
      summary.outcome = ended.outcome.rawValue
      summary.rollback = ended.rollback.rawValue
      summary.exitCode = ended.exitCode
    }
    try await store.append(
      facts.map { $0.entry(at: instant) }, to: lease.runID, epoch: lease.epoch, summary: summary, locks: [],
      releasingLocks: machine.ended != nil && machine.releasesLocks && !keepsLocks)
  }
}

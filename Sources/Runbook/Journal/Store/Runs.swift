/// The row of a run: what `list` shows without reading the journal. Derived from the journal, in the same transactions.
public struct RunSummary: Sendable, Equatable {
  public var id: String
  public var name: String
  /// `queued waiting running rolling_back ending ended`
  public var status: String
  public var outcome: String?
  public var rollback: String?
  public var exitCode: Int32?
  public var startedAt: Timestamp
  public var endedAt: Timestamp?
  public var key: String?
  /// Tells whether a later `--key` run is the same: digest of file, pinned files and inputs.
  public var fingerprint: String
  /// The store was put back from an older copy while this run had not ended, or still owed its rollback: it may have
  /// done more than its journal says. Only a person can tell. Set by the store; stays until a summary is appended that
  /// says false, or until the run has ended and owes nothing.
  public var isRestored: Bool
  /// The run has ended and its rollback is still owed. Set by the store: true from the append that ends the run
  /// without releasing its locks until the append that releases them. What a caller gives is ignored.
  public var isOwed = false

  /// The run has ended, and nothing of it is left to do or to find out.
  public var isOver: Bool { status == "ended" && endedAt != nil && !isOwed && !isRestored }

  public init(
    id: String, name: String, status: String, outcome: String? = nil, rollback: String? = nil, exitCode: Int32? = nil,
    startedAt: Timestamp, endedAt: Timestamp? = nil, key: String? = nil, fingerprint: String, isRestored: Bool = false
  ) {
    self.id = id
    self.name = name
    self.status = status
    self.outcome = outcome
    self.rollback = rollback
    self.exitCode = exitCode
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.key = key
    self.fingerprint = fingerprint
    self.isRestored = isRestored
  }
}

/// The runs of a store and their rows.
public protocol Runs: Sendable {
  /// Creates the run with its first entries, its lease (epoch 1) and its locks, all or nothing.
  /// - Throws: `keyTaken` if a run has the same key, `lockHeld` if another run holds one of the locks.
  func create(
    _ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry]
  ) async throws(StoreFailure) -> Lease

  /// - Throws: `notFound` if there is no such run.
  func summary(of runID: String) async throws(StoreFailure) -> RunSummary

  /// Newest first (run ids sort by time).
  func summaries(limit: Int) async throws(StoreFailure) -> [RunSummary]

  /// All runs whose status is not `ended`, newest first: what every command looks through for ownerless runs.
  func openRuns() async throws(StoreFailure) -> [RunSummary]

  /// Ended runs that a person must look at, newest first: their rollback is owed, or they are marked as restored.
  func owedRuns() async throws(StoreFailure) -> [RunSummary]

  func run(withKey key: String) async throws(StoreFailure) -> RunSummary?
}

extension Runs {
  /// Runs whose id begins so, newest first.
  public func runs(beginningWith prefix: String) async throws(StoreFailure) -> [RunSummary] {
    try await summaries(limit: .max).filter { $0.id.hasPrefix(prefix) }
  }
}

/// One line of a run's journal, as it is stored: append-only, numbered from 1 without gaps, chained by hash.
public struct JournalEntry: Sendable, Equatable {
  public var sequence: Int64
  public var at: Timestamp
  /// Of the owner that wrote it.
  public var epoch: Int64
  /// `step.started`, `attempt.ended` …
  public var kind: String
  /// A JSON object.
  public var body: [UInt8]
  public init(sequence: Int64, at: Timestamp, epoch: Int64, kind: String, body: [UInt8]) {
    self.sequence = sequence
    self.at = at
    self.epoch = epoch
    self.kind = kind
    self.body = body
  }
}

/// A line to be appended; the store gives it its sequence number.
public struct NewEntry: Sendable, Equatable {
  public var at: Timestamp
  public var kind: String
  public var body: [UInt8]
  public init(at: Timestamp, kind: String, body: [UInt8]) {
    self.at = at
    self.kind = kind
    self.body = body
  }
}

/// Who runs a run, for people to read. Whether it lives is not told by these (see `RunOwnership`).
public struct Owner: Sendable, Equatable {
  public var host: String
  /// The kernel's boot id: a pid of another boot says nothing.
  public var bootID: String
  public var pid: Int32
  /// Clock ticks since boot at which the process started (`/proc/PID/stat`, field 22).
  public var processStart: UInt64
  public init(host: String, bootID: String, pid: Int32, processStart: UInt64) {
    self.host = host
    self.bootID = bootID
    self.pid = pid
    self.processStart = processStart
  }
}

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

/// A lock and the run that holds it.
public struct HeldLock: Sendable, Equatable {
  public var name: String
  public var runID: String
  public init(name: String, runID: String) {
    self.name = name
    self.runID = runID
  }
}

/// The right to write a run's journal. A lease ends on the boot-time clock, which nobody can set; the epoch fences late
/// writers.
public struct Lease: Sendable, Equatable {
  public var runID: String
  public var epoch: Int64
  public var owner: Owner
  /// By the wall clock, for people.
  public var renewedAt: Timestamp
  /// By the wall clock. Decides nothing but about a lease without `until`.
  public var expiresAt: Timestamp
  /// When it ends if it is not renewed; nil: written by a release that did not know this clock.
  public var until: BootTime?
  public init(
    runID: String, epoch: Int64, owner: Owner, renewedAt: Timestamp, expiresAt: Timestamp, until: BootTime? = nil
  ) {
    self.runID = runID
    self.epoch = epoch
    self.owner = owner
    self.renewedAt = renewedAt
    self.expiresAt = expiresAt
    self.until = until
  }
}

/// What the store knows of a run's owner. An owner proves its life by a lock that the kernel drops at the end of its
/// process; no process id and no wall clock is asked.
public enum RunOwnership: Sendable, Equatable {
  /// It was never owned, or its owner has given it up.
  case none
  /// Its owner's lock is held, and its lease has not ended.
  case alive(Lease)
  /// Its owner's lock is held, and its lease has ended: the process is stopped or stuck. The run may be taken over.
  case frozen(Lease)
  /// Its owner's lock is free: the process has ended.
  case gone(Lease)

  public var isLive: Bool { living != nil }
  /// The lease of an owner that lives.
  public var living: Lease? { if case .alive(let lease) = self { lease } else { nil } }
}

/// A message to the owner of a run: `cancel`, `resolve`, `rollback.skip` …, with its arguments as JSON.
public struct RunRequest: Sendable, Equatable {
  /// Numbered from 1 in each run.
  public var id: Int64
  public var kind: String
  public var body: [UInt8]
  /// Operating-system user who asked.
  public var requester: String
  public var at: Timestamp
  public init(id: Int64, kind: String, body: [UInt8], requester: String, at: Timestamp) {
    self.id = id
    self.kind = kind
    self.body = body
    self.requester = requester
    self.at = at
  }
}

/// What became of a message that was to be posted.
public enum PostedRequest: Sendable, Equatable {
  /// Under this number.
  case posted(Int64)
  /// Nothing was posted: this earlier message stands in its way.
  case refused(RunRequest)
}

public enum StoreFailure: Error, Sendable, Equatable {
  /// Another owner has taken the run over: stop at once, write nothing more.
  case fenced(by: Lease?)
  case notFound(String)
  /// A run with this `--key` exists. The caller compares fingerprints: the same one is attached to, another is refused.
  case keyTaken(RunSummary)
  case lockHeld(lock: String, by: String)
  /// Somebody else has the lease and it has not expired.
  case owned(Lease)
  /// No space left where the store is. Nothing of the refused call was written; it may be repeated when there is space.
  case diskFull(path: String)
  case readOnly(path: String)
  /// Made by a newer release.
  case tooNew(found: Int, known: Int)
  /// The hash chain or the database is damaged; the text says where.
  case damaged(String)
  /// Cannot be opened or is not a store; network file system. One sentence with the path.
  case unusable(String)
  /// Writing or flushing failed, so what is on disk is unknown: stop the process, write nothing more, and let the next
  /// one recover from the disk. Every later call fails the same way. One sentence with the path.
  case writeFailed(String)
}

/// Where journals, leases, locks and requests are kept. Synchronous: a call returns when what it wrote is durable.
/// Every write of a run carries its epoch and fails with `fenced` when that is no longer the newest.
public protocol RunStore: OutputStore {
  /// Creates the run with its first entries, its lease (epoch 1) and its locks, all or nothing.
  func create(_ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry])
    throws(StoreFailure) -> Lease
  /// Appends entries, takes `locks` and updates the summary in one transaction. Returns the sequence number of the last
  /// entry. After `release` or a take-over the epoch is no longer good: `fenced`.
  @discardableResult
  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) throws(StoreFailure) -> Int64
  /// The same, with output in the same transaction. If there is no space for the output, the entries are appended
  /// without it.
  @discardableResult
  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool,
    output: [OutputWrite]
  ) throws(StoreFailure) -> Int64
  func entries(of runID: String, after sequence: Int64) throws(StoreFailure) -> [JournalEntry]
  /// The run's first entry, without reading the others; nil if it has none.
  func firstEntry(of runID: String) throws(StoreFailure) -> JournalEntry?
  func summary(of runID: String) throws(StoreFailure) -> RunSummary
  /// Newest first (run ids sort by time).
  func summaries(limit: Int) throws(StoreFailure) -> [RunSummary]
  /// All runs whose status is not `ended`, newest first: what every command looks through for ownerless runs.
  func openRuns() throws(StoreFailure) -> [RunSummary]
  /// Ended runs that a person must look at, newest first: their rollback is owed, or they are marked as restored.
  func owedRuns() throws(StoreFailure) -> [RunSummary]
  func run(withKey key: String) throws(StoreFailure) -> RunSummary?
  func ownership(of runID: String) throws(StoreFailure) -> RunOwnership
  /// Takes the run over with a higher epoch, unless its owner is alive (`owned`). Create, take over and renew give this
  /// process's proof of life with the lease; it lasts until `release`, `dropProof`, or the end of the process.
  func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) throws(StoreFailure) -> Lease
  /// Also after the lease has ended: it is good as long as nobody has taken the run over (`fenced`).
  func renew(_ lease: Lease, leaseFor: Duration) throws(StoreFailure) -> Lease
  /// Gives the lease up without ending the run (exit 9).
  func release(_ lease: Lease) throws(StoreFailure)
  /// This process does nothing more for the run, whatever the run's row says: its proof of life goes, as the kernel
  /// would take it at the end of the process. Writes nothing.
  func dropProof(of lease: Lease)
  func lease(of runID: String) throws(StoreFailure) -> Lease?
  func locks(of runID: String) throws(StoreFailure) -> [String]
  /// Who holds a lock; nil if nobody.
  func holder(of lock: String) throws(StoreFailure) -> String?
  /// Every lock that somebody holds, by name.
  func heldLocks() throws(StoreFailure) -> [HeldLock]
  /// Frees one lock of the run and appends `entry`, in one transaction; a lock that the run does not hold is
  /// `notFound`.
  func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) throws(StoreFailure)
  /// Posts a message to the owner of a run, unless one of the run's messages stands in its way: looked for in the same
  /// transaction, so of two that are posted at once one finds the other.
  func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) throws(StoreFailure) -> PostedRequest
  func requests(for runID: String, after id: Int64) throws(StoreFailure) -> [RunRequest]
  /// A random key of this store, made once, for keyed digests of requests.
  var digestKey: [UInt8] { get }
  /// The disk was full and the space reserve has been used so that an outcome could still be written: start no new
  /// effect, leave the run (exit 9). `create` and `takeOver` fail with `diskFull` until there is space again.
  var isOutOfSpace: Bool { get }
  /// How long waits of this kind usually take: the middle one of the last twenty that succeeded; nil if there is none.
  /// Advice, no truth: a store that cannot tell says nil.
  func usualDuration(of key: String) -> Duration?
  /// Remembers how long such a wait took. What cannot be written is forgotten.
  func noteDuration(_ duration: Duration, of key: String)
}

extension RunStore {
  public func openRuns() throws(StoreFailure) -> [RunSummary] {
    try summaries(limit: .max).filter { $0.status != "ended" }
  }
  /// Runs whose id begins so, newest first.
  public func runs(beginningWith prefix: String) throws(StoreFailure) -> [RunSummary] {
    try summaries(limit: .max).filter { $0.id.hasPrefix(prefix) }
  }
  public func owedRuns() throws(StoreFailure) -> [RunSummary] {
    try summaries(limit: .max).filter { $0.status == "ended" && ($0.isOwed || $0.isRestored) }
  }
  public func firstEntry(of runID: String) throws(StoreFailure) -> JournalEntry? {
    try entries(of: runID, after: 0).first
  }
  public func post(_ kind: String, body: [UInt8], to runID: String, requester: String) throws(StoreFailure) {
    _ = try post(kind, body: body, to: runID, requester: requester) { _ in false }
  }
  public var isOutOfSpace: Bool { false }
  public func usualDuration(of key: String) -> Duration? { nil }
  public func noteDuration(_ duration: Duration, of key: String) {}
}

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

/// What one run writes in one transaction.
public struct JournalBatch: Sendable {
  public var runID: String
  public var epoch: Int64
  public var entries: [NewEntry]
  /// nil: the run's row stays as it is.
  public var summary: RunSummary?
  /// To be taken.
  public var locks: [String]
  /// All locks of the run are given back.
  public var releasesLocks: Bool
  public var output: [OutputWrite]

  public init(
    _ entries: [NewEntry], of runID: String, epoch: Int64, summary: RunSummary? = nil, locks: [String] = [],
    releasesLocks: Bool = false, output: [OutputWrite] = []
  ) {
    self.runID = runID
    self.epoch = epoch
    self.entries = entries
    self.summary = summary
    self.locks = locks
    self.releasesLocks = releasesLocks
    self.output = output
  }
}

/// The facts of each run, in order, and only added to. A call returns when what it wrote is durable. Every write
/// carries the epoch of the run's owner, and fails with `fenced` when that is no longer the newest.
public protocol Journal: Sendable {
  /// Appends entries, takes `locks` and updates the summary in one transaction. After `release` or a take-over the
  /// epoch is no longer good: `fenced`.
  /// - Returns: the sequence number of the last entry.
  @discardableResult
  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) async throws(StoreFailure) -> Int64

  /// The same, with output in the same transaction. If there is no space for the output, the entries are appended
  /// without it.
  @discardableResult
  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool,
    output: [OutputWrite]
  ) async throws(StoreFailure) -> Int64

  /// Writes the batches of several runs in one durable transaction. Each stands by itself: one that fails, because its
  /// run was taken over or because a lock is held, leaves the others as they are.
  /// - Returns: for each batch the sequence number of its last entry, or why nothing of it was written.
  func commit(_ batches: [JournalBatch]) async -> [Result<Int64, StoreFailure>]

  /// The entries whose sequence number is greater than `sequence`, oldest first; 0: all of them.
  func entries(of runID: String, after sequence: Int64) async throws(StoreFailure) -> [JournalEntry]

  /// The run's first entry, without reading the others; nil if it has none.
  func firstEntry(of runID: String) async throws(StoreFailure) -> JournalEntry?

  /// The disk was full and the space reserve has been used so that an outcome could still be written: start no new
  /// effect, leave the run (exit 9). `create` and `takeOver` fail with `diskFull` until there is space again. As the
  /// store learned it from its last write, so that asking costs nothing.
  var isOutOfSpace: Bool { get }
}

extension Journal {
  /// For a store that gains nothing from writing several at once.
  public func commit(_ batches: [JournalBatch]) async -> [Result<Int64, StoreFailure>] {
    var results: [Result<Int64, StoreFailure>] = []
    for batch in batches {
      do throws(StoreFailure) {
        results.append(
          .success(
            try await append(
              batch.entries, to: batch.runID, epoch: batch.epoch, summary: batch.summary, locks: batch.locks,
              releasingLocks: batch.releasesLocks, output: batch.output)))
      } catch {
        results.append(.failure(error))
      }
    }
    return results
  }
}

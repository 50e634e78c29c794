import Dispatch
import Synchronization

/// Makes durable what the runs of a process record. While one transaction is being flushed, what arrives is gathered,
/// and goes into the next one: many runs that go on at once share their flushes. A batch is what has arrived, and no
/// timer is waited for.
///
/// A run that is alone writes by itself, on the queue on which it decides: for it a second thread would only cost time.
public final class Committer: Sendable {
  private struct Waiting {
    var batch: JournalBatch
    var resume: @Sendable (Result<Int64, StoreFailure>) -> Void
  }

  private struct State {
    /// Runs that are at work, or about to be.
    var runs = 0
    var waiting: [Waiting] = []
    var isWriting = false
    var transactions = 0
    var batches = 0
  }

  private let store: any RunStore
  private let state = Mutex(State())

  public init(_ store: any RunStore) { self.store = store }

  /// How many transactions were written, and how many batches they held.
  public var written: (transactions: Int, batches: Int) { state.withLock { ($0.transactions, $0.batches) } }

  /// A run that is at work, or about to be. It counts until this object goes.
  final class Membership: Sendable {
    private let committer: Committer

    init(_ committer: Committer) {
      self.committer = committer
      committer.state.withLock { $0.runs += 1 }
    }

    deinit { committer.state.withLock { $0.runs -= 1 } }
  }

  /// - Returns: the sequence number of the batch's last entry, once all of it is durable.
  /// - Throws: why nothing of it was written.
  func commit(_ batch: JournalBatch) async throws(StoreFailure) -> Int64 {
    let isAlone = state.withLock { state in
      guard state.runs <= 1, !state.isWriting else { return false }
      state.transactions += 1
      state.batches += 1
      return true
    }
    if isAlone {
      return try await store.append(
        batch.entries, to: batch.runID, epoch: batch.epoch, summary: batch.summary, locks: batch.locks,
        releasingLocks: batch.releasesLocks, output: batch.output)
    }
    return try await withCheckedContinuation { continuation in
      let isToBegin = state.withLock { state in
        state.waiting.append(Waiting(batch: batch) { continuation.resume(returning: $0) })
        defer { state.isWriting = true }
        return !state.isWriting
      }
      if isToBegin { Task(executorPreference: CommitQueue.shared) { await self.writeAll() } }
    }.get()
  }

  /// Writes until nothing waits.
  private func writeAll() async {
    while true {
      let next = state.withLock { state -> [Waiting] in
        let next = state.waiting
        state.waiting = []
        state.isWriting = !next.isEmpty
        if !next.isEmpty { state.transactions += 1 }
        state.batches += next.count
        return next
      }
      guard !next.isEmpty else { return }
      let results = await store.commit(next.map(\.batch))
      for (waiting, result) in zip(next, results) { waiting.resume(result) }
    }
  }
}

/// The thread on which a store flushes for many runs, so that deciding goes on meanwhile.
private final class CommitQueue: TaskExecutor {
  static let shared = CommitQueue()
  private let queue = DispatchQueue(label: "runbook.commit")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

public import Runbook

/// The runs of a store, its locks, and what needs a person.
public struct ListRuns: Sendable {
  private let context: OperationContext
  public init(_ context: OperationContext) { self.context = context }

  /// Newest first.
  /// - Throws: `store`.
  public func newest(_ limit: Int) async throws(OperationRefusal) -> [RunSummary] {
    try await context.asked { () throws(StoreFailure) in try await context.store.summaries(limit: limit) }
  }

  /// Every run that needs a person, newest first.
  /// - Throws: `store`.
  public func needs() async throws(OperationRefusal) -> [RunNeed] {
    let runs = try await context.asked { () throws(StoreFailure) in
      try await context.store.openRuns() + context.store.owedRuns()
    }
    let marks = await marks(of: runs)
    return runs.sorted { $0.id > $1.id }.compactMap { RunNeed($0, marks) }
  }

  /// Every lock that is held, by name, with the run that holds it.
  /// - Throws: `store`.
  public func locks() async throws(OperationRefusal) -> [(lock: HeldLock, run: RunSummary)] {
    var rows: [(lock: HeldLock, run: RunSummary)] = []
    for lock in try await context.asked({ () throws(StoreFailure) in try await context.store.heldLocks() }) {
      let run = try await context.asked { () throws(StoreFailure) in try await context.store.summary(of: lock.runID) }
      rows.append((lock, run))
    }
    return rows
  }

  public func marks(of runs: [RunSummary]) async -> RunMarks {
    var marks = RunMarks()
    for run in runs where run.status != "ended" {
      marks.now[run.id] = (try? await RunClock(context.clock, of: run.id, in: context.store))?.now
      guard await !context.isLive(run.id) else { continue }
      marks.ownerless.insert(run.id)
      if run.status == "waiting" || run.isRestored { marks.posted[run.id] = await context.posted(to: run.id) }
    }
    return marks
  }

  /// Runs that have not ended and that nobody works on, newest first. Empty if the store cannot tell.
  /// - Parameter own: a run to leave out.
  /// - Returns: those that the next process can carry on, and those that wait for an answer.
  public func ownerless(but own: String? = nil) async -> (interrupted: [RunSummary], waiting: [RunSummary]) {
    var found: (interrupted: [RunSummary], waiting: [RunSummary]) = ([], [])
    guard let open = try? await context.store.openRuns() else { return found }
    for run in open where run.id != own {
      guard await !context.isLive(run.id) else { continue }
      if run.status == "waiting", await context.posted(to: run.id) == nil {
        found.waiting.append(run)
      } else {
        found.interrupted.append(run)
      }
    }
    return found
  }
}

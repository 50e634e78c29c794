public import Runbook

// Reading about a run: nothing here changes it.
extension OperationContext {
  /// The run's events so far, oldest first.
  public func events(of run: String, after sequence: Int64 = 0) async throws(OperationRefusal) -> [RunEvent] {
    try await asked(about: run) { () throws(StoreFailure) in
      try await store.entries(of: run, after: sequence).compactMap { RunEvent($0, runID: run) }
    }
  }

  /// A process that lives works on the run. False also if the store cannot tell.
  public func isLive(_ run: String) async -> Bool { (try? await store.ownership(of: run))?.isLive ?? false }

  /// The run judged from its journal; nil if this release does not understand the text that it was started with.
  public func outlook(of run: String) async throws(OperationRefusal) -> RunOutlook? {
    try await asked(about: run) { () throws(StoreFailure) in
      let pinned = try await NewRun.read(run, in: store)
      guard let runbook = try? check(pinned.source) else { return nil }
      return try await RunOutlook(of: run, runbook, in: store)
    }
  }

  /// The same of a run that a person may still answer.
  /// - Throws: `ended`, and `unreadable`.
  public func openOutlook(of run: RunSummary) async throws(OperationRefusal) -> RunOutlook {
    guard run.status != "ended" else { throw .ended(run: run.id) }
    guard let outlook = try await outlook(of: run.id) else { throw .unreadable(run: run.id) }
    return outlook
  }

  /// The runbook that the run was started with; nil if this release does not understand it.
  public func runbook(of run: String) async -> ValidatedRunbook? {
    guard let pinned = try? await NewRun.read(run, in: store) else { return nil }
    return try? check(pinned.source)
  }

  /// The inputs that the run was started with, read from its first entry alone.
  public func inputs(of run: String) async -> Value {
    guard let entry = try? await store.firstEntry(of: run) else { return .map([:]) }
    return RunEvent(entry, runID: run)?.fields["inputs"] ?? .map([:])
  }

  /// The message that a person has posted to a run without a process, and that the next process will heed; nil: none.
  public func posted(to run: String) async -> RunReport.Posted? {
    guard let outlook = try? await outlook(of: run) else { return nil }
    let requests = (try? await store.requests(for: run, after: outlook.lastRequest)) ?? []
    for request in requests {
      switch RunControl.Message(request) {
      case .cancel(_, _, _, let restored)? where outlook.cancelRefusal == nil && (restored || !outlook.isRestored):
        return RunReport.Posted(isCancel: true, by: request.requester, at: request.at)
      case .resolve(let step, _, _, _, let number)?
      where !outlook.isRestored && outlook.openQuestions.contains { $0 == (step.text, number ?? 1) }:
        return RunReport.Posted(isCancel: false, by: request.requester, at: request.at)
      case .answer(let answer)? where !outlook.isRestored && outlook.refusal(of: answer) == nil:
        return RunReport.Posted(isCancel: false, by: request.requester, at: request.at)
      default: continue
      }
    }
    return nil
  }

  /// Where a run stands. A process that lets go of the run writes the reason first, so its owner is asked for before
  /// the run's row is read.
  /// - Throws: `store`.
  public func standing(of run: String) async throws(OperationRefusal) -> RunStanding {
    let isLive = await isLive(run)
    let row = try await asked(about: run) { () throws(StoreFailure) in try await store.summary(of: run) }
    if row.status == "ended" { return .ended(row) }
    if isLive { return .goingOn }
    return row.status == "waiting" || row.isRestored ? .waiting : .interrupted
  }

  /// The refusal of a store; where somebody else works on the run, with whether a cancel would be carried out.
  func refusal(_ failure: StoreFailure, run: String) async -> OperationRefusal {
    switch failure {
    case .owned(let lease), .fenced(by: let lease?): await refusal(owner: lease)
    default: .store(failure, run: run)
    }
  }

  func refusal(owner lease: Lease) async -> OperationRefusal {
    let outlook = try? await outlook(of: lease.runID)
    return .owned(lease, canCancel: outlook?.cancelRefusal == nil && outlook?.isRestored == false)
  }
}

/// Where a run stands, for a process that does not work on it.
public enum RunStanding: Sendable, Equatable {
  /// A process works on it.
  case goingOn
  /// It waits for an answer, or for a person to say that it may go on; no process works on it.
  case waiting
  /// It has not ended, and no process works on it.
  case interrupted
  case ended(RunSummary)

  /// The exit code of a process that watched the run; nil while the run goes on.
  public var exitCode: ExitCode? {
    switch self {
    case .goingOn: nil
    case .waiting: .waiting
    case .interrupted: .stopped
    case .ended(let run): run.exit ?? .failed
    }
  }
}

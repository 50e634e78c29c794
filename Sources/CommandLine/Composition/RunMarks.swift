import Runbook

/// Marks of runs that their rows in the store do not hold: whether a process works on a run, the message that was
/// posted to it, and how late it is on its own time line.
struct RunMarks {
  /// Runs that have not ended and that nobody works on.
  var ownerless: Set<String> = []
  /// Answers and cancels that wait for a process to read them, by run.
  var posted: [String: RunReport.Posted] = [:]
  /// Of runs that have not ended.
  var now: [String: Timestamp] = [:]
}

extension StoreAccess {
  func marks(of runs: [RunSummary]) async -> RunMarks {
    var marks = RunMarks()
    let clock = SystemClock()
    for run in runs where run.status != "ended" {
      marks.now[run.id] = (try? await RunClock(clock, of: run.id, in: store))?.now
      guard await !isLive(run.id) else { continue }
      marks.ownerless.insert(run.id)
      if run.status == "waiting" || run.isRestored { marks.posted[run.id] = await posted(to: run.id) }
    }
    return marks
  }

  /// The message that a person has posted to a run without a process, and that the next process will heed; nil: none.
  func posted(to id: String) async -> RunReport.Posted? {
    guard let outlook = try? await outlook(of: id) else { return nil }
    let requests = (try? await store.requests(for: id, after: outlook.lastRequest)) ?? []
    for request in requests {
      switch RunControl.Message(request) {
      case .cancel(_, _, _, let restored)? where outlook.cancelRefusal == nil && (restored || !outlook.isRestored):
        return RunReport.Posted(isCancel: true, by: request.requester, at: request.at)
      case .resolve(let step, _, _, _, let number)?
      where !outlook.isRestored && outlook.openQuestion.map { $0 == (step.text, number ?? 1) } == true:
        return RunReport.Posted(isCancel: false, by: request.requester, at: request.at)
      case .answer(let answer)? where !outlook.isRestored && outlook.refusal(of: answer) == nil:
        return RunReport.Posted(isCancel: false, by: request.requester, at: request.at)
      default: continue
      }
    }
    return nil
  }

  /// As `Refusal(_:run:)`; where somebody else works on the run, a cancel is advised only if it would be carried out.
  func refusal(_ failure: StoreFailure, run id: String) async -> Refusal {
    switch failure {
    case .owned(let lease), .fenced(by: let lease?): await refusal(owner: lease)
    default: Refusal(failure, run: id)
    }
  }

  func refusal(owner lease: Lease) async -> Refusal {
    let outlook = try? await outlook(of: lease.runID)
    return Refusal(owner: lease, canCancel: outlook?.cancelRefusal == nil && outlook?.isRestored == false)
  }
}

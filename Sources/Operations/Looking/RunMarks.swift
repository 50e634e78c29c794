public import Runbook

/// Marks of runs that their rows in the store do not hold: whether a process works on a run, the message that was
/// posted to it, and how late it is on its own time line.
public struct RunMarks: Sendable {
  /// Runs that have not ended and that nobody works on.
  public var ownerless: Set<String> = []
  /// Answers and cancels that wait for a process to read them, by run.
  public var posted: [String: RunReport.Posted] = [:]
  /// Of runs that have not ended.
  public var now: [String: Timestamp] = [:]
  public init() {}
}

/// Why a run needs a person.
public struct RunNeed: Sendable {
  public enum Reason: String, Sendable {
    /// The store was put back from an older copy.
    case restored
    /// It waits for an answer.
    case waiting
    /// It was interrupted, and no process works on it.
    case ownerless
    /// It has ended, and its rollback is owed.
    case rollback
  }
  public let run: RunSummary
  public let reason: Reason
  /// A person's answer that no process has read yet.
  public let posted: RunReport.Posted?

  /// nil for a run that needs nobody.
  init?(_ run: RunSummary, _ marks: RunMarks) {
    self.run = run
    posted = marks.posted[run.id]
    if run.isRestored, posted == nil {
      reason = .restored
    } else if run.status == "ended" {
      guard run.isOwed else { return nil }
      reason = .rollback
    } else if run.status == "waiting", posted == nil {
      reason = .waiting
    } else {
      guard marks.ownerless.contains(run.id) else { return nil }
      reason = .ownerless
    }
  }
}

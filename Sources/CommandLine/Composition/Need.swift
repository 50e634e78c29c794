import Runbook

/// Why a run needs a person, and what to type.
struct Need {
  enum Reason: String {
    /// The store was put back from an older copy.
    case restored
    /// It waits for an answer.
    case waiting
    /// It was interrupted, and no process works on it.
    case ownerless
    /// It has ended, and its rollback is owed.
    case rollback
  }
  let run: RunSummary
  let reason: Reason

  /// A person's answer that no process has read yet.
  private let posted: RunReport.Posted?

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

  var words: String {
    switch reason {
    case .restored: "the store was put back from an older copy: the run may have done more than its journal says"
    case .waiting: "it waits for an answer"
    case .ownerless: "\(posted.map { RunWords.posted($0) } ?? "it was interrupted"), and no process works on it"
    case .rollback:
      switch run.rollback {
      case "pending": "its rollback has not been begun"
      case "blocked": "its rollback is blocked"
      default: "its rollback failed"
      }
    }
  }

  var command: String {
    switch reason {
    case .restored where run.status == "ended": Advice.line("rollback", "resume", run.id, "--restored")
    case .restored: Advice.line("resume", run.id, "--restored")
    case .waiting: Advice.line("show", run.id)
    case .ownerless: Advice.line("resume", run.id)
    case .rollback: Advice.line("rollback", "resume", run.id)
    }
  }

  var json: Value { ["reason": .string(reason.rawValue), "message": .string(words), "command": .string(command)] }
}

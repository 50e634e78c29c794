import Operations
import Runbook

/// Why a run needs a person, in words, and what to type.
extension RunNeed {
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

/// How a run, and the process that works on it, come to their end: for ever the same numbers. The table in
/// `docs/command.md` is made from it.
public enum ExitCode: Int32, CaseIterable, Sendable {
  case succeeded = 0
  case failed = 1
  case usage = 2
  case rolledBack = 3
  case rollbackFailed = 4
  case cancelled = 5
  case waiting = 6
  case refused = 7
  case objectiveMissed = 8
  case stopped = 9

  /// In a few words, without a full stop.
  public var meaning: String {
    switch self {
    case .succeeded: "succeeded"
    case .failed: "failed, nothing undone"
    case .usage: "invalid file, input or usage; nothing was done"
    case .rolledBack: "failed, and rolled back"
    case .rollbackFailed: "rollback failed, blocked, or left out by a person: a person must look"
    case .cancelled: "cancelled"
    case .waiting: "waiting for an answer or a decision, or detached"
    case .refused: "refused by a lock, an owner or a policy"
    case .objectiveMissed: "drill objective missed"
    case .stopped: "the engine stopped, the run has not ended and can be resumed"
    }
  }
}

extension RunEnded {
  /// nil: a number that a later release has journaled.
  public var exit: ExitCode? { ExitCode(rawValue: exitCode) }
}

extension RunSummary {
  /// nil: the run has not ended, or with a number that a later release has journaled.
  public var exit: ExitCode? { exitCode.flatMap { ExitCode(rawValue: $0) } }
}

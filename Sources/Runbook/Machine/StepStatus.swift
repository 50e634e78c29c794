/// Where a step stands. `pending → skipped | not_run | failed | started → succeeded | failed | cancelled | unknown`;
/// `unknown → succeeded | failed | not_applied`.
public enum StepStatus: String, Sendable {
  case pending, skipped, started, succeeded, failed, cancelled, unknown
  case notRun = "not_run"
  case notApplied = "not_applied"

  public var isEnded: Bool { self != .pending && self != .started }
  /// Nothing of it is left to be done: an undo step that ended any other way is still owed.
  public var isDone: Bool { self == .succeeded || self == .skipped }
}

/// Why a step runs: decides what a failure of it means and whether it may be repeated.
public enum Purpose: String, Sendable {
  case `do`, undo, always
  case onFailure = "on_failure"
  case onRollbackFailure = "on_rollback_failure"
  /// It is asked beside the steps of a drill, and ends them when it holds.
  case stopIf = "stop_if"

  /// Undo, `always` and diagnostic steps are repeated after a crash whatever their class: not cleaning up is worse.
  var isRepeatedAfterCrash: Bool { self != .do }
}

/// What a person said about a step whose effect nobody can know.
public enum Resolution: String, Sendable, CaseIterable {
  case applied
  case notApplied = "not-applied"
  case retry
  case fail
}

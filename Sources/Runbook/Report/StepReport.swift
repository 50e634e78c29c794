/// One step of a run, in whatever section it stands.
public struct StepReport: Sendable, Equatable {
  public var path: String
  public var title: String
  public var action: String
  /// `do always on_failure on_rollback_failure`
  public var purpose: String
  /// `pending started skipped succeeded failed cancelled unknown not_applied not_run`
  public var status: String
  /// Its output `message` is a line for the reader; nil: it writes none.
  public var logLine: LogLine?
  /// It asks a person, and the answer is how it ends.
  public var asksPeople = false
  /// The people who have approved it, if it asks for that.
  public var approvedBy: [String] = []
  public var attempts: Int64 = 0
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var outputs: Value = .map([:])
  public var error: Value = .null
  /// `E1` … `E4`
  public var effectClass: String?
  /// `none change destroy`
  public var effect: String
  /// What it waits for and until when, and the provider's last word.
  public var until: String?
  public var deadline: Timestamp?
  public var nativeState: String?
  /// Why its undo is done with: `undone`, `nothing happened`, `committed`, `its condition was false`, what a person
  /// said … nil: it is still owed, if the step has undo steps.
  public var closed: String?
  /// Who left its whole undo out, and why; nil: nobody did.
  public var leftOut: RunReport.Decision?

  public var isMain: Bool { purpose == "do" }
  /// What is known of it: `none`, `applied` or `unknown`, over all its requests.
  public var happened: String {
    guard effect != "none", startedAt != nil else { return "none" }
    switch status {
    case "succeeded": return "applied"
    case "skipped", "not_run": return "none"
    case "started", "pending": return "unknown"
    default: return error["effect"]?.string ?? "unknown"
    }
  }
  public var elapsed: Duration? {
    guard let startedAt, let endedAt else { return nil }
    return endedAt - startedAt
  }
}

/// One undo step of a step.
public struct UndoReport: Sendable, Equatable {
  /// `update.undo[0]`
  public var entry: String
  /// The step it undoes.
  public var step: String
  public var title: String
  public var action: String
  /// `pending started succeeded failed skipped closed`
  public var status: String
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var error: Value = .null
  /// Who left it out, and why; nil: nobody did.
  public var leftOut: RunReport.Decision?

  public init(entry: String, step: String, title: String, action: String, status: String) {
    self.entry = entry
    self.step = step
    self.title = title
    self.action = action
    self.status = status
  }
}

/// Which undo steps belong to which step: known from the runbook, so that a report can list those not
/// begun.
public struct UndoPlan: Sendable, Equatable {
  /// By the step's path.
  public var entries: [String: [UndoReport]] = [:]
  /// Steps that cannot be undone.
  public var irreversible: Set<String> = []
  /// Steps whose failure does not end the run.
  public var borne: Set<String> = []
  /// The last step of the main list: once it has ended there is nothing to cancel.
  public var last: String?
  public var isDrill = false
  public init() {}

  public init(_ runbook: ValidatedRunbook) {
    last = runbook.mainSteps.last?.path
    isDrill = runbook.drill != nil
    for step in runbook.mainSteps {
      if step.continuesOnError { borne.insert(step.path) }
      if case .irreversible = step.rollback { irreversible.insert(step.path) }
      guard case .steps(let undo, _) = step.rollback else { continue }
      entries[step.path] = undo.map {
        UndoReport(entry: $0.path, step: step.path, title: $0.title, action: $0.action.name, status: "pending")
      }
    }
  }
}

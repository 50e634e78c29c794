/// One step of a run, in whatever section it stands.
public struct StepReport: Sendable, Equatable {
  public var path: String
  public var title: String
  public var action: String
  public var purpose: Word<Purpose>
  public var status: Word<StepStatus>
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
  public var error: ReportedError?
  /// `E1` … `E4`
  public var effectClass: String?
  public var effect: Word<ActionEffect>
  /// What it waits for and until when, and the provider's last word.
  public var until: String?
  public var deadline: Timestamp?
  public var nativeState: String?
  /// Why its undo is done with: `undone`, `nothing happened`, `committed`, `its condition was false`, what a person
  /// said … nil: it is still owed, if the step has undo steps.
  public var closed: String?
  /// Who left its whole undo out, and why; nil: nobody did.
  public var leftOut: RunReport.Decision?

  init(
    path: String, purpose: Purpose = .do, status: StepStatus = .pending
  ) {
    self.path = path
    title = path
    action = ""
    self.purpose = .known(purpose)
    self.status = .known(status)
    effect = .known(.none)
  }

  public var isMain: Bool { purpose == .do }
  /// What is known of it, over all its requests.
  public var happened: Word<StepFailure.Effect> {
    guard effect != .none, startedAt != nil else { return .known(.none) }
    switch status.known {
    case .succeeded: return .known(.applied)
    case .skipped, .notRun: return .known(.none)
    case .started, .pending: return .known(.unknown)
    case .failed, .cancelled, .unknown, .notApplied, nil: return error?.effect ?? .known(.unknown)
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
  public var status: Word<UndoStatus>
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var error: ReportedError?
  /// Who left it out, and why; nil: nobody did.
  public var leftOut: RunReport.Decision?

  public init(entry: String, step: String, title: String, action: String, status: UndoStatus = .pending) {
    self.entry = entry
    self.step = step
    self.title = title
    self.action = action
    self.status = .known(status)
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
    last = runbook.mainSteps.last?.path.text
    isDrill = runbook.drill != nil
    for step in runbook.mainSteps {
      if step.continuesOnError { borne.insert(step.path.text) }
      if case .irreversible = step.rollback { irreversible.insert(step.path.text) }
      guard !step.undoSteps.isEmpty else { continue }
      entries[step.path.text] = step.undoSteps.map {
        UndoReport(entry: $0.path.text, step: step.path.text, title: $0.title, action: $0.action.name)
      }
    }
  }
}

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

  /// What it holds, if it is a step that holds others; nil for one that has something called.
  public var holds: Holding?
  /// The position of the step around it; nil: it stands in the list of the run.
  public internal(set) var parent: Int?
  /// How many steps are around it.
  public internal(set) var depth = 0
  /// Its name inside the step around it: `one`, `[2]`; its path in the list of the run.
  public internal(set) var name: String
  /// Its path with a `*` for the number of each iteration: `wave[*].one`. The same for all iterations.
  public internal(set) var template: String
  /// Which item of the loop around it this iteration is for, from 0; nil for what is no iteration.
  public internal(set) var iteration: Int?
  /// Of an iteration that failed: how its own undoing stands; nil: none was begun.
  public internal(set) var unwinding: Unwinding?
  /// How the step around it counts it.
  var countedAs: Holding.Count?

  init(
    path: String, purpose: Purpose = .do, status: StepStatus = .pending
  ) {
    self.path = path
    name = path
    template = path
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

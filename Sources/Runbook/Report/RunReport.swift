/// A run as people and programs read it, rebuilt from its events: what `show` answers and what the closing words count.
/// Feed it every event in order; events and fields it does not know are ignored.
public struct RunReport: Sendable, Equatable {
  public var id: String
  public var name = ""
  public var file: String?
  public var isSimulated = false
  /// `queued running waiting rolling_back ending ended`
  public var status = "queued"
  public var outcome: String?
  public var rollback: String?
  public var exitCode: Int64?
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var inputs: Value = .map([:])
  public var outputs: Value = .map([:])
  /// Why the rollback began, in words.
  public var rollbackReason: String?
  /// Why the engine left the run, in words; nil again once it was resumed.
  public var leftReason: String?
  /// The step whose answer a parked run waits for.
  public var waitingStep: String?
  public var cancelledBy: String?
  public var steps: [StepReport] = []
  public var undo: [UndoReport] = []
  private var stepIndex: [String: Int] = [:]
  private var undoIndex: [String: Int] = [:]

  public init(id: String) { self.id = id }

  public init(id: String, events: some Sequence<RunEvent>) {
    self.id = id
    for event in events { apply(event) }
  }

  public func step(_ path: String) -> StepReport? { stepIndex[path].map { steps[$0] } }
  public func undo(_ entry: String) -> UndoReport? { undoIndex[entry].map { undo[$0] } }

  /// The first step of the main list that failed: the one the words at the end name.
  public var failedStep: StepReport? { steps.first { $0.isMain && $0.status == "failed" } }
  public var elapsed: Duration? {
    guard let startedAt, let endedAt else { return nil }
    return endedAt - startedAt
  }
}

/// One step of a run, in whatever section it stands.
public struct StepReport: Sendable, Equatable {
  public var path: String
  public var title: String
  public var action: String
  /// `do always on_failure on_rollback_failure`
  public var purpose: String
  /// `pending started skipped succeeded failed cancelled unknown not_run`
  public var status: String
  public var attempts: Int64 = 0
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var outputs: Value = .map([:])
  public var error: Value = .null
  /// `E1` … `E4`
  public var effectClass: String?
  /// `none change destroy`
  public var effect: String
  /// What a failed attempt did to the world: `none applied unknown`.
  public var attemptEffect: String?
  /// What it waits for and until when, and the provider's last word.
  public var until: String?
  public var deadline: Timestamp?
  public var nativeState: String?
  /// Why there is nothing left to undo, if that was found out.
  public var closed: String?

  public var isMain: Bool { purpose == "do" }
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
  /// `pending started succeeded failed skipped`
  public var status: String
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var error: Value = .null
}

extension RunReport {
  public mutating func apply(_ event: RunEvent) {
    let fields = event.fields
    switch event.event {
    case "run.started":
      name = fields["name"]?.string ?? name
      file = fields["file"]?.string
      isSimulated = fields["simulated"]?.bool ?? false
      inputs = fields["inputs"] ?? inputs
      startedAt = event.at
      status = "running"
    case "run.resumed":
      leftReason = nil
      if status == "queued" { status = "running" }
    case "run.waiting":
      status = "waiting"
      waitingStep = fields["step"]?.string
    case "step.resolved":
      if status == "waiting" { status = rollbackReason == nil ? "running" : "rolling_back" }
      waitingStep = nil
    case "cancel.requested": cancelledBy = fields["by"]?.string ?? "somebody"
    case "rollback.started":
      status = "rolling_back"
      rollbackReason = fields["reason"]?.string ?? ""
    case "rollback.ended":
      status = "ending"
      rollback = fields["outcome"]?.string ?? rollback
    case "run.ended":
      status = "ended"
      outcome = fields["outcome"]?.string
      rollback = fields["rollback"]?.string ?? rollback
      exitCode = fields["exit_code"]?.int
      outputs = fields["outputs"] ?? outputs
      endedAt = event.at
    case "run.left": leftReason = fields["reason"]?.string ?? ""
    case let name where name.hasPrefix("undo."): applyUndo(event)
    default: applyStep(event)
    }
  }

  private mutating func applyStep(_ event: RunEvent) {
    let fields = event.fields
    guard let path = fields["step"]?.string, fields["purpose"]?.string != "undo", undoIndex[path] == nil else { return }
    guard event.event.hasPrefix("step.") || event.event == "attempt.ended" else { return }
    let index = stepIndex[path] ?? add(StepReport(path: path, title: path, action: "", purpose: "do", status: "pending", effect: "none"))
    switch event.event {
    case "step.started":
      steps[index].title = fields["title"]?.string ?? path
      steps[index].action = fields["action"]?.string ?? ""
      steps[index].purpose = fields["purpose"]?.string ?? "do"
      steps[index].effect = fields["effect"]?.string ?? "none"
      steps[index].effectClass = fields["class"]?.string
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 1)
      steps[index].status = "started"
      steps[index].startedAt = steps[index].startedAt ?? event.at
    case "attempt.ended":
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 0)
      steps[index].attemptEffect = fields["effect"]?.string
    case "step.waiting":
      steps[index].until = fields["until"]?.string
      steps[index].deadline = RunReport.instant(fields["deadline"])
      steps[index].nativeState = fields["native_state"]?.string
    case "step.ended":
      steps[index].status = fields["status"]?.string ?? "unknown"
      steps[index].outputs = fields["outputs"] ?? .map([:])
      steps[index].error = fields["error"] ?? .null
      steps[index].title = fields["title"]?.string ?? steps[index].title
      if steps[index].startedAt != nil { steps[index].endedAt = event.at }
    default: break
    }
  }

  private mutating func applyUndo(_ event: RunEvent) {
    let fields = event.fields
    if event.event == "undo.closed", let step = fields["step"]?.string {
      if let index = stepIndex[step] { steps[index].closed = fields["reason"]?.string ?? "" }
      return
    }
    guard let entry = fields["entry"]?.string else { return }
    if undoIndex[entry] == nil {
      undoIndex[entry] = undo.count
      let owner = fields["step"]?.string ?? String(entry.prefix { $0 != "." })
      undo.append(UndoReport(entry: entry, step: owner, title: entry, action: "", status: "pending"))
    }
    guard let index = undoIndex[entry] else { return }
    switch event.event {
    case "undo.started":
      undo[index].action = fields["action"]?.string ?? undo[index].action
      undo[index].title = fields["title"]?.string ?? undo[index].title
      undo[index].status = "started"
      undo[index].startedAt = event.at
      undo[index].endedAt = nil
      undo[index].error = .null
    case "undo.ended":
      undo[index].status = fields["status"]?.string ?? "unknown"
      undo[index].error = fields["error"] ?? .null
      undo[index].endedAt = event.at
    default: break
    }
  }

  private mutating func add(_ step: StepReport) -> Int {
    stepIndex[step.path] = steps.count
    steps.append(step)
    return steps.count - 1
  }

  /// Events come live (timestamps) or from the journal (their text).
  static func instant(_ value: Value?) -> Timestamp? {
    switch value {
    case .timestamp(let instant): instant
    case .string(let text): Timestamp(text)
    default: nil
    }
  }
}

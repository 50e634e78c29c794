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
  /// What the checks before the first change found; not empty: the run was refused.
  public var problems: [String] = []
  private var stepIndex: [String: Int] = [:]
  private var undoIndex: [String: Int] = [:]
  private let plan: UndoPlan

  /// `plan`: so that undo steps not begun are listed too.
  public init(id: String, plan: UndoPlan = UndoPlan()) {
    self.id = id
    self.plan = plan
  }

  public init(id: String, plan: UndoPlan = UndoPlan(), events: some Sequence<RunEvent>) {
    self.init(id: id, plan: plan)
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
  /// `pending started skipped succeeded failed cancelled unknown not_applied not_run`
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
  /// What it waits for and until when, and the provider's last word.
  public var until: String?
  public var deadline: Timestamp?
  public var nativeState: String?
  /// Why its undo is done with: `undone`, `nothing happened`, `committed` …
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
  /// `pending started succeeded failed skipped closed`
  public var status: String
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var error: Value = .null

  public init(entry: String, step: String, title: String, action: String, status: String) {
    self.entry = entry
    self.step = step
    self.title = title
    self.action = action
    self.status = status
  }
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
    case "run.checked": problems = fields["problems"]?.list?.compactMap { $0.string } ?? []
    case "rollback.resumed":
      status = "rolling_back"
      endedAt = nil
    case "run.left": leftReason = fields["reason"]?.string ?? ""
    case let name where name.hasPrefix("undo."): applyUndo(event)
    default: applyStep(event)
    }
  }

  private mutating func applyStep(_ event: RunEvent) {
    let fields = event.fields
    guard let path = fields["step"]?.string, fields["purpose"]?.string != "undo", undoIndex[path] == nil else { return }
    guard event.event.hasPrefix("step.") || event.event.hasPrefix("attempt.") else { return }
    let index =
      stepIndex[path]
      ?? add(StepReport(path: path, title: path, action: "", purpose: "do", status: "pending", effect: "none"))
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
      for planned in plan.entries[path] ?? [] where undoIndex[planned.entry] == nil { add(planned) }
    case "attempt.started", "attempt.ended":
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 0)
    case "step.waiting":
      steps[index].until = fields["until"]?.string
      steps[index].deadline = RunReport.instant(fields["deadline"])
      steps[index].nativeState = fields["native_state"]?.string
    case "step.ended":
      steps[index].status = fields["status"]?.string ?? "unknown"
      steps[index].outputs = fields["outputs"] ?? .map([:])
      steps[index].error = fields["error"] ?? .null
      steps[index].title = fields["title"]?.string ?? steps[index].title
      steps[index].attempts = max(steps[index].attempts, fields["attempts"]?.int ?? 0)
      steps[index].purpose = fields["purpose"]?.string ?? steps[index].purpose
      if steps[index].startedAt != nil { steps[index].endedAt = event.at }
    default: break
    }
  }

  private mutating func applyUndo(_ event: RunEvent) {
    let fields = event.fields
    if event.event == "undo.closed", let step = fields["step"]?.string {
      let reason = fields["reason"]?.string ?? ""
      if let index = stepIndex[step] { steps[index].closed = reason }
      for index in undo.indices where undo[index].step == step && undo[index].status == "pending" {
        undo[index].status = "closed"
      }
      return
    }
    guard let entry = fields["entry"]?.string else { return }
    let step = fields["step"]?.string ?? UndoPath.owner(of: entry)
    let index =
      undoIndex[entry] ?? add(UndoReport(entry: entry, step: step, title: entry, action: "", status: "pending"))
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
    case "undo.skipped": undo[index].status = "skipped"
    default: break
    }
  }

  @discardableResult
  private mutating func add(_ entry: UndoReport) -> Int {
    undoIndex[entry.entry] = undo.count
    undo.append(entry)
    return undo.count - 1
  }

  private mutating func add(_ step: StepReport) -> Int {
    stepIndex[step.path] = steps.count
    steps.append(step)
    return steps.count - 1
  }

  /// Events come live (timestamps) or from the journal (their text).
  public static func instant(_ value: Value?) -> Timestamp? {
    switch value {
    case .timestamp(let instant): instant
    case .string(let text): Timestamp(text)
    default: nil
    }
  }
}

/// Which undo steps belong to which step: known from the runbook, so that a report can list those not begun.
public struct UndoPlan: Sendable, Equatable {
  /// By the step's path.
  public var entries: [String: [UndoReport]] = [:]
  public init() {}

  public init(_ runbook: ValidatedRunbook) {
    for step in runbook.steps {
      guard case .steps(let undo, _) = step.rollback else { continue }
      entries[step.path] = undo.map {
        UndoReport(entry: $0.path, step: step.path, title: $0.title, action: $0.action.name, status: "pending")
      }
    }
  }
}

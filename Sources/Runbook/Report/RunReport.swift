/// A run as people and programs read it, rebuilt from its events: what `show` answers and what the closing words count.
/// Feed it every event in order; events and fields it does not know are ignored.
public struct RunReport: Sendable, Equatable {
  public var id: String
  public var name = ""
  public var file: String?
  public var isSimulated = false
  public var status: Word<RunStatus> = .known(.queued)
  public var outcome: Word<RunOutcome>?
  public var rollback: Word<RollbackOutcome>?
  public var exitCode: Int64?
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var inputs: Value = .map([:])
  public var outputs: Value = .map([:])
  /// Why the outputs of the run could not be evaluated; nil if they could.
  public var outputsError: ReportedError?
  /// How the drill was judged; nil before, and for what is no drill.
  public var drill: DrillVerdict?
  /// Why the rollback began, in words.
  public var rollbackReason: String?
  /// Why the engine left the run, in words; nil again once it was resumed.
  public var leftReason: String?
  /// The step whose answer a parked run waits for, and the number of the question.
  public var waitingStep: String?
  public var question: Int64?
  /// What a person is asked, if the step asks for an approval; nil for a question about a lost outcome.
  public var approval: ApprovalReport?
  public var cancelledBy: String?
  /// The store was put back from an older copy, and nobody has said that the run may go on.
  public var isRestored = false
  /// A message to the run that no process has read yet; nil if there is none, or if somebody works on the run.
  public var posted: Posted?
  /// Who left the rest of the rollback undone, and why.
  public var abandoned: Decision?
  /// A person has decided about the rollback since the run ended.
  private(set) var isDecidedSinceEnd = false
  /// Questions asked so far.
  private var questions: Int64 = 0
  public var steps: [StepReport] = []
  public var undo: [UndoReport] = []
  /// The servers that it has acted on, in the order in which it did first.
  public private(set) var servers: [ServerReport] = []
  /// By the path of a step or undo step: the server that it acts on.
  private var actsOn: [String: String] = [:]
  /// Paths of steps that only look at one, and of those that delete one.
  private(set) var looks: Set<String> = []
  private(set) var deletions: Set<String> = []
  /// What the checks before the first change found; not empty: the run was refused.
  public var problems: [String] = []
  private var stepIndex: [String: Int] = [:]
  private var undoIndex: [String: Int] = [:]
  private let plan: UndoPlan
  let actions: KnownActions

  /// - Parameters:
  ///   - plan: so that undo steps not begun are listed too.
  ///   - actions: without them a commit closes nothing, and no line for the log, question, script or server is told.
  public init(id: String, plan: UndoPlan = UndoPlan(), actions: KnownActions = KnownActions()) {
    self.id = id
    self.plan = plan
    self.actions = actions
  }

  public init(
    id: String, plan: UndoPlan = UndoPlan(), actions: KnownActions = KnownActions(), events: some Sequence<RunEvent>
  ) {
    self.init(id: id, plan: plan, actions: actions)
    for event in events { apply(event) }
  }

  /// The runbook says that it is one.
  public var isDrill: Bool { plan.isDrill }

  public func step(_ path: String) -> StepReport? { stepIndex[path].map { steps[$0] } }
  public func undo(_ entry: String) -> UndoReport? { undoIndex[entry].map { undo[$0] } }

  /// The first step of the main list whose failure ended the run: the one the words at the end name.
  public var failedStep: StepReport? {
    steps.first { step in
      guard step.isMain, !plan.borne.contains(step.path) else { return false }
      return step.status.isOne(of: .failed, .notApplied) || step.status == .unknown && step.endedAt != nil
    }
  }
  /// It came to the end of its steps, and nothing of a rollback is left to be looked at: a drill that missed an
  /// objective is no failure.
  public var isGoodEnd: Bool {
    outcome.isOne(of: .succeeded, .objectiveMissed) && !rollback.isOne(of: .failed, .blocked)
  }

  public var elapsed: Duration? {
    guard let startedAt, let endedAt else { return nil }
    return endedAt - startedAt
  }

  /// An answer or a cancel that a person has posted.
  public struct Posted: Sendable, Equatable {
    public var isCancel: Bool
    public var by: String
    public var at: Timestamp
    public init(isCancel: Bool, by: String, at: Timestamp) {
      self.isCancel = isCancel
      self.by = by
      self.at = at
    }
  }

  /// What a person said about the run, for the words about it.
  public struct Decision: Sendable, Equatable {
    public var by: String
    public var reason: String
    public var at: Timestamp
  }
}

// MARK: - What may still be done

extension RunReport {
  /// Steps whose undo is still owed, newest first.
  public var owed: [StepReport] {
    steps.filter { step in
      let hasUndo = undo.contains { $0.step == step.path } || plan.irreversible.contains(step.path)
      return step.isMain && hasUndo && step.startedAt != nil && step.closed == nil
    }.reversed()
  }

  /// The rollback stopped, or waits for a person, and has something left to do.
  public var owesRollback: Bool {
    abandoned == nil && rollback.isOne(of: .failed, .blocked, .pending) && !owed.isEmpty
  }

  /// The step that cannot be undone and keeps the rollback from the older ones, until a person leaves it out.
  public var blockingStep: String? {
    guard rollback == .blocked, let first = owed.first, plan.irreversible.contains(first.path) else { return nil }
    return first.path
  }

  /// `runbook rollback resume` would be accepted: that, or a person has decided about the rollback since the run ended.
  public var canResumeRollback: Bool { owesRollback || status == .ended && isDecidedSinceEnd }

  /// Undo steps and steps that `runbook rollback skip` would accept, the one to decide about first.
  public var skippable: [String] {
    owed.flatMap { step in
      undo.filter { $0.step == step.path && !$0.status.isOne(of: .succeeded, .skipped) }.map(\.entry) + [step.path]
    }
  }

  /// A cancel would still find something to stop.
  public var canCancel: Bool {
    guard status.isOne(of: .queued, .running, .waiting), cancelledBy == nil, rollbackReason == nil,
      posted == nil
    else {
      return false
    }
    // The last step goes on while a person is asked about it; one that ended without a certain outcome has ended.
    if let last = plan.last, let status = step(last)?.status, !status.isOne(of: .pending, .started),
      status != .unknown || waitingStep != last
    {
      return false
    }
    return !steps.contains { step in
      !step.isMain
        || step.status.isOne(of: .failed, .cancelled, .notApplied) && !plan.borne.contains(step.path)
        || step.status == .unknown && step.path != waitingStep && !plan.borne.contains(step.path)
    }
  }

  /// Some of what the step did was undone.
  private func wasUndone(_ step: StepReport) -> Bool {
    step.closed == "undone"
      || undo.contains { $0.step == step.path && !$0.status.isOne(of: .pending, .closed, .skipped) }
  }

  /// From where `runbook rerun --from` may begin: the step that failed, unless one before it was undone.
  public var rerunFrom: String? {
    // What a drill measures begins at its first step.
    guard !isDrill, let failed = failedStep else { return nil }
    let before = steps.prefix { $0.path != failed.path }.filter(\.isMain)
    return before.contains { wasUndone($0) } ? nil : failed.path
  }
}

extension RunReport {
  public mutating func apply(_ event: RunEvent) {
    let fields = event.fields
    noteServer(event)
    switch event.event {
    case "run.started":
      name = fields["name"]?.string ?? name
      file = fields["file"]?.string
      isSimulated = fields["simulated"]?.bool ?? false
      inputs = fields["inputs"] ?? inputs
      startedAt = event.at
      status = .known(.running)
    case "run.resumed":
      leftReason = nil
      if status == .queued { status = .known(.running) }
    case "run.waiting": park(fields)
    case "step.approved", "step.rejected": noteAnswer(event)
    case "step.resolved": unpark(fields["step"]?.string)
    case "run.restored": isRestored = true
    case "run.restored_accepted": isRestored = false
    case "cancel.requested": cancelledBy = fields["by"]?.string ?? "somebody"
    case "rollback.started":
      status = .known(.rollingBack)
      rollbackReason = fields["reason"]?.string ?? ""
    case "rollback.ended":
      status = .known(.ending)
      rollback = fields["outcome"]?.string.map { Word($0) } ?? rollback
    case "run.ended":
      status = .known(.ended)
      outcome = fields["outcome"]?.string.map { Word($0) }
      rollback = fields["rollback"]?.string.map { Word($0) } ?? rollback
      exitCode = fields["exit_code"]?.int
      outputs = fields["outputs"] ?? outputs
      endedAt = event.at
      isDecidedSinceEnd = false
      drill = DrillVerdict(fields["drill"]) ?? drill
    case "drill.judged": drill = DrillVerdict(.map(fields))
    case "run.outputs": outputsError = ReportedError(fields["error"]).flatMap { $0.value["kind"] == nil ? nil : $0 }
    case "run.checked": problems = fields["problems"]?.list?.compactMap { $0.string } ?? []
    case "rollback.resumed":
      status = .known(.rollingBack)
      rollback = nil
      rollbackReason = rollbackReason ?? ""
      outcome = nil
      exitCode = nil
      endedAt = nil
    case "rollback.abandoned":
      let decision = RunReport.decision(event)
      abandoned = decision
      rollback = .known(.failed)
      close("abandoned by \(decision.by)", steps: owed.map(\.path))
    case "run.left": leftReason = fields["reason"]?.string ?? ""
    case let name where name.hasPrefix("undo."): applyUndo(event)
    default: applyStep(event)
    }
  }

  private mutating func park(_ fields: [String: Value]) {
    status = .known(.waiting)
    waitingStep = fields["step"]?.string
    questions = max(questions < .max ? questions + 1 : questions, fields["question"]?.int ?? 0)
    question = questions
    approval = ApprovalReport(fields)
    guard approval == nil, let path = waitingStep, let index = stepIndex[path] else { return }
    steps[index].status = .known(.unknown)
    steps[index].error = ReportedError(fields["error"])
  }

  private mutating func noteAnswer(_ event: RunEvent) {
    guard let path = event.fields["step"]?.string, let by = event.fields["by"]?.string else { return }
    if event.event == "step.approved" { approval?.approvedBy.append(by) }
    guard let index = stepIndex[path] else { return }
    if event.event == "step.approved" { steps[index].approvedBy.append(by) }
  }

  /// The question is answered, or no longer asked.
  private mutating func unpark(_ path: String?) {
    if status == .waiting { status = .known(rollbackReason == nil ? .running : .rollingBack) }
    waitingStep = nil
    question = nil
    approval = nil
    guard let path, let index = stepIndex[path], steps[index].status == .unknown else { return }
    steps[index].status = .known(.started)
    steps[index].error = nil
  }

  public static func decision(_ event: RunEvent) -> Decision {
    Decision(
      by: event.fields["by"]?.string ?? "somebody", reason: event.fields["reason"]?.string ?? "", at: event.at)
  }

  /// The undo of these steps is done with.
  private mutating func close(_ reason: String, steps paths: [String]) {
    for path in paths { if let index = stepIndex[path] { steps[index].closed = reason } }
  }

  private mutating func applyStep(_ event: RunEvent) {
    let fields = event.fields
    guard let path = fields["step"]?.string, fields["purpose"]?.string != "undo", undoIndex[path] == nil else { return }
    guard event.event.hasPrefix("step.") || event.event.hasPrefix("attempt.") else { return }
    let index =
      stepIndex[path]
      ?? add(StepReport(path: path))
    switch event.event {
    case "step.started":
      steps[index].title = fields["title"]?.string ?? path
      steps[index].action = fields["action"]?.string ?? ""
      let action = actions.declaration(of: steps[index].action)
      steps[index].logLine = action?.logLine
      steps[index].asksPeople = action?.asksPeople ?? false
      steps[index].purpose = fields["purpose"]?.string.map { Word($0) } ?? .known(.do)
      steps[index].effect = fields["effect"]?.string.map { Word($0) } ?? .known(.none)
      steps[index].effectClass = fields["class"]?.string
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 1)
      steps[index].status = .known(.started)
      steps[index].startedAt = steps[index].startedAt ?? event.at
      for planned in plan.entries[path] ?? [] where undoIndex[planned.entry] == nil { add(planned) }
    case "attempt.started", "attempt.ended":
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 0)
    case "step.waiting":
      steps[index].until = fields["until"]?.string
      steps[index].deadline = RunReport.instant(fields["deadline"])
      steps[index].nativeState = fields["native_state"]?.string
    case "step.ended":
      if path == waitingStep { unpark(nil) }
      steps[index].status = fields["status"]?.string.map { Word($0) } ?? .known(.unknown)
      steps[index].outputs = fields["outputs"] ?? .map([:])
      steps[index].error = ReportedError(fields["error"])
      steps[index].title = fields["title"]?.string ?? steps[index].title
      steps[index].attempts = max(steps[index].attempts, fields["attempts"]?.int ?? 0)
      let action = actions.declaration(of: steps[index].action)
      steps[index].logLine = action?.logLine
      steps[index].asksPeople = action?.asksPeople ?? false
      steps[index].purpose = fields["purpose"]?.string.map { Word($0) } ?? steps[index].purpose
      if steps[index].startedAt != nil { steps[index].endedAt = event.at }
      // Like the machine, which closes all entries before a `commit` without a word of its own.
      if steps[index].status == .succeeded, actions.declaration(of: steps[index].action)?.isCommit == true {
        close("committed", steps: owed.map(\.path))
        for entry in undo.indices where undo[entry].status == .pending { undo[entry].status = .known(.closed) }
      }
    default: break
    }
  }

  private mutating func applyUndo(_ event: RunEvent) {
    let fields = event.fields
    if event.event == "undo.closed", let step = fields["step"]?.string {
      closeUndo(of: step, fields["reason"]?.string ?? "")
      return
    }
    guard let entry = fields["entry"]?.string else { return }
    if event.event == "undo.ended", entry == waitingStep { unpark(nil) }
    if event.event == "undo.skipped" { return leaveOut(entry, RunReport.decision(event)) }
    let step = fields["step"]?.string ?? StepPath(entry).owner.text
    let index =
      undoIndex[entry] ?? add(UndoReport(entry: entry, step: step, title: entry, action: ""))
    switch event.event {
    case "undo.started":
      undo[index].action = fields["action"]?.string ?? undo[index].action
      undo[index].title = fields["title"]?.string ?? undo[index].title
      undo[index].status = .known(.started)
      undo[index].startedAt = event.at
      undo[index].endedAt = nil
      undo[index].error = nil
    case "undo.ended":
      undo[index].status = fields["status"]?.string.map { Word($0) } ?? .known(.unknown)
      undo[index].error = ReportedError(fields["error"])
      undo[index].endedAt = event.at
    default: break
    }
  }

  private mutating func closeUndo(of step: String, _ reason: String) {
    close(reason, steps: [step])
    for index in undo.indices where undo[index].step == step && undo[index].status == .pending {
      undo[index].status = .known(.closed)
    }
  }

  /// A person leaves out an undo step, or all that is left of a step's.
  private mutating func leaveOut(_ entry: String, _ decision: Decision) {
    isDecidedSinceEnd = true
    let step = StepPath(entry).owner.text
    if step == entry {
      close("left out by \(decision.by)", steps: [step])
      if let index = stepIndex[step] { steps[index].leftOut = decision }
    }
    if step != entry, undoIndex[entry] == nil {
      add(UndoReport(entry: entry, step: step, title: entry, action: ""))
    }
    for index in undo.indices where undo[index].entry == entry || step == entry && undo[index].step == step {
      guard !undo[index].status.isOne(of: .succeeded, .skipped) else { continue }
      undo[index].status = .known(.skipped)
      undo[index].leftOut = decision
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

  mutating func begin(_ path: String, on server: String, looks isLook: Bool, deletes: Bool) {
    actsOn[path] = server
    if isLook { looks.insert(path) }
    if deletes { deletions.insert(path) }
    if !servers.contains(where: { $0.id == server }) { servers.append(ServerReport(id: server, by: "")) }
  }

  /// The newest that is known of the server which a step acts on.
  mutating func tell(_ path: String, _ news: (ServerReport) -> ServerReport) {
    guard let id = actsOn[path], let index = servers.firstIndex(where: { $0.id == id }) else { return }
    servers[index] = news(servers[index])
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

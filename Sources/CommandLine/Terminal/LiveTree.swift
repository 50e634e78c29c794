import Runbook

/// A run as it is watched: events in, lines out. A line that is finished is handed out once and never changes; the live
/// lines are made anew for each frame. Knows no terminal and no clock.
struct LiveTree {
  private(set) var report: RunReport
  private var finished: [StyledText] = []
  let glyphs: Glyphs
  /// Steps of the main list, in order, that have not begun.
  private(set) var upcoming: [String]
  let total: Int
  let nameWidth: Int
  /// What was last said of a running step that has something called.
  private(set) var running: [String: Running] = [:]
  /// What goes on and stands in no other step, in order of its start; undo steps of the run's rollback too.
  private(set) var order: [String] = []
  /// By the path of an iteration that is undone by itself: the undo step that goes on.
  private(set) var unwinding: [String: String] = [:]
  private var undoOwner: String?
  private(set) var notice: String?
  /// What is waited for between two steps.
  private(set) var awaited: String?

  struct Running {
    var name: String
    var startedAt: Timestamp
    var isUndo: Bool
    var attempt: Int64 = 1
    var until: String?
    var deadline: Timestamp?
    var nativeState: String?
    var message: String?
    var failure: String?
    var retryAt: Timestamp?
    /// The last lines of its script.
    var output: [String] = []
  }

  init(runID: String, runbook: ValidatedRunbook? = nil, glyphs: Glyphs) {
    self.init(
      runID: runID, plan: runbook.map(UndoPlan.init) ?? UndoPlan(), steps: runbook?.listed ?? [], glyphs: glyphs)
  }

  /// - Parameter steps: the steps of the main list, those that hold others as one.
  init(runID: String, plan: UndoPlan, steps: [String], glyphs: Glyphs) {
    report = RunReport(id: runID, plan: plan, actions: Composition.actions)
    self.glyphs = glyphs
    upcoming = steps
    total = steps.count
    nameWidth = min(24, max(8, steps.map { DisplayWidth.of(DisplayText.escaped($0)) }.max() ?? 8))
  }

  mutating func takeFinished() -> [StyledText] {
    defer { finished = [] }
    return finished
  }

  /// Stands in the footer from now on: Ctrl-C is answered at once, before the run has noticed it.
  mutating func show(notice: String) { self.notice = notice }

  /// What an earlier process was doing when it ended: it is not doing it any more, and the engine will say what
  /// becomes of it.
  mutating func forgetWhatRan() {
    running = [:]
    order = order.filter { report.step($0)?.isHolder == true }
    unwinding = [:]
  }

  mutating func handle(_ progress: RunProgress) {
    guard var state = running[progress.step] else { return tell(progress) }
    state.nativeState = progress.nativeState ?? state.nativeState
    state.message = progress.message ?? state.message
    state.output = progress.output ?? state.output
    running[progress.step] = state
  }

  /// Of a step that has not begun (what is there is read first) or has ended (it comes to rest before its undo).
  private mutating func tell(_ progress: RunProgress) {
    guard let message = progress.message else { return }
    awaited = "\(DisplayText.escaped(progress.step, limit: 100)): \(DisplayText.escaped(message, limit: 200))"
  }

  mutating func handle(_ event: RunEvent) {
    report.apply(event)
    awaited = nil
    let fields = event.fields
    switch event.event {
    case "run.started": finished += header()
    case "run.resumed": finished.append(faint("resumed here; finished steps are not repeated"))
    case "run.checked" where !report.problems.isEmpty:
      for problem in report.problems {
        finished.append(line(glyphs.failed, .bad, "checks", nil, DisplayText.escaped(problem, limit: 600), .bad))
      }
    case "run.outputs":
      if let why = RunWords.failure(report.outputsError) {
        finished.append(line(glyphs.failed, .bad, "outputs", nil, why, .bad))
      }
    case "rollback.started" where fields["scope"]?.string != nil, "rollback.ended" where fields["scope"]?.string != nil:
      noteUnwinding(event)
    case "rollback.started":
      let reason = RunWords.rollbackReason(report)
      finished += [
        StyledText(), StyledText("  \(glyphs.undo) ", .warning) + StyledText("rolling back", .strong) + ": \(reason)",
      ]
      upcoming = []
    case "rollback.resumed":
      finished.append(StyledText("  \(glyphs.undo) ", .warning) + StyledText("rolling back again", .strong))
    case "cancel.requested":
      finished.append(faint("cancel asked for by \(DisplayText.escaped(report.cancelledBy ?? "somebody", limit: 64))"))
    case "step.started", "undo.started": begin(event)
    case "attempt.started":
      update(fields) {
        $0.attempt = fields["attempt"]?.int ?? $0.attempt; $0.retryAt = nil
      }
    case "attempt.ended":
      let failure = fields["error"].flatMap { RunWords.failure($0) }
      update(fields) {
        $0.failure = failure ?? $0.failure; $0.retryAt = RunReport.instant(fields["retry_at"])
      }
    case "step.waiting":
      update(fields) {
        $0.until = RunWords.goal(fields["until"]?.string)
        $0.deadline = RunReport.instant(fields["deadline"]) ?? $0.deadline
        $0.nativeState = fields["native_state"]?.string ?? $0.nativeState
      }
    case "run.waiting": ask(fields)
    case "scope.started": beginHolder(fields)
    case "scope.ended": endHolder(fields)
    case "step.ended": endStep(fields)
    case "undo.ended": endUndo(fields)
    case "undo.skipped", "undo.closed": closeUndo(event)
    case "rollback.abandoned":
      finished.append(faint("rollback abandoned \(report.abandoned.map { RunWords.decision($0) } ?? "")"))
    default: if let words = RunWords.notice(event, in: report) { finished.append(faint(words)) }
    }
  }

  private mutating func begin(_ event: RunEvent) {
    let fields = event.fields
    guard let path = (fields["entry"] ?? fields["step"])?.string else { return }
    let isUndo = event.event == "undo.started"
    upcoming.removeAll { $0 == path }
    let name = isUndo ? fields["action"]?.string ?? path : report.step(path).map { self.name(of: $0) } ?? path
    running[path] = Running(name: DisplayText.escaped(name, limit: 100), startedAt: event.at, isUndo: isUndo)
    let owner = fields["step"]?.string ?? StepPath(path).owner.text
    if isUndo, let iteration = report.iterationBeingUndone(around: owner) {
      unwinding[iteration] = path
      return
    }
    if isUndo { showOwner(of: owner) }
    // What stands in another step is shown below it.
    if !isUndo, report.step(path).map({ $0.depth > 0 }) == true { return }
    if !order.contains(path) { order.append(path) }
  }

  private mutating func beginHolder(_ fields: [String: Value]) {
    guard let path = fields["step"]?.string, let step = report.step(path), step.depth == 0 else { return }
    upcoming.removeAll { $0 == path }
    if !order.contains(path) { order.append(path) }
  }

  /// One of the main list is folded when it has ended: what went well to one line.
  private mutating func endHolder(_ fields: [String: Value]) {
    guard let path = fields["step"]?.string, let step = report.step(path), step.depth == 0 else { return }
    forget(path)
    upcoming.removeAll { $0 == path }
    let isWell = step.status.isOne(of: .succeeded, .skipped) && (step.holds?.isLoop != true || step.holds?.failed == 0)
    let lines = FoldedTree.lines(of: path, in: report)
    finished += (isWell ? Array(lines.prefix(1)) : lines).map { folded($0) }
  }

  /// An iteration is undone by itself: that is shown where it stands, and told when it went wrong.
  private mutating func noteUnwinding(_ event: RunEvent) {
    guard let path = event.fields["scope"]?.string, event.event == "rollback.ended" else { return }
    unwinding[path] = nil
    guard !["succeeded", "not_needed"].contains(event.fields["outcome"]?.string) else { return }
    let words = RunWords.unwinding(event, in: report, isVerbose: false) ?? ""
    finished.append(StyledText("  \(glyphs.failed) ", .bad) + StyledText(words, .bad))
  }

  private mutating func showOwner(of step: String) {
    guard undoOwner != step else { return }
    undoOwner = step
    finished.append(StyledText("  \(glyphs.undo) ", .warning) + DisplayText.escaped(step, limit: 100))
  }

  /// The question stays in sight above the step that waits.
  private mutating func ask(_ fields: [String: Value]) {
    guard let approval = report.question(about: fields["step"]?.string)?.approval else { return }
    if report.asked.count > 1 { finished.append(faint("  \(DisplayText.escaped(approval.step, limit: 100)) asks:")) }
    finished.append(
      StyledText("    ? ", .warning) + StyledText(DisplayText.escaped(approval.prompt, limit: 1000), .strong))
    if !report.isSimulated {
      let words = ["approve", report.id, approval.step, "--seen", approval.digest]
      finished.append(faint("      \(Advice.line(words))"))
      finished.append(faint("      \(Advice.line("reject", report.id, approval.step))"))
    }
    update(fields) {
      $0.until = "an answer"
      $0.deadline = approval.until ?? $0.deadline
    }
  }

  private mutating func update(_ fields: [String: Value], _ change: (inout Running) -> Void) {
    guard let path = (fields["entry"] ?? fields["step"])?.string, var state = running[path] else { return }
    change(&state)
    running[path] = state
  }

  private mutating func endStep(_ fields: [String: Value]) {
    guard let path = fields["step"]?.string, let step = report.step(path) else { return }
    forget(path)
    upcoming.removeAll { $0 == path }
    // Inside another step it is shown below that; only what it has to say to people stays.
    guard step.depth == 0 || RunWords.message(of: step) != nil else { return }
    finished.append(ended(step, as: path))
  }

  /// `✓ stop         32s  stopped`
  func ended(_ step: StepReport, as name: String, indent: Int = 0) -> StyledText {
    let (glyph, role) = mark(step.status)
    let words = step.status == .failed ? RunWords.failure(step.error) ?? "failed" : endWords(step)
    let attempts = step.attempts > 1 ? "\(glyphs.divider)\(step.attempts) attempts" : ""
    let text = StyledText(words + attempts, step.status == .failed ? .bad : .faint)
    return row(glyph, role, name, step.elapsed?.elapsedText ?? "", text, indent: indent)
  }

  private func endWords(_ step: StepReport) -> String {
    switch step.status.known {
    case .succeeded: RunWords.message(of: step) ?? RunWords.stateWord(step.until) ?? "done"
    case .unknown: "outcome unknown"
    default: RunWords.spaced(DisplayText.escaped(step.status.text, limit: 40))
    }
  }

  private mutating func endUndo(_ fields: [String: Value]) {
    guard let entry = fields["entry"]?.string, let undo = report.undo(entry) else { return }
    if let iteration = report.iterationBeingUndone(around: undo.step) {
      unwinding[iteration] = nil
      running[entry] = nil
      return
    }
    let name = running[entry]?.name ?? DisplayText.escaped(undo.action.isEmpty ? entry : undo.action, limit: 100)
    showOwner(of: undo.step)
    let until = running[entry]?.until
    forget(entry)
    let (glyph, role) = mark(Word<StepStatus>(undo.status.text))
    var words =
      undo.status == .succeeded ? until ?? "done" : RunWords.spaced(DisplayText.escaped(undo.status.text, limit: 40))
    if undo.status == .failed { words = RunWords.failure(undo.error) ?? "failed" }
    if undo.status == .skipped { words = RunWords.end(of: undo) }
    var took: Duration?
    if let start = undo.startedAt, let end = undo.endedAt, undo.status != .skipped { took = end - start }
    finished.append(StyledText("  ") + line(glyph, role, name, took, words, undo.status == .failed ? .bad : .faint))
  }

  private mutating func closeUndo(_ event: RunEvent) {
    let subject = (event.fields["entry"] ?? event.fields["step"])?.string ?? "?"
    let isLeftOut = event.event == "undo.skipped"
    let words =
      isLeftOut
      ? "left out \(RunWords.decision(RunReport.decision(event)))" : RunWords.closed(event.fields["reason"]?.string)
    guard let words, isLeftOut || report.iterationBeingUndone(around: subject) == nil else { return }
    finished.append(
      StyledText("  \(glyphs.undo) ", .warning) + DisplayText.escaped(subject, limit: 100) + "  "
        + StyledText(DisplayText.escaped(words, limit: 300), .faint))
  }

  private mutating func forget(_ path: String) {
    running[path] = nil
    order.removeAll { $0 == path }
  }

  func mark(_ status: Word<StepStatus>) -> (String, StyledText.Role) {
    switch status.known {
    case .succeeded: (glyphs.done, .good)
    case .failed: (glyphs.failed, .bad)
    case .skipped, .notRun, .notApplied: (glyphs.skipped, .faint)
    default: (glyphs.unknown, .warning)
    }
  }

  private func header() -> [StyledText] {
    var text = StyledText(DisplayText.escaped(report.name, limit: 64), .strong) + "  " + StyledText(report.id, .faint)
    for (name, value) in (report.inputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      text =
        text + "  " + StyledText("\(DisplayText.escaped(name, limit: 64))=", .faint)
        + DisplayText.line(value, limit: 60)
    }
    if report.isSimulated { text = text + "  " + StyledText("simulated", .active) }
    return [text, StyledText()]
  }

  private func faint(_ text: String) -> StyledText { StyledText("  \(text)", .faint) }

  /// `  ✓ stop         32s  stopped`
  private func line(
    _ glyph: String, _ role: StyledText.Role, _ name: String, _ took: Duration?, _ words: String,
    _ wordRole: StyledText.Role
  ) -> StyledText {
    row(glyph, role, name, took?.elapsedText ?? "", StyledText(words, wordRole))
  }

  func row(
    _ glyph: String, _ role: StyledText.Role, _ name: String, _ time: String, _ words: StyledText, indent: Int = 0
  ) -> StyledText {
    let shown = DisplayWidth.padded(DisplayText.escaped(name, limit: 100), to: nameWidth - indent)
    let gap = String(repeating: " ", count: max(0, 6 - time.count))
    let margin = StyledText(String(repeating: " ", count: indent + 2))
    return margin + StyledText("\(glyph) ", role) + shown + "  \(gap)" + StyledText(time, .faint) + "  "
      + words
  }
}

import Runbook

/// A run as it is watched: events in, lines out. A line that is finished is handed out once and never changes; the live
/// lines are made anew for each frame. Knows no terminal and no clock.
struct LiveTree {
  private(set) var report: RunReport
  private var finished: [StyledText] = []
  private let glyphs: Glyphs
  /// Steps of the main list, in order, that have not begun.
  private var upcoming: [String]
  private let total: Int
  private let nameWidth: Int
  /// What was last said of a running step.
  private var running: [String: Running] = [:]
  /// In order of their start.
  private var order: [String] = []
  private var undoOwner: String?
  private var notice: String?
  /// What is waited for between two steps.
  private var awaited: String?

  private struct Running {
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
      runID: runID, plan: runbook.map(UndoPlan.init) ?? UndoPlan(), steps: runbook?.mainSteps.map(\.path.text) ?? [],
      glyphs: glyphs)
  }

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
    order = []
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
    case "run.waiting" where report.approval != nil: ask(fields)
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
    let name = isUndo ? fields["action"]?.string ?? path : path
    if isUndo { showOwner(of: fields["step"]?.string ?? StepPath(path).owner.text) }
    running[path] = Running(name: DisplayText.escaped(name, limit: 100), startedAt: event.at, isUndo: isUndo)
    if !order.contains(path) { order.append(path) }
  }

  private mutating func showOwner(of step: String) {
    guard undoOwner != step else { return }
    undoOwner = step
    finished.append(StyledText("  \(glyphs.undo) ", .warning) + DisplayText.escaped(step, limit: 100))
  }

  /// The question stays in sight above the step that waits.
  private mutating func ask(_ fields: [String: Value]) {
    guard let approval = report.approval else { return }
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
    let (glyph, role) = mark(step.status)
    let words = step.status == .failed ? RunWords.failure(step.error) ?? "failed" : endWords(step)
    let attempts = step.attempts > 1 ? "\(glyphs.divider)\(step.attempts) attempts" : ""
    finished.append(line(glyph, role, path, step.elapsed, words + attempts, step.status == .failed ? .bad : .faint))
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
    guard let words else { return }
    finished.append(
      StyledText("  \(glyphs.undo) ", .warning) + DisplayText.escaped(subject, limit: 100) + "  "
        + StyledText(DisplayText.escaped(words, limit: 300), .faint))
  }

  private mutating func forget(_ path: String) {
    running[path] = nil
    order.removeAll { $0 == path }
  }

  private func mark(_ status: Word<StepStatus>) -> (String, StyledText.Role) {
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

  private func row(_ glyph: String, _ role: StyledText.Role, _ name: String, _ time: String, _ words: StyledText)
    -> StyledText
  {
    let shown = DisplayWidth.padded(DisplayText.escaped(name, limit: 100), to: nameWidth)
    let gap = String(repeating: " ", count: max(0, 6 - time.count))
    return StyledText("  ") + StyledText("\(glyph) ", role) + shown + "  \(gap)" + StyledText(time, .faint) + "  "
      + words
  }

  // MARK: Live lines

  /// What goes on at `now`, what comes next, and one line for all of it. `frame` turns the spinner.
  func live(at now: Timestamp, frame: Int, rows: Int) -> [StyledText] {
    guard report.status != .ended, report.startedAt != nil else { return [] }
    let spinner = glyphs.spinner[frame % glyphs.spinner.count]
    var lines = order.flatMap { path in running[path].map { runningLines($0, spinner, now) } ?? [] }
    if let awaited { lines.append(StyledText("  \(spinner) ", .active) + awaited) }
    let room = max(0, min(4, rows - lines.count - 4))
    lines += upcoming.prefix(room).map { StyledText("  \(glyphs.next) \(DisplayText.escaped($0, limit: 100))", .faint) }
    return lines + [StyledText(), footer(now)]
  }

  private func runningLines(_ state: Running, _ spinner: String, _ now: Timestamp) -> [StyledText] {
    let indent = state.isUndo ? "        | " : "      | "
    return [runningLine(state, spinner, now)]
      + state.output.map { StyledText(indent + DisplayText.escaped($0, limit: 200), .faint) }
  }

  private func runningLine(_ state: Running, _ spinner: String, _ now: Timestamp) -> StyledText {
    let elapsed = (now - state.startedAt).elapsedSeconds
    let line = row(spinner, .active, state.name, elapsed, words(for: state, now))
    return state.isUndo ? StyledText("  ") + line : line
  }

  private func words(for state: Running, _ now: Timestamp) -> StyledText {
    if let retryAt = state.retryAt, retryAt > now {
      let why = state.failure.map { ": \($0)" } ?? ""
      return StyledText("attempt \(state.attempt) failed, again in \((retryAt - now).elapsedSeconds)\(why)", .warning)
    }
    var parts: [String] = []
    if state.attempt > 1 { parts.append("attempt \(state.attempt)") }
    if let until = state.until { parts.append("until \(until)") }
    if let native = state.nativeState { parts.append("now \(DisplayText.escaped(native, limit: 60))") }
    if let message = state.message { parts.append(DisplayText.escaped(message, limit: 200)) }
    if state.until != nil || state.nativeState != nil, let deadline = state.deadline {
      parts.append("at most \((deadline - state.startedAt).elapsedSeconds)")
    }
    return StyledText(parts.joined(separator: glyphs.divider), .plain)
  }

  private func footer(_ now: Timestamp) -> StyledText {
    var parts: [String] = []
    if let start = report.startedAt { parts.append((now - start).elapsedSeconds) }
    if report.rollbackReason == nil, total > 0 {
      let begun = report.steps.filter { $0.isMain && $0.status != .started }.count
      parts.append("\(begun) of \(total)")
    }
    if let notice {
      parts.append(notice)
    } else if report.cancelledBy != nil {
      parts.append("cancelling")
    } else {
      parts.append(report.rollbackReason == nil ? "Ctrl-C cancels and undoes" : "undoing, newest first")
    }
    return StyledText("  " + parts.joined(separator: glyphs.divider), .faint)
  }
}

/// Events in, one plain line for each out: what `run` prints into a pipe and `logs` shows. `12:03:11 stop … stopped
/// after 32s`
public struct EventText: Sendable {
  /// The run as told so far.
  public private(set) var report: RunReport
  /// Every event, with attempts that went well, outputs and inputs.
  let isVerbose: Bool
  /// Hour, minute and second, in whatever zone the reader lives.
  private let clockText: @Sendable (Timestamp) -> String
  /// Day and zone, for the line with which a run begins or goes on.
  private let dayText: @Sendable (Timestamp) -> String
  private let commands: AdvisedCommands

  /// - Parameter actions: see `RunReport.init`.
  public init(
    runID: String = "", verbose: Bool = false, clockText: @escaping @Sendable (Timestamp) -> String = EventText.utc,
    dayText: @escaping @Sendable (Timestamp) -> String = EventText.utcDay,
    commands: AdvisedCommands = AdvisedCommands(), actions: KnownActions = KnownActions()
  ) {
    self.dayText = dayText
    self.commands = commands
    report = RunReport(id: runID, actions: actions)
    isVerbose = verbose
    self.clockText = clockText
  }

  public static let utc: @Sendable (Timestamp) -> String = { instant in
    String(instant.description.dropFirst(11).prefix(8))
  }

  public static let utcDay: @Sendable (Timestamp) -> String = { "\($0.description.prefix(10)) UTC" }

  /// nil for an event that says nothing to a person.
  public mutating func line(for event: RunEvent) -> String? {
    if report.id.isEmpty { report.id = event.runID }
    report.apply(event)
    return words(for: event).map { "\(clockText(event.at)) \($0)" }
  }

  /// What goes on between two events: `12:03:21 stop … progress: …`.
  public func line(for progress: RunProgress, at instant: Timestamp) -> String {
    let path = DisplayText.escaped(progress.step, limit: 100)
    let subject = report.undo(progress.step).map { "undo \(DisplayText.escaped($0.step, limit: 100))" } ?? path
    return "\(clockText(instant)) \(subject) … progress: \(DisplayText.escaped(progress.message ?? "", limit: 300))"
  }

  private func words(for event: RunEvent) -> String? {
    let fields = event.fields
    switch event.event {
    case "run.started": return started(fields, at: event.at)
    case "run.resumed":
      let place = fields["host"]?.string.map { " on \(DisplayText.escaped($0, limit: 80))" } ?? ""
      let pid = fields["pid"]?.int.map { ", process \($0)" } ?? ""
      let names = EventText.names(fields["without"])
      let without = names.isEmpty ? "" : ", without secret \(names)"
      let changed = EventText.names(fields["changed"])
      let news = changed.isEmpty ? "" : "; changed since its start: secret \(changed)"
      return "resumed \(report.id)\(place)\(pid)\(without)\(news) (\(dayText(event.at)))"
    case "run.waiting":
      let path = fields["step"]?.string
      return report.question(about: path)?.approval.map { asks($0) } ?? waiting(for: fields["for"]?.string, at: path)
    case "step.resolved":
      return "\(name(fields["step"])) … answered: \(word(fields["answer"]))\(by(fields["by"]))"
    case "cancel.requested":
      let what = fields["rollback"]?.bool == false ? "its changes stay as they are" : "undoing the changes"
      return "cancel\(by(fields["by"])): \(what)"
    case "rollback.started", "rollback.ended":
      if fields["scope"]?.string != nil { return RunWords.unwinding(event, in: report, isVerbose: isVerbose) }
      if event.event == "rollback.started" { return "rolling back: \(RunWords.rollbackReason(report))" }
      // Only iterations were undone, which each of them has told.
      let isUntold = report.rollback == .notNeeded || report.rollback == .succeeded && report.rollbackReason == nil
      if isUntold, !isVerbose { return nil }
      return "rollback \(RunWords.spaced(word(fields["outcome"])))"
    case "run.ended":
      let took = report.elapsed.map { " after \($0.elapsedText)" } ?? ""
      let code = report.exitCode.map { " (exit \($0))" } ?? ""
      if report.isOnlyBorne { return "failed\(took): \(ClosingWords.borne(report, Standing(report)))\(code)" }
      return RunWords.outcome(report.outcome, rollback: report.rollback) + took + code
    case "run.checked":
      guard !report.problems.isEmpty else { return isVerbose ? "checked: ready to begin" : nil }
      return "not begun: " + report.problems.map { DisplayText.escaped($0, limit: 300) }.joined(separator: "; ")
    case "run.outputs":
      return RunWords.failure(report.outputsError).map { "outputs failed: \($0)" }
    case "rollback.resumed": return "rolling back again\(by(fields["by"]))"
    case "rollback.abandoned": return "rollback abandoned\(by(fields["by"])): \(word(fields["reason"], limit: 300))"
    case "run.left":
      let left = "left, not ended: \(word(fields["reason"], limit: 300))"
      return report.isSimulated ? left : "\(left); `\(commands.line("resume", report.id))` goes on"
    case "scope.started", "scope.rescuing", "scope.ended": return holderWords(event)
    default:
      if let notice = RunWords.notice(event, in: report) { return notice }
      return event.event.hasPrefix("undo.") ? undoWords(event) : stepWords(event)
    }
  }

  private static func names(_ list: Value?) -> String {
    (list?.list ?? []).compactMap { $0.string }.map { DisplayText.escaped($0, limit: 64) }.joined(separator: ", ")
  }

  private func started(_ fields: [String: Value], at instant: Timestamp) -> String {
    let what = report.isSimulated ? "simulating" : "started"
    var text = "\(what) \(DisplayText.escaped(report.name, limit: 64)) as \(report.id) (\(dayText(instant)))"
    if let inputs = report.inputs.map, !inputs.isEmpty {
      let shown = inputs.sorted { $0.key < $1.key }
        .map { "\(DisplayText.escaped($0.key, limit: 64))=\(DisplayText.line($0.value, limit: 80))" }
      text += ": " + shown.joined(separator: ", ")
    }
    let short = EventText.names(fields["unsearched"])
    if !short.isEmpty { text += "; too short to be hidden in output: secret \(short)" }
    return text
  }

  private func stepWords(_ event: RunEvent) -> String? {
    let fields = event.fields
    guard let path = fields["step"]?.string else { return isVerbose ? raw(event) : nil }
    // Attempts and waits of an undo step come under its own path.
    let subject = report.undo(path).map { "undo \(DisplayText.escaped($0.step, limit: 100))" } ?? name(fields["step"])
    let step =
      report.step(path)
      ?? StepReport(path: path, purpose: .undo, status: .started)
    switch event.event {
    case "step.started":
      let item = report.item(of: step).map { " for \(RunWords.shown($0))" } ?? ""
      return "\(subject) … \(DisplayText.escaped(step.action, limit: 64))\(item)\(title(of: step))"
    case "attempt.started": return "\(subject) … attempt \(fields["attempt"]?.int ?? 1)"
    case "attempt.ended": return attempt(subject, fields)
    case "step.waiting": return waiting(subject, fields)
    case "step.ended":
      var text = "\(subject) … \(RunWords.end(of: step))"
      if isVerbose, let outputs = step.outputs.map, !outputs.isEmpty {
        text += " \(DisplayText.line(step.outputs, limit: 1000))"
      }
      return text
    default: return isVerbose ? raw(event) : nil
    }
  }

  /// In brackets, if it says more than the path.
  func title(of step: StepReport) -> String {
    let name = step.name.prefix { $0 != "[" }
    guard step.title != step.path, step.title != step.action, step.title != name, !step.title.isEmpty else { return "" }
    return " (\(DisplayText.escaped(step.title, limit: 100)))"
  }

  private func attempt(_ subject: String, _ fields: [String: Value]) -> String? {
    guard let error = fields["error"], let why = RunWords.failure(error) else {
      return isVerbose ? "\(subject) … attempt \(fields["attempt"]?.int ?? 1) ended" : nil
    }
    guard let again = RunReport.instant(fields["retry_at"]) else {
      return isVerbose ? "\(subject) … attempt \(fields["attempt"]?.int ?? 1) failed: \(why)" : nil
    }
    return "\(subject) … attempt \(fields["attempt"]?.int ?? 1) failed: \(why); again at \(clockText(again))"
  }

  private func waiting(_ subject: String, _ fields: [String: Value]) -> String {
    let until = fields["until"]?.string
    let goal = RunWords.goal(until).map { "waiting until \($0)" } ?? "waiting"
    let now = fields["native_state"]?.string.map { ", now `\(DisplayText.escaped($0, limit: 60))`" } ?? ""
    let deadline = RunReport.instant(fields["deadline"]).map { ", at the latest \(clockText($0))" } ?? ""
    return "\(subject) … \(goal)\(now)\(deadline)"
  }

  private func undoWords(_ event: RunEvent) -> String? {
    let fields = event.fields
    if event.event == "undo.closed" {
      return RunWords.closed(fields["reason"]?.string).map { "undo \(name(fields["step"])) … \($0)" }
    }
    if event.event == "undo.skipped", let entry = fields["entry"]?.string {
      let subject = "undo \(DisplayText.escaped(StepPath(entry).owner.text, limit: 100))"
      let part = report.undo(entry).map { undo in
        " " + DisplayText.escaped(undo.action.isEmpty ? undo.title : undo.action, limit: 100)
      }
      return "\(subject) …\(part ?? "") left out \(RunWords.decision(RunReport.decision(event)))"
    }
    guard let entry = fields["entry"]?.string, let undo = report.undo(entry) else {
      return isVerbose ? raw(event) : nil
    }
    let subject = "undo \(DisplayText.escaped(undo.step, limit: 100))"
    let action = DisplayText.escaped(undo.action.isEmpty ? undo.title : undo.action, limit: 100)
    switch event.event {
    case "undo.started": return "\(subject) … \(action)"
    case "undo.ended": return "\(subject) … \(action) \(RunWords.end(of: undo))"
    default: return isVerbose ? raw(event) : nil
    }
  }

  /// The question, and below it what answers it.
  private func asks(_ approval: ApprovalReport) -> String {
    let path = DisplayText.escaped(approval.step, limit: 100)
    let until = approval.until.map { " until \(clockText($0)) (\(dayText($0)))" } ?? ""
    return "\(path) … asks\(until): \(DisplayText.escaped(approval.prompt, limit: 1000))"
      + (report.isSimulated
        ? ""
        : " Answer with `\(commands.line("approve", report.id, approval.step, "--seen", approval.digest))` or "
          + "`\(commands.line("reject", report.id, approval.step))`")
  }

  private func waiting(for what: String?, at step: String?) -> String {
    guard let step else { return "waiting for \(DisplayText.escaped(what ?? "an answer", limit: 100))" }
    let subject = DisplayText.escaped(step, limit: 100)
    if what == "lock" { return "\(subject) … waiting for a lock" }
    return
      "\(subject) … waiting for an answer: `\(commands.line("resolve", report.id, step, "--applied"))`,"
      + " `--not-applied`, `--retry` or `--fail`"
  }

  private func raw(_ event: RunEvent) -> String {
    "\(DisplayText.escaped(event.event, limit: 60)) \(DisplayText.line(.map(event.fields), limit: 1000))"
  }
  private func name(_ value: Value?) -> String { DisplayText.escaped(value?.string ?? "?", limit: 100) }
  private func word(_ value: Value?, limit: Int = 60) -> String {
    value.map { DisplayText.line($0, limit: limit) } ?? "?"
  }
  private func by(_ value: Value?) -> String { value?.string.map { " by \(DisplayText.escaped($0, limit: 64))" } ?? "" }
}

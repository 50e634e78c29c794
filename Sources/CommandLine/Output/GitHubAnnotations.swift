import Posix
import Runbook

/// `--annotations github`: workflow commands, which GitHub shows beside the lines of a file. They go to stderr, which
/// its runner reads too, so that stdout stays what `--format` says.
struct GitHubAnnotations {
  enum Level: String { case error, warning, notice }

  private var report: RunReport
  private let lines: [String: Int]

  init(runID: String, runbook: ValidatedRunbook?, earlier: [RunEvent]) {
    let plan = runbook.map { UndoPlan($0) } ?? UndoPlan()
    report = RunReport(id: runID, plan: plan, actions: Composition.actions, events: earlier)
    var lines: [String: Int] = [:]
    runbook?.value.walk { step, _ in lines[step.path.text] = step.range.start.line }
    // A step in a loop stands in the file once, whatever its items; those of a called file stand in another.
    for (template, step) in runbook?.value.placed ?? [] where lines[template] == nil {
      lines[template] = step.range.start.line
    }
    self.lines = lines
  }

  /// nil for an event that needs no attention.
  mutating func command(for event: RunEvent) -> String? {
    report.apply(event)
    let path = event.fields["entry"]?.string ?? event.fields["step"]?.string ?? ""
    switch event.event {
    case "step.ended": return failure(of: path)
    case "scope.ended":
      guard let step = report.step(path), report.isOwnFailure(step) else { return nil }
      return failure(of: path)
    case "undo.ended":
      guard let undo = report.undo(path), undo.status == .failed else { return nil }
      return command(.error, "undo of \(undo.step) failed", RunWords.failure(undo.error) ?? "it failed", at: path)
    case "run.checked":
      guard !report.problems.isEmpty else { return nil }
      return command(.error, "\(report.name) was not begun", report.problems.joined(separator: "\n"))
    case "drill.judged":
      guard report.drill?.isMissed == true else { return nil }
      return command(.error, "\(report.name) missed its objective", RunWords.notice(event, in: report) ?? "")
    case "run.outputs":
      return RunWords.failure(report.outputsError).map { command(.error, "outputs", $0) }
    case "run.waiting":
      if let approval = report.question(about: event.fields["step"]?.string)?.approval {
        return command(.warning, "\(report.name) waits for an approval", approval.prompt, at: path)
      }
      let next = Advice.line("show", report.id)
      return command(.warning, "\(report.name) waits for an answer", "`\(next)` shows the question", at: path)
    case "run.left", "run.ended":
      return command(level, report.name, ClosingWords.lines(for: report, Advice.commands).first?.plain ?? "")
    default: return nil
    }
  }

  /// How much attention the end of the run needs.
  private var level: Level {
    switch (report.status == .ended, report.outcome?.known) {
    case (true, .succeeded) where report.isGoodEnd: .notice
    case (true, .failed), (true, .objectiveMissed): .error
    default: report.rollback.isOne(of: .failed, .blocked) ? .error : .warning
    }
  }

  private func failure(of path: String) -> String? {
    guard let step = report.step(path), step.status.isOne(of: .failed, .unknown, .notApplied) else { return nil }
    let words = ([RunWords.end(of: step)] + RunWords.lastLines(step.error)).joined(separator: "\n")
    return command(report.isBorne(step) ? .warning : .error, "step \(path)", words, at: path)
  }

  private func command(_ level: Level, _ title: String, _ message: String, at path: String? = nil) -> String {
    var properties = ["title": DisplayText.escaped(title, limit: 200)]
    if let file = report.file, let line = path.flatMap({ lines[$0] ?? lines[report.template(of: $0)] }) {
      properties["file"] = GitHubAnnotations.place(of: file)
      properties["line"] = String(line)
    }
    return GitHubAnnotations.command(level, properties, message)
  }

  // MARK: The form

  /// `::error file=a.yaml,line=3,title=step update::exit code: …`, escaped as GitHub's toolkit does: `%`, carriage
  /// return and line feed in the message, `:` and `,` too in a property.
  static func command(_ level: Level, _ properties: [String: String], _ message: String) -> String {
    let order = ["file", "line", "endLine", "col", "endColumn", "title"]
    let shown = order.compactMap { name in properties[name].map { "\(name)=\(property($0))" } }
    return "::\(level.rawValue) \(shown.joined(separator: ","))::\(data(message))"
  }

  static func data(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": escaped += "%25"
      case "\r": escaped += "%0D"
      case "\n": escaped += "%0A"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  static func property(_ text: String) -> String {
    var escaped = ""
    for scalar in data(text).unicodeScalars {
      switch scalar {
      case ":": escaped += "%3A"
      case ",": escaped += "%2C"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A file as GitHub knows it: below the repository's folder, if it is in it.
  static func place(of path: String) -> String {
    guard let workspace = Environment["GITHUB_WORKSPACE"].flatMap({ RunbookFile.realPath($0) }),
      let real = RunbookFile.realPath(path), real.hasPrefix(workspace + "/")
    else { return path }
    return String(real.dropFirst(workspace.count + 1))
  }

  /// A mistake in a file, for `validate`.
  static func command(for diagnostic: Diagnostic, in file: String) -> String {
    let (start, end) = (diagnostic.range.start, diagnostic.range.end)
    var properties = [
      "file": place(of: file), "line": String(start.line), "endLine": String(end.line), "title": diagnostic.code,
    ]
    // Columns mean something on one line only.
    if start.line == end.line {
      properties["col"] = String(start.column)
      properties["endColumn"] = String(max(start.column, end.column - 1))
    }
    let lines = [diagnostic.message, diagnostic.hint].compactMap { $0 }.map { DisplayText.escaped($0) }
    return command(
      diagnostic.severity == .error ? .error : .warning, properties, lines.joined(separator: "\n"))
  }
}

/// The closing report of a run in Markdown: for the summary of a CI job, a ticket, a message.
public enum MarkdownReport {
  /// - Parameters:
  ///   - commands: makes the lines of what to type next.
  ///   - keptIn: the store of the run, for one that has not ended.
  public static func text(
    for report: RunReport, _ commands: AdvisedCommands = AdvisedCommands(), keptIn store: String? = nil
  ) -> String {
    let headline = ClosingWords.lines(for: report, commands, keptIn: store).first?.plain ?? ""
    var lines = ["### \(escaped(headline))", "", "| | |", "|---|---|"]
    lines.append("| run | \(code(report.id)) |")
    if let file = report.file { lines.append("| runbook | \(code(DisplayText.escaped(file, limit: 300))) |") }
    for (name, value) in (report.inputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append("| input \(code(name)) | \(code(DisplayText.line(value, limit: 200))) |")
    }
    lines += ClosingWords.stateLines(report, Standing(report)).map { label, words in
      // The last lines of a script have no word before them, and are shown as they are.
      "| \(escaped(label.plain)) | \(label.plain.isEmpty ? code(words.plain) : escaped(words.plain)) |"
    }
    let steps = FoldedTree.lines(report).filter { line in
      guard case .step(let step, _) = line else { return true }
      return step.startedAt != nil || step.status != .pending
    }
    if !steps.isEmpty {
      lines += ["", "| step | action | result |", "|---|---|---|"]
      lines += steps.map { row($0) } + undo(report)
    }
    let next = NextCommands.of(report, commands)
    if !next.isEmpty {
      lines += ["", "What to type next:", "", "```sh"] + next.map { "\($0.command)   # \($0.meaning)" } + ["```"]
    }
    return lines.joined(separator: "\n") + "\n\n"
  }

  private static func row(_ line: FoldedTree.Line) -> String {
    switch line {
    case .rest(_, let words): return "| \(escaped(words)) | | |"
    case .step(let step, let note):
      let action = step.holds?.kind.text ?? step.action
      let result = (note.map { "\($0): " } ?? "") + RunWords.end(of: step)
      return "| \(code(step.path)) | \(escaped(DisplayText.escaped(action, limit: 64))) | \(escaped(result)) |"
    }
  }

  private static func undo(_ report: RunReport) -> [String] {
    let few = FewOfEach(report.undo.filter { $0.startedAt != nil }, of: report) { $0.entry }
    return few.shown.map { undo in
      "| \(code(undo.entry)) | \(escaped(DisplayText.escaped(undo.action, limit: 64))) "
        + "| \(escaped(RunWords.end(of: undo))) |"
    } + few.more.map { "| … and \($0.count) more of \(code($0.template)) | | |" }
  }

  /// Text that Markdown shows as it is, also in a cell of a table. Backticks stay: our messages put names in them.
  private static func escaped(_ text: String) -> String {
    var shown = ""
    for character in text {
      switch character {
      case "&": shown += "&amp;"
      case "<": shown += "&lt;"
      case ">": shown += "&gt;"
      case "|", "*", "_", "[", "]", "\\", "#", "~": shown += "\\\(character)"
      default: shown.append(character)
      }
    }
    return outsideCode(text, shown)
  }

  /// Between two backticks Markdown reads no escapes but those of a table's bars, so nothing else is escaped there.
  private static func outsideCode(_ text: String, _ shown: String) -> String {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    guard parts.count > 1, parts.count % 2 == 1 else { return shown.replacing("`", with: "\\`") }
    let escapedParts = shown.split(separator: "`", omittingEmptySubsequences: false)
    return parts.indices.map { index in
      index % 2 == 0 ? String(escapedParts[index]) : "`\(parts[index].replacing("|", with: "\\|"))`"
    }.joined()
  }

  /// A word as code, in as many backticks as it needs.
  private static func code(_ text: String) -> String {
    var longest = 0
    var run = 0
    for character in text {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: longest + 1)
    let pad = text.isEmpty || text.hasPrefix("`") || text.hasSuffix("`") ? " " : ""
    return "\(fence)\(pad)\(text.replacing("|", with: "\\|"))\(pad)\(fence)"
  }
}

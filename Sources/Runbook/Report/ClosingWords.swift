/// The last lines of a run: how it ended, what state things are in, and what to type next.
public enum ClosingWords {
  public static func lines(for report: RunReport) -> [StyledText] {
    var lines = [headline(report)]
    let state = stateLines(report)
    if !state.isEmpty { lines += [StyledText()] + table(state) }
    let next = nextLines(report)
    if !next.isEmpty {
      lines += [StyledText()] + table(next.map { (StyledText($0.command, .strong), StyledText($0.meaning, .faint)) })
    }
    return lines
  }

  // MARK: How it ended

  private static func headline(_ report: RunReport) -> StyledText {
    let name = DisplayText.escaped(report.name.isEmpty ? report.id : report.name, limit: 64)
    if report.status != "ended" { return unfinished(name, report) }
    let took = report.elapsed.map { " after \($0.elapsedText)" } ?? ""
    let simulated = report.isSimulated ? " (simulated)" : ""
    let at = report.failedStep.map { " at `\(DisplayText.escaped($0.path, limit: 100))`" } ?? ""
    let code = report.exitCode.map { " (exit \($0))" } ?? ""
    switch report.outcome {
    case "succeeded":
      return StyledText("✓ ", .good) + StyledText(name, .strong) + " succeeded\(took)\(simulated)."
    case "cancelled":
      return StyledText("■ ", .warning) + StyledText(name, .strong)
        + " was cancelled\(took)\(rollback(report))\(code)\(simulated)."
    default:
      let word = DisplayText.escaped(RunWords.spaced(report.outcome ?? "ended"), limit: 40)
      return StyledText("✗ ", .bad) + StyledText(name, .strong)
        + " \(word)\(at)\(took)\(rollback(report))\(code)\(simulated)."
    }
  }

  private static func rollback(_ report: RunReport) -> String {
    let stands = !Standing(report).standing.isEmpty
    switch report.rollback {
    case "succeeded": return stands ? "; it was rolled back" : "; everything it changed was undone"
    case "not_needed": return stands ? "; there was nothing to undo" : "; it had changed nothing"
    case "failed": return ", and its rollback FAILED: somebody has to look"
    case "blocked": return ", and its rollback is BLOCKED: somebody has to look"
    case "pending": return "; nothing was rolled back"
    case "none": return "; nothing was undone"
    default: return ""
    }
  }

  private static func unfinished(_ name: String, _ report: RunReport) -> StyledText {
    if report.status == "waiting", report.leftReason == nil || report.waitingStep != nil {
      let step = report.waitingStep.map { " at `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
      return StyledText("… ", .warning) + StyledText(name, .strong) + " waits for an answer\(step) (exit 6)."
    }
    let why = report.leftReason.map { ": \(DisplayText.escaped($0, limit: 300))" } ?? ""
    return StyledText("… ", .warning) + StyledText(name, .strong)
      + " has not ended\(why). Nothing is lost; it goes on where it stopped."
  }

  // MARK: What state things are in

  private static func stateLines(_ report: RunReport) -> [(StyledText, StyledText)] {
    var lines: [(StyledText, StyledText)] = []
    if report.outcome == "succeeded" {
      for (name, value) in (report.outputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
        lines.append(
          (StyledText(DisplayText.escaped(name, limit: 64)), StyledText(DisplayText.line(value, limit: 200))))
      }
      return lines
    }
    for problem in report.problems {
      lines.append((StyledText("refused", .bad), StyledText(DisplayText.escaped(problem, limit: 600))))
    }
    for step in report.steps where step.status == "failed" {
      let why = RunWords.failure(step.error).map { ": \($0)" } ?? ""
      lines.append((StyledText("failed", .bad), StyledText("\(DisplayText.escaped(step.path, limit: 100))\(why)")))
    }
    let standing = Standing(report)
    func add(_ label: String, _ role: StyledText.Role, _ names: [String]) {
      guard !names.isEmpty else { return }
      lines.append(
        (StyledText(label, role), StyledText(names.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", ")))
      )
    }
    add("undone", .good, standing.undone)
    for undo in standing.notUndone {
      let why = RunWords.failure(undo.error).map { ": \($0)" } ?? (undo.status == "pending" ? ": not begun" : "")
      let action = DisplayText.escaped(undo.action, limit: 64)
      lines.append(
        (StyledText("not undone", .bad), StyledText("\(DisplayText.escaped(undo.entry, limit: 100)) \(action)\(why)")))
    }
    add("unknown", .warning, standing.unknown)
    add("stands", .warning, standing.standing)
    return lines
  }

  // MARK: What to type next

  private static func nextLines(_ report: RunReport) -> [(command: String, meaning: String)] {
    let id = report.id
    guard !report.isSimulated else { return [] }  // nothing was kept that could be gone on with
    let logs = ("runbook logs \(id)", "what happened, line by line")
    if report.status != "ended" {
      if let step = report.waitingStep {
        let shown = DisplayText.escaped(step, limit: 100)
        return [
          ("runbook resolve \(id) \(shown) --applied", "it did take effect: go on after it"),
          ("runbook resolve \(id) \(shown) --not-applied", "it did not: the step has failed and changed nothing"),
          ("runbook resolve \(id) \(shown) --retry", "do it again, whatever happened"),
          ("runbook resolve \(id) \(shown) --fail", "count it as failed: roll back"),
          ("runbook show \(id)", "look first"),
        ]
      }
      return [
        ("runbook resume \(id)", "go on"), ("runbook cancel \(id)", "stop it and undo what was done"), logs,
      ]
    }
    switch (report.outcome, report.rollback) {
    case ("succeeded", _): return []
    case (_, "failed"), (_, "blocked"), (_, "pending"):
      var lines = [("runbook rollback resume \(id)", "try what is left of the rollback")]
      if let entry = Standing(report).notUndone.first?.entry {
        let shown = DisplayText.escaped(entry, limit: 100)
        lines.append(("runbook rollback skip \(id) '\(shown)' --reason TEXT", "undone by hand: leave it out"))
      }
      lines.append(("runbook rollback abandon \(id) --reason TEXT", "leave things as they are"))
      return lines + [logs]
    default:
      var lines = [logs]
      if let step = report.failedStep {
        lines.append(
          (
            "runbook rerun \(id) --from \(DisplayText.escaped(step.path, limit: 100))",
            "try again, once the cause is mended"
          ))
      } else {
        lines.append(("runbook rerun \(id)", "try again from the first step"))
      }
      return lines
    }
  }

  /// Two columns, the first as wide as its widest cell.
  private static func table(_ rows: [(StyledText, StyledText)]) -> [StyledText] {
    let width = rows.map { $0.0.plain.count }.max() ?? 0
    return rows.map { left, right in
      StyledText("  ") + left + String(repeating: " ", count: width - left.plain.count + 2) + right
    }
  }
}

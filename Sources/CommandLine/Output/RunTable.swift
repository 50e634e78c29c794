import Operations
import Runbook

/// Runs as text: the table of `list` and the page of `show`.
enum RunTable {
  static func lines(_ runs: [RunSummary], _ marks: RunMarks) -> [StyledText] {
    guard !runs.isEmpty else { return [StyledText("no runs yet", .faint)] }
    let starts = runs.map { Shell.localInstant($0.startedAt) }
    let startWidth = starts.map(\.count).max() ?? 20
    let nameWidth = min(32, max(4, runs.map { DisplayWidth.of(name($0)) }.max() ?? 4))
    let head =
      "RUN                   \(DisplayWidth.padded("NAME", to: nameWidth))  "
      + "\(DisplayWidth.padded("STARTED", to: startWidth))  TOOK    STATE"
    return [StyledText(head, .faint)]
      + zip(runs, starts).map { run, start in
        let end = run.endedAt ?? marks.now[run.id] ?? run.startedAt
        let took = (end - run.startedAt).elapsedText
        let left =
          "\(run.id)  \(DisplayWidth.padded(name(run), to: nameWidth))  "
          + "\(DisplayWidth.padded(start, to: startWidth))  "
        return StyledText(left) + StyledText(DisplayWidth.padded(took, to: 6) + "  ", .faint)
          + state(run, marks)
      }
  }

  /// The same, and below each run what to type.
  static func lines(_ needs: [RunNeed], _ marks: RunMarks) -> [StyledText] {
    let table = lines(needs.map(\.run), marks)
    guard table.count == needs.count + 1 else { return table }
    return [table[0]]
      + zip(table.dropFirst(), needs).flatMap { line, need in
        [line, StyledText("  ") + StyledText(need.command, .strong) + StyledText("  \(need.words)", .faint)]
      }
  }

  /// `vps_org/9f3c/server/12345  r01…  pre_upgrade  running, interrupted`
  static func line(_ lock: HeldLock, _ run: RunSummary, _ marks: RunMarks) -> StyledText {
    StyledText(DisplayText.escaped(lock.name, limit: 200), .strong) + StyledText("  \(run.id)  \(name(run))  ")
      + state(run, marks)
  }

  private static func name(_ run: RunSummary) -> String { DisplayText.escaped(run.name, limit: 32) }

  private static func state(_ run: RunSummary, _ marks: RunMarks) -> StyledText {
    if let posted = marks.posted[run.id] {
      return StyledText(posted.isCancel ? "cancel asked for, to be resumed" : "answered, to be resumed", .warning)
    }
    if run.isRestored { return StyledText("may have done more than its journal says", .warning) }
    guard run.status == "ended" else {
      let word = RunWords.spaced(DisplayText.escaped(run.status, limit: 40))
      if run.status == "waiting" { return StyledText("waiting for an answer", .warning) }
      return marks.ownerless.contains(run.id) ? StyledText("\(word), interrupted", .warning) : StyledText(word, .active)
    }
    let words = RunWords.outcome(run.outcome, rollback: run.rollback)
    return StyledText(words, role(run.outcome, run.rollback))
  }

  private static func role(_ outcome: String?, _ rollback: String?) -> StyledText.Role {
    if outcome == "succeeded" { return .good }
    return outcome == "cancelled" && rollback != "failed" && rollback != "blocked" ? .warning : .bad
  }

  // MARK: One run

  static func lines(_ report: RunReport, status: String, owner: Lease?, verbose: Bool) -> [StyledText] {
    var lines = [
      StyledText(DisplayText.escaped(report.name, limit: 64), .strong) + "  " + StyledText(report.id, .faint)
    ]
    for (name, value) in (report.inputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append(
        StyledText("  \(DisplayText.escaped(name, limit: 64)) = ", .faint) + DisplayText.line(value, limit: 200))
    }
    if let startedAt = report.startedAt {
      lines.append(StyledText("  started \(Shell.localInstant(startedAt))", .faint))
    }
    if let owner {
      let host = DisplayText.escaped(owner.owner.host, limit: 80)
      lines.append(
        StyledText("  \(RunWords.spaced(status))", .active) + ", by process \(owner.owner.pid) on \(host)")
    }
    lines.append(StyledText())
    let width = min(32, report.steps.map { DisplayWidth.of(DisplayText.escaped($0.path)) }.max() ?? 0)
    for step in report.steps {
      let (mark, role) = mark(step.status)
      lines.append(
        StyledText("  \(mark) ", role) + DisplayWidth.padded(DisplayText.escaped(step.path, limit: 100), to: width)
          + "  "
          + StyledText(words(for: step), step.status == .failed ? .bad : .faint))
      if verbose, let outputs = step.outputs.map {
        for (name, value) in outputs.sorted(by: { $0.key < $1.key }) {
          lines.append(
            StyledText(
              "      \(DisplayText.escaped(name, limit: 64)) = \(DisplayText.line(value, limit: 1000))", .faint))
        }
      }
      lines += undoLines(report.undo.filter { $0.step == step.path })
      if report.rollbackReason != nil || step.closed == "committed", let words = RunWords.closed(step.closed) {
        lines.append(StyledText("      ↶ ", .warning) + StyledText(words, .faint))
      }
    }
    return lines
  }

  private static func undoLines(_ undo: [UndoReport]) -> [StyledText] {
    undo.filter { $0.leftOut != nil || !$0.status.isOne(of: .pending, .closed) }.map { undo in
      let (mark, role) = mark(Word<StepStatus>(undo.status.text))
      let name = DisplayText.escaped(undo.action.isEmpty ? undo.entry : undo.action, limit: 100)
      return StyledText("      ↶ ", .warning) + StyledText("\(mark) ", role) + "\(name)  "
        + StyledText(RunWords.end(of: undo), undo.status == .failed ? .bad : .faint)
    }
  }

  private static func words(for step: StepReport) -> String {
    guard step.status == .started else { return RunWords.end(of: step) }
    return RunWords.stateWord(step.until).map { "begun, waits until \($0)" } ?? "begun"
  }

  private static func mark(_ status: Word<StepStatus>) -> (String, StyledText.Role) {
    switch status.known {
    case .succeeded: ("✓", .good)
    case .failed: ("✗", .bad)
    case .skipped, .notRun, .notApplied: ("–", .faint)
    case .started: ("◆", .active)
    default: ("?", .warning)
    }
  }
}

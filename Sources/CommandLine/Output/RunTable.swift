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
    return lines + RunTree(report, verbose: verbose).lines
  }
}

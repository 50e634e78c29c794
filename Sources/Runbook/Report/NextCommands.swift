/// What can be typed next about a run. Only commands that would be accepted as things stand.
enum NextCommands {
  typealias Line = (command: String, meaning: String)

  static func of(_ report: RunReport) -> [Line] {
    let id = report.id
    guard !report.isSimulated else { return [] }  // nothing was kept that could be gone on with
    if report.isRestored { return restored(report) }
    if report.status != "ended" { return report.waitingStep.map { parked(report, $0) } ?? open(report) }
    if report.outcome == "succeeded", !report.canResumeRollback { return [] }
    let logs = ("runbook logs \(id)", "what happened, line by line")
    if report.canResumeRollback { return rollback(report) + [logs] }
    if report.abandoned != nil { return [logs] }
    let cause = report.outcome == "cancelled" ? "start it anew" : "try again, once the cause is fixed"
    guard let step = report.rerunFrom else { return [logs, ("runbook rerun \(id)", "\(cause), from the first step")] }
    return [logs, ("runbook rerun \(id) --from \(shown(step))", cause)]
  }

  private static func open(_ report: RunReport) -> [Line] {
    var lines = [("runbook resume \(report.id)", "go on")]
    if report.canCancel { lines.append(("runbook cancel \(report.id)", "stop it and undo what was done")) }
    return lines + [("runbook logs \(report.id)", "what happened, line by line")]
  }

  private static func parked(_ report: RunReport, _ step: String) -> [Line] {
    let resolve = "runbook resolve \(report.id) \(shown(step))"
    var lines = [
      ("\(resolve) --applied", "it did take effect: go on after it"),
      ("\(resolve) --not-applied", "it did not: the step has failed and changed nothing"),
      ("\(resolve) --retry", "do it again, whatever happened"),
      ("\(resolve) --fail", "count it as failed: roll back"),
    ]
    if report.canCancel { lines.append(("runbook cancel \(report.id)", "stop the run and undo what was done")) }
    return lines + [("runbook show \(report.id)", "look first")]
  }

  private static func rollback(_ report: RunReport) -> [Line] {
    let id = report.id
    guard report.owesRollback else {
      return [("runbook rollback resume \(id)", "nothing is left to undo: end the run and free its locks")]
    }
    var lines: [Line] = []
    let blocking = report.rollback == "blocked" ? report.owed.first?.path : nil
    if blocking == nil { lines.append(("runbook rollback resume \(id)", "try what is left of the rollback")) }
    if let entry = blocking ?? report.skippable.first {
      lines.append(
        ("runbook rollback skip \(id) '\(shown(entry))' --reason TEXT", "undone by hand: leave it out"))
    }
    lines.append(("runbook rollback abandon \(id) --reason TEXT", "leave things as they are"))
    return lines
  }

  private static func restored(_ report: RunReport) -> [Line] {
    let id = report.id
    var lines: [Line] = [("runbook show \(id)", "what is known of it")]
    if report.status == "ended" {
      if report.canResumeRollback {
        lines += [
          ("runbook rollback resume \(id) --restored", "try what is left of the rollback"),
          ("runbook rollback abandon \(id) --reason TEXT", "leave things as they are"),
        ]
      }
      return lines + [("runbook rerun \(id) --restored", "start it anew")]
    }
    lines.append(("runbook resume \(id) --restored", "it may go on after what is known"))
    if report.canCancel {
      lines += [
        ("runbook cancel \(id) --restored", "undo what is known of it, at the next `runbook resume`"),
        ("runbook cancel \(id) --no-rollback --restored", "stop it and touch nothing more"),
      ]
    }
    return lines
  }

  private static func shown(_ path: String) -> String { DisplayText.escaped(path, limit: 100) }
}

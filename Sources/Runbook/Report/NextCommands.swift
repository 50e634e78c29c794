/// What can be typed next about a run. Only commands that would be accepted as things stand.
struct NextCommands {
  typealias Line = (command: String, meaning: String)

  private let report: RunReport
  private let commands: AdvisedCommands

  static func of(_ report: RunReport, _ commands: AdvisedCommands) -> [Line] {
    NextCommands(report: report, commands: commands).lines
  }

  private var lines: [Line] {
    guard !report.isSimulated else { return [] }  // nothing was kept that could be gone on with
    if report.isRestored, report.posted == nil { return restored }
    if report.status != .ended {
      guard report.posted == nil else { return open }
      if report.asked.count > 1 { return several }
      return report.approval.map { asked($0) } ?? report.waitingStep.map { parked($0) } ?? open
    }
    if report.isGoodEnd, !report.canResumeRollback {
      return report.outcome == .succeeded ? [] : [logs, (line("rerun"), "do the drill again")]
    }
    if report.canResumeRollback { return rollback + [logs] }
    if report.abandoned != nil { return [logs] }
    if report.isOnlyBorne {
      return [logs, (line("rerun"), "try again, once the cause is fixed, from the first step and for every item")]
    }
    let cause = report.outcome == .cancelled ? "start it anew" : "try again, once the cause is fixed"
    guard let step = report.rerunFrom else { return [logs, (line("rerun"), "\(cause), from the first step")] }
    return [logs, (line("rerun", ["--from", step]), cause)]
  }

  /// `runbook VERB RUN …`
  private func line(_ verb: String, _ rest: [String] = []) -> String { commands.line([verb, report.id] + rest) }
  private func rollback(_ verb: String, _ rest: [String] = []) -> String {
    commands.line(["rollback", verb, report.id] + rest)
  }

  private var logs: Line { (line("logs"), "the events, line by line") }

  private var open: [Line] {
    var lines: [Line] = [(line("resume"), "go on")]
    if report.canCancel { lines.append((line("cancel"), "stop it and undo its changes")) }
    return lines + [logs]
  }

  private func asked(_ approval: ApprovalReport) -> [Line] {
    var lines: [Line] = [
      (line("approve", [approval.step, "--seen", approval.digest]), "allow it"),
      (line("reject", [approval.step]), "refuse it: the step fails"),
    ]
    if report.leftReason != nil { lines.append((line("resume"), "go on waiting for the answer")) }
    if report.canCancel { lines.append((line("cancel"), "stop the run and undo its changes")) }
    return lines + [logs]
  }

  /// Several branches ask at once: each is named, up to five.
  private var several: [Line] {
    var lines: [Line] = []
    for question in report.asked.prefix(5) {
      guard let step = question.step else { continue }
      if let approval = question.approval {
        lines.append((line("approve", [step, "--seen", approval.digest]), "allow it"))
        lines.append((line("reject", [step]), "refuse it: the step fails"))
      } else {
        lines.append((line("resolve", [step, "--applied"]), "or `--not-applied`, `--retry`, `--fail`"))
      }
    }
    let more = report.asked.count - 5
    if more > 0 { lines.append((line("show", ["--format", "json"]), "\(more) more questions are listed there")) }
    if report.leftReason != nil { lines.append((line("resume"), "go on waiting for the answers")) }
    if report.canCancel { lines.append((line("cancel"), "stop the run and undo its changes")) }
    return lines + [logs]
  }

  private func parked(_ step: String) -> [Line] {
    var lines: [Line] = [
      (line("resolve", [step, "--applied"]), "it did take effect: go on after it"),
      (line("resolve", [step, "--not-applied"]), "it did not: the step has failed and changed nothing"),
      (line("resolve", [step, "--retry"]), "do it again in any case"),
      (line("resolve", [step, "--fail"]), "count it as failed: roll back"),
    ]
    if report.canCancel { lines.append((line("cancel"), "stop the run and undo its changes")) }
    return lines + [(line("show"), "look first")]
  }

  private var rollback: [Line] {
    guard report.owesRollback else {
      return [(rollback("resume"), "nothing is left to undo: end the run and free its locks")]
    }
    var lines: [Line] = []
    let blocking = report.blockingStep
    if blocking == nil { lines.append((rollback("resume"), "go on with the rollback")) }
    if let entry = blocking ?? report.skippable.first {
      lines.append((rollback("skip", [entry, "--reason", "TEXT"]), "undone by hand: leave it out"))
    }
    lines.append((rollback("abandon", ["--reason", "TEXT"]), "leave things as they are"))
    return lines
  }

  private var restored: [Line] {
    var lines: [Line] = [(line("show"), "look at the run")]
    if report.status == .ended {
      if report.canResumeRollback {
        lines += [
          (rollback("resume", ["--restored"]), "go on with the rollback"),
          (rollback("abandon", ["--reason", "TEXT"]), "leave things as they are"),
        ]
      }
      return lines + [(line("rerun", ["--restored"]), "start it anew")]
    }
    lines.append((line("resume", ["--restored"]), "it may go on from its journal"))
    if report.canCancel {
      lines += [
        (line("cancel", ["--restored"]), "undo the changes in its journal, at the next `runbook resume`"),
        (line("cancel", ["--no-rollback", "--restored"]), "stop it and touch nothing more"),
      ]
    }
    return lines
  }
}

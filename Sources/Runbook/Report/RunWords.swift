/// The words that the plain lines, the live tree, `show` and the closing words share.
public enum RunWords {
  /// `not_needed` → `not needed`.
  public static func spaced(_ word: String) -> String { word.split(separator: "_").joined(separator: " ") }

  /// `kind: message`, from an `error` object.
  public static func failure(_ error: Value?) -> String? { failure(ReportedError(error)) }

  public static func failure(_ error: ReportedError?) -> String? {
    guard let error, let kind = error.kind else { return nil }
    let word = spaced(kind.text)
    guard !error.message.isEmpty else { return DisplayText.escaped(word, limit: 60) }
    return DisplayText.escaped("\(word): \(error.message)", limit: 600)
  }

  /// The last lines that the script of a failed step wrote, of stderr, or of stdout if it wrote nothing there; or the
  /// answer of a request that was refused.
  public static func lastLines(_ error: Value?) -> [String] { lastLines(ReportedError(error)) }

  public static func lastLines(_ error: ReportedError?) -> [String] {
    let detail = error?.detail
    let texts = [detail?["stderr"]?.string, detail?["stdout"]?.string, detail?["body"]?.string].compactMap { $0 }
    guard let text = texts.first(where: { !$0.isEmpty }) else { return [] }
    return text.split(separator: "\n", omittingEmptySubsequences: false).suffix(20)
      .map { "| " + DisplayText.escaped(String($0), limit: 200) }
  }

  /// What a wait waits for, if it is said in words (`stopped`, `restored, power as asked`) and not as an author's
  /// expression.
  public static func goal(_ until: String?) -> String? {
    guard let until, !until.isEmpty, until.utf8.count <= 60 else { return nil }
    let isWords = until.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || [0x20, 0x2c, 0x5f].contains($0) }
    return isWords ? spaced(until) : nil
  }

  /// The state that has been reached, if the goal is one word: `stopped`.
  public static func stateWord(_ until: String?) -> String? {
    goal(until).flatMap { $0.utf8.contains { $0 == 0x20 || $0 == 0x2c } ? nil : $0 }
  }

  /// Why the rollback began: "`update` failed".
  public static func rollbackReason(_ report: RunReport) -> String {
    switch report.rollbackReason {
    case "failure": report.failedStep.map { "`\(DisplayText.escaped($0.path, limit: 100))` failed" } ?? "the run failed"
    case "cancel": report.cancelledBy.map { "cancelled by \(DisplayText.escaped($0, limit: 64))" } ?? "cancelled"
    case "success" where report.drill != nil: "the drill is over, and its changes are undone"
    case "success": "undoing everything: `rollback_policy` says so after success"
    case let reason: DisplayText.escaped(reason ?? "", limit: 300)
    }
  }

  /// What a step has written into the log, if that is what it is for.
  public static func message(of step: StepReport) -> String? {
    guard let line = step.logLine, let text = step.outputs["message"]?.string else { return nil }
    return (line == .warning ? "warning: " : "") + DisplayText.escaped(text, limit: 600)
  }

  /// `stopped after 32s`, `done in 1.2s`, `failed after 12s: exit code: …`.
  public static func end(of step: StepReport) -> String { ended(step) + unwound(step) }

  private static func ended(_ step: StepReport) -> String {
    if let holds = step.holds { return end(of: step, holds) }
    let took = step.elapsed?.elapsedText
    switch step.status.known {
    case .succeeded:
      if let message = message(of: step) { return message }
      if !step.approvedBy.isEmpty { return approved(step, after: took) }
      if step.asksPeople, step.outputs["approved"] == false {
        return "nobody answered" + (took.map { " in \($0)" } ?? "") + ", and it goes on"
      }
      if let word = stateWord(step.until) { return took.map { "\(word) after \($0)" } ?? word }
      return took.map { "done in \($0)" } ?? "done"
    case .failed:
      return "failed" + (took.map { " after \($0)" } ?? "") + (failure(step.error).map { ": \($0)" } ?? "")
    case .skipped: return "skipped, its `if` is false"
    case .notRun: return "not run"
    case .notApplied: return "did not take effect"
    case .cancelled: return stopped(step, took)
    case .unknown: return "outcome unknown" + (failure(step.error).map { ": \($0)" } ?? "")
    case .pending, .started, nil: return DisplayText.escaped(step.status.text, limit: 40)
    }
  }

  /// `approved by alice after 3m`.
  private static func approved(_ step: StepReport, after took: String?) -> String {
    let names = step.approvedBy.map { DisplayText.escaped($0, limit: 64) }.joined(separator: ", ")
    return "approved by \(names)" + (took.map { " after \($0)" } ?? "")
  }

  public static func end(of undo: UndoReport) -> String {
    var took: Duration?
    if let start = undo.startedAt, let end = undo.endedAt { took = end - start }
    switch undo.status.known {
    case .succeeded: return took.map { "done in \($0.elapsedText)" } ?? "done"
    case .failed:
      return "failed" + (took.map { " after \($0.elapsedText)" } ?? "") + (failure(undo.error).map { ": \($0)" } ?? "")
    case .skipped:
      return undo.leftOut.map { "left out \(decision($0))" } ?? "not undone: its condition was false"
    default: return DisplayText.escaped(undo.status.text, limit: 40)
    }
  }

  /// `by ops: restored by hand`.
  public static func decision(_ decision: RunReport.Decision) -> String {
    let reason = decision.reason.isEmpty ? "" : ": \(DisplayText.escaped(decision.reason, limit: 300))"
    return "by \(DisplayText.escaped(decision.by, limit: 64))\(reason)"
  }

  /// Why an entry is closed, for people; nil if that needs no word.
  public static func closed(_ reason: String?) -> String? {
    switch reason {
    // A person who leaves something out is told by the decision itself.
    case "undone", "left out", nil: nil
    case "its condition was false": "not undone: its condition was false"
    case let reason?: spaced(DisplayText.escaped(reason, limit: 200))
    }
  }

  /// `it was answered by ops at 2026-…`, for a message that no process has read yet.
  public static func posted(_ posted: RunReport.Posted) -> String {
    let what = posted.isCancel ? "a cancel was asked for" : "it was answered"
    return "\(what) by \(DisplayText.escaped(posted.by, limit: 64)) at \(posted.at.wholeSecond)"
  }

  /// An event about the run as a whole, or about what became of a request or a script, in words that the lines and the
  /// live tree share; nil for other events.
  /// - Parameter report: of the run, this event applied.
  public static func notice(_ event: RunEvent, in report: RunReport) -> String? {
    func text(_ name: String, _ limit: Int = 300) -> String {
      DisplayText.escaped(event.fields[name]?.string ?? "?", limit: limit)
    }
    return switch event.event {
    case "drill.judged": DrillReport.sentence(report.drill).map { "drill: \($0)" }
    case "request.ignored": "a message to the run was ignored: \(text("reason"))"
    case "step.approved":
      "\(text("step", 100)) … approved by \(text("by", 64))" + comment(event)
    case "step.rejected":
      "\(text("step", 100)) … rejected by \(text("by", 64))" + comment(event)
    case "run.told": told(event)
    case "run.restored": "the store was put back from an older copy: the run may have done more than is shown here"
    case "run.restored_accepted": "\(text("by", 64)) says that the run may go on"
    case "lock.freed": "the lock `\(text("lock"))` was freed by \(text("by", 64)): \(text("reason"))"
    case "clock.set": "the machine's clock was set by \(text("by", 40)); the run's times go on without the jump"
    case "request.found":
      isScript(event, report)
        ? "\(text("step", 100)) … its script was started, and its end is known now"
        : "\(text("step", 100)) … a request without an answer has taken effect"
    case "request.cleared":
      isScript(event, report)
        ? "\(text("step", 100)) … its script was not started"
        : "\(text("step", 100)) … no request without an answer has taken effect"
    case "script.adopted":
      "\(text("step", 100)) … its script is not started again: it was started before the store was put back, and its "
        + "result counts"
    default: nil
    }
  }

  private static func told(_ event: RunEvent) -> String {
    let failures = (event.fields["failures"]?.list ?? []).compactMap { $0.string }
    return failures.isEmpty
      ? "told people that the run waits"
      : "could not tell people that the run waits: \(DisplayText.escaped(failures.joined(separator: "; "), limit: 600))"
  }

  private static func comment(_ event: RunEvent) -> String {
    event.fields["comment"]?.string.map { ": \(DisplayText.escaped($0, limit: 1000))" } ?? ""
  }

  private static func isScript(_ event: RunEvent, _ report: RunReport) -> Bool {
    let path = event.fields["step"]?.string ?? ""
    let action = report.step(path)?.action ?? report.undo(path)?.action
    return action.flatMap { report.actions.declaration(of: $0) }?.runsScript ?? false
  }

  /// The same of a run's row.
  public static func outcome(_ outcome: String?, rollback: String?) -> String {
    self.outcome(outcome.map { Word($0) }, rollback: rollback.map { Word($0) })
  }

  /// `failed, rolled back`, `succeeded`.
  public static func outcome(_ outcome: Word<RunOutcome>?, rollback: Word<RollbackOutcome>?) -> String {
    let word = DisplayText.escaped(spaced(outcome?.text ?? "ended"), limit: 40)
    switch rollback?.known {
    case .succeeded: return "\(word), rolled back"
    case .failed: return "\(word), rollback failed"
    case .blocked: return "\(word), rollback blocked"
    case .pending: return "\(word), not rolled back"
    case .notNeeded where !outcome.isOne(of: .succeeded, .objectiveMissed): return "\(word), nothing to undo"
    default: return word
    }
  }
}

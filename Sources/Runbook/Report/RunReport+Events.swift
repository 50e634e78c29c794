// What each event tells of the run as a whole. Those about steps and about their undoing are in files of their own.
extension RunReport {
  public mutating func apply(_ event: RunEvent) {
    let fields = event.fields
    noteServer(event)
    switch event.event {
    case "run.started":
      name = fields["name"]?.string ?? name
      file = fields["file"]?.string
      isSimulated = fields["simulated"]?.bool ?? false
      inputs = fields["inputs"] ?? inputs
      startedAt = event.at
      status = .known(.running)
    case "run.resumed":
      leftReason = nil
      if status == .queued { status = .known(.running) }
    case "run.waiting": park(fields)
    case "step.approved", "step.rejected": noteAnswer(event)
    case "step.resolved": unpark(fields["step"]?.string)
    case "run.restored": isRestored = true
    case "run.restored_accepted": isRestored = false
    case "cancel.requested": cancelledBy = fields["by"]?.string ?? "somebody"
    case "rollback.started", "rollback.ended": applyRollback(event)
    case "run.ended":
      status = .known(.ended)
      outcome = fields["outcome"]?.string.map { Word($0) }
      rollback = fields["rollback"]?.string.map { Word($0) } ?? rollback
      exitCode = fields["exit_code"]?.int
      outputs = fields["outputs"] ?? outputs
      endedAt = event.at
      isDecidedSinceEnd = false
      drill = DrillVerdict(fields["drill"]) ?? drill
    case "drill.judged": drill = DrillVerdict(.map(fields))
    case "run.outputs": outputsError = ReportedError(fields["error"]).flatMap { $0.value["kind"] == nil ? nil : $0 }
    case "run.checked": problems = fields["problems"]?.list?.compactMap { $0.string } ?? []
    case "rollback.resumed":
      status = .known(.rollingBack)
      rollback = nil
      rollbackReason = rollbackReason ?? ""
      outcome = nil
      exitCode = nil
      endedAt = nil
    case "rollback.abandoned":
      let decision = RunReport.decision(event)
      abandoned = decision
      rollback = .known(.failed)
      close("abandoned by \(decision.by)", steps: owedPositions)
    case "run.left": leftReason = fields["reason"]?.string ?? ""
    case let name where name.hasPrefix("undo."): applyUndo(event)
    case let name where name.hasPrefix("scope."): applyHolder(event)
    default: applyStep(event)
    }
  }

  /// The undoing of one iteration is a matter of its loop: the run goes on.
  private mutating func applyRollback(_ event: RunEvent) {
    let isBeginning = event.event == "rollback.started"
    if let scope = event.fields["scope"]?.string {
      applyUnwinding(of: scope, event.fields["outcome"]?.string.map { Word($0) }, isBeginning: isBeginning)
    } else if isBeginning {
      status = .known(.rollingBack)
      rollbackReason = event.fields["reason"]?.string ?? ""
    } else {
      status = .known(.ending)
      rollback = event.fields["outcome"]?.string.map { Word($0) } ?? rollback
    }
  }

  public static func decision(_ event: RunEvent) -> Decision {
    Decision(
      by: event.fields["by"]?.string ?? "somebody", reason: event.fields["reason"]?.string ?? "", at: event.at)
  }

  /// Events come live (timestamps) or from the journal (their text).
  public static func instant(_ value: Value?) -> Timestamp? {
    switch value {
    case .timestamp(let instant): instant
    case .string(let text): Timestamp(text)
    default: nil
    }
  }
}

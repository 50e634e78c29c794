/// The documents of `show` and `list`: `docs/language.md`, "The command". Every one carries `"v": 1`; readers ignore
/// the fields they do not know.
public enum ReportJSON {
  /// `{v, run, steps, undo}`.
  /// - Parameters:
  ///   - status: of the run's row; nil: as the events tell it.
  ///   - owner: the process that works on it.
  public static func document(_ report: RunReport, status: String? = nil, owner: Lease? = nil) -> Value {
    var run = self.run(report).map ?? [:]
    if let status { run["status"] = .string(status) }
    run["owner"] = owner.map { ["host": .string($0.owner.host), "pid": .int(Int64($0.owner.pid))] } ?? .some(.null)
    return [
      "v": 1, "run": .map(run), "steps": .list(report.steps.map { step($0, of: report) }),
      "undo": .list(report.undo.map(undo)),
    ]
  }

  /// `{v, runs: [run]}`.
  /// - Parameters:
  ///   - inputs: of each run, by its id.
  ///   - needs: why it needs a person, by its id; if given, every run has a field `needs`.
  public static func document(
    _ summaries: [RunSummary], ownerless: Set<String> = [], inputs: [String: Value] = [:], needs: [String: Value]? = nil
  ) -> Value {
    let runs = summaries.map { summary in
      var run = self.run(summary, isOwnerless: ownerless.contains(summary.id)).map ?? [:]
      run["inputs"] = inputs[summary.id] ?? .map([:])
      if let needs { run["needs"] = needs[summary.id] ?? .null }
      return Value.map(run)
    }
    return ["v": 1, "runs": .list(runs)]
  }

  /// `{v, error: {code, message, hint}}`: a refusal before there is a run.
  public static func error(code: String, message: String, hint: String?) -> Value {
    ["v": 1, "error": ["code": .string(code), "message": .string(message), "hint": text(hint)]]
  }

  private static func run(_ report: RunReport) -> Value {
    [
      "id": .string(report.id), "name": .string(report.name), "status": .string(report.status.text),
      "outcome": text(report.outcome?.text), "rollback": text(report.rollback?.text),
      "exit_code": report.exitCode.map(Value.int) ?? .null,
      "started_at": instant(report.startedAt), "ended_at": instant(report.endedAt), "inputs": report.inputs,
      "outputs": report.outputs, "outputs_error": report.outputsError?.value ?? .null, "file": text(report.file),
      "simulated": .bool(report.isSimulated),
      "restored": .bool(report.isRestored),
      "waiting_for": waiting(report), "questions": .list(report.asked.map { question($0) }),
      "abandoned": decision(report.abandoned), "drill": report.drill?.value ?? .null,
    ]
  }

  /// The first of the questions.
  private static func waiting(_ report: RunReport) -> Value {
    report.asked.first.flatMap { $0.step == nil ? nil : question($0) } ?? .null
  }

  private static func question(_ asked: AskedQuestion) -> Value {
    var fields = asked.approval?.json.map ?? ["step": text(asked.step), "for": "resolve"]
    fields["question"] = .int(asked.number)
    return .map(fields)
  }

  private static func run(_ summary: RunSummary, isOwnerless: Bool) -> Value {
    [
      "id": .string(summary.id), "name": .string(summary.name), "status": .string(summary.status),
      "outcome": text(summary.outcome), "rollback": text(summary.rollback),
      "exit_code": summary.exitCode.map { .int(Int64($0)) } ?? .null, "started_at": .timestamp(summary.startedAt),
      "ended_at": instant(summary.endedAt), "key": text(summary.key), "ownerless": .bool(isOwnerless),
      "restored": .bool(summary.isRestored),
    ]
  }

  private static func step(_ step: StepReport, of report: RunReport) -> Value {
    var fields: [String: Value] = [
      "step": .string(step.path), "title": .string(step.title), "action": .string(step.action),
      "purpose": .string(step.purpose.text), "status": .string(step.status.text), "attempts": .int(step.attempts),
      "started_at": instant(step.startedAt), "ended_at": instant(step.endedAt), "outputs": step.outputs,
      "error": step.error?.value ?? .null, "class": text(step.effectClass), "effect": .string(step.happened.text),
      "undo_closed": text(step.closed),
    ]
    fields["item"] = report.item(of: step)
    switch step.unwinding {
    case nil: break
    case .going: fields["rollback"] = "going"
    case .ended(let outcome): fields["rollback"] = .string(outcome.text)
    }
    guard let holds = step.holds else { return .map(fields) }
    // Nothing is called by it.
    fields["action"] = nil
    fields["attempts"] = nil
    fields["class"] = nil
    fields["kind"] = .string(holds.kind.text)
    fields["inputs"] = holds.inputs
    fields["rescued_from"] = holds.rescuedFrom?.value
    if holds.isLoop { fields["items"] = counts(holds) }
    return .map(fields)
  }

  /// How the iterations of a loop stand.
  private static func counts(_ holds: Holding) -> Value {
    let counts: [(String, Int)] = [
      ("total", holds.items.count), ("ended", holds.ended), ("succeeded", holds.succeeded), ("failed", holds.failed),
      ("skipped", holds.skipped), ("cancelled", holds.cancelled), ("undone", holds.undone), ("running", holds.running),
    ]
    return .map(Dictionary(counts.map { ($0.0, .int(Int64($0.1))) }, uniquingKeysWith: { first, _ in first }))
  }

  private static func undo(_ undo: UndoReport) -> Value {
    [
      "step": .string(undo.step), "entry": .string(undo.entry), "action": .string(undo.action),
      "status": .string(undo.status.text), "error": undo.error?.value ?? .null, "left_out": decision(undo.leftOut),
    ]
  }

  private static func decision(_ decision: RunReport.Decision?) -> Value {
    decision.map { ["by": .string($0.by), "reason": .string($0.reason), "at": .timestamp($0.at)] } ?? .null
  }

  private static func text(_ text: String?) -> Value { text.map(Value.string) ?? .null }
  private static func instant(_ instant: Timestamp?) -> Value { instant.map(Value.timestamp) ?? .null }
}

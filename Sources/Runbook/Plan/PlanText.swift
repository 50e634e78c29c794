/// A plan for people and for programs.
public enum PlanText {
  public static func lines(_ plan: Plan) -> [String] {
    var lines = ["plan of \(plan.name)" + (plan.description.map { ": \($0)" } ?? "")]
    for (name, value) in plan.inputs.sorted(by: { $0.key < $1.key }) {
      lines.append("  input \(name) = \(plain(value))")
    }
    for name in plan.missingInputs { lines.append("  input \(name) is not given; what depends on it is left open") }
    lines += section("steps", plan.steps, numbered: true)
    lines += undoLines(plan)
    lines += section("on failure, before the rollback", plan.onFailure, numbered: false)
    lines += section("if the rollback fails", plan.onRollbackFailure, numbered: false)
    lines += section("always, at the end", plan.always, numbered: false)
    if !plan.locks.isEmpty {
      lines.append("")
      lines += plan.locks.map { "locks \($0)" }
    }
    lines.append("")
    lines.append(closing(plan))
    return lines
  }

  private static func closing(_ plan: Plan) -> String {
    let changes = plan.steps.filter { $0.effect == .change }.count
    let destroys = plan.steps.filter { $0.effect == .destroy }.count
    let asks = plan.steps.filter(\.mayAsk).count
    var text = "\(plan.steps.count) steps: \(changes) change something, \(destroys) destroy something"
    if asks > 0 { text += "; after a lost outcome \(asks) must ask a person (E4 without undo)" }
    return text + ". Timeout \(plan.timeout.text), rollback at most \(plan.rollbackTimeout.text)."
  }

  private static func section(_ title: String, _ steps: [Plan.Step], numbered: Bool) -> [String] {
    guard !steps.isEmpty else { return [] }
    var lines = ["", "\(title):"]
    for (index, step) in steps.enumerated() {
      lines += self.lines(step, mark: numbered ? "\(index + 1)." : "-", indent: "  ")
    }
    return lines
  }

  private static func lines(_ step: Plan.Step, mark: String, indent: String, isUndo: Bool = false) -> [String] {
    var head = "\(indent)\(mark) \(step.title)"
    if step.title != step.action { head += "  \(step.action)" }
    switch step.effect {
    case .none: head += "  (reads)"
    case .change: head += "  (changes, \(step.effectClass?.rawValue ?? ""))"
    case .destroy: head += "  (destroys, \(step.effectClass?.rawValue ?? ""))"
    }
    var lines = [head]
    let inner = indent + "     "
    if let condition = step.condition { lines.append("\(inner)only if \(condition)") }
    for (name, value) in step.with.sorted(by: { $0.key < $1.key }) { lines.append("\(inner)\(name): \(plain(value))") }
    if let waitsFor = step.waitsFor {
      lines.append(
        "\(inner)waits until \(waitsFor)" + (step.failsOn.map { ", fails on \($0)" } ?? "")
          + ", at most \(step.timeout.text)")
    }
    if let power = power(step) { lines.append("\(inner)\(power)") }
    if let recovery = step.recovery { lines.append("\(inner)after a lost reply: \(recovery)") }
    lines += step.cautions.map { "\(inner)caution: \($0)" }
    switch step.undo {
    case .absent where !isUndo: lines.append("\(inner)no rollback is written: if a later step fails, this one stays")
    case .irreversible: lines.append("\(inner)cannot be undone")
    default: break
    }
    return lines
  }

  /// "needs a server that is running or paused; leaves it stopped".
  private static func power(_ step: Plan.Step) -> String? {
    var parts: [String] = []
    if !step.needs.isEmpty { parts.append("needs a server that is \(CapabilityTable.stateText(step.needs))") }
    switch step.leaves {
    case nil, .unchanged: break
    case .becomes(.absent): parts.append("leaves no server")
    case .becomes(let state): parts.append("leaves it \(state.rawValue)")
    case .asAsked: parts.append(step.with["power"] == "same" ? "leaves it as it was" : "leaves it as `power` asks")
    case .unknown: parts.append("may leave it in any state")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// In the order it would happen.
  private static func undoLines(_ plan: Plan) -> [String] {
    var lines: [String] = []
    for step in plan.steps.reversed() {
      guard case .steps(let undo) = step.undo else { continue }
      for inner in undo { lines += self.lines(inner, mark: "undo \(step.path):", indent: "  ", isUndo: true) }
    }
    return lines.isEmpty ? [] : ["", "if a step fails, what was started is undone, newest first:"] + lines
  }

  /// One line, whatever the value.
  public static func plain(_ value: Value) -> String {
    switch value {
    case .unknown: return "(known after apply)"
    case .string(let text):
      let first = text.prefix { $0 != "\n" }
      let more = text.split(separator: "\n").count - 1
      return first.count == text.count || more < 1 ? String(first) : "\(first) … (\(more) more lines)"
    default: return value.scalarText ?? JSONWriter.text(value)
    }
  }

  public static func json(_ plan: Plan) -> Value {
    .map([
      "v": 1, "name": .string(plan.name), "inputs": .map(plan.inputs),
      "missing_inputs": .list(plan.missingInputs.map { .string($0) }), "steps": .list(plan.steps.map { json($0) }),
      "on_failure": .list(plan.onFailure.map { json($0) }),
      "on_rollback_failure": .list(plan.onRollbackFailure.map { json($0) }),
      "always": .list(plan.always.map { json($0) }), "locks": .list(plan.locks.map { .string($0) }),
      "timeout": .duration(plan.timeout), "rollback_timeout": .duration(plan.rollbackTimeout),
      "warnings": .list(plan.warnings.map { .map(["code": .string($0.code), "message": .string($0.message)]) }),
    ])
  }

  private static func json(_ step: Plan.Step) -> Value {
    var object: [String: Value] = [
      "step": .string(step.path), "title": .string(step.title), "action": .string(step.action),
      "effect": .string(step.effect.rawValue), "with": .map(step.with), "timeout": .duration(step.timeout),
      "attempts": .int(Int64(step.attempts)), "may_ask": .bool(step.mayAsk),
    ]
    if !step.needs.isEmpty {
      object["needs"] = .list(PowerState.allCases.filter { step.needs.contains($0) }.map { .string($0.rawValue) })
    }
    object["leaves"] = step.leaves.map { leaves in
      switch leaves {
      case .unchanged: "unchanged"
      case .becomes(let state): .string(state.rawValue)
      case .asAsked: "as_asked"
      case .unknown: "unknown"
      }
    }
    if !step.cautions.isEmpty { object["cautions"] = .list(step.cautions.map { .string($0) }) }
    object["recovery"] = step.recovery.map { .string($0) }
    object["class"] = step.effectClass.map { .string($0.rawValue) }
    object["provider"] = step.provider.map { .string($0) }
    object["if"] = step.condition.map { .string($0) }
    object["waits_for"] = step.waitsFor.map { .string($0) }
    object["fails_on"] = step.failsOn.map { .string($0) }
    switch step.undo {
    case .notNeeded: break
    case .absent: object["rollback"] = "absent"
    case .none: object["rollback"] = "none"
    case .irreversible: object["rollback"] = "irreversible"
    case .steps(let undo): object["rollback"] = .list(undo.map { json($0) })
    }
    return .map(object)
  }
}

/// A plan for people and for programs.
public enum PlanText {
  /// - Parameters:
  ///   - isVerbose: with fields that have their default, how a lost reply is found again, and what a failure after each
  ///     step would undo.
  ///   - usual: how long steps took in earlier runs of the same runbook.
  public static func lines(_ plan: Plan, isVerbose: Bool = false, usual: UsualTimes? = nil) -> [String] {
    var lines = ["plan of \(plan.name)" + (plan.description.map { ": \($0)" } ?? "")]
    for (name, value) in plan.inputs.sorted(by: { $0.key < $1.key }) {
      lines.append("  input \(name) = \(plain(value))")
    }
    for name in plan.missingInputs {
      lines.append("  input \(name) is not given; values that depend on it are left open")
    }
    lines += drillLines(plan)
    let steady = plan.drill?.steadyState ?? []
    lines += section("steady state, before the first step", steady, isVerbose)
    lines += treeLines(plan.tree, isVerbose, usual)
    if !steady.isEmpty { lines += ["", "steady state, again, after the last step: \(names(steady))"] }
    lines += undoLines(plan, isVerbose)
    if isVerbose { lines += rollbackLines(plan) }
    lines += section("on failure, before the rollback", plan.onFailure, isVerbose)
    lines += section("if the rollback fails", plan.onRollbackFailure, isVerbose)
    lines += section("while a person is waited for", plan.onWaiting, isVerbose)
    lines += section("always, at the end", plan.always, isVerbose)
    if !plan.locks.isEmpty {
      lines.append("")
      lines += plan.locks.map { "locks \($0)" }
    }
    return lines + [""] + closing(plan) + (usual?.words.map { [$0] } ?? [])
  }

  // MARK: The end

  private static func closing(_ plan: Plan) -> [String] {
    let undo = plan.entries.flatMap { $0.undoSteps }
    var lines = ["\(count(plan.steps.count, "step", "steps")): \(counts(plan.steps))."]
    if plan.steps.contains(where: { !$0.place.iterations.isEmpty }) {
      lines.append("A step in a loop is counted once, however many items there are.")
    }
    if !undo.isEmpty { lines.append("\(count(undo.count, "undo step", "undo steps")): \(counts(undo)).") }
    if let coverage = coverage(plan) { lines.append(coverage) }
    let asks = plan.steps.filter { $0.mayAsk && $0.decision != .skipped }
    if !asks.isEmpty {
      let names = asks.map { "`\($0.path)`" }.joined(separator: ", ")
      lines.append("When its reply is lost, a person is asked what it did: \(names).")
    }
    let all =
      (plan.drill?.steadyState ?? []) + plan.steps + undo + plan.onFailure + plan.onRollbackFailure + plan.always
    lines += Set(all.compactMap(\.effectClass)).sorted().map { "\($0.rawValue): \($0.meaning)." }
    if let end = drillEnd(plan) { lines.append(end) }
    return lines + ["Timeout \(plan.timeout.text), rollback at most \(plan.rollbackTimeout.text)."]
  }

  /// `3 change, 1 destroys, 2 read, 1 skipped`.
  private static func counts(_ steps: [Plan.Step]) -> String {
    let done = steps.filter { $0.decision != .skipped }
    let numbers = [
      (done.count { $0.effect == .change }, "changes", "change"),
      (done.count { $0.effect == .destroy }, "destroys", "destroy"),
      (done.count { $0.effect == .none && !$0.tells && !$0.asks }, "reads", "read"),
      (done.count { $0.tells }, "sends a message", "send a message"),
      (done.count { $0.asks }, "asks a person", "ask a person"),
      (steps.count - done.count, "is skipped", "are skipped"),
    ]
    return numbers.filter { $0.0 > 0 }.map { count($0.0, $0.1, $0.2) }.joined(separator: ", ")
  }

  static func count(_ number: Int, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }

  // MARK: Steps

  private static func section(
    _ title: String, _ steps: [Plan.Step], _ isVerbose: Bool
  ) -> [String] {
    guard !steps.isEmpty else { return [] }
    return ["", "\(title):"] + steps.flatMap { lines($0, mark: "-", indent: "  ", isVerbose) }
  }

  static func lines(
    _ step: Plan.Step, mark: String, indent: String, isUndo: Bool = false, _ isVerbose: Bool
  ) -> [String] {
    var head = "\(indent)\(mark) \(step.title)"
    if step.title != step.action { head += "  \(step.action)" }
    let inner = indent + "     "
    let condition = step.condition ?? ""
    if step.decision == .skipped {
      let reason = "\(inner)skipped: `\(condition)` is false"
      return ["\(head)  (skipped)", reason] + (isVerbose ? details(step, inner, isVerbose) : [])
    }
    switch step.effect {
    case .none where step.asks: head += "  (asks a person)"
    case .none: head += step.tells ? "  (sends a message)" : "  (reads)"
    case .change: head += "  (changes, \(step.effectClass?.rawValue ?? ""))"
    case .destroy: head += "  (destroys, \(step.effectClass?.rawValue ?? ""))"
    }
    var lines = [head]
    switch step.decision {
    case .depends(let names):
      lines.append("\(inner)only if `\(condition)` (depends on \(names.joined(separator: ", ")))")
    case .runs where step.condition != nil: lines.append("\(inner)runs: `\(condition)` is true")
    case .runs, .skipped: break
    }
    lines += details(step, inner, isVerbose)
    switch step.undo {
    case .absent where !isUndo: lines.append("\(inner)no rollback is written: if a later step fails, this one stays")
    case .irreversible: lines.append("\(inner)cannot be undone")
    default: break
    }
    return lines
  }

  private static func details(_ step: Plan.Step, _ inner: String, _ isVerbose: Bool) -> [String] {
    var lines: [String] = []
    for (name, value) in step.with.sorted(by: { $0.key < $1.key }) where isVerbose || !step.defaults.contains(name) {
      lines += whole(name, value, inner)
    }
    for (name, value) in step.env.sorted(by: { $0.key < $1.key }) { lines += whole("env \(name)", value, inner) }
    if let waitsFor = step.waitsFor {
      let fails = step.failsOn.flatMap { $0 == "–" ? nil : ", fails on \($0)" } ?? ""
      lines.append("\(inner)waits until \(waitsFor)\(fails), at most \(step.timeout.text)")
    }
    if let power = power(step) { lines.append("\(inner)\(power)") }
    if isVerbose, let recovery = step.recovery { lines.append("\(inner)after a lost reply: \(recovery)") }
    return lines + step.cautions.map { "\(inner)caution: \($0)" }
  }

  /// A text of several lines stands below its name, each line behind a bar.
  static func whole(_ name: String, _ value: Value, _ inner: String) -> [String] {
    guard case .string(let text) = value, text.contains("\n") else { return ["\(inner)\(name): \(plain(value))"] }
    let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    return ["\(inner)\(name):"] + lines.map { "\(inner)  | \($0)" }
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
  private static func undoLines(_ plan: Plan, _ isVerbose: Bool) -> [String] {
    var lines: [String] = []
    for step in plan.entries.reversed() where step.decision != .skipped {
      let only = step.place.replacedBy.last.map { " (as long as `\($0)` has not succeeded)" } ?? ""
      for inner in step.undoSteps {
        lines += self.lines(inner, mark: "undo \(step.path)\(only):", indent: "  ", isUndo: true, isVerbose)
      }
    }
    return lines.isEmpty ? [] : ["", undoHeading(plan)] + lines
  }

  private static func names(_ steps: [Plan.Step]) -> String { steps.map { $0.title }.joined(separator: ", ") }

  private static func undoHeading(_ plan: Plan) -> String {
    let triggers = plan.rollbackAfter
    let over = plan.drill == nil ? "all steps have succeeded" : "the drill has met or missed its objectives"
    let causes = [
      triggers.contains(.failure) ? "a step fails" : nil, triggers.contains(.cancel) ? "the run is cancelled" : nil,
      triggers.contains(.success) ? over : nil,
    ].compactMap { $0 }
    guard let last = causes.last else {
      return "`rollback_policy.after` is empty: only `runbook rollback resume` undoes this, newest first:"
    }
    let when = causes.count == 1 ? last : causes.dropLast().joined(separator: ", ") + " or " + last
    return "if \(when), started steps are undone, newest first:"
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
    var document = base(plan)
    if let drill = plan.drill { document["drill"] = drillJSON(drill) { json($0) } }
    return .map(document)
  }

  private static func base(_ plan: Plan) -> [String: Value] {
    [
      "v": 1, "name": .string(plan.name), "inputs": .map(plan.inputs),
      "missing_inputs": .list(plan.missingInputs.map { .string($0) }), "steps": .list(plan.tree.map { json($0) }),
      "on_failure": .list(plan.onFailure.map { json($0) }),
      "on_rollback_failure": .list(plan.onRollbackFailure.map { json($0) }),
      "on_waiting": .list(plan.onWaiting.map { json($0) }),
      "always": .list(plan.always.map { json($0) }), "locks": .list(plan.locks.map { .string($0) }),
      "timeout": .duration(plan.timeout), "rollback_timeout": .duration(plan.rollbackTimeout),
      "warnings": .list(plan.warnings.map { .map(["code": .string($0.code), "message": .string($0.message)]) }),
    ]
  }

  static func json(_ step: Plan.Step) -> Value {
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
    if step.asks { object["asks"] = true }
    object["recovery"] = step.recovery.map { .string($0) }
    object["class"] = step.effectClass.map { .string($0.rawValue) }
    object["provider"] = step.provider.map { .string($0) }
    object["if"] = step.condition.map { .string($0) }
    object.merge(json(step.decision)) { own, _ in own }
    if !step.env.isEmpty { object["env"] = .map(step.env) }
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

extension Plan.Step {
  var undoSteps: [Plan.Step] { if case .steps(let steps) = undo { steps } else { [] } }
}

extension Plan.Undo {
  var isAbsent: Bool { if case .absent = self { true } else { false } }
}

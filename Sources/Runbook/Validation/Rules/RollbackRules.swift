/// `rollback:` what undoes a step, and the word that nothing does.
extension Validation {
  func rollback(
    _ step: inout ActionStep, _ fields: inout FieldReader, _ section: StepSection, at keyword: SourceRange
  ) {
    guard let entry = fields.takeEntry("rollback") else {
      warnOfSilence(step, section, at: keyword)
      return
    }
    guard section.isMain else {
      let reason = section.isUndo ? "an undo step is not undone itself" : "only steps of `steps` are undone"
      sink.error(.context, at: entry.keyRange, "`rollback` cannot stand in `\(section.word)`", hint: reason)
      return
    }
    if step.isCommit {
      sink.error(.context, at: entry.keyRange, "`\(step.action.name)` has nothing to undo", hint: "take the line out")
      return
    }
    step.rollback = clause(entry, of: step)
    if case .steps = step.rollback, step.effect == .none {
      warn(
        .warnRollbackEffect, at: entry.keyRange, "`\(step.title)` changes nothing, and yet it has undo steps",
        hint: "write the undo steps at the step whose change they undo")
    }
  }

  /// R5: a change without a word of rollback.
  private func warnOfSilence(_ step: ActionStep, _ section: StepSection, at keyword: SourceRange) {
    guard section.isMain, step.effect != .none else { return }
    warn(
      .warnRollback, at: keyword, "`\(step.title)` changes something and does not say how that is undone",
      hint: step.action.suggestedUndo.map { undo in
        switch undo {
        case "none": "there is nothing to undo: add `rollback: none`"
        case "irreversible": "nothing can undo it: add `rollback: irreversible`"
        default: "add `rollback: [\(undo)]`, or `rollback: none`"
        }
      } ?? "add `rollback:` with steps, `none` (nothing to undo) or `irreversible`")
  }

  private func clause(_ entry: Node.Entry, of step: ActionStep) -> RollbackClause {
    let node = entry.value
    switch node.content {
    case .unreadable: return .none
    case .scalar(let scalar):
      if scalar.text == "none" { return .none }
      if scalar.text == "irreversible" { return .irreversible }
      sink.error(
        .type, at: node.range,
        "`rollback` must be a list of steps, `none` or `irreversible`, not \(node.kindInWords)",
        hint: Suggestion.nearest(to: scalar.text, among: ["none", "irreversible"]).map { "did you mean `\($0)`?" })
      return .none
    case .sequence: return .steps(undo(node, of: step), undo: .started)
    case .mapping(let entries):
      if entries.contains(where: { catalog.kind($0.key) != nil }) {
        sink.error(.type, at: node.range, "`rollback` is a list of steps", hint: "begin each step with `- `")
        return .none
      }
      guard var fields = FieldReader(node, "`rollback`", sink) else { return .none }
      let scope: UndoScope = fields.take("undo").flatMap { read.choice($0, "rollback.undo") } ?? .started
      let steps = fields.require("steps", at: entry.keyRange)
      fields.finish(known: ["undo", "steps"])
      return .steps(steps.map { undo($0, of: step) } ?? [], undo: scope)
    }
  }

  /// Undo steps see their owner as `self`, and the failure that set them going.
  private func undo(_ node: Node, of step: ActionStep) -> [ActionStep] {
    undo(node, of: step.path, step.id, at: step.range, seenAs: selfType(step))
  }

  func undo(
    _ node: Node, of owner: StepPath, _ id: String?, at place: SourceRange, seenAs type: ValueType
  ) -> [ActionStep] {
    if node.items?.isEmpty == true {
      sink.error(.empty, at: node.range, "`rollback` is empty", hint: "write `none` if there is nothing to undo")
    }
    let roots = environment.roots
    let reference = id.flatMap { environment.steps[$0] }
    environment.roots["self"] = type
    if let id {
      environment.steps[id] = .hidden(line: place.start.line, because: "in its own `rollback` it is `self`")
    }
    defer {
      environment.roots = roots
      if let id { environment.steps[id] = reference }
    }
    return actionSteps(node, in: .undo(owner: owner))
  }
}

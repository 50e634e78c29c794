/// A step: what it does, and everything that is written beside that.
extension Validation {
  static let stepKeys = [
    "id", "name", "if", "with", "env", "outputs", "expect", "retry", "wait", "timeout", "rollback", "idempotent",
    "effect",
    "on_crash", "continue_on_error", "provider", "for_each",
  ]

  func steps(_ node: Node?, in section: StepSection) -> [Step] {
    guard let items = items(node, in: section) else { return [] }
    declareRoots(of: section)
    var steps: [Step] = []
    steps.reserveCapacity(items.count)
    var isOver = false
    for (index, item) in items.enumerated() {
      guard let step = step(item, index, in: section) else { continue }
      if isOver {
        warn(.warnUnreachable, at: item.range, "no run reaches this step: the step before it always fails", hint: nil)
      }
      isOver = step.alwaysFails
      steps.append(step)
    }
    return steps
  }

  /// Steps of a section in which none holds others.
  func actionSteps(_ node: Node?, in section: StepSection) -> [ActionStep] {
    steps(node, in: section).compactMap { if case .action(let step) = $0 { step } else { nil } }
  }

  /// The items of a list of steps; nil, and told, if it is none.
  func items(_ node: Node?, in section: StepSection) -> [Node]? {
    guard let node, !node.isUnreadable else { return nil }
    guard let items = node.items else {
      let hint = node.entries == nil ? "a list of steps, each beginning with `- `" : "begin each step with `- `"
      sink.error(.type, at: node.range, "`\(section.word)` must be a list, not \(node.kindInWords)", hint: hint)
      hasUnreadableSteps = true
      return nil
    }
    if items.isEmpty, section.isMain {
      sink.error(
        .empty, at: node.range, "`\(section.word)` is empty",
        hint: section == .steps ? nil : "write a step, or take it out")
    }
    return items
  }

  /// The roots that exist only in some sections.
  private func declareRoots(of section: StepSection) {
    switch section {
    case .steps, .steadyState, .stopIf, .inside: break
    case .undo, .onFailure: environment.roots["failure"] = .stepError
    case .onRollbackFailure:
      environment.roots["failure"] = .stepError
      environment.roots["rollback"] = .rollback
    case .onWaiting: environment.roots["waiting"] = .waiting
    case .always:
      // null when nothing failed, so nothing is said of it.
      environment.roots["failure"] = .any
      environment.roots["rollback"] = .rollback
    }
  }

  func warn(
    _ code: DiagnosticCode, at range: SourceRange, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String?
  ) {
    sink.report(Diagnostic(code, context.isStrict ? .error : .warning, at: range, message(), hint: hint()))
  }

  // MARK: One step

  /// nil, and told, if it cannot be read.
  func step(_ node: Node, _ index: Int, in section: StepSection) -> Step? {
    guard let entries = node.entries else {
      if !node.isUnreadable {
        sink.error(.type, at: node.range, "a step must be a map (`key: value` lines), not \(node.kindInWords)")
      }
      hasUnreadableSteps = true
      return nil
    }
    let place = StepNode(node: node, entries: entries, index: index, section: section)
    let step =
      if let clause = entries.first(where: { $0.key == "for_each" }) { loop(clause, place) } else { plainStep(place) }
    if step == nil {
      registerUnknown(entries)
      hasUnreadableSteps = true
    }
    return step
  }

  /// A step as it is written, without its `for_each`.
  struct StepNode {
    let node: Node
    var entries: [Node.Entry]
    let index: Int
    let section: StepSection
  }

  /// What it does once, whatever loop it stands in.
  func plainStep(_ place: StepNode) -> Step? {
    guard let (kind, form) = keyword(place.entries, place.node, in: place.section) else { return nil }
    switch form {
    case .action(let shape): return actionStep(place, kind, shape).map { .action($0) }
    case .holder(let word):
      guard mayHold(kind, in: place.section) else { return nil }
      return holder(word, kind, place)
    }
  }

  private func actionStep(_ place: StepNode, _ kind: Node.Entry, _ shape: StepShape) -> ActionStep? {
    let (entries, section) = (place.entries, place.section)
    guard let act = resolved(kind, shape, entries, in: section) else { return nil }
    let all = act.defaults.isEmpty ? entries : applicable(act.defaults, to: act, under: entries)
    var fields = FieldReader(all, of: place.node, "the step", sink)
    _ = fields.take(kind.key)
    let id = fields.takeEntry("id").flatMap { stepId($0, in: section) }
    var step = ActionStep(
      section.path(place.index, id),
      ActionStepDefinition(
        id: id, title: id ?? act.info.declaration.name, range: place.node.range,
        mode: act.mode,
        action: act.info.declaration, provider: act.block, with: [:], condition: nil, env: [:], outputs: [],
        expect: nil,
        retry: .standard, wait: .standard, timeout: .zero, rollback: .absent, isIdempotent: false,
        effect: act.info.declaration.effect, effectClass: act.info.declaration.effectClass, onCrash: nil,
        continuesOnError: false, undoContinuesOnError: false, isCommit: act.info.declaration.isCommit))
    if let name = fields.take("name") { step.title = read.text(name, "name", limit: 200) ?? step.title }
    if let condition = fields.take("if") { step.condition = expression(condition, "if", expecting: .bool) }
    step.with = with(act, shape, kind, fields.takeEntry("with"))
    refuseBesideApproval(act.info, &fields)
    if section == .onWaiting { refuseInNotification(&fields) }
    checkApprovers(step, at: kind.keyRange)
    checkPrompt(step, at: kind.keyRange)
    if let env = fields.takeEntry("env") { step.env = self.env(env, act.info) }
    flags(&step, &fields, section)
    attempt(&step, act.info, &fields)
    policies(&step, act.info, &fields, section)
    if let provider = fields.takeEntry("provider"), act.block == nil {
      sink.error(
        .context, at: provider.keyRange, "`\(step.action.name)` needs no provider", hint: "take the line out")
    }
    if act.block != nil { actionPlaces[step.path] = kind.value.range }
    rollback(&step, &fields, section, at: kind.keyRange)
    finish(fields, section)
    if section == .steadyState {
      steadyStateRules(step, entries, at: kind)
      hideSteadyStep(step)
    } else if section == .stopIf {
      stopConditionRules(&step, entries, at: kind)
    } else {
      register(step)
    }
    return step
  }

  func finish(_ fields: FieldReader, _ section: StepSection) {
    let known =
      catalog.keywords + Validation.stepKeys + (section.isMain ? Validation.holderKeys : [])
      + (section.isUndo ? ["on_error"] : [])
    fields.finish(known: known) { entry in strayKey(entry) }
  }

  func stepId(_ entry: Node.Entry, in section: StepSection) -> String? {
    guard let id = read.text(entry.value, "id", limit: 1000) else { return nil }
    if section.isUndo {
      sink.error(
        .context, at: entry.keyRange, "an undo step has no `id`: nothing can refer to it", hint: "use `name`")
      return nil
    }
    guard Names.check(id, at: entry.value.range, "the id", sink) else { return nil }
    return id
  }
}

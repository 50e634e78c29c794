/// Where a step stands: decides its path, what it may be and what it may read.
enum StepSection: Equatable {
  case steps, onFailure, onRollbackFailure, onWaiting, always, steadyState
  case undo(owner: StepPath)

  var word: String {
    switch self {
    case .steps: "steps"
    case .onFailure: "on_failure"
    case .onRollbackFailure: "on_rollback_failure"
    case .onWaiting: "on_waiting"
    case .always: "always"
    case .steadyState: "drill.steady_state"
    case .undo: "rollback"
    }
  }

  /// - Parameter id: nil for a step without one.
  func path(_ index: Int, _ id: String?) -> StepPath {
    switch self {
    case .undo(let owner): owner.undo(index)
    case .steadyState: .steadyState(index, id)
    case .steps, .onFailure, .onRollbackFailure, .onWaiting, .always: StepPath(id ?? "\(word)[\(index)]")
    }
  }

  var isUndo: Bool { if case .undo = self { true } else { false } }
}

extension Validation {
  static let stepKeys = [
    "id", "name", "if", "with", "env", "outputs", "expect", "retry", "wait", "timeout", "rollback", "idempotent",
    "effect",
    "on_crash", "continue_on_error", "provider",
  ]

  /// Ids of the whole file, so that a reference can tell "further down" from "nowhere".
  func declareIds(_ sections: Sections) {
    let steady = sections.drill?.value.entries?.first { $0.key == "steady_state" }?.value
    let lists = [
      steady, sections.steps, sections.onFailure, sections.onRollbackFailure, sections.onWaiting, sections.always,
    ]
    for node in lists.flatMap({ $0?.items ?? [] }) {
      guard let entry = node.entries?.first(where: { $0.key == "id" }), let id = entry.value.scalar?.text else {
        continue
      }
      let place = entry.value.range
      guard case .later(let line)? = environment.steps.updateValue(.later(line: place.start.line), forKey: id) else {
        continue
      }
      sink.error(
        .idDuplicate, at: place, "the id `\(id.excerpt(64))` is given twice",
        hint: "first on line \(line); ids are unique in a file")
    }
  }

  func steps(_ node: Node?, in section: StepSection) -> [ActionStep] {
    guard let node, !node.isUnreadable else { return [] }
    guard let items = node.items else {
      let hint = node.entries == nil ? "a list of steps, each beginning with `- `" : "begin each step with `- `"
      sink.error(.type, at: node.range, "`\(section.word)` must be a list, not \(node.kindInWords)", hint: hint)
      return []
    }
    if items.isEmpty, section == .steps { sink.error(.empty, at: node.range, "`steps` is empty") }
    declareRoots(of: section)
    var steps: [ActionStep] = []
    steps.reserveCapacity(items.count)
    var end: SourceRange?
    for (index, item) in items.enumerated() {
      guard let step = step(item, index, in: section) else {
        hasUnreadableSteps = true
        continue
      }
      if end != nil {
        warn(.warnUnreachable, at: item.range, "no run reaches this step: the step before it always fails", hint: nil)
        end = nil
      }
      if step.action.alwaysFails, step.condition == nil, !step.continuesOnError { end = step.range }
      steps.append(step)
    }
    return steps
  }

  /// The roots that exist only in some sections.
  private func declareRoots(of section: StepSection) {
    switch section {
    case .steps, .steadyState: break
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

  private func step(_ node: Node, _ index: Int, in section: StepSection) -> ActionStep? {
    guard let entries = node.entries else {
      if !node.isUnreadable {
        sink.error(.type, at: node.range, "a step must be a map (`key: value` lines), not \(node.kindInWords)")
      }
      return nil
    }
    guard let (kind, shape) = keyword(entries, node) else { return nil }
    guard let act = resolved(kind, shape, entries, in: section) else {
      registerUnknown(entries)
      return nil
    }
    let all = act.defaults.isEmpty ? entries : applicable(act.defaults, to: act, under: entries)
    var fields = FieldReader(all, of: node, "the step", sink)
    _ = fields.take(kind.key)
    let id = fields.takeEntry("id").flatMap { stepId($0, in: section) }
    var step = ActionStep(
      section.path(index, id),
      ActionStepDefinition(
        id: id, title: id ?? act.info.declaration.name, range: node.range,
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
    } else {
      register(step)
    }
    return step
  }

  private func finish(_ fields: FieldReader, _ section: StepSection) {
    fields.finish(known: catalog.keywords + Validation.stepKeys + (section.isUndo ? ["on_error"] : [])) { entry in
      guard entry.key == "with" else { return nil }
      return Diagnostic(
        .context, at: entry.keyRange, "`with` belongs to `action` and `wait_for`", hint: "take it out")
    }
  }

  private func stepId(_ entry: Node.Entry, in section: StepSection) -> String? {
    guard let id = read.text(entry.value, "id", limit: 1000) else { return nil }
    if section.isUndo {
      sink.error(
        .context, at: entry.keyRange, "an undo step has no `id`: nothing can refer to it", hint: "use `name`")
      return nil
    }
    guard Names.check(id, at: entry.value.range, "the id", sink) else { return nil }
    return id
  }

  // MARK: What it does

  /// The one keyword of a step.
  private func keyword(_ entries: [Node.Entry], _ node: Node) -> (Node.Entry, StepShape)? {
    var found: (entry: Node.Entry, shape: StepShape)?
    var isWrong = false
    for entry in entries {
      guard let shape = catalog.kind(entry.key) else { continue }
      if let first = found {
        sink.error(
          .stepKind, at: entry.keyRange,
          "a step does one thing, and this one has `\(first.entry.key)` and `\(entry.key)`",
          hint: "make two steps of it")
        isWrong = true
      } else {
        found = (entry, shape)
      }
    }
    if let found { return isWrong ? nil : (found.entry, found.shape) }
    registerUnknown(entries)
    for entry in entries {
      if let known = LaterFeatures.key(entry), !Validation.stepKeys.contains(entry.key) {
        sink.report(known)
        return nil
      }
    }
    let strange =
      entries.first {
        !Validation.stepKeys.contains($0.key) && Suggestion.nearest(to: $0.key, among: catalog.keywords) != nil
      }
      ?? entries.first { !Validation.stepKeys.contains($0.key) }
    if let strange {
      sink.error(
        .stepKind, at: strange.keyRange, "unknown step kind `\(strange.key.excerpt(60))`",
        hint: Suggestion.hint(for: strange.key, among: catalog.keywords))
    } else {
      sink.error(
        .stepKind, at: node.range, "the step does not say what it does",
        hint: "give it one of \(catalog.keywords.map { "`\($0)`" }.joined(separator: ", "))")
    }
    return nil
  }

  /// A step that could not be read: references to it are not mistakes of their own.
  private func registerUnknown(_ entries: [Node.Entry]) {
    guard let id = entries.first(where: { $0.key == "id" })?.value.scalar?.text else { return }
    brokenSteps.append(id)
  }

  struct Act {
    var info: ActionInfo
    var block: String?
    var mode: StepMode
    var defaults: [Node.Entry]
    /// An author has written its name, after a keyword that calls it once.
    var isCalledByName = false

    /// What an author has written for what the step does, and where: the name of an action, or else the keyword.
    func said(_ kind: Node.Entry) -> (word: String, place: SourceRange) {
      isCalledByName ? (info.declaration.name, kind.value.range) : (kind.key, kind.keyRange)
    }
  }

  private func resolved(
    _ kind: Node.Entry, _ shape: StepShape, _ entries: [Node.Entry], in section: StepSection
  ) -> Act? {
    switch shape {
    case .scalar(let name, _), .scalarOrFields(let name, _):
      guard let info = catalog.builtIn[name] else { return nil }
      let isMap = if case .scalarOrFields = shape { true } else { false }
      let act = Act(info: info, block: nil, mode: .call, defaults: isMap ? defaults.keys(for: name) : [])
      return allowed(kind, act, in: section) ? act : nil
    case .namedAction(let mode):
      guard let name = read.text(kind.value, kind.key) else { return nil }
      guard var act = named(name, kind, entries, mode) else { return nil }
      act.mode = mode
      act.isCalledByName = mode == .call
      guard allowed(kind, act, in: section), isDiagnostic(act.info, kind, section) else { return nil }
      if mode == .waitFor, act.info.declaration.effect != .none, !entries.contains(where: { $0.key == "effect" }) {
        let isOpen = act.info.declaration.effectClass == .opaque && act.block == nil
        sink.error(
          .context, at: kind.value.range, "`\(kind.key)` repeats its action, and `\(name)` changes something",
          hint: isOpen
            ? "if this call changes nothing, write `effect: none` beside it; else write `action: \(name)`"
            : "write `action: \(name)`, or wait for an action that only reads")
        return nil
      }
      return act
    }
  }

  private func named(_ name: String, _ kind: Node.Entry, _ entries: [Node.Entry], _ mode: StepMode) -> Act? {
    let defaults = defaults.keys(for: name)
    if let info = catalog.builtIn[name] {
      if info.declaration.isWritable { return Act(info: info, block: nil, mode: .call, defaults: defaults) }
      let isWait = mode == .waitFor && info.declaration.runsScript
      sink.error(
        .action, at: kind.value.range, "`\(name)` is not an action",
        hint: "write `\(name): …` instead of `\(kind.key): \(name)`"
          + (isWait ? ", with `effect: none` and `wait: {every: 10s, timeout: 5m}`" : ""))
      return nil
    }
    if let byType = catalog.provided(name) {
      let choice = (entries.first { $0.key == "provider" } ?? defaults.first { $0.key == "provider" })?.value
      return resolve(name, byType, at: kind.value, provider: choice).map {
        Act(info: $0.info, block: $0.block, mode: .call, defaults: defaults)
      }
    }
    if LaterFeatures.actions.contains(name) {
      sink.report(LaterFeatures.unsupported(name, at: kind.value.range))
    } else {
      sink.error(
        .action, at: kind.value.range, "unknown action `\(name.excerpt(60))`",
        hint: Suggestion.nearest(to: name, among: catalog.writableNames.sorted()).map { meant($0) }
          ?? "`runbook schema` lists them")
    }
    return nil
  }

  /// A suggestion, with the lasting harm of its action: the author of another name may have meant something harmless.
  private func meant(_ name: String) -> String {
    let harm = catalog.everywhere(name).values.lazy.compactMap { Alternatives.danger($0.declaration) }.first
    return "did you mean `\(name)`?" + (harm.map { " Careful, it would \($0)" } ?? "")
  }

  /// A commit closes undo entries of the steps before it, so it stands among them.
  private func allowed(_ kind: Node.Entry, _ act: Act, in section: StepSection) -> Bool {
    if section == .steps { return true }
    guard mayAsk(kind, act, in: section), mayTell(kind, act, in: section) else { return false }
    let action = act.info.declaration
    if action.isCommit || (action.alwaysFails && section.isUndo) {
      let (word, place) = act.said(kind)
      sink.error(
        .context, at: place, "`\(word)` cannot stand in `\(section.word)`", hint: "it belongs into `steps`")
      return false
    }
    return true
  }

  private func isDiagnostic(_ info: ActionInfo, _ kind: Node.Entry, _ section: StepSection) -> Bool {
    guard section == .onFailure, !info.declaration.isDiagnostic, info.declaration.effect != .none else { return true }
    sink.error(
      .context, at: kind.value.range, "`on_failure` only looks, and `\(info.declaration.name)` changes something",
      hint: "put it into the step's `rollback`, or into `always`")
    return false
  }

  private func register(_ step: ActionStep) {
    guard let id = step.id else { return }
    var outputs = step.action.outputs
    for output in step.outputs { outputs[output.name] = output.value.type }
    if step.condition != nil {
      environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: "it has an `if`")
    } else if step.continuesOnError {
      environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: "it may have failed (`continue_on_error`)")
    } else {
      environment.steps[id] = .ran(outputs: outputs)
    }
  }
}

/// What a step does: its keyword, and the action that is meant.
extension Validation {
  enum StepForm {
    case action(StepShape)
    /// The keyword of a step that holds others.
    case holder(HolderWord)
  }

  /// The one keyword of a step; nil, and told, if it has none or several.
  func keyword(_ entries: [Node.Entry], _ node: Node, in section: StepSection) -> (Node.Entry, StepForm)? {
    var found: (entry: Node.Entry, form: StepForm)?
    var isWrong = false
    for entry in entries {
      guard let form = form(entry.key) else { continue }
      if let first = found {
        sink.error(
          .stepKind, at: entry.keyRange,
          "a step does one thing, and this one has `\(first.entry.key)` and `\(entry.key)`",
          hint: "make two steps of it")
        isWrong = true
      } else {
        found = (entry, form)
      }
    }
    if let found { return isWrong ? nil : found }
    tellOfNoKeyword(entries, node, in: section)
    return nil
  }

  /// Asked for every key of every step.
  private func form(_ key: String) -> StepForm? {
    catalog.kind(key).map { .action($0) } ?? HolderWord(rawValue: key).map { .holder($0) }
  }

  private func tellOfNoKeyword(_ entries: [Node.Entry], _ node: Node, in section: StepSection) {
    for entry in entries {
      if let known = LaterFeatures.key(entry), !Validation.stepKeys.contains(entry.key) {
        sink.report(known)
        return
      }
    }
    let keywords = catalog.keywords + (section.isMain ? HolderWord.words : [])
    let unknown = entries.filter { !Validation.stepKeys.contains($0.key) }
    let misspelt = unknown.first { Suggestion.nearest(to: $0.key, among: keywords) != nil }
    if misspelt == nil, let stray = unknown.lazy.compactMap({ self.strayKey($0) }).first {
      sink.report(stray)
    } else if let strange = misspelt ?? unknown.first {
      sink.error(
        .stepKind, at: strange.keyRange, "unknown step kind `\(strange.key.excerpt(60))`",
        hint: Suggestion.hint(for: strange.key, among: keywords))
    } else {
      sink.error(
        .stepKind, at: node.range, "the step does not say what it does",
        hint: "give it one of \(keywords.map { "`\($0)`" }.joined(separator: ", "))")
    }
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

  func resolved(
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
    if section.isMain { return mayCommit(kind, act) }
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
}

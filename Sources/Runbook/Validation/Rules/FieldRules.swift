/// `with`, `env`, and the fields that a keyword takes directly.
extension Validation {
  func with(_ act: Act, _ shape: StepShape, _ kind: Node.Entry, _ with: Node.Entry?) -> [String: Template] {
    var templates: [String: Template] = [:]
    switch shape {
    case .scalar(_, let field):
      if let info = act.info.field(field.name) { templates[field.name] = required(kind.value, kind.key, info) }
      refuseWith(with, kind)
    case .scalarOrFields(_, let scalarField):
      if kind.value.entries != nil {
        fields(kind.value.entries ?? [], act.info, &templates)
        requireFields(act.info, templates, kind.value, at: kind.keyRange)
      } else if let info = act.info.field(scalarField) {
        templates[scalarField] = required(kind.value, kind.key, info)
        if act.info.declaration.runsScript, let text = kind.value.scalar?.text {
          checkScript(text.utf8, at: kind.value.range, kind.key)
        }
      }
      refuseWith(with, kind)
      oneScript(act.info, kind.value.entries, at: kind.keyRange, kind.key)
    case .namedAction:
      if let with, let entries = map(with.value, "`with`") { fields(entries, act.info, &templates) }
      requireFields(act.info, templates, with?.value, at: kind.value.range)
      if act.info.declaration.runsScript {
        oneScript(act.info, with?.value.entries ?? [], at: kind.value.range, act.info.declaration.name)
      }
    }
    for (name, value) in act.info.defaults where templates[name] == nil { templates[name] = value }
    return templates
  }

  private func required(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    if node.isNull {
      return read.refuse(.type, node, "`\(name)` is empty", hint: info.field.help)
    }
    return template(node, name, info)
  }

  private func refuseWith(_ with: Node.Entry?, _ kind: Node.Entry) {
    guard let with else { return }
    sink.error(
      .context, at: with.keyRange, "`\(kind.key)` takes no `with`",
      hint: "put the fields below `\(kind.key):` itself")
  }

  private func fields(_ entries: [Node.Entry], _ action: ActionInfo, _ templates: inout [String: Template]) {
    templates.reserveCapacity(entries.count + action.defaults.count)
    for entry in entries {
      guard let info = action.field(entry.key) else {
        sink.error(
          .keyUnknown, at: entry.keyRange, "`\(action.declaration.name)` has no field `\(entry.key.excerpt(60))`",
          hint: elsewhere(entry.key, action) ?? Suggestion.hint(for: entry.key, among: action.fieldNames))
        continue
      }
      let template = fieldTemplate(entry, entry.key, info)
      templates[entry.key] = template
      guard action.declaration.runsScript else { continue }
      switch entry.key {
      case "script_file": if let template { pin(template, entry.value) }
      case "command": checkWords(entry.value)
      case "script": if let text = entry.value.scalar?.text { checkScript(text.utf8, at: entry.value.range, "script") }
      default: break
      }
    }
  }

  /// A program and its arguments: each is text, and stays the text that was written.
  private func checkWords(_ node: Node) {
    guard let items = node.items else { return }
    if items.isEmpty || items[0].scalar?.text.isEmpty == true && !items[0].isNull {
      sink.error(
        .type, at: (items.first ?? node).range, "`command` names no program",
        hint: "write `[PROGRAM, ARGUMENT, …]`")
    }
    for item in items {
      guard let scalar = item.scalar else {
        sink.error(.type, at: item.range, "`command` is a list of words, and this is \(item.kindInWords)")
        continue
      }
      if item.isNull {
        sink.error(
          .type, at: item.range, "a word of `command` is empty",
          hint: "write \"\(scalar.text)\" if it is meant as text")
      } else if !scalar.text.hasExpression {
        _ = anyTemplate(item, keepsText: true)
      }
    }
  }

  /// The clouds on which the same action has the field.
  private func elsewhere(_ field: String, _ action: ActionInfo) -> String? {
    let types = catalog.everywhere(action.declaration.name).filter { $0.value.field(field) != nil }.keys.sorted()
    return types.isEmpty ? nil : "it is a field of \(types.joined(separator: " and ")) only"
  }

  /// One mistake in a field's value is enough: only fields that are not written are told missing.
  private func requireFields(
    _ action: ActionInfo, _ templates: [String: Template], _ with: Node?, at place: SourceRange
  ) {
    for info in action.required where templates[info.field.name] == nil {
      if let with, with.entries?.contains(where: { $0.key == info.field.name }) ?? true { continue }
      sink.error(
        .keyMissing, at: place, "`\(action.declaration.name)` needs `\(info.field.name)`", hint: info.field.help)
    }
    fieldRules(action.declaration, templates, with, at: place)
  }

  /// Fields that mean something, or are safe, only beside others.
  private func fieldRules(
    _ action: ActionDeclaration, _ templates: [String: Template], _ with: Node?, at place: SourceRange
  ) {
    func isWritten(_ name: String) -> Bool { templates[name].map { $0.constant != .null } ?? false }
    let isBroken = { (name: String) in
      templates[name] == nil && with?.entries?.contains { $0.key == name } ?? false
    }
    if !action.oneOf.isEmpty, !action.oneOf.contains(where: { isWritten($0) || isBroken($0) }) {
      let names = action.oneOf.map { "`\($0)`" }.joined(separator: " or ")
      sink.error(.keyMissing, at: place, "`\(action.name)` needs \(names)", hint: "give one of them, or both")
    }
    for rule in action.fieldRules where isWritten(rule.field) && !isWritten(rule.without) && !isBroken(rule.without) {
      if let value = rule.value, templates[rule.field]?.constant != value { continue }
      let range = with?.entries?.first { $0.key == rule.field }?.keyRange ?? place
      if rule.isError {
        sink.error(.keyTogether, at: range, rule.text, hint: "add `\(rule.without)`, or take it out")
      } else {
        warn(.warnField, at: range, rule.text, hint: "add `\(rule.without)`")
      }
    }
  }

  /// - Parameter name: what the script is called in messages.
  private func checkScript(_ text: some Sequence<UInt8>, at place: SourceRange, _ name: String) {
    let script = ScriptLint(text)
    if script.hasCarriageReturns {
      sink.error(
        .file, at: place,
        "lines of `\(name)` end with a carriage return, which a shell takes for a part of its words",
        hint: "save it with line feeds alone: `sed -i 's/\\r$//' FILE`")
    }
    if let pipe = script.uncheckedPipe {
      warn(
        .warnPipe, at: place, "when the first part of `\(pipe)` fails, the script goes on",
        hint: "begin it with `#!/bin/bash` and `set -euo pipefail`, or write the first part into a file")
    }
  }

  /// Exactly one of `script`, `script_file` and `command`.
  private func oneScript(_ action: ActionInfo, _ entries: [Node.Entry]?, at place: SourceRange, _ name: String) {
    guard let entries, action.declaration.runsScript else { return }
    let words = ["command", "script", "script_file"].filter { action.field($0) != nil }
    guard !words.isEmpty else { return }
    let given = entries.filter { words.contains($0.key) }
    if given.count > 1 {
      sink.error(
        .keyTogether, at: given[1].keyRange, "`\(given[0].key)` and `\(given[1].key)` cannot stand together")
    } else if given.isEmpty {
      sink.error(.keyMissing, at: place, "`\(name)` needs one of \(ScalarReader.alternatives(words))")
    }
  }

  /// Names to texts, secrets welcome: they reach the script over a pipe.
  func env(_ entry: Node.Entry, _ action: ActionInfo) -> [String: Template] {
    guard action.acceptsEnvironment else {
      sink.error(
        .context, at: entry.keyRange, "`\(action.declaration.name)` runs no script, so `env` means nothing to it",
        hint: "take it out")
      return [:]
    }
    guard let entries = map(entry.value, "`env`") else { return [:] }
    var env: [String: Template] = [:]
    for entry in entries {
      let isName = entry.key.utf8.allSatisfy {
        $0 == 0x5f || $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a
      }
      guard isName, let first = entry.key.utf8.first, first > 0x39 else {
        sink.error(.name, at: entry.keyRange, "`\(entry.key.excerpt(60))` is no name of an environment variable")
        continue
      }
      env[entry.key] = template(entry.value, "env.\(entry.key)", secretText)
    }
    return env
  }

  // MARK: Defaults

  /// The keys of `defaults` that mean something to this action, below the step's own.
  func applicable(_ defaults: [Node.Entry], to act: Act, under entries: [Node.Entry]) -> [Node.Entry] {
    let declaration = act.info.declaration
    var usable: [Node.Entry] = []
    for entry in defaults {
      switch entry.key {
      case "with":
        guard declaration.isWritable, let fields = entry.value.entries else { continue }
        let fitting = fields.filter { act.info.field($0.key) != nil }
        if fitting.isEmpty { continue }
        usable.append(
          Node.Entry(key: entry.key, keyPlace: entry.keyPlace, value: Node(.mapping(fitting), at: entry.value.place)))
      case "env": if act.info.acceptsEnvironment { usable.append(entry) }
      case "provider": if act.block != nil { usable.append(entry) }
      case "wait":
        if declaration.wait != nil || declaration.effect == .none { usable.append(entry) }
      case "rollback": if declaration.effect != .none { usable.append(entry) }
      default: usable.append(entry)
      }
    }
    return Node.merged(entries, over: usable)
  }

  // MARK: Files

  /// A script's file is read now and run as it was: what is checked is what runs.
  private func pin(_ template: Template, _ node: Node) {
    guard let path = template.constant?.string, pinnedFiles[folder + path] == nil else { return }
    if let problem = Validation.pathProblem(path) {
      sink.error(
        .file, at: node.range, "`script_file` \(problem)", hint: "name a file in the runbook's folder or below it")
      return
    }
    do throws(FileRefusal) {
      let content = try context.readFile(folder + path, Limits.scriptBytes)
      pinnedFiles[folder + path] = content
      checkScript(content, at: node.range, path.excerpt(100))
    } catch {
      sink.error(.file, at: node.range, "`\(path.excerpt(100))` cannot be read: \(error.message)")
    }
  }

  /// A clause; nil if the path cannot leave its folder by its text alone.
  static func pathProblem(_ path: String) -> String? {
    if path.hasPrefix("/") || path.hasPrefix("~") { return "must be a path relative to the runbook" }
    if path.utf8.contains(0) || path.utf8.count > 1024 { return "is no path" }
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    if parts.contains("..") { return "cannot leave the runbook's folder (`..`)" }
    if parts.allSatisfy({ $0 == "." }) { return "names no file" }
    if path.contains("%2") || path.contains("\\") { return "must be written plainly, with `/` between folders" }
    return nil
  }
}

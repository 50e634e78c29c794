/// `call`: the steps of another file.
extension Validation {
  func call(_ holder: inout Holder) -> CallStep? {
    let with = holder.fields.takeEntry("with")
    let rollback = holder.fields.takeEntry("rollback")
    finish(holder.fields, holder.place.section)
    let called = calledFile(holder.keyword.value)
    if called == nil {
      // Its inputs are not known; mistakes in the values themselves are.
      for entry in with?.value.entries ?? [] { _ = anyTemplate(entry.value) }
    }
    let values = called.map { inputs(with, of: $0.runbook, $0.file, at: holder.keyword.keyRange) } ?? [:]
    let outputs = called?.runbook.outputTypes ?? [:]
    let undo = rollback.map { calledUndo($0, of: holder.part, outputs, isKnown: called != nil) } ?? []
    guard let called else { return nil }
    register(holder.part, outputs)
    return CallStep(holder.part, file: called.file, runbook: called.runbook, with: values, undo: undo)
  }

  /// What replaces the undo steps of the file.
  private func calledUndo(
    _ entry: Node.Entry, of part: CompositePart, _ outputs: [String: ValueType], isKnown: Bool
  ) -> [ActionStep] {
    guard entry.value.items != nil else {
      if !entry.value.isUnreadable {
        sink.error(
          .type, at: entry.value.range,
          "the `rollback` of a `call` must be a list of steps that undo all of it, not \(entry.value.kindInWords)",
          hint: "take it out: then what the steps of the file have done is undone as that file says")
      }
      return []
    }
    let type: ValueType = isKnown ? .`self`(outputs: outputs, before: [:]) : .any
    return undo(entry.value, of: part.path, part.id, at: part.range, seenAs: type)
  }

  // MARK: Inputs

  /// `with`: what the file is given.
  private func inputs(
    _ with: Node.Entry?, of runbook: ValidatedRunbook, _ file: String, at place: SourceRange
  ) -> [String: Template] {
    let entries = with.flatMap { map($0.value, "`with`") } ?? []
    var values: [String: Template] = [:]
    for entry in entries {
      guard let input = runbook.inputs.first(where: { $0.name == entry.key }) else {
        let names = runbook.inputs.map { $0.name }
        sink.error(
          .keyUnknown, at: entry.keyRange, "`\(file.excerpt(100))` has no input `\(entry.key.excerpt(60))`",
          hint: names.isEmpty ? "it takes no inputs" : Suggestion.hint(for: entry.key, among: names))
        continue
      }
      values[entry.key] = value(entry.value, of: input, "with.\(entry.key)")
    }
    // One mistake is enough where `with` is no map.
    guard with == nil || with?.value.entries != nil else { return values }
    for input in runbook.inputs where input.defaultValue == nil {
      if entries.contains(where: { $0.key == input.name }) { continue }
      sink.error(
        .keyMissing, at: with?.keyRange ?? place, "`\(file.excerpt(100))` needs the input `\(input.name)`",
        hint: input.description.map { $0.excerpt(100) } ?? "add `with: {\(input.name): …}`")
    }
    return values
  }

  /// Constants are checked in full, as `--input` is; expressions by their type.
  private func value(_ node: Node, of input: InputDeclaration, _ name: String) -> Template? {
    guard holdsExpression(node) else { return typed(node, input, name).map { .literal($0) } }
    guard let template = anyTemplate(node) else { return nil }
    if template.isTainted {
      sink.error(
        .secret, at: node.range, "`\(name)` would hand over a secret, and inputs are not secret",
        hint: "declare the secret in the file that is called, too")
      return nil
    }
    guard input.takes(template.type) else {
      return read.refuse(
        .type, node, "`\(name)` must be \(input.kind.words), and the expression gives \(template.type.phrase)")
    }
    return template
  }

  private func holdsExpression(_ node: Node) -> Bool {
    switch node.content {
    case .scalar(let scalar): scalar.text.hasExpression
    case .sequence(let items): items.contains { holdsExpression($0) }
    case .mapping(let entries): entries.contains { holdsExpression($0.value) }
    case .unreadable: false
    }
  }

  // MARK: The file

  /// Keys that would have no effect in a file that is called.
  private static let withoutEffect = [
    "locks", "timeout", "rollback_policy", "drill", "on_failure", "on_rollback_failure", "on_waiting", "always",
    "limits", "schedule",
  ]

  /// The file that is named, read and checked; nil, and told, if it cannot be called.
  private func calledFile(_ node: Node) -> (file: String, runbook: ValidatedRunbook)? {
    guard let scalar = read.scalar(node, "call", "the path of a file") else { return nil }
    if scalar.text.hasExpression {
      return read.refuse(
        .interpolation, node, "`call` is read before the run, so it cannot hold `${{ }}`",
        hint: "name one file, and choose between several with `if`")
    }
    if node.isNull || scalar.text.isEmpty {
      return read.refuse(.type, node, "`call` is empty", hint: "write the path of a file: `call: ./snapshot.yaml`")
    }
    if let problem = Validation.pathProblem(scalar.text) {
      return read.refuse(
        .file, node, "`call` \(problem)",
        hint: "name a file in the runbook's folder or below it, such as `./lib/snapshot.yaml`")
    }
    let parts = (folder + scalar.text).split(separator: "/").filter { $0 != "." }
    let file = parts.joined(separator: "/")
    guard let runbook = checked(file, node) else { return nil }
    let count = runbook.steps.leaves.count + runbook.value.ownCalls.reduce(0) { $0 + $1.stepCount }
    if calledLeaves + count > Limits.calledSteps {
      return read.refuse(
        .call, node, "the files that are called have more than \(Limits.calledSteps) steps in all",
        hint: "call fewer of them")
    }
    calledLeaves += count
    pinnedFiles.merge(runbook.pinnedFiles) { known, _ in known }
    addSecrets(of: runbook, file, node)
    return (file, runbook)
  }

  private func checked(_ file: String, _ node: Node) -> ValidatedRunbook? {
    let shown = file.excerpt(100)
    if calls.underWay.contains(file) {
      return read.refuse(
        .call, node, "`\(shown)` calls itself: \(calls.chain(to: file))", hint: "take one of these calls out")
    }
    let outcome: CalledFiles.Outcome
    if let known = calls.outcomes[file] {
      outcome = known
    } else {
      guard calls.underWay.count < CalledFiles.depthLimit else { return tooDeep(file, node) }
      let bytes: [UInt8]
      do throws(FileRefusal) { bytes = try context.readFile(file, SourceText.byteLimit) } catch {
        return read.refuse(.file, node, "`\(shown)` cannot be read: \(error.message)")
      }
      if bytes == calls.root, !file.contains("/") {
        return read.refuse(
          .call, node, "`\(shown)` calls itself: \(([file] + calls.underWay + [file]).joined(separator: " -> "))",
          hint: "take one of these calls out")
      }
      outcome = check(bytes, of: file)
      calls.outcomes[file] = outcome
    }
    switch outcome {
    case .refused(let message, let hint): return read.refuse(.call, node, message, hint: hint)
    case .checked(let runbook, let height):
      guard calls.underWay.count + height <= CalledFiles.depthLimit else { return tooDeep(file, node) }
      calledHeight = max(calledHeight, height)
      return runbook
    }
  }

  private func tooDeep(_ file: String, _ node: Node) -> ValidatedRunbook? {
    read.refuse(
      .call, node, "calls go deeper than \(CalledFiles.depthLimit) files: \(calls.chain(to: file))",
      hint: "write the steps of one of these files into the file that calls it")
  }

  private func check(_ bytes: [UInt8], of file: String) -> CalledFiles.Outcome {
    let document: ParsedDocument
    do throws(Diagnostics) { document = try ParsedDocument(yaml: bytes) } catch { return .refused(error, in: file) }
    for key in Validation.withoutEffect where document.root.entries?.contains(where: { $0.key == key }) == true {
      return .refused(
        "`\(file.excerpt(100))` has `\(key)`, which has no effect when the file is called",
        hint: "write it in the file that is started, or take it out")
    }
    calls.underWay.append(file)
    defer { calls.underWay.removeLast() }
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    let validation = Validation(document, context, folder: folder, calls: calls)
    do throws(Diagnostics) {
      var runbook = try validation.checked()
      runbook.pinnedFiles[file] = bytes
      return .checked(runbook, height: validation.calledHeight + 1)
    } catch {
      return .refused(error, in: file)
    }
  }

  // MARK: Secrets

  /// A run resolves the secrets of all its files before its first step, each name once.
  private func addSecrets(of runbook: ValidatedRunbook, _ file: String, _ node: Node) {
    for secret in runbook.secrets {
      let known = secrets.first { $0.name == secret.name } ?? calledSecrets.first { $0.name == secret.name }
      guard let known else {
        calledSecrets.append(secret)
        calls.owners[secret.name] = calls.owners[secret.name] ?? file
        continue
      }
      guard known.source != secret.source else { continue }
      let owner = secrets.contains { $0.name == secret.name } ? "here" : "in `\(calls.owners[secret.name] ?? "")`"
      sink.error(
        .secret, at: node.range,
        "the secret `\(secret.name)` comes from \(known.source.inWords) \(owner), and from \(secret.source.inWords) in "
          + "`\(file.excerpt(100))`",
        hint: "declare it alike in both files, or call one of them something else")
    }
  }
}

/// The files that are called, each read and checked once, whichever steps call it.
final class CalledFiles {
  enum Outcome {
    /// `height`: how many files are on the longest way down from it, itself included.
    case checked(ValidatedRunbook, height: Int)
    case refused(String, hint: String)

    /// Its first mistake stands for all.
    static func refused(_ mistakes: Diagnostics, in file: String) -> Outcome {
      let errors = mistakes.items.filter { $0.severity == .error }
      let shown = file.excerpt(100)
      let first = errors.first.map {
        ": line \($0.range.start.line), column \($0.range.start.column): \($0.message)"
      }
      let command = AdvisedCommands().line("validate", file)
      return .refused(
        "`\(shown)` cannot be called\(first ?? "")",
        hint: errors.count > 1
          ? "`\(command)`, in the runbook's folder, shows all \(errors.count) mistakes"
          : "`\(command)`, in the runbook's folder, shows the place")
    }
  }

  /// Files on one way down from the runbook that is started, without that one.
  static let depthLimit = 8

  /// The text of the runbook that is started.
  let root: [UInt8]
  /// By path below the folder of the runbook that is started.
  var outcomes: [String: Outcome] = [:]
  /// From the one that the root calls down to the one that is being checked.
  var underWay: [String] = []
  /// The file in which a secret was met first, by its name.
  var owners: [String: String] = [:]

  init(root: [UInt8]) { self.root = root }

  /// `a.yaml -> b.yaml -> a.yaml`
  func chain(to file: String) -> String {
    let start = underWay.firstIndex(of: file) ?? 0
    return (underWay[start...] + [file]).map { $0.excerpt(100) }.joined(separator: " -> ")
  }
}

extension RunbookDefinition {
  /// What a step that calls it has as outputs.
  var outputTypes: [String: ValueType] {
    Dictionary(outputs.map { ($0.name, $0.value.type) }, uniquingKeysWith: { first, _ in first })
  }
}

extension InputDeclaration {
  /// Whether a value of this type may be accepted.
  fileprivate func takes(_ type: ValueType) -> Bool {
    if kind == .list, let itemKind {
      guard case .list(let item) = type else { return type == .any }
      // In a list nothing says that a number is meant as text.
      if itemKind == .string || itemKind == .url { return item == .string || item == .any }
      return InputDeclaration(plain: name, itemKind).takes(item)
    }
    return switch (kind, type) {
    case (_, .any): true
    case (.string, .string), (.string, .int), (.string, .double), (.url, .string), (.bool, .bool): true
    case (.int, .int), (.int, .double), (.number, .int), (.number, .double): true
    case (.duration, .string), (.duration, .duration), (.list, .list), (.map, .map), (.map, .object): true
    default: false
    }
  }
}

extension SecretDeclaration.Source {
  /// `env TOKEN`
  fileprivate var inWords: String {
    switch self {
    case .environment(let key): "`env` \(key.excerpt(60))"
    case .file(let path): "`file` \(path.excerpt(60))"
    case .command(let words): "`command` \(words.joined(separator: " ").excerpt(60))"
    case .credential(let key): "`credential` \(key.excerpt(60))"
    }
  }
}

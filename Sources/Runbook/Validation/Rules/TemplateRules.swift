/// Values with `${{ }}` and bare expressions, checked against what their place takes.
extension Validation {
  /// A bare expression.
  func expression(_ node: Node, _ name: @autoclosure () -> String, expecting type: ValueType = .any) -> Expression? {
    guard let scalar = read.scalar(node, name(), "an expression") else { return nil }
    if node.isNull, scalar.text.isEmpty {
      return read.refuse(.type, node, "`\(name())` is empty", hint: "write an expression, or take the key out")
    }
    switch Expression.parse(scalar.text, at: node.range, in: environment, expecting: type) {
    case .success(let expression):
      if expression.isTainted { refuseSecret(node, name()) }
      for word in expression.tree.wordsForStates where StateWords.isMisspelt(word) {
        warn(
          .warnWord, at: node.range, "no state is called `\(word)`: states are written in small letters",
          hint: "write `\(word.lowercased())`; the cloud's own word is `native_state`")
      }
      return expression
    case .failure(let mistakes):
      refuse(mistakes, node, scalar)
      return nil
    }
  }

  /// Any value, with expressions in any text of it.
  /// - Parameter keepsText: a number that would be written with other characters than these is refused.
  func anyTemplate(_ node: Node, keepsText: Bool = false) -> Template? {
    switch node.content {
    case .unreadable: return nil
    case .scalar(let scalar):
      if scalar.text.hasExpression { return text(node, scalar) }
      guard let value = node.scalarValue(scalar, sink) else { return nil }
      if keepsText, scalar.isPlain, let text = value.numberText, text != scalar.text {
        return read.refuse(
          .yamlNumber, node, "`\(scalar.text.excerpt(40))` is a number here, and would be written `\(text)`",
          hint: "write \(MisreadText.quoted(scalar.text.excerpt(40))) to keep its text, or \(text) if it is a number")
      }
      return .literal(value)
    case .sequence(let items):
      let templates = items.map { anyTemplate($0, keepsText: keepsText) }
      return .list(templates.compactMap { $0 })
    case .mapping(let entries):
      var templates: [String: Template] = [:]
      for entry in entries { templates[entry.key] = anyTemplate(entry.value, keepsText: keepsText) }
      return .map(templates)
    }
  }

  func text(_ node: Node, _ scalar: Node.Scalar) -> Template? {
    switch Template.scalar(scalar.text, at: node.range, in: environment) {
    case .success(let template): return template
    case .failure(let mistakes):
      refuse(mistakes, node, scalar)
      return nil
    }
  }

  /// Tells why an expression is none, in the way that helps most: what YAML did to it, a habit, or the parser's own
  /// words.
  private func refuse(_ mistakes: Diagnostics, _ node: Node, _ scalar: Node.Scalar) {
    if sink.isFull || brokenSteps.prefix(100).contains(where: { scalar.text.contains("steps.\($0)") }) { return }
    if scalar.isPlain, let misread = MisreadText(in: document.source, commentAfter: node.range) {
      sink.report(misread.diagnostic)
    } else if let habit = LaterFeatures.expression(scalar.text, at: node.range) {
      sink.report(habit)
    } else {
      sink.report(mistakes)
    }
  }

  func refuseSecret(_ node: Node, _ name: String) {
    sink.error(
      .secret, at: node.range, "`\(name)` would show a secret",
      hint: "secrets go only into fields made for them (`env`, `headers`, `token`, `password`, `url`, …)")
  }

  // MARK: Fields

  /// One field's value. Constants are checked in full; expressions by their type.
  func template(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    if case .unreadable = node.content { return nil }
    if case .scalar(let scalar) = node.content {
      if info.field.kind == .expression { return expression(node, name).map { .expression($0) } }
      if scalar.text.hasExpression { return computed(node, scalar, name, info) }
      if node.isNull { return null(node, name, info) }
    }
    return constant(node, name, info)
  }

  private func null(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    guard info.field.required else { return .literal(.null) }
    return read.refuse(.type, node, "`\(name)` is empty", hint: info.field.help)
  }

  private func computed(_ node: Node, _ scalar: Node.Scalar, _ name: String, _ info: FieldInfo) -> Template? {
    guard info.field.allowsInterpolation else {
      return read.refuse(
        .interpolation, node, "`${{ }}` cannot stand in `\(name)`: another program would interpret the value",
        hint: "give the value through `env: {NAME: \"${{ … }}\"}` and read \"$NAME\"")
    }
    guard let template = text(node, scalar) else { return nil }
    if template.isTainted, !info.field.acceptsSecret {
      refuseSecret(node, name)
      return nil
    }
    if info.field.kind == .url, !scalar.text.hasPrefix("${{"), !WebAddress.hasScheme(scalar.text) {
      return read.refuse(.url, node, "`\(name)` must begin with `https://` or `http://`")
    }
    guard Validation.accepts(info.field.kind, template.type) else {
      return read.refuse(
        .type, node,
        "`\(name)` must be \(Validation.words(info.field.kind)), and the expression gives \(template.type.words)")
    }
    return template
  }

  private func constant(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    guard let bounds = info.field.bounds else { return unbounded(node, name, info) }
    let range: ClosedRange<Duration>? = if case .duration(let range) = bounds { range } else { nil }
    guard let template = unbounded(node, name, info, durations: range) else { return nil }
    guard let value = template.constant, !bounds.contains(value) else { return template }
    return read.refuse(
      .range, node, "`\(name)` is \((node.scalar?.text ?? "").excerpt(24)); it must be \(bounds.words)")
  }

  private func unbounded(
    _ node: Node, _ name: String, _ info: FieldInfo, durations: ClosedRange<Duration>? = nil
  ) -> Template? {
    switch info.field.kind {
    case .string: return string(node, name, info)
    case .int: return read.int(node, name, in: .min ... .max).map { .literal(.int($0)) }
    case .number:
      return read.number(node, name, in: -Double.greatestFiniteMagnitude ... .greatestFiniteMagnitude)
        .map { number in .literal(Int64(exactly: number).map { .int($0) } ?? .double(number)) }
    case .bool: return read.bool(node, name).map { .literal(.bool($0)) }
    case .duration:
      let least = name == "grace" ? Duration.zero : .milliseconds(1)
      let range = durations.map { max(least, $0.lowerBound)...$0.upperBound } ?? least ... .seconds(366 * 86_400)
      return read.duration(node, name, in: range)
        .map { .literal(.duration($0)) }
    case .choice(let words): return read.choice(node, name, words).map { .literal(.string($0)) }
    case .url: return address(node, name)
    case .stringMap: return stringMap(node, name, info.field)
    case .list:
      guard node.items != nil else { return read.wrongType(node, name, "a list") }
      return checkedAny(node, name, info)
    case .map:
      guard let entries = node.entries else { return read.wrongType(node, name, "a map") }
      if !info.members.isEmpty { return membersMap(entries, name, info) }
      return checkedAny(node, name, info)
    case .any, .expression: return checkedAny(node, name, info)
    }
  }

  /// A map of which the keys are known, each of its own kind.
  private func membersMap(_ entries: [Node.Entry], _ name: String, _ info: FieldInfo) -> Template? {
    var templates: [String: Template] = [:]
    for entry in entries {
      guard let member = info.members.first(where: { $0.field.name == entry.key }) else {
        let names = info.members.map { $0.field.name }
        sink.error(
          .keyUnknown, at: entry.keyRange, "`\(name)` has no key `\(entry.key.excerpt(60))`",
          hint: Suggestion.hint(for: entry.key, among: names) ?? "it takes \(names.joined(separator: ", "))")
        continue
      }
      templates[entry.key] = template(entry.value, "\(name).\(entry.key)", member)
    }
    return .map(templates)
  }

  private func checkedAny(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    guard let template = anyTemplate(node) else { return nil }
    if template.isTainted, !info.field.acceptsSecret {
      refuseSecret(node, name)
      return nil
    }
    return template
  }

  /// `{{ server }}` and `${run.id}`, which other tools replace.
  func refuseForeignTemplate(_ node: Node, _ text: String) {
    guard let name = ForeignTemplate.name(in: text), environment.roots[name] != nil || isDeclared(name) else { return }
    let expression = environment.roots[name] == nil ? "inputs.\(name)" : "\(name)…"
    sink.error(
      .interpolation, at: node.range,
      "`{{ }}` and `${ }` are not replaced: the text would be used as it is",
      hint: "write `${{ \(expression) }}`, or `${{ '{{' }}` for the braces themselves")
  }

  private func isDeclared(_ name: String) -> Bool {
    guard case .object(let inputs)? = environment.roots["inputs"] else { return false }
    return inputs[name] != nil
  }

  private func string(_ node: Node, _ name: String, _ info: FieldInfo) -> Template? {
    guard let scalar = read.scalar(node, name, "text") else { return nil }
    if info.field.allowsInterpolation { refuseForeignTemplate(node, scalar.text) }
    if scalar.text.isEmpty, info.field.required, !info.field.acceptsEmpty {
      return read.refuse(.type, node, "`\(name)` is empty", hint: info.field.help)
    }
    if let pattern = info.pattern, !pattern.matches(scalar.text) {
      return read.refuse(
        .pattern, node,
        "`\(name)` is `\(scalar.text.excerpt(60))`, which does not match `\(info.field.pattern ?? "")`",
        hint: info.field.help)
    }
    return .literal(.string(scalar.text))
  }

  private func address(_ node: Node, _ name: String) -> Template? {
    guard let scalar = read.scalar(node, name, "an address") else { return nil }
    refuseForeignTemplate(node, scalar.text)
    if let problem = WebAddress.problem(scalar.text) { return read.refuse(.url, node, "`\(name)` \(problem)") }
    return .literal(.string(scalar.text))
  }

  /// Names to texts: `env`, `headers`. Numbers and booleans keep the text they were written with.
  func stringMap(_ node: Node, _ name: String, _ field: Field) -> Template? {
    guard let entries = map(node, "`\(name)`") else { return nil }
    let info = field.acceptsSecret ? secretText : plainText
    var templates: [String: Template] = [:]
    for entry in entries {
      if let reason = field.refusedKeys[entry.key.lowercased()] {
        sink.error(
          .context, at: entry.keyRange, "`\(entry.key.excerpt(60))` cannot be given in `\(name)`: \(reason)",
          hint: "take it out")
        continue
      }
      if field.acceptsLists, let items = entry.value.items {
        templates[entry.key] = .list(items.compactMap { template($0, "\(name).\(entry.key)", info) })
      } else {
        templates[entry.key] = template(entry.value, "\(name).\(entry.key)", info)
      }
    }
    return .map(templates)
  }
}

// MARK: - Types of fields

extension Value {
  /// As an expression puts a number into a text; nil for what is no number.
  fileprivate var numberText: String? {
    switch self {
    case .int, .double: scalarText ?? JSONWriter.text(self)
    default: nil
    }
  }
}

extension Validation {
  static func accepts(_ kind: Field.Kind, _ type: ValueType) -> Bool {
    switch (kind, type) {
    case (_, .any), (_, .null), (.any, _), (.expression, _), (_, .secret): true
    case (_, .optional(let inner)): accepts(kind, inner)
    case (.string, .string), (.string, .int), (.string, .double), (.string, .bool), (.string, .timestamp): true
    case (.choice, .string), (.url, .string), (.duration, .string), (.duration, .duration), (.bool, .bool): true
    case (.int, .int), (.int, .double), (.number, .int), (.number, .double), (.list, .list): true
    case (.map, .map), (.map, .object), (.stringMap, .map), (.stringMap, .object): true
    default: false
    }
  }

  static func words(_ kind: Field.Kind) -> String {
    switch kind {
    case .string: "text"
    case .int: "a whole number"
    case .number: "a number"
    case .bool: "true or false"
    case .duration: "a duration"
    case .list: "a list"
    case .map, .stringMap: "a map"
    case .any, .expression: "a value"
    case .url: "an address"
    case .choice(let words): ScalarReader.alternatives(words)
    }
  }
}

extension ValueType {
  var words: String {
    switch self {
    case .any: "a value"
    case .null: "null"
    case .bool: "true or false"
    case .int: "a whole number"
    case .double: "a number"
    case .string: "text"
    case .duration: "a duration"
    case .timestamp: "a time"
    case .list: "a list"
    case .map, .object: "a map"
    case .optional(let type): "\(type.words) or nothing"
    case .secret: "a secret"
    }
  }
}

/// `http://` and `https://` addresses, as far as a file can be checked.
enum WebAddress {
  static func hasScheme(_ text: String) -> Bool { text.hasPrefix("https://") || text.hasPrefix("http://") }

  /// A clause that follows the field's name; nil if the address is fine.
  static func problem(_ text: String) -> String? {
    guard hasScheme(text) else { return "must begin with `https://` or `http://`, not `\(text.excerpt(40))`" }
    guard let host = host(text), !host.isEmpty else { return "names no host: `\(text.excerpt(60))`" }
    if host.contains("@") { return "holds a user or password; give them in fields of their own" }
    let isPlain = text.utf8.allSatisfy {
      $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"")
    }
    return isPlain ? nil : "holds a character that no address has: `\(text.excerpt(60))`"
  }

  /// Between the scheme and the path, with port.
  static func host(_ text: String) -> Substring? {
    guard let start = text.range(ofScheme: "://") else { return nil }
    return text[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
  }

  static func isLoopback(_ text: String) -> Bool {
    guard let host = host(text) else { return false }
    if host.hasPrefix("[::1]") { return true }
    let name = host.prefix { $0 != ":" }
    return name == "localhost" || name == "127.0.0.1"
      || name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." } && name.split(separator: ".").count == 4
  }
}

extension String {
  fileprivate func range(ofScheme mark: String) -> Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(mark) { return self.index(index, offsetBy: mark.count) }
      index = self.index(after: index)
    }
    return nil
  }
}

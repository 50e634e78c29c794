/// `inputs:` the inputs of a run.
extension Validation {
  private static let keys = ["type", "default", "enum", "pattern", "min", "max", "min_items", "items", "description"]

  func inputDeclarations(_ node: Node?) -> [InputDeclaration] {
    guard let node, let entries = map(node, "`inputs`") else { return [] }
    return entries.compactMap { entry in
      guard Names.check(entry.key, at: entry.keyRange, "the input", sink) else { return nil }
      return input(entry)
    }
  }

  private func input(_ entry: Node.Entry) -> InputDeclaration? {
    let name = "inputs.\(entry.key)"
    if let word = entry.value.scalar?.text, InputDeclaration.Kind(rawValue: word) != nil {
      sink.error(.type, at: entry.value.range, "`\(name)` must be a map", hint: "write `{type: \(word)}`")
      return nil
    }
    guard var fields = FieldReader(entry.value, "`\(name)`", sink) else { return nil }
    let kinds = InputDeclaration.Kind.allCases.map { $0.rawValue }
    let typeNode = fields.require("type", at: entry.keyRange, hint: "one of \(kinds.joined(separator: ", "))")
    let kind: InputDeclaration.Kind = typeNode.flatMap { inputKind($0, "\(name).type") } ?? .string
    var input = InputDeclaration(
      name: entry.key, kind: kind, defaultValue: nil, allowed: [], pattern: nil, minimum: nil, maximum: nil,
      minimumItems: nil, itemKind: nil, description: nil)
    constraints(&input, &fields, name)
    if let node = fields.take("description") {
      input.description = read.text(node, "\(name).description", limit: 10_000)
    }
    if let node = fields.take("enum") { input.allowed = alternatives(node, input, name) }
    if let node = fields.take("default"), !node.isUnreadable { input.defaultValue = defaultValue(node, input, name) }
    fields.finish(known: Validation.keys)
    return input
  }

  private func inputKind(_ node: Node, _ name: String) -> InputDeclaration.Kind? {
    let other = [
      "str": "string", "text": "string", "integer": "int", "float": "number", "double": "number", "boolean": "bool",
      "array": "list", "object": "map", "dict": "map", "secret": "string",
    ]
    if let word = node.scalar?.text, let ours = other[word] {
      let hint = word == "secret" ? "declare it under `secrets:`" : "did you mean `\(ours)`?"
      return read.refuse(.choice, node, "`\(name)` cannot be `\(word)`", hint: hint)
    }
    return read.choice(node, name)
  }

  private func constraints(_ input: inout InputDeclaration, _ fields: inout FieldReader, _ name: String) {
    if let node = fields.take("pattern"), let text = read.text(node, "\(name).pattern", limit: 8192) {
      if input.kind != .string, input.kind != .url {
        misplaced(node, "pattern", "a string or url", name)
      } else {
        do { _ = try Pattern(text) } catch {
          sink.error(.pattern, at: node.range, "`\(name).pattern` is no pattern: \(error.message)")
        }
        input.pattern = text
      }
    }
    input.minimum = bound(&fields, "min", input, name)
    input.maximum = bound(&fields, "max", input, name)
    if let node = fields.take("min_items") {
      if input.kind != .list { misplaced(node, "min_items", "a list", name) }
      input.minimumItems = read.int(node, "\(name).min_items", in: 0...100_000).map { Int($0) }
    }
    if let node = fields.take("items") {
      if input.kind != .list { misplaced(node, "items", "a list", name) }
      input.itemKind = inputKind(node, "\(name).items")
    }
  }

  private func bound(_ fields: inout FieldReader, _ key: String, _ input: InputDeclaration, _ name: String) -> Value? {
    guard let node = fields.take(key), !node.isUnreadable else { return nil }
    guard input.kind == .int || input.kind == .number || input.kind == .duration else {
      misplaced(node, key, "an int, number or duration", name)
      return nil
    }
    return typed(node, InputDeclaration(plain: input.name, input.kind), "\(name).\(key)")
  }

  private func misplaced(_ node: Node, _ key: String, _ kinds: String, _ name: String) {
    sink.error(.context, at: node.range, "`\(name)`: `\(key)` means something for \(kinds) only")
  }

  private func alternatives(_ node: Node, _ input: InputDeclaration, _ name: String) -> [Value] {
    guard let items = node.items, !items.isEmpty else {
      return read.wrongType(node, "\(name).enum", "a list of the values allowed") ?? []
    }
    return items.compactMap { typed($0, InputDeclaration(plain: input.name, input.kind), "\(name).enum") }
  }

  private func defaultValue(_ node: Node, _ input: InputDeclaration, _ name: String) -> Value? {
    typed(node, input, "\(name).default")
  }

  /// A value that is written out, with the constraints of its declaration.
  func typed(_ node: Node, _ input: InputDeclaration, _ name: String) -> Value? {
    if let text = node.scalar?.text, text.hasExpression { return read.interpolation(node, name) }
    // Text fields keep what was written: `default: 012` is "012".
    let plain: Value? =
      if let scalar = node.scalar, input.kind.keepsText, !node.isNull { .string(scalar.text) } else { node.value(sink) }
    guard let plain else { return nil }
    switch input.accepted(plain) {
    case .success(let value): return value
    case .failure(let refusal):
      return read.refuse(.type, node, "`\(name)` \(refusal.message)")
    }
  }
}

extension InputDeclaration {
  /// Without constraints.
  init(plain name: String, _ kind: Kind) {
    self.init(
      name: name, kind: kind, defaultValue: nil, allowed: [], pattern: nil, minimum: nil, maximum: nil,
      minimumItems: nil,
      itemKind: nil, description: nil)
  }

  /// What expressions see.
  var valueType: ValueType {
    kind == .list ? .list(itemKind?.valueType ?? .any) : kind.valueType
  }
}

extension InputDeclaration.Kind {
  var valueType: ValueType {
    switch self {
    case .string, .url: .string
    case .int: .int
    case .number: .double
    case .bool: .bool
    case .duration: .duration
    case .list: .list(.any)
    case .map: .map(.any)
    }
  }

  /// A scalar is taken as it is written, whatever it looks like.
  var keepsText: Bool { self == .string || self == .url || self == .duration }
}

extension Node {
  /// The plain data of a node by the core schema. Numbers that fit no type of ours are told and answer nil.
  package func value(_ sink: DiagnosticSink) -> Value? {
    switch content {
    case .unreadable: return nil
    case .scalar(let scalar): return scalarValue(scalar, sink)
    case .sequence(let items):
      var values: [Value] = []
      values.reserveCapacity(items.count)
      for item in items {
        guard let value = item.value(sink) else { return nil }
        values.append(value)
      }
      return .list(values)
    case .mapping(let entries):
      var values: [String: Value] = [:]
      values.reserveCapacity(entries.count)
      for entry in entries {
        guard let value = entry.value.value(sink) else { return nil }
        values[entry.key] = value
      }
      return .map(values)
    }
  }

  func scalarValue(_ scalar: Scalar, _ sink: DiagnosticSink) -> Value? {
    guard scalar.isPlain else { return .string(scalar.text) }
    switch CoreSchema.resolve(scalar.text) {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .int(number)
    case .double(let number): return .double(number)
    case .string: return .string(scalar.text)
    case .numberOutOfRange:
      sink.error(
        .yamlNumber, at: range, "`\(scalar.text.excerpt(40))` fits no number (64 bits)",
        hint: "quote it to make it text")
      return nil
    }
  }
}

extension ParsedDocument {
  /// The document as plain data: for files of inputs, mocks and contexts.
  /// - Throws: every mistake in it, those of the YAML included.
  public func value() throws(Diagnostics) -> Value {
    let sink = DiagnosticSink(mistakes)
    let value = root.value(sink)
    guard let value, sink.items.isEmpty else { throw Diagnostics(sink.items).inFileOrder }
    return value
  }
}

extension Node {
  /// What it means when no field says what is expected: plain scalars by the core schema, quoted ones as text. A number
  /// that fits none of ours stays text. Duplicate keys have been told of; the last one counts.
  public var literalValue: Value {
    switch content {
    case .unreadable: return .null
    case .sequence(let items): return .list(items.map(\.literalValue))
    case .mapping(let entries):
      return .map(Dictionary(entries.map { ($0.key, $0.value.literalValue) }, uniquingKeysWith: { _, last in last }))
    case .scalar(let scalar):
      guard scalar.isPlain else { return .string(scalar.text) }
      switch CoreSchema.resolve(scalar.text) {
      case .null: return .null
      case .bool(let flag): return .bool(flag)
      case .int(let number): return .int(number)
      case .double(let number): return .double(number)
      case .string, .numberOutOfRange: return .string(scalar.text)
      }
    }
  }
}

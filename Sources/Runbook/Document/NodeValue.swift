extension Node {
  /// What it means when no field says what is expected: plain scalars by the core schema, quoted ones as text. A number that
  /// fits none of ours stays text. Duplicate keys have been told of; the last one counts.
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

/// JSON has no instants and no durations: a mark says which texts of a journaled value are one, so that a run carried
/// on after a crash reads exactly the values it had. `t` an instant, `d` a duration, a list what `SecretCoder` says (as
/// `number`, of a number); as `stored`, where a text lies that the value only refers to; nil where nothing needs a
/// mark.
enum ValueMarks {
  static func of(_ value: Value, _ secrets: SecretCoder) -> Value? {
    switch value {
    case .timestamp: return "t"
    case .duration: return "d"
    case .string(let text): return secrets.mark(of: text)
    case .secret(let secret): return secrets.mark(of: secret)
    // A number whose digits hold a secret is written as masked text.
    case .int, .double:
      return secrets.masker.mask(value) == value ? nil : secrets.mark(of: JSONWriter.text(value)).map { ["number": $0] }
    case .stored(let text):
      let names = Value.list(text.secrets.map { .string($0) })
      return ["stored": .list([.string(text.key), .string(text.stream.rawValue), .int(Int64(text.count)), names])]
    case .lost(let names): return .list(names.map { ["n": .string($0), "f": "raw", "d": ""] })
    case .optional(let inner?): return of(inner, secrets)
    case .list(let items):
      var marks: [String: Value] = [:]
      for (index, item) in items.enumerated() { marks[String(index)] = of(item, secrets) }
      return marks.isEmpty ? nil : .map(marks)
    case .map(let entries):
      var marks: [String: Value] = [:]
      for (key, entry) in entries { marks[secrets.masker.mask(key)] = of(entry, secrets) }
      return marks.isEmpty ? nil : .map(marks)
    default: return nil
    }
  }

  static func apply(_ marks: Value?, to value: Value, _ secrets: SecretCoder) -> Value {
    guard let marks else { return value }
    switch (marks, value) {
    case (.list(let parts), .string): return secrets.value(of: parts)
    case (.map(let mark), .string(let shown)):
      if let place = mark["stored"]?.list { return StoredOutput.value(place, shown, secrets) ?? value }
      guard let parts = mark["number"]?.list else { return value }
      let text = secrets.value(of: parts)
      return text.string.flatMap { try? JSONReader.read($0) } ?? text
    case ("t", .string(let text)): return Timestamp(text).map { .timestamp($0) } ?? value
    case ("d", .string(let text)): return Duration(text: text).map { .duration($0) } ?? value
    case (.map(let marks), .map(let entries)):
      return .map(
        entries.merging(marks) { content, mark in apply(mark, to: content, secrets) }.filter { entries[$0.key] != nil })
    case (.map(let marks), .list(var items)):
      for (key, mark) in marks {
        guard let index = Int(key), items.indices.contains(index) else { continue }
        items[index] = apply(mark, to: items[index], secrets)
      }
      return .list(items)
    default: return value
    }
  }
}

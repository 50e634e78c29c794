/// JSON has no instants and no durations: a mark says which texts of a journaled value are one, so that a run carried
/// on after a crash reads exactly the values it had. `t` an instant, `d` a duration; nil where nothing needs a mark.
enum ValueMarks {
  static func of(_ value: Value) -> Value? {
    switch value {
    case .timestamp: return "t"
    case .duration: return "d"
    case .optional(let inner?): return of(inner)
    case .list(let items):
      var marks: [String: Value] = [:]
      for (index, item) in items.enumerated() { marks[String(index)] = of(item) }
      return marks.isEmpty ? nil : .map(marks)
    case .map(let entries):
      let marks = entries.compactMapValues { of($0) }
      return marks.isEmpty ? nil : .map(marks)
    default: return nil
    }
  }

  static func apply(_ marks: Value?, to value: Value) -> Value {
    guard let marks else { return value }
    switch (marks, value) {
    case ("t", .string(let text)): return Timestamp(text).map { .timestamp($0) } ?? value
    case ("d", .string(let text)): return Duration(text: text).map { .duration($0) } ?? value
    case (.map(let marks), .map(let entries)):
      return .map(
        entries.merging(marks) { content, mark in apply(mark, to: content) }.filter { entries[$0.key] != nil })
    case (.map(let marks), .list(var items)):
      for (key, mark) in marks {
        guard let index = Int(key), items.indices.contains(index) else { continue }
        items[index] = apply(mark, to: items[index])
      }
      return .list(items)
    default: return value
    }
  }
}

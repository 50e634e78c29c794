// Functions and methods by name.
extension EvaluationBudget {
  /// - Parameter values: the receiver of a method first.
  mutating func call(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    for value in values {
      switch value {
      case .unknown: return .unknown
      case .secret where !function.acceptsSecret: throw .secret(function.rawValue)
      case .string(let text): try read(text.utf8.count)
      case .list(let items): try read(items.count)
      default: break
      }
    }
    switch function {
    case .size: return try size(values)
    case .int, .double, .string, .bool, .duration, .timestamp, .type: return try convert(function, values)
    case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes,
      .getSeconds, .getMilliseconds:
      return try timePart(function, values)
    case .contains, .startsWith, .endsWith, .matches, .glob, .lowerAscii, .upperAscii, .trim, .replace, .substring,
      .charAt, .indexOf, .lastIndexOf, .split:
      return try text(function, values)
    case .join, .format, .toJSON, .sortBy: return try wholeValue(function, values)
    case .reverse, .slice: return try listPart(function, values)
    case .optionalOf, .optionalNone, .optionalOfNonZeroValue, .hasValue, .value, .or, .orValue:
      return try optional(function, values)
    case .json, .base64, .sha256, .hmacSHA256, .urlEncode, .semverCompare: return try encode(function, values)
    case .now: throw wrongArguments(function, values)
    }
  }

  func wrongArguments(_ function: ExpressionFunction, _ values: [Value]) -> EvaluationFault {
    let given = values.isEmpty ? "nothing" : values.map(\.phrase).joined(separator: ", ")
    return EvaluationFault("`\(function.rawValue)` cannot take \(given); it is \(function.usage)")
  }

  private func size(_ values: [Value]) throws(EvaluationFault) -> Value {
    switch values.first {
    case .string(let text)?: return .int(Int64(text.unicodeScalars.count))
    case .list(let items)?: return .int(Int64(items.count))
    case .map(let entries)?: return .int(Int64(entries.count))
    default: throw wrongArguments(.size, values)
    }
  }

  /// Functions that walk through a whole value: it must be known to its last part, and hold no secret.
  private mutating func wholeValue(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    for value in values {
      let inspection = try inspect(value, "a value in the expression")
      if inspection.isTainted { throw .secret(function.rawValue) }
      if inspection.isUnknown { return .unknown }
    }
    switch (function, values.first, values.dropFirst().first) {
    case (.toJSON, let value?, nil):
      let text = JSONWriter.text(value)
      try build(text.utf8.count)
      return .string(text)
    case (.join, .list(let items)?, nil): return try join(items, separator: "")
    case (.join, .list(let items)?, .string(let separator)?): return try join(items, separator: separator)
    case (.format, .string(let pattern)?, .list(let items)?): return .string(try format(pattern, items))
    case (.sortBy, .list(let items)?, .string(let key)?): return try sort(items, by: key)
    default: throw wrongArguments(function, values)
    }
  }

  private mutating func join(_ items: [Value], separator: String) throws(EvaluationFault) -> Value {
    var joined = ""
    for (index, item) in items.enumerated() {
      guard case .string(let text) = item else {
        throw EvaluationFault("`join` needs a list of strings; item \(index) is \(item.phrase)")
      }
      if joined.utf8.count + text.utf8.count + separator.utf8.count > ExpressionLimit.size {
        throw EvaluationBudget.tooLarge("the joined text")
      }
      if index > 0 { joined += separator }
      joined += text
    }
    try build(joined.utf8.count)
    return .string(joined)
  }

  private mutating func sort(_ items: [Value], by key: String) throws(EvaluationFault) -> Value {
    var keyed: [(key: Value, position: Int)] = []
    for (position, item) in items.enumerated() {
      guard case .map(let entries) = item, let value = entries[key] else {
        throw EvaluationFault("`sort_by` needs `\(shown(key))` in every item; item \(position) has none")
      }
      if let first = keyed.first?.key, orderForSorting(first, value) == nil {
        throw EvaluationFault("`sort_by` cannot compare \(first.phrase) with \(value.phrase) (item \(position))")
      }
      keyed.append((value, position))
    }
    if keyed.count == 1, let only = keyed.first, orderForSorting(only.key, only.key) == nil {
      throw EvaluationFault("`sort_by` cannot order by \(only.key.phrase)")
    }
    try spend(items.count / 16)
    let sorted = keyed.sorted { left, right in
      let order = orderForSorting(left.key, right.key) ?? 0
      return order == 0 ? left.position < right.position : order < 0
    }
    return .list(sorted.map { items[$0.position] })
  }

  private mutating func listPart(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    switch (function, values.count, values.first) {
    case (.reverse, 1, .string(let text)?):
      var reversed = String.UnicodeScalarView()
      reversed.append(contentsOf: text.unicodeScalars.reversed())
      return try built(String(reversed))
    case (.reverse, 1, .list(let items)?): return .list(items.reversed())
    case (.slice, 3, .list(let items)?):
      guard case .int(let from) = values[1], case .int(let to) = values[2] else {
        throw wrongArguments(function, values)
      }
      guard from >= 0, to >= from else {
        throw EvaluationFault("`slice` needs 0 <= a <= b, these are \(from) and \(to)")
      }
      let start = Int(min(from, Int64(items.count)))
      return .list(Array(items[start..<Int(min(to, Int64(items.count)))]))
    default: throw wrongArguments(function, values)
    }
  }

  private func optional(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    switch (function, values.count, values.first) {
    case (.optionalNone, 0, _): return .optional(nil)
    case (.optionalOf, 1, let value?): return .optional(value)
    case (.optionalOfNonZeroValue, 1, let value?): return value.isZero ? .optional(nil) : .optional(value)
    case (.hasValue, 1, .optional(let value)?): return .bool(value != nil)
    case (.value, 1, .optional(let value?)?): return value
    case (.value, 1, .optional(nil)?): throw EvaluationFault("the optional is absent, so it has no `value()`")
    default: throw wrongArguments(function, values)
    }
  }
}

extension Value {
  /// CEL's zero values.
  fileprivate var isZero: Bool {
    switch self {
    case .null, .bool(false), .int(0), .string(""), .optional(nil): true
    case .double(let number): number == 0
    case .list(let items): items.isEmpty
    case .map(let entries): entries.isEmpty
    case .duration(let duration): duration == .zero
    default: false
    }
  }

  /// What `type()` answers.
  var typeName: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .double: "double"
    case .string, .stored: "string"
    case .list: "list"
    case .map: "map"
    case .duration: "duration"
    case .timestamp: "timestamp"
    case .optional: "optional_type"
    case .secret, .lost, .unknown: "any"
    }
  }

  /// `string(x)`, and how a value looks inside a text: nil for null, absent optionals, lists, maps and secrets.
  var scalarText: String? {
    switch self {
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .double(let number): number.plainText
    case .string(let text): text
    case .duration(let duration): duration.exactText
    case .timestamp(let timestamp): timestamp.description
    default: nil
    }
  }
}

// Operators.
extension EvaluationBudget {
  mutating func apply(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(EvaluationFault) -> Value {
    switch symbol {
    case .equal: return try areEqual(left, right).map { .bool($0) } ?? .unknown
    case .notEqual: return try areEqual(left, right).map { .bool(!$0) } ?? .unknown
    case .less, .lessOrEqual, .greater, .greaterOrEqual: return try compare(symbol, left, right)
    case .isIn: return try contains(right, left)
    case .plus: return try add(left, right)
    case .minus, .times, .divide, .remainder: return try calculate(symbol, left, right)
    }
  }

  mutating func negate(_ value: Value) throws(EvaluationFault) -> Value {
    switch value {
    case .unknown: return .unknown
    case .int(let number):
      guard number != .min else { throw overflow }
      return .int(-number)
    case .double(let number): return .double(-number)
    case .duration(let duration): return .duration(Duration.zero - (try bounded(duration)))
    case .secret: throw .secret("-")
    default: throw EvaluationFault("`-` needs a number, this is \(value.phrase)")
    }
  }

  private var overflow: EvaluationFault { EvaluationFault("the result does not fit into an int of 64 bits") }

  private func mismatch(_ symbol: BinaryOperator, _ left: Value, _ right: Value) -> EvaluationFault {
    if left.isSecret || right.isSecret { return .secret(symbol.rawValue) }
    return EvaluationFault("`\(symbol.rawValue)` cannot take \(left.phrase) and \(right.phrase)")
  }

  /// CEL's equality: numbers of both kinds by their value, other different types are unequal. nil: an unknown is
  /// inside.
  mutating func areEqual(_ left: Value, _ right: Value) throws(EvaluationFault) -> Bool? {
    switch (left, right) {
    case (.secret, _), (_, .secret): throw .secret("==")
    case (.unknown, _), (_, .unknown): return nil
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.int(let a), .int(let b)): return a == b
    case (.double(let a), .double(let b)): return a == b
    case (.int(let a), .double(let b)), (.double(let b), .int(let a)): return Int64(exactly: b) == a
    case (.string(let a), .string(let b)):
      try read(min(a.utf8.count, b.utf8.count))
      return a.utf8.elementsEqual(b.utf8)
    case (.duration(let a), .duration(let b)): return a == b
    case (.timestamp(let a), .timestamp(let b)): return a == b
    case (.optional(let a), .optional(let b)):
      guard let a, let b else { return a == nil && b == nil }
      try spend(1)
      return try areEqual(a, b)
    case (.list(let a), .list(let b)):
      return a.count == b.count ? try areEqual(pairs: zip(a, b).lazy.map { ($0, $1) }) : false
    case (.map(let a), .map(let b)):
      guard a.count == b.count else { return false }
      for key in a.keys where b[key] == nil { return false }
      return try areEqual(pairs: a.lazy.map { ($0.value, b[$0.key] ?? .null) })
    default: return false
    }
  }

  private mutating func areEqual(pairs: some Sequence<(Value, Value)>) throws(EvaluationFault) -> Bool? {
    var isUnknown = false
    for (left, right) in pairs {
      try spend(1)
      switch try areEqual(left, right) {
      case false?: return false
      case nil: isUnknown = true
      case true?: break
      }
    }
    return isUnknown ? nil : true
  }

  /// -1, 0 or 1; nil if one is no number.
  private func order(_ left: Value, _ right: Value) -> Int? {
    func sign<T: Comparable>(_ a: T, _ b: T) -> Int? { a < b ? -1 : a > b ? 1 : a == b ? 0 : nil }
    return switch (left, right) {
    case (.int(let a), .int(let b)): sign(a, b)
    case (.double(let a), .double(let b)): sign(a, b)
    case (.int(let a), .double(let b)): order(a, b)
    case (.double(let a), .int(let b)): order(b, a).map { -$0 }
    case (.bool(let a), .bool(let b)): sign(a ? 1 : 0, b ? 1 : 0)
    case (.string(let a), .string(let b)): sign(a.unicodeOrder(b), 0)
    case (.duration(let a), .duration(let b)): sign(a, b)
    case (.timestamp(let a), .timestamp(let b)): sign(a, b)
    default: nil
    }
  }

  /// Exact also where a double has no room for the int.
  private func order(_ whole: Int64, _ number: Double) -> Int? {
    if number.isNaN { return nil }
    if number >= 0x1p63 { return -1 }
    if number < -0x1p63 { return 1 }
    guard let floor = Int64(exactly: number.rounded(.down)) else { return nil }
    if whole != floor { return whole < floor ? -1 : 1 }
    return number > number.rounded(.down) ? -1 : 0
  }

  func orderForSorting(_ left: Value, _ right: Value) -> Int? { order(left, right) }

  private mutating func compare(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(EvaluationFault)
    -> Value
  {
    if left.isSecret || right.isSecret { throw .secret(symbol.rawValue) }
    if left.isUnknown || right.isUnknown { return .unknown }
    if case .string(let a) = left, case .string(let b) = right { try read(min(a.utf8.count, b.utf8.count)) }
    guard let order = order(left, right) else {
      throw EvaluationFault("`\(symbol.rawValue)` cannot compare \(left.phrase) with \(right.phrase)")
    }
    return switch symbol {
    case .less: .bool(order < 0)
    case .lessOrEqual: .bool(order <= 0)
    case .greater: .bool(order > 0)
    default: .bool(order >= 0)
    }
  }

  private mutating func contains(_ container: Value, _ item: Value) throws(EvaluationFault) -> Value {
    switch (container, item) {
    case (.unknown, _), (_, .unknown): return .unknown
    case (_, .secret), (.secret, _): throw .secret("in")
    case (.map(let entries), .string(let key)): return .bool(entries[key] != nil)
    case (.list(let items), _):
      var isUnknown = false
      for other in items {
        try spend(1)
        switch try areEqual(other, item) {
        case true?: return .bool(true)
        case nil: isUnknown = true
        case false?: break
        }
      }
      return isUnknown ? .unknown : .bool(false)
    case (.map, _): throw EvaluationFault("a map's key is a string, not \(item.phrase)")
    default: throw EvaluationFault("`in` needs a list or a map, this is \(container.phrase)")
    }
  }

  private mutating func add(_ left: Value, _ right: Value) throws(EvaluationFault) -> Value {
    switch (left, right) {
    case (.unknown, _), (_, .unknown): return .unknown
    case (.string(let a), .string(let b)):
      try build(a.utf8.count + b.utf8.count)
      return .string(a + b)
    case (.int, .int), (.double, .double): return try calculate(.plus, left, right)
    case (.list(let a), .list(let b)):
      try build((a.count + b.count) * 16)
      return .list(a + b)
    case (.secret(let a), .secret(let b)): return try joined([.secret(a), .secret(b)])
    case (.secret(let a), .string(let b)): return try joined([.secret(a), .plain(b)])
    case (.string(let a), .secret(let b)): return try joined([.plain(a), .secret(b)])
    case (.duration(let a), .duration(let b)): return try checked(try bounded(a) + (try bounded(b)))
    case (.timestamp(let a), .duration(let b)), (.duration(let b), .timestamp(let a)): return try moved(a, by: b)
    default: throw mismatch(.plus, left, right)
    }
  }

  mutating func joined(_ parts: [SecretPart]) throws(EvaluationFault) -> Value {
    let secret = Secret.joined(parts)
    try build(secret.reveal().utf8.count)
    return .secret(secret)
  }

  private mutating func calculate(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(EvaluationFault)
    -> Value
  {
    switch (left, right) {
    case (.unknown, _), (_, .unknown): return .unknown
    case (.int(let a), .int(let b)): return .int(try calculate(symbol, a, b))
    case (.double(let a), .double(let b)):
      switch symbol {
      case .plus: return try finite(a + b)
      case .minus: return try finite(a - b)
      case .times: return try finite(a * b)
      case .divide where b == 0: throw EvaluationFault("division by zero")
      case .divide: return try finite(a / b)
      default: throw mismatch(symbol, left, right)
      }
    case (.duration(let a), .duration(let b)) where symbol == .minus:
      return try checked(try bounded(a) - (try bounded(b)))
    case (.timestamp(let a), .timestamp(let b)) where symbol == .minus: return try checked(a - b)
    case (.timestamp(let a), .duration(let b)) where symbol == .minus:
      return try moved(a, by: Duration.zero - (try bounded(b)))
    default: throw mismatch(symbol, left, right)
    }
  }

  private func calculate(_ symbol: BinaryOperator, _ a: Int64, _ b: Int64) throws(EvaluationFault) -> Int64 {
    let (result, isOverflow): (Int64, Bool)
    switch symbol {
    case .plus: (result, isOverflow) = a.addingReportingOverflow(b)
    case .minus: (result, isOverflow) = a.subtractingReportingOverflow(b)
    case .times: (result, isOverflow) = a.multipliedReportingOverflow(by: b)
    default:
      if b == 0 { throw EvaluationFault("division by zero") }
      (result, isOverflow) =
        symbol == .divide ? a.dividedReportingOverflow(by: b) : a.remainderReportingOverflow(dividingBy: b)
    }
    if isOverflow { throw overflow }
    return result
  }

  /// Infinities have no place in a journal: too large a double is an error here, as too large an int is.
  private func finite(_ number: Double) throws(EvaluationFault) -> Value {
    guard number.isFinite else { throw EvaluationFault("the result does not fit into a double") }
    return .double(number)
  }

  /// As many nanoseconds as an int holds: about 292 years either way.
  private func bounded(_ duration: Duration) throws(EvaluationFault) -> Duration {
    guard duration >= Duration.nanoseconds(Int64.min), duration <= Duration.nanoseconds(Int64.max) else {
      throw EvaluationFault("the result is a duration of more than 292 years, and does not fit")
    }
    return duration
  }

  private func checked(_ duration: Duration) throws(EvaluationFault) -> Value { .duration(try bounded(duration)) }

  private func moved(_ timestamp: Timestamp, by duration: Duration) throws(EvaluationFault) -> Value {
    let seconds = timestamp.seconds + (try bounded(duration)).components.seconds
    guard seconds >= Timestamp.minimumSeconds, seconds < Timestamp.maximumSeconds else {
      throw EvaluationFault("the result is not between the years 1 and 9999")
    }
    return .timestamp(timestamp + duration)
  }
}

extension String {
  /// By code points: negative, zero or positive.
  func unicodeOrder(_ other: String) -> Int {
    var left = utf8.makeIterator()
    var right = other.utf8.makeIterator()
    while true {
      switch (left.next(), right.next()) {
      case (nil, nil): return 0
      case (nil, _): return -1
      case (_, nil): return 1
      case (let a?, let b?): if a != b { return a < b ? -1 : 1 }
      }
    }
  }
}

extension Value {
  var isSecret: Bool { if case .secret = self { true } else { false } }
  var isUnknown: Bool { if case .unknown = self { true } else { false } }

  /// An optional in an optional is one.
  var flattened: Value {
    if case .optional(let inner?) = self, case .optional = inner { inner } else { self }
  }

  /// For messages about types: "an int".
  var phrase: String {
    switch self {
    case .null: "null"
    case .bool: "a bool"
    case .int: "an int"
    case .double: "a double"
    case .string, .stored: "a string"
    case .list: "a list"
    case .map: "a map"
    case .duration: "a duration"
    case .timestamp: "a timestamp"
    case .optional(nil): "an absent optional"
    case .optional: "an optional"
    case .secret: "a secret"
    case .lost: "a value that is lost"
    case .unknown: "a value known after apply"
    }
  }
}

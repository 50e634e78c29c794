extension ValueType {
  /// The name authors know it by.
  var word: String {
    switch self {
    case .any: "any"
    case .null: "null"
    case .bool: "bool"
    case .int: "int"
    case .double: "double"
    case .string: "string"
    case .duration: "duration"
    case .timestamp: "timestamp"
    case .list(.any): "list"
    case .list(let item): "list of \(item.word)"
    case .map, .object: "map"
    case .optional(.any): "optional"
    case .optional(let value): "optional \(value.word)"
    case .secret: "secret"
    }
  }

  /// True if a secret is anywhere inside.
  public var isTainted: Bool {
    switch self {
    case .secret: true
    case .list(let inner), .map(let inner), .optional(let inner): inner.isTainted
    case .object(let members): members.values.contains { $0.isTainted }
    default: false
    }
  }

  /// Whether a value of this type may be given where `wanted` is asked for, as far as can be known before the run.
  func fits(_ wanted: ValueType) -> Bool {
    switch (self, wanted) {
    case (.any, _), (_, .any): true
    case (.list(let item), .list(let wantedItem)): item.fits(wantedItem)
    case (.map(let value), .map(let wantedValue)): value.fits(wantedValue)
    case (.object(let members), .map(let wantedValue)): members.values.allSatisfy { $0.fits(wantedValue) }
    case (.map(let value), .object(let members)): members.values.allSatisfy { value.fits($0) }
    case (.object(let members), .object(let wantedMembers)):
      wantedMembers.allSatisfy { members[$0.key]?.fits($0.value) ?? false }
    case (.optional(let value), .optional(let wantedValue)): value.fits(wantedValue)
    default: self == wanted
    }
  }

  /// Whether two values can ever be equal: numbers of both kinds can, anything may be null.
  func isComparable(to other: ValueType) -> Bool {
    switch (self, other) {
    case (.null, _), (_, .null), (.int, .double), (.double, .int): true
    case (.object, .object): true
    default: fits(other) || other.fits(self)
    }
  }

  /// The type of "one or the other". A secret in either taints the whole.
  func joined(_ other: ValueType) -> ValueType {
    if self == other { return self }
    switch (self, other) {
    case (.list(let a), .list(let b)): return .list(a.joined(b))
    case (.map(let a), .map(let b)): return .map(a.joined(b))
    case (.optional(let a), .optional(let b)): return .optional(a.joined(b))
    default: return isTainted || other.isTainted ? .secret : .any
    }
  }

  var isNumber: Bool { self == .int || self == .double }
  var isAny: Bool { self == .any }
}

// Words and rules for the checker.
extension ValueType {
  init(of value: Value) {
    self =
      switch value {
      case .null: .null
      case .bool: .bool
      case .int: .int
      case .double: .double
      case .string, .stored: .string
      case .list(let items):
        .list(items.reduce(nil) { ($0 as ValueType?)?.joined(ValueType(of: $1)) ?? ValueType(of: $1) } ?? .any)
      case .map(let entries): .object(entries.mapValues { ValueType(of: $0) })
      case .duration: .duration
      case .timestamp: .timestamp
      case .optional(let value): .optional(value.map { ValueType(of: $0) } ?? .any)
      case .secret: .secret
      case .lost, .unknown: .any
      }
  }

  /// With its article: "an int".
  var phrase: String {
    switch self {
    case .null: "null"
    case .any: "any value"
    case .int, .optional: "an " + word
    default: "a " + word
    }
  }

  /// For a place that needs true or false.
  var boolHint: String? {
    switch self {
    case .optional: "an absent optional is neither: write `.orValue(false)`"
    case .string: "compare it: `… == 'text'`"
    case .int, .double: "compare it: `… > 0`"
    case .list, .map, .object: "ask for its size: `size(…) > 0`"
    default: nil
    }
  }

  /// For two types that do not go together.
  func mixHint(with other: ValueType) -> String? {
    switch (self, other) {
    case (.optional, _), (_, .optional): "give the optional a value first: `.orValue(…)`"
    case (.int, .double), (.double, .int): "convert one: `double(…)` or `int(…)`"
    case (.string, .int), (.int, .string): "convert one: `string(…)` or `int(…)`"
    case (.string, .double), (.double, .string): "convert one: `string(…)` or `double(…)`"
    case (.string, .duration), (.duration, .string): "a duration is written `duration('5m')`"
    case (.string, .timestamp), (.timestamp, .string): "a timestamp is written `timestamp('2025-01-16T16:15:00Z')`"
    case (.string, .bool), (.bool, .string):
      "truth values are written `true` and `false`, without quotes; as text `string(…)`"
    default: nil
    }
  }

  /// Has `<`.
  var isOrdered: Bool {
    switch self {
    case .bool, .int, .double, .string, .duration, .timestamp: true
    default: false
    }
  }

  /// Whether arithmetic with something unknown may work out.
  func allows(_ symbol: BinaryOperator) -> Bool {
    switch self {
    case .any, .int: true
    case .double: symbol != .remainder
    case .duration, .timestamp: symbol == .plus || symbol == .minus
    case .string: symbol == .plus
    default: false
    }
  }
}

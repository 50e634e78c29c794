/// What an expression evaluates to, a step outputs and a journal keeps: the types of the Common Expression
/// Language that the language has, and two of our own (`secret`, `unknown`).
public enum Value: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  /// A text that lies in the store, and is read when it is needed. Expressions see a text.
  case stored(StoredText)
  case list([Value])
  /// Keys are always strings. Written out sorted by key.
  case map([String: Value])
  case duration(Duration)
  case timestamp(Timestamp)
  /// A CEL optional: `steps.x.?outputs`.
  indirect case optional(Value?)
  /// A tainted string. Prints as `***` everywhere; only fields that declare it may reveal it.
  case secret(Secret)
  /// A value that was made of these secrets, of which one has changed or is gone since. Nothing can be done with it;
  /// what needs it fails and names them.
  case lost([String])
  /// A value that a plan cannot know yet. Contagious; prints as `(known after apply)`.
  case unknown
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Value...) { self = .list(elements) }
  public init(nilLiteral: ()) { self = .null }
  public init(dictionaryLiteral elements: (String, Value)...) {
    self = .map(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}

extension Value {
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var int: Int64? { if case .int(let number) = self { number } else { nil } }
  public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  public var list: [Value]? { if case .list(let items) = self { items } else { nil } }
  public var map: [String: Value]? { if case .map(let entries) = self { entries } else { nil } }
  public var isNull: Bool { if case .null = self { true } else { false } }
  /// The entry of a map; nil when this is no map or has no such key.
  public subscript(key: String) -> Value? { map?[key] }

  /// Why a value that was made of these secrets cannot be used.
  static func lostWords(_ names: [String]) -> String {
    let list = names.map { "`\($0)`" }.joined(separator: ", ")
    return "it needs the secret \(list), which is missing or has changed since"
  }

  /// Why the value as a whole cannot be used; nil if it can.
  var lostWords: String? { if case .lost(let names) = self { Value.lostWords(names) } else { nil } }

  /// Names of the secrets without which a part of it is lost.
  public var lostSecrets: [String] {
    switch self {
    case .lost(let names): names
    case .list(let items): items.flatMap { $0.lostSecrets }
    case .map(let entries): entries.sorted { $0.key < $1.key }.flatMap { $0.value.lostSecrets }
    case .optional(let value): value?.lostSecrets ?? []
    default: []
    }
  }

  /// What is left when its secrets have changed: every part that was made of one is lost.
  var withoutSecrets: Value {
    switch self {
    case .secret(let secret): .lost(secret.names)
    case .list(let items): .list(items.map { $0.withoutSecrets })
    case .map(let entries): .map(entries.mapValues { $0.withoutSecrets })
    case .optional(let value?): .optional(value.withoutSecrets)
    default: self
    }
  }

  /// True if a text that lies in the store is anywhere inside.
  var holdsStored: Bool {
    switch self {
    case .stored: true
    case .list(let items): items.contains { $0.holdsStored }
    case .map(let entries): entries.values.contains { $0.holdsStored }
    case .optional(let value): value?.holdsStored ?? false
    default: false
    }
  }

  /// Of the attempts that wrote the texts in it that lie in the store.
  var storedKeys: [String] {
    switch self {
    case .stored(let text): [text.key]
    case .list(let items): items.flatMap { $0.storedKeys }
    case .map(let entries): entries.values.flatMap { $0.storedKeys }
    case .optional(let value): value?.storedKeys ?? []
    default: []
    }
  }

  /// With what a person sees of the texts that lie in the store.
  var showingStored: Value {
    switch self {
    case .stored(let text): .string(text.shown)
    case .list(let items): .list(items.map { $0.showingStored })
    case .map(let entries): .map(entries.mapValues { $0.showingStored })
    case .optional(let value?): .optional(value.showingStored)
    default: self
    }
  }

  /// With the texts that lie in the store read.
  func readingStored() throws(StoredText.Failure) -> Value {
    switch self {
    case .stored(let stored): return .string(try stored.text())
    case .list(let items):
      var read: [Value] = []
      for item in items { read.append(try item.readingStored()) }
      return .list(read)
    case .map(let entries):
      var read: [String: Value] = [:]
      for (key, entry) in entries { read[key] = try entry.readingStored() }
      return .map(read)
    case .optional(let value?): return .optional(try value.readingStored())
    default: return self
    }
  }

  /// True if a secret is anywhere inside.
  public var isTainted: Bool {
    switch self {
    case .secret: true
    case .list(let items): items.contains { $0.isTainted }
    case .map(let entries): entries.values.contains { $0.isTainted }
    case .optional(let value): value?.isTainted ?? false
    default: false
    }
  }
}

/// Equality of the same type and content, for the engine and tests; CEL's `==` (where `1 == 1.0`) is the evaluator's.
/// A secret equals nothing, not even itself: comparing is a way of telling.
extension Value: Equatable {
  public static func == (left: Value, right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null), (.unknown, .unknown): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.stored(let a), .stored(let b)): a === b || a.key == b.key && a.stream == b.stream && !a.key.isEmpty
    case (.list(let a), .list(let b)): a == b
    case (.map(let a), .map(let b)): a == b
    case (.duration(let a), .duration(let b)): a == b
    case (.timestamp(let a), .timestamp(let b)): a == b
    case (.optional(let a), .optional(let b)): a == b
    default: false
    }
  }
}

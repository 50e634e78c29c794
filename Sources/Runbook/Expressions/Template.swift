/// A YAML value with `${{ }}` in it, parsed and checked.
public struct Template: Sendable {
  enum Content: Sendable {
    case constant(Value)
    indirect case expression(Expression)
    case text([TextPart])
    case list([Template])
    case map([String: Template])
  }
  enum TextPart: Sendable {
    case literal(String)
    case expression(Expression)
  }
  let content: Content

  /// A text as its author wrote it; nil for a list or a map.
  public var writtenText: String? {
    switch content {
    case .constant(let value): value.string
    case .expression(let expression): "${{ \(expression.source) }}"
    case .text(let parts):
      parts.map { part in
        switch part {
        case .literal(let text): text
        case .expression(let expression): "${{ \(expression.source) }}"
        }
      }.joined()
    case .list, .map: nil
    }
  }

  /// A value without expressions.
  public static func literal(_ value: Value) -> Template { Template(content: .constant(value)) }

  /// Constant if all items are.
  public static func list(_ items: [Template]) -> Template {
    let constants = items.compactMap(\.constant)
    return constants.count == items.count ? .literal(.list(constants)) : Template(content: .list(items))
  }

  /// Constant if all values are.
  public static func map(_ entries: [String: Template]) -> Template {
    let constants = entries.compactMapValues(\.constant)
    return constants.count == entries.count ? .literal(.map(constants)) : Template(content: .map(entries))
  }

  /// A template that is a single expression.
  public static func expression(_ expression: Expression) -> Template { Template(content: .expression(expression)) }

  /// The value, if no expression is in it.
  public var constant: Value? { if case .constant(let value) = content { value } else { nil } }
  public var isConstant: Bool { if case .constant = content { true } else { false } }

  /// Optionals are already unwrapped: an absent one evaluates to null.
  public var type: ValueType {
    switch content {
    case .constant(let value): ValueType(of: value)
    case .expression(let expression): expression.type.unwrapped
    case .text: isTainted ? .secret : .string
    case .list(let items): .list(items.dropFirst().reduce(items.first?.type ?? .any) { $0.joined($1.type) })
    case .map(let entries): .object(entries.mapValues { $0.type })
    }
  }

  /// True if the value is, or holds, a secret.
  public var isTainted: Bool {
    switch content {
    case .constant(let value): value.isTainted
    case .list(let items): items.contains { $0.isTainted }
    case .map(let entries): entries.values.contains { $0.isTainted }
    case .expression, .text: expressions.contains { $0.isTainted }
    }
  }

  /// True if the value can be known only in the run.
  public var mayBeUnknown: Bool {
    switch content {
    case .constant: false
    case .list(let items): items.contains { $0.mayBeUnknown }
    case .map(let entries): entries.values.contains { $0.mayBeUnknown }
    case .expression, .text: expressions.contains { $0.mayBeUnknown }
    }
  }

  /// All expressions in it; those of a text in its order, those of a map sorted by key.
  public var expressions: [Expression] {
    switch content {
    case .constant: []
    case .expression(let expression): [expression]
    case .text(let parts): parts.compactMap { if case .expression(let expression) = $0 { expression } else { nil } }
    case .list(let items): items.flatMap { $0.expressions }
    case .map(let entries): entries.sorted { $0.key < $1.key }.flatMap { $0.value.expressions }
    }
  }

  /// What stands before its first expression; empty for anything but a text.
  package var leadingText: String {
    guard case .text(let parts) = content, case .literal(let text)? = parts.first else { return "" }
    return text
  }

  /// What all its expressions read.
  public var references: References {
    var references = References()
    for expression in expressions { references.formUnion(expression.references) }
    return references
  }

  /// An absent optional that is the whole value becomes null; inside a text it is a failure, as null is.
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    switch content {
    case .constant(let value): return value
    case .expression(let expression): return try expression.evaluate(in: scope).unwrapped
    case .text(let parts):
      var text = InterpolatedText()
      for part in parts {
        switch part {
        case .literal(let literal): text.append(literal)
        case .expression(let expression): try text.append(try expression.evaluate(in: scope), of: expression)
        }
      }
      return try text.value()
    case .list(let items):
      var values: [Value] = []
      for item in items { values.append(try item.evaluate(in: scope)) }
      return .list(values)
    case .map(let entries):
      var values: [String: Value] = [:]
      for (key, entry) in entries { values[key] = try entry.evaluate(in: scope) }
      return .map(values)
    }
  }
}

/// A text while its parts are joined: plain, secret as soon as one part is, unknown as soon as one part is.
struct InterpolatedText {
  private(set) var parts: [SecretPart] = []
  private var isSecret = false
  private(set) var isUnknown = false

  mutating func append(_ literal: String) { parts.append(.plain(literal)) }

  mutating func append(_ value: Value, of expression: Expression) throws(ExpressionFailure) {
    let value = value.unwrapped
    switch value {
    case .unknown: isUnknown = true
    case .secret(let secret):
      isSecret = true
      parts.append(.secret(secret))
    case .null:
      throw ExpressionFailure(
        "`${{ \(expression.source.shortened) }}` is null or absent, so it cannot stand inside a text; "
          + "give it a value with `.orValue(…)` or `? :`"
      )
    case .list, .map:
      if value.isTainted {
        throw ExpressionFailure(
          "`${{ \(expression.source.shortened) }}` holds a secret in a list or map, so it cannot stand inside a text"
        )
      }
      if value.holdsUnknown { isUnknown = true } else { parts.append(.plain(JSONWriter.text(value))) }
    default: parts.append(.plain(value.scalarText ?? ""))
    }
  }

  /// - Throws: if it is longer than a result may be.
  func value() throws(ExpressionFailure) -> Value {
    if isUnknown { return .unknown }
    if isSecret { return .secret(Secret.joined(parts)) }
    var text = ""
    for case .plain(let plain) in parts {
      text += plain
      guard text.utf8.count <= ExpressionLimit.size else {
        throw ExpressionFailure("the text with its values is larger than \(ExpressionLimit.size / 1024 / 1024) MiB")
      }
    }
    return .string(text)
  }
}

extension Value {
  /// An absent optional is null, a present one its content.
  public var unwrapped: Value {
    switch self {
    case .optional(nil): .null
    case .optional(let value?): value.unwrapped
    default: self
    }
  }

  /// True if an unknown is anywhere inside.
  public var holdsUnknown: Bool {
    switch self {
    case .unknown: true
    case .list(let items): items.contains { $0.holdsUnknown }
    case .map(let entries): entries.values.contains { $0.holdsUnknown }
    case .optional(let value): value?.holdsUnknown ?? false
    default: false
    }
  }
}

extension ValueType {
  var unwrapped: ValueType { if case .optional(let inner) = self { inner.unwrapped } else { self } }
}

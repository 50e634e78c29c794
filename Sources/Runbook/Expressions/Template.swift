/// A YAML value with `${{ }}` in it, parsed and checked.
public struct Template: Sendable {
  indirect enum Content: Sendable {
    case constant(Value)
    case list([Template])
    case map([String: Template])
  }
  let content: Content

  /// A value without expressions.
  public static func literal(_ value: Value) -> Template { Template(content: .constant(value)) }

  /// A scalar's text. Exactly one `${{ expr }}` keeps the value's type; otherwise it is interpolation and gives a string.
  /// `$${{` is a literal `${{`. A text without `${{` costs one scan.
  public static func scalar(
    _ text: String, at range: SourceRange, in environment: TypeEnvironment
  ) -> Result<Template, Diagnostics> {
    .success(.literal(.string(text)))
  }

  /// Constant if all items are.
  public static func list(_ items: [Template]) -> Template { Template(content: .list(items)) }
  /// Constant if all values are.
  public static func map(_ entries: [String: Template]) -> Template { Template(content: .map(entries)) }

  /// A template that is a single expression.
  public static func expression(_ expression: Expression) -> Template { .literal(.null) }

  /// The value, if no expression is in it.
  public var constant: Value? { if case .constant(let value) = content { value } else { nil } }
  public var isConstant: Bool { constant != nil }
  /// Optionals are already unwrapped: an absent one evaluates to null.
  public var type: ValueType { .any }
  /// True if the value is, or holds, a secret.
  public var isTainted: Bool { false }
  /// True if the value can be known only in the run.
  public var mayBeUnknown: Bool { false }
  /// All expressions in it, in no particular order.
  public var expressions: [Expression] { [] }
  /// What all its expressions read.
  public var references: References { References() }

  /// An absent optional that is the whole value becomes null; inside a text it is a failure, as null is.
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    throw ExpressionFailure("not built")
  }

  /// As `evaluate`, for a field of kind `url`: a part put into a text may not hold what would change the meaning of the
  /// rest of the address (`/?#@:` and the like) unless it is the result of `url_encode()` or the whole host.
  public func evaluateURL(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    throw ExpressionFailure("not built")
  }
}

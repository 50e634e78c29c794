/// An expression that has been parsed and checked.
public struct Expression: Sendable {
  /// Without `${{ }}` and surrounding space.
  public let source: String
  public let range: SourceRange
  /// What it evaluates to, as far as it can be known; `.optional` where an optional may be absent.
  public let type: ValueType

  /// Parses and checks a bare expression. A text that is exactly one `${{ expr }}` is taken as `expr`.
  ///
  /// - Parameters:
  ///   - range: of the whole scalar; mistakes point into it where the text on the page is the text given.
  ///   - expected: what the place needs (`.bool` for `if`); `.any` accepts everything.
  public static func parse(
    _ source: String, at range: SourceRange, in environment: TypeEnvironment, expecting expected: ValueType = .any
  ) -> Result<Expression, Diagnostics> {
    .success(Expression(source: source, range: range, type: .any))
  }

  /// - Throws: the reason, with the values that the expression read.
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    throw ExpressionFailure("not built")
  }

  /// What it reads, for locks, plans and warnings.
  public var references: References { References() }
  /// True if the value is, or holds, a secret.
  public var isTainted: Bool { false }
  /// True if the value can be known only in the run: it reads more than `inputs`, `vars` and `secrets`, or calls `now()`.
  public var mayBeUnknown: Bool { false }
  /// The values it reads, for the message of an `expect` that does not hold: "`result.status` is 503"; empty if it reads none.
  public func explanation(in scope: some ExpressionScope) -> String { "" }
}

/// The outside names in an expression or template.
public struct References: Sendable, Equatable {
  /// `inputs`, `steps`, …
  public var roots: Set<String> = []
  /// The `x` of each `steps.x`.
  public var steps: Set<String> = []
  /// The `x` of each `inputs.x`, `vars.x`, `secrets.x`.
  public var inputs: Set<String> = []
  public var vars: Set<String> = []
  public var secrets: Set<String> = []
  public var callsNow = false
  public init() {}
}

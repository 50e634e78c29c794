/// An expression that has been parsed and checked. (Filled by the expression engine.)
public struct Expression: Sendable {
  public let source: String
  public let range: SourceRange
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value { throw ExpressionFailure("not built") }
}

/// A YAML value with `${{ }}` in it, parsed and checked. (Filled by the expression engine.)
public struct Template: Sendable {
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value { throw ExpressionFailure("not built") }
}

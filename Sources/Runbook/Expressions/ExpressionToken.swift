/// The limits of one expression; each is a typed error, at load where it can be seen there.
enum ExpressionLimit {
  /// Of the source, in bytes.
  static let source = 8192
  /// Of nesting, in the source and in the result.
  static let depth = 64
  /// Of one evaluation: a step is an operation, or about 8 KiB read or built.
  static let steps = 10_000
  /// Of any text built and of the result, in bytes.
  static let size = 1 << 20
}

/// A mistake in an expression, with its place as byte offsets into the text that was parsed.
struct ExpressionMistake: Error, Equatable {
  var code: String
  var span: Range<Int>
  var message: String
  var hint: String?

  init(_ code: Code, _ span: Range<Int>, _ message: String, hint: String? = nil) {
    self.code = code.rawValue
    self.span = span
    self.message = message
    self.hint = hint
  }

  /// Stable for ever.
  enum Code: String {
    case syntax = "E-EXPR-SYNTAX"
    case limit = "E-EXPR-LIMIT"
    case function = "E-EXPR-FUNCTION"
    case name = "E-EXPR-NAME"
    case member = "E-EXPR-MEMBER"
    case type = "E-EXPR-TYPE"
    case pattern = "E-EXPR-PATTERN"
    case secret = "E-EXPR-SECRET"
    case unknownStep = "E-EXPR-STEP"
    case stepOrder = "E-EXPR-STEP-ORDER"
    case optionalStep = "E-EXPR-OPTIONAL"
  }
}

struct ExpressionToken: Equatable {
  enum Kind: Equatable {
    case end
    case identifier(String)
    /// Without its sign: 9223372036854775808 is valid after a minus.
    case int(UInt64)
    case double(Double)
    case string(String)
    case symbol(Symbol)
  }
  enum Symbol: String {
    case dot = ".", question = "?", colon = ":", comma = ","
    case leftBracket = "[", rightBracket = "]", leftParenthesis = "(", rightParenthesis = ")"
    case leftBrace = "{", rightBrace = "}"
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case and = "&&", or = "||", not = "!"
    case plus = "+", minus = "-", times = "*", divide = "/", remainder = "%"
  }
  var kind: Kind
  var span: Range<Int>

  func `is`(_ symbol: Symbol) -> Bool { if case .symbol(symbol) = kind { true } else { false } }
}

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
  var kind: Code
  var span: Range<Int>
  var message: String
  var hint: String?

  init(_ kind: Code, _ span: Range<Int>, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.span = span
    self.message = message
    self.hint = hint
  }

  /// As an author reads it.
  var code: String { kind.diagnosticCode.rawValue }

  enum Code {
    case syntax, limit, function, name, member, type, pattern, secret, unknownStep, stepOrder, optionalStep

    var diagnosticCode: DiagnosticCode {
      switch self {
      case .syntax: .expressionSyntax
      case .limit: .expressionLimit
      case .function: .expressionFunction
      case .name: .expressionName
      case .member: .expressionMember
      case .type: .expressionType
      case .pattern: .expressionPattern
      case .secret: .expressionSecret
      case .unknownStep: .expressionStep
      case .stepOrder: .expressionStepOrder
      case .optionalStep: .expressionOptional
      }
    }
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

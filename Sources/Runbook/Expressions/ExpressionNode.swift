/// A node of the tree. Classes, so that evaluating copies references and not trees; immutable.
final class ExpressionNode: Sendable {
  enum Kind: Sendable {
    case literal(Value)
    case list([ListItem])
    case map([MapEntry])
    /// `inputs`: a variable of the runbook.
    case root(String)
    /// A macro's variable, counted from the outermost.
    case local(Int, name: String)
    case select(ExpressionNode, String, isOptional: Bool)
    case index(ExpressionNode, ExpressionNode, isOptional: Bool)
    /// `has(a.b)`.
    case has(ExpressionNode, String)
    case not(ExpressionNode)
    case negate(ExpressionNode)
    case binary(BinaryOperator, ExpressionNode, ExpressionNode)
    /// Two or more operands: CEL's `&&` and `||` ask all of them before an error counts.
    case and([ExpressionNode])
    case or([ExpressionNode])
    case conditional(ExpressionNode, ExpressionNode, ExpressionNode)
    /// A method's receiver is its first argument.
    case call(ExpressionFunction, [ExpressionNode], isMethod: Bool)
    /// `matches` with a literal pattern, compiled once.
    case matches(ExpressionNode, Pattern)
    /// `list.map(x, condition, body)`: only `map` has a condition of its own.
    case macro(Macro, over: ExpressionNode, condition: ExpressionNode?, body: ExpressionNode)
    /// `optional.optMap(x, body)`.
    case optMap(ExpressionNode, body: ExpressionNode)
  }

  struct ListItem: Sendable {
    var value: ExpressionNode
    /// `[?x]`: left out if absent.
    var isOptional: Bool
  }
  struct MapEntry: Sendable {
    var key: ExpressionNode
    var value: ExpressionNode
    /// `{?'k': x}`: left out if absent.
    var isOptional: Bool
  }

  let kind: Kind
  /// Byte offsets into the text that was parsed.
  let span: Range<Int>
  /// Levels below and with this one.
  let height: Int

  init(_ kind: Kind, span: Range<Int>, height: Int) {
    self.kind = kind
    self.span = span
    self.height = height
  }

  /// The nodes directly below.
  var children: [ExpressionNode] {
    switch kind {
    case .literal, .root, .local: []
    case .list(let items): items.map { $0.value }
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .select(let operand, _, _), .has(let operand, _), .not(let operand), .negate(let operand),
      .matches(let operand, _):
      [operand]
    case .index(let operand, let index, _): [operand, index]
    case .binary(_, let left, let right): [left, right]
    case .and(let operands), .or(let operands): operands
    case .conditional(let condition, let first, let second): [condition, first, second]
    case .call(_, let arguments, _): arguments
    case .macro(_, let list, let condition, let body): [list] + (condition.map { [$0] } ?? []) + [body]
    case .optMap(let operand, let body): [operand, body]
    }
  }
}

enum BinaryOperator: String, Sendable {
  case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">=", isIn = "in"
  case plus = "+", minus = "-", times = "*", divide = "/", remainder = "%"

  /// Binds tighter the higher it is; `||` is 1 and `&&` 2.
  var precedence: Int {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn: 3
    case .plus, .minus: 4
    case .times, .divide, .remainder: 5
    }
  }
}

extension ExpressionNode {
  var isMapLiteral: Bool { if case .map = kind { true } else { false } }

  /// A variable of a macro occurs in it.
  var readsLocal: Bool { if case .local = kind { true } else { children.contains { $0.readsLocal } } }
}

enum Macro: String, Sendable, CaseIterable {
  case all, exists
  case existsOne = "exists_one"
  case map, filter
}

extension ExpressionToken.Symbol {
  var binaryOperator: BinaryOperator? {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .plus: .plus
    case .minus: .minus
    case .times: .times
    case .divide: .divide
    case .remainder: .remainder
    default: nil
    }
  }
}

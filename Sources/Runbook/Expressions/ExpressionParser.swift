/// Tokens to a tree, by precedence climbing. Depth is bounded while parsing, so no text can exhaust the stack.
struct ExpressionParser {
  private let bytes: [UInt8]
  private var lexer: ExpressionLexer
  private var token: ExpressionToken
  private var locals: [String] = []
  private var depth = 0
  /// End of the token before `token`.
  private var lastEnd: Int

  /// Parses the expression that begins at `start` and lasts to the end of `bytes`, or in a template to its `}}`.
  /// - Returns: the tree, and the offset just behind the expression (and its `}}`).
  static func parse(
    _ bytes: [UInt8], from start: Int = 0, inTemplate: Bool = false
  ) throws(ExpressionMistake) -> (tree: ExpressionNode, end: Int) {
    var parser = try ExpressionParser(bytes, from: start, inTemplate: inTemplate)
    if parser.token.kind == .end {
      throw ExpressionMistake(.syntax, parser.token.span, "the expression is empty")
    }
    let tree = try parser.expression()
    guard parser.token.kind == .end else { throw parser.trailing() }
    return (tree, parser.lexer.position)
  }

  private init(_ bytes: [UInt8], from start: Int, inTemplate: Bool) throws(ExpressionMistake) {
    self.bytes = bytes
    lexer = ExpressionLexer(bytes, from: start, inTemplate: inTemplate)
    token = try lexer.next()
    lastEnd = start
  }

  private mutating func advance() throws(ExpressionMistake) {
    lastEnd = token.span.upperBound
    token = try lexer.next()
  }

  /// Steps over `symbol` if it comes next.
  private mutating func eat(_ symbol: ExpressionToken.Symbol) throws(ExpressionMistake) -> Bool {
    guard token.is(symbol) else { return false }
    try advance()
    return true
  }

  private mutating func expect(_ symbol: ExpressionToken.Symbol, _ reason: String) throws(ExpressionMistake) {
    guard try eat(symbol) else { throw unexpected("expected `\(symbol.rawValue)` \(reason)") }
  }

  private var tokenText: String { String(decoding: bytes[token.span], as: UTF8.self) }

  private func unexpected(_ message: String, hint: String? = nil) -> ExpressionMistake {
    let found = token.kind == .end ? "the end" : "`\(tokenText.shortened)`"
    return ExpressionMistake(.syntax, token.span, "\(message), found \(found)", hint: hint)
  }

  private func trailing() -> ExpressionMistake {
    let hint: String? =
      switch tokenText {
      case "and": "logical and is `&&`"
      case "or": "logical or is `||`"
      case "not": "logical not is `!`"
      case "is": "equality is `==`"
      default: nil
      }
    return unexpected("expected an operator or the end", hint: hint)
  }

  private func node(_ kind: ExpressionNode.Kind, from start: Int, below: ExpressionNode...) throws(ExpressionMistake)
    -> ExpressionNode
  {
    try node(kind, from: start, below: below)
  }

  private func node(_ kind: ExpressionNode.Kind, from start: Int, below: [ExpressionNode]) throws(ExpressionMistake)
    -> ExpressionNode
  {
    var height = 0
    for child in below where child.height > height { height = child.height }
    let span = start..<max(start, lastEnd)
    guard height < ExpressionLimit.depth else { throw tooDeep(span) }
    return ExpressionNode(kind, span: span, height: height + 1)
  }

  private func tooDeep(_ span: Range<Int>) -> ExpressionMistake {
    ExpressionMistake(
      .limit, span, "the expression nests more than \(ExpressionLimit.depth) levels deep",
      hint: "put parts of it into `vars`")
  }
}

// Operators.
extension ExpressionParser {
  private mutating func expression() throws(ExpressionMistake) -> ExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ExpressionLimit.depth else { throw tooDeep(token.span) }
    let start = token.span.lowerBound
    let condition = try disjunction()
    guard try eat(.question) else { return condition }
    let first = try expression()
    try expect(.colon, "of `condition ? a : b`")
    let second = try expression()
    return try node(.conditional(condition, first, second), from: start, below: condition, first, second)
  }

  private mutating func disjunction() throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    var operands = [try conjunction()]
    while try eat(.or) { operands.append(try conjunction()) }
    return operands.count == 1 ? operands[0] : try node(.or(operands), from: start, below: operands)
  }

  private mutating func conjunction() throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    var operands = [try binary(3)]
    while try eat(.and) { operands.append(try binary(3)) }
    return operands.count == 1 ? operands[0] : try node(.and(operands), from: start, below: operands)
  }

  private mutating func binary(_ precedence: Int) throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    var left = try unary()
    while let found = binaryOperator, found.precedence >= precedence {
      try advance()
      let right = try binary(found.precedence + 1)
      left = try node(.binary(found, left, right), from: start, below: left, right)
    }
    return left
  }

  private var binaryOperator: BinaryOperator? {
    switch token.kind {
    case .identifier("in"): .isIn
    case .symbol(let symbol): symbol.binaryOperator
    default: nil
    }
  }

  private mutating func unary() throws(ExpressionMistake) -> ExpressionNode {
    var signs: [(isNot: Bool, start: Int)] = []
    while token.is(.not) || token.is(.minus) {
      signs.append((token.is(.not), token.span.lowerBound))
      guard signs.count <= ExpressionLimit.depth else { throw tooDeep(token.span) }
      try advance()
    }
    if case .int(let magnitude) = token.kind, let sign = signs.last, !sign.isNot {
      signs.removeLast()
      try advance()
      let number = try node(.literal(.int(Int64(truncatingIfNeeded: 0 &- magnitude))), from: sign.start)
      let operand = try postfix(number, from: sign.start)
      return try wrap(operand, in: signs)
    }
    let start = token.span.lowerBound
    let operand = try postfix(try primary(), from: start)
    return try wrap(operand, in: signs)
  }

  private func wrap(
    _ operand: ExpressionNode, in signs: [(isNot: Bool, start: Int)]
  ) throws(ExpressionMistake) -> ExpressionNode {
    var result = operand
    for sign in signs.reversed() {
      result = try node(sign.isNot ? .not(result) : .negate(result), from: sign.start, below: result)
    }
    return result
  }
}

// Operands.
extension ExpressionParser {
  private mutating func primary() throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    switch token.kind {
    case .int(let magnitude):
      guard let number = Int64(exactly: magnitude) else {
        throw ExpressionMistake(
          .syntax, token.span, "`\(tokenText)` is no int of 64 bits", hint: "the largest is \(Int64.max)")
      }
      return try literal(.int(number))
    case .double(let number): return try literal(.double(number))
    case .string(let text): return try literal(.string(text))
    case .identifier(let name): return try named(name)
    case .symbol(.leftParenthesis):
      try advance()
      let inner = try expression()
      try expect(.rightParenthesis, "after the parenthesised expression")
      return ExpressionNode(inner.kind, span: start..<lastEnd, height: inner.height)
    case .symbol(.leftBracket): return try list()
    case .symbol(.leftBrace): return try map()
    default: throw unexpected("expected a value")
    }
  }

  private mutating func literal(_ value: Value) throws(ExpressionMistake) -> ExpressionNode {
    let span = token.span
    try advance()
    return ExpressionNode(.literal(value), span: span, height: 1)
  }

  private mutating func list() throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    try advance()
    var items: [ExpressionNode.ListItem] = []
    while !token.is(.rightBracket) {
      let isOptional = try eat(.question)
      items.append(ExpressionNode.ListItem(value: try expression(), isOptional: isOptional))
      guard try eat(.comma) else { break }
    }
    try expect(.rightBracket, "at the end of the list")
    return try node(.list(items), from: start, below: items.map { $0.value })
  }

  private mutating func map() throws(ExpressionMistake) -> ExpressionNode {
    let start = token.span.lowerBound
    try advance()
    var entries: [ExpressionNode.MapEntry] = []
    while !token.is(.rightBrace) {
      let isOptional = try eat(.question)
      let key = try expression()
      try expect(.colon, "after a map's key")
      entries.append(ExpressionNode.MapEntry(key: key, value: try expression(), isOptional: isOptional))
      guard try eat(.comma) else { break }
    }
    try expect(.rightBrace, "at the end of the map")
    return try node(.map(entries), from: start, below: entries.flatMap { [$0.key, $0.value] })
  }

  private mutating func named(_ name: String) throws(ExpressionMistake) -> ExpressionNode {
    let span = token.span
    switch name {
    case "true": return try literal(.bool(true))
    case "false": return try literal(.bool(false))
    case "null": return try literal(.null)
    default: break
    }
    if ExpressionParser.reserved.contains(name) {
      throw ExpressionMistake(.syntax, span, "`\(name)` is a reserved word of the expression language")
    }
    try advance()
    if token.is(.leftParenthesis) { return try call(name, span) }
    if let slot = locals.lastIndex(of: name) { return ExpressionNode(.local(slot, name: name), span: span, height: 1) }
    if name == "optional", token.is(.dot) { return try optionalFunction(from: span.lowerBound) }
    return ExpressionNode(.root(name), span: span, height: 1)
  }

  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "package",
    "namespace",
    "return", "void", "while",
  ]
  /// What `type()` may answer, as names without quotes: `type(x) == int`. A variable of the name comes first.
  static let typeNames: Set<String> = [
    "null_type", "bool", "int", "double", "string", "list", "map", "duration", "timestamp", "type",
  ]
}

// Members, indexes and calls.
extension ExpressionParser {
  private mutating func postfix(_ operand: ExpressionNode, from start: Int) throws(ExpressionMistake) -> ExpressionNode
  {
    var result = operand
    while true {
      if try eat(.dot) {
        let isOptional = try eat(.question)
        guard case .identifier(let name) = token.kind else {
          throw unexpected("expected a name after `.`", hint: "a key that is no name stands in brackets: `x['a-b']`")
        }
        let nameSpan = token.span
        try advance()
        if token.is(.leftParenthesis), !isOptional {
          result = try method(name, nameSpan, on: result, from: start)
        } else {
          result = try node(.select(result, name, isOptional: isOptional), from: start, below: result)
        }
      } else if try eat(.leftBracket) {
        let isOptional = try eat(.question)
        let index = try expression()
        try expect(.rightBracket, "after the index")
        if case .literal(.string(let name)) = index.kind {
          result = try node(.select(result, name, isOptional: isOptional), from: start, below: result)
        } else {
          result = try node(.index(result, index, isOptional: isOptional), from: start, below: result, index)
        }
      } else {
        return result
      }
    }
  }

  private mutating func arguments() throws(ExpressionMistake) -> [ExpressionNode] {
    try expect(.leftParenthesis, "before the arguments")
    var arguments: [ExpressionNode] = []
    while !token.is(.rightParenthesis) {
      arguments.append(try expression())
      guard try eat(.comma) else { break }
    }
    try expect(.rightParenthesis, "after the arguments")
    return arguments
  }

  private mutating func call(_ name: String, _ span: Range<Int>) throws(ExpressionMistake) -> ExpressionNode {
    if name == "has" { return try has(span) }
    guard let function = ExpressionFunction(rawValue: name) else { throw unknownFunction(name, span, isMethod: false) }
    let arguments = try arguments()
    return try finish(function, span.lowerBound, arguments, isMethod: false)
  }

  private mutating func optionalFunction(from start: Int) throws(ExpressionMistake) -> ExpressionNode {
    try advance()
    guard case .identifier(let name) = token.kind else { throw unexpected("expected a name after `optional.`") }
    let span = start..<token.span.upperBound
    guard let function = ExpressionFunction(rawValue: "optional." + name) else {
      throw ExpressionMistake(
        .function, span, "unknown function `optional.\(name)`",
        hint: "there are `optional.of(x)`, `optional.none()` and `optional.ofNonZeroValue(x)`")
    }
    try advance()
    let arguments = try arguments()
    return try finish(function, start, arguments, isMethod: false)
  }

  private mutating func method(
    _ name: String, _ span: Range<Int>, on receiver: ExpressionNode, from start: Int
  ) throws(ExpressionMistake) -> ExpressionNode {
    if let macro = Macro(rawValue: name == "existsOne" ? "exists_one" : name) {
      return try comprehension(macro, on: receiver, from: start)
    }
    if name == "optMap" { return try optMap(on: receiver, from: start) }
    guard let function = ExpressionFunction(rawValue: name) else { throw unknownFunction(name, span, isMethod: true) }
    let arguments = try arguments()
    return try finish(function, start, [receiver] + arguments, isMethod: true)
  }

  private func finish(
    _ function: ExpressionFunction, _ start: Int, _ arguments: [ExpressionNode], isMethod: Bool
  ) throws(ExpressionMistake) -> ExpressionNode {
    if function == .matches, arguments.count == 2, case .literal(.string(let source)) = arguments[1].kind {
      let pattern: Pattern
      do throws(PatternError) { pattern = try Pattern(source) } catch {
        throw ExpressionMistake(.pattern, arguments[1].span, error.message)
      }
      return try node(.matches(arguments[0], pattern), from: start, below: arguments[0])
    }
    return try node(.call(function, arguments, isMethod: isMethod), from: start, below: arguments)
  }

  private func unknownFunction(_ name: String, _ span: Range<Int>, isMethod: Bool) -> ExpressionMistake {
    let hint = ExpressionFunction.habits[name] ?? Suggestion.question(for: name, among: ExpressionFunction.allNames)
    return ExpressionMistake(
      .function, span, "unknown \(isMethod ? "method" : "function") `\(name.shortened)`", hint: hint)
  }
}

// Macros.
extension ExpressionParser {
  private mutating func has(_ span: Range<Int>) throws(ExpressionMistake) -> ExpressionNode {
    let found = try arguments()
    guard found.count == 1, case .select(let operand, let name, false) = found[0].kind else {
      throw ExpressionMistake(
        .syntax, span.lowerBound..<lastEnd, "`has` asks for a member", hint: "write `has(a.b)`, or `'b' in a`")
    }
    return try node(.has(operand, name), from: span.lowerBound, below: operand)
  }

  /// The `x,` of `list.all(x, …)`; what follows sees it.
  private mutating func variable(of macro: String) throws(ExpressionMistake) {
    try expect(.leftParenthesis, "after `\(macro)`")
    guard case .identifier(let name) = token.kind, !ExpressionParser.reserved.contains(name) else {
      throw unexpected("`\(macro)` needs a name first", hint: "write `list.\(macro)(x, …)`")
    }
    try advance()
    try expect(.comma, "after the name: `list.\(macro)(x, …)`")
    locals.append(name)
  }

  private mutating func comprehension(
    _ macro: Macro, on list: ExpressionNode, from start: Int
  ) throws(ExpressionMistake) -> ExpressionNode {
    try variable(of: macro.rawValue)
    var body = try expression()
    var condition: ExpressionNode?
    if macro == .map, try eat(.comma) {
      condition = body
      body = try expression()
    }
    locals.removeLast()
    try expect(.rightParenthesis, "after the arguments of `\(macro.rawValue)`")
    let below = [list, body] + (condition.map { [$0] } ?? [])
    return try node(.macro(macro, over: list, condition: condition, body: body), from: start, below: below)
  }

  private mutating func optMap(on operand: ExpressionNode, from start: Int) throws(ExpressionMistake) -> ExpressionNode
  {
    try variable(of: "optMap")
    let body = try expression()
    locals.removeLast()
    try expect(.rightParenthesis, "after the arguments of `optMap`")
    return try node(.optMap(operand, body: body), from: start, below: operand, body)
  }
}

/// Tree to type: every mistake that can be seen without running. Where a type is not known (`any`), everything is
/// allowed and checked when it happens.
struct ExpressionChecker {
  let environment: TypeEnvironment
  private(set) var mistakes: [ExpressionMistake] = []
  var locals: [ValueType] = []
  /// Steps that are known to have run at this point of the expression, because a condition before it said so.
  var narrowed: [String: StepKnowledge] = [:]

  init(in environment: TypeEnvironment) { self.environment = environment }

  /// What a condition such as `steps.x.status == 'failed'` tells.
  enum StepKnowledge: Int { case ended, succeeded }

  /// Of one expression; more mistakes would not be read.
  private static let mistakesTold = 5

  /// Records a mistake; the wrong value has the type `any` from then on, so that one mistake is reported once.
  mutating func mistake(
    _ code: ExpressionMistake.Code, _ node: ExpressionNode, _ message: String, hint: String? = nil
  ) -> ValueType {
    if mistakes.count < ExpressionChecker.mistakesTold {
      mistakes.append(ExpressionMistake(code, node.span, message, hint: hint))
    }
    return .any
  }

  mutating func type(of node: ExpressionNode) -> ValueType {
    switch node.kind {
    case .literal(let value): return ValueType(of: value)
    case .list(let items): return listType(items)
    case .map(let entries): return mapType(entries)
    case .root(let name): return rootType(name, node)
    case .local(let slot, _): return locals[slot]
    case .select(let operand, let name, let isOptional): return selectType(operand, name, isOptional: isOptional, node)
    case .index(let operand, let index, let isOptional): return indexType(operand, index, isOptional: isOptional, node)
    case .has(let operand, let name):
      if stepID(of: node) == nil, stepMember(operand, name, isOptional: true, node) == nil {
        let operandType = type(of: operand)
        if !operand.isMapLiteral { _ = member(name, of: operandType, node) }
      }
      return .bool
    case .not(let operand):
      expectBool(operand, "`!`")
      return .bool
    case .negate(let operand): return negateType(operand, node)
    case .binary(let symbol, let left, let right): return binaryType(symbol, left, right, node)
    case .and(let operands): return logicType(operands, "`&&`", whenTrue: true)
    case .or(let operands): return logicType(operands, "`||`", whenTrue: false)
    case .conditional(let condition, let first, let second): return conditionalType(condition, first, second)
    case .call(let function, let arguments, let isMethod):
      return callType(function, arguments, isMethod: isMethod, node)
    case .matches(let operand, _):
      let found = type(of: operand)
      if found.isTainted { return secretMistake("matches", node) }
      if !found.fits(.string) { return mistake(.type, operand, "`matches` needs a string, this is \(found.phrase)") }
      return .bool
    case .macro(let macro, let list, let condition, let body): return macroType(macro, list, condition, body, node)
    case .optMap(let operand, let body): return optMapType(operand, body, node)
    }
  }

  mutating func secretMistake(_ operation: String, _ node: ExpressionNode) -> ValueType {
    mistake(
      .secret, node, "`\(operation)` would reveal something about a secret",
      hint: "a secret may only be joined with `+` or `${{ }}`, encoded with `base64()` or `url_encode()`, and passed on"
    )
  }

  mutating func expectBool(_ node: ExpressionNode, _ place: String) {
    let found = type(of: node)
    guard !found.fits(.bool) else { return }
    if found.isTainted {
      _ = secretMistake(place, node)
    } else {
      _ = mistake(.type, node, "\(place) needs true or false, this is \(found.phrase)", hint: found.boolHint)
    }
  }
}

// Names: roots, steps, members.
extension ExpressionChecker {
  private mutating func rootType(_ name: String, _ node: ExpressionNode) -> ValueType {
    if let type = environment.roots[name] { return type }
    if ExpressionParser.typeNames.contains(name) { return .string }
    if name == "steps" {
      return mistake(.type, node, "`steps` alone is no value", hint: "name one step: `steps.ID.outputs`")
    }
    let known = Array(environment.roots.keys) + ["steps"]
    let hint = RootHabit.hint(for: name) ?? Suggestion.question(for: name, among: known)
    if RootHabit.places[name] != nil {
      return mistake(.name, node, "`\(name)` has no meaning here", hint: hint)
    }
    return mistake(
      .name, node, "unknown name `\(name.shortened)`", hint: hint ?? "text stands in quotes: `'\(name.shortened)'`")
  }

  /// The `x` of `steps.x`, where steps are declared.
  func stepID(of node: ExpressionNode) -> String? {
    guard case .select(let operand, let id, _) = node.kind, case .root("steps") = operand.kind,
      environment.roots["steps"] == nil
    else { return nil }
    return id
  }

  private mutating func selectType(
    _ operand: ExpressionNode, _ name: String, isOptional: Bool, _ node: ExpressionNode
  ) -> ValueType {
    if stepID(of: node) != nil {
      let type = stepType(name, node)
      return isOptional ? .optional(type) : type
    }
    if let type = stepMember(operand, name, isOptional: isOptional, node) { return type }
    let operandType = type(of: operand)
    // What is written in an expression is data, and declares no members.
    if isOptional, operand.isMapLiteral, case .object(let members) = operandType, members[name] == nil {
      return .optional(.any)
    }
    let found = member(name, of: operandType, node)
    if !isOptional { return found }
    if case .optional = found { return found }
    return .optional(found)
  }

  private mutating func stepType(_ id: String, _ node: ExpressionNode) -> ValueType {
    switch environment.steps[id] {
    case .ran(let outputs), .mayNotHaveRun(let outputs, _):
      return .step(outputs: outputs, loop: environment.loops[id])
    case .later(let line):
      return mistake(
        .stepOrder, node, "step `\(id)` comes later, on line \(line)",
        hint: "an expression can read only the steps before it")
    case .hidden(let line, let because):
      return mistake(.stepOrder, node, "step `\(id)` on line \(line) cannot be read here: \(because)")
    case nil:
      return mistake(
        .unknownStep, node, "there is no step `\(id.shortened)`",
        hint: Suggestion.question(for: id, among: environment.steps.keys))
    }
  }

  /// The type of `steps.x.name`, with the rule that what may not have run is optional. nil if this is no member of
  /// a step.
  private mutating func stepMember(
    _ operand: ExpressionNode, _ name: String, isOptional: Bool, _ node: ExpressionNode
  ) -> ValueType? {
    guard let id = stepID(of: operand) else { return nil }
    let step = stepType(id, operand)
    if step.isAny { return .any }
    let found = member(name, of: step, node)
    if isOptional { return .optional(found) }
    guard case .mayNotHaveRun(_, let because)? = environment.steps[id], name != "status", !found.isAny else {
      return found
    }
    if name == "items", environment.loops[id]?.isUnderWay == true { return found }
    switch narrowed[id] {
    case .succeeded: return found
    case .ended where name != "outputs": return found
    default:
      return mistake(
        .optionalStep, node, "step `\(id)` may not have run: \(because)",
        hint: "write `steps.\(id).?\(name)` and `.orValue(…)`, or ask `steps.\(id).status == 'succeeded' &&` first")
    }
  }

  private mutating func member(_ name: String, of type: ValueType, _ node: ExpressionNode) -> ValueType {
    switch type {
    case .any: return .any
    case .map(let value): return value
    case .object(let members):
      if let found = members[name] { return found }
      let known =
        members.isEmpty
        ? "it has none" : "there are " + members.keys.sorted().prefix(12).map { "`\($0)`" }.joined(separator: ", ")
      return mistake(
        .member, node, "no member `\(name.shortened)`",
        hint: Suggestion.question(for: name, among: members.keys) ?? known)
    case .optional(let inner):
      let found = member(name, of: inner, node)
      if case .optional = found { return found }
      return .optional(found)
    case .secret: return secretMistake("." + name, node)
    case .list:
      return mistake(
        .type, node, "a list has no member `\(name.shortened)`",
        hint: "take one item, `[0].\(name)`, or all, `.map(i, i.\(name))`")
    default: return mistake(.type, node, "\(type.phrase) has no member `\(name.shortened)`")
    }
  }

  private mutating func indexType(
    _ operand: ExpressionNode, _ index: ExpressionNode, isOptional: Bool, _ node: ExpressionNode
  ) -> ValueType {
    if case .root("steps") = operand.kind, environment.roots["steps"] == nil {
      return mistake(.type, node, "the step must be named", hint: "write `steps.ID`")
    }
    let operandType = type(of: operand)
    let indexed = type(of: index)
    let found = element(of: operandType, by: indexed, node)
    if !isOptional { return found }
    if case .optional = found { return found }
    return .optional(found)
  }

  private mutating func element(of type: ValueType, by index: ValueType, _ node: ExpressionNode) -> ValueType {
    if index.isTainted { return secretMistake("[ ]", node) }
    switch type {
    case .any: return .any
    case .list(let item):
      return index.fits(.int) ? item : mistake(.type, node, "a list's index is an int, not \(index.phrase)")
    case .map(let value):
      return index.fits(.string) ? value : mistake(.type, node, "a map's key is a string, not \(index.phrase)")
    case .object(let members):
      guard index.fits(.string) else { return mistake(.type, node, "a map's key is a string, not \(index.phrase)") }
      guard let first = members.values.first else { return .any }
      return members.values.dropFirst().reduce(first) { $0.joined($1) }
    case .optional(let inner):
      let found = element(of: inner, by: index, node)
      if case .optional = found { return found }
      return .optional(found)
    case .secret: return secretMistake("[ ]", node)
    case .string: return mistake(.type, node, "a string has no `[ ]`", hint: "write `.charAt(i)` or `.substring(a, b)`")
    default: return mistake(.type, node, "\(type.phrase) has no `[ ]`")
    }
  }
}

// Operators.
extension ExpressionChecker {
  private mutating func listType(_ items: [ExpressionNode.ListItem]) -> ValueType {
    var joined: ValueType?
    for item in items {
      var found = type(of: item.value)
      if item.isOptional { found = unwrapped(found, item.value) }
      joined = joined?.joined(found) ?? found
    }
    return .list(joined ?? .any)
  }

  private mutating func mapType(_ entries: [ExpressionNode.MapEntry]) -> ValueType {
    var members: [String: ValueType] = [:]
    var joined: ValueType?
    var isComputed = false
    for entry in entries {
      let key = type(of: entry.key)
      var found = type(of: entry.value)
      if entry.isOptional { found = unwrapped(found, entry.value) }
      joined = joined?.joined(found) ?? found
      if key.isTainted {
        _ = secretMistake("a map's key", entry.key)
      } else if !key.fits(.string) {
        _ = mistake(
          .type, entry.key, "a map's key is a string, not \(key.phrase)",
          hint: "a key that is a name stands in quotes: `{'name': …}`")
      } else if case .literal(.string(let name)) = entry.key.kind, !entry.isOptional {
        if members.updateValue(found, forKey: name) != nil {
          _ = mistake(.type, entry.key, "the key `\(name.shortened)` stands twice in one map")
        }
      } else {
        isComputed = true
      }
    }
    return isComputed || entries.isEmpty ? .map(joined ?? .any) : .object(members)
  }

  private mutating func unwrapped(_ type: ValueType, _ node: ExpressionNode) -> ValueType {
    switch type {
    case .optional(let inner): inner
    case .any: .any
    default: mistake(.type, node, "`?` needs an optional, this is \(type.phrase)")
    }
  }

  private mutating func negateType(_ operand: ExpressionNode, _ node: ExpressionNode) -> ValueType {
    let found = type(of: operand)
    if found.isTainted { return secretMistake("-", node) }
    guard found.isAny || found.isNumber || found == .duration else {
      return mistake(.type, node, "`-` needs a number, this is \(found.phrase)")
    }
    return found
  }

  private mutating func logicType(_ operands: [ExpressionNode], _ symbol: String, whenTrue: Bool) -> ValueType {
    let before = narrowed
    for operand in operands {
      expectBool(operand, symbol)
      narrow(by: operand, when: whenTrue)
    }
    narrowed = before
    return .bool
  }

  private mutating func conditionalType(
    _ condition: ExpressionNode, _ first: ExpressionNode, _ second: ExpressionNode
  ) -> ValueType {
    expectBool(condition, "`? :`")
    let before = narrowed
    narrow(by: condition, when: true)
    let firstType = type(of: first)
    narrowed = before
    narrow(by: condition, when: false)
    let secondType = type(of: second)
    narrowed = before
    return firstType.joined(secondType)
  }

  private mutating func binaryType(
    _ symbol: BinaryOperator, _ left: ExpressionNode, _ right: ExpressionNode, _ node: ExpressionNode
  ) -> ValueType {
    let (leftType, rightType) = (type(of: left), type(of: right))
    let isTainted = leftType.isTainted || rightType.isTainted
    if isTainted, symbol != .plus { return secretMistake(symbol.rawValue, node) }
    switch symbol {
    case .equal, .notEqual:
      checkStatusWord(left, right)
      checkStatusWord(right, left)
      guard leftType.isComparable(to: rightType) else {
        return mistake(
          .type, node, "\(leftType.phrase) never equals \(rightType.phrase)", hint: leftType.mixHint(with: rightType))
      }
      return .bool
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      let isFine =
        leftType.isAny || rightType.isAny || (leftType.isNumber && rightType.isNumber)
        || (leftType == rightType && leftType.isOrdered)
      guard isFine, leftType.isAny || leftType.isOrdered, rightType.isAny || rightType.isOrdered else {
        return mistake(
          .type, node, "`\(symbol.rawValue)` cannot compare \(leftType.phrase) with \(rightType.phrase)",
          hint: leftType.mixHint(with: rightType))
      }
      return .bool
    case .isIn: return containmentType(leftType, rightType, node)
    default: return arithmeticType(symbol, leftType, rightType, node)
    }
  }

  private mutating func containmentType(_ left: ValueType, _ right: ValueType, _ node: ExpressionNode) -> ValueType {
    switch right {
    case .any: return .bool
    case .list(let item) where item.isComparable(to: left): return .bool
    case .list(let item):
      return mistake(.type, node, "\(left.phrase) is never in a list of \(item.word)", hint: left.mixHint(with: item))
    case .map, .object:
      return left.fits(.string) ? .bool : mistake(.type, node, "a map's key is a string, not \(left.phrase)")
    case .string:
      return mistake(.type, node, "`in` needs a list or a map, this is a string", hint: "write `text.contains(part)`")
    default: return mistake(.type, node, "`in` needs a list or a map, this is \(right.phrase)")
    }
  }

  private mutating func arithmeticType(
    _ symbol: BinaryOperator, _ left: ValueType, _ right: ValueType, _ node: ExpressionNode
  ) -> ValueType {
    switch (symbol, left, right) {
    case (.plus, .secret, .secret), (.plus, .secret, .string), (.plus, .string, .secret), (.plus, .secret, .any),
      (.plus, .any, .secret):
      return .secret
    case (.plus, .list(let a), .list(let b)): return .list(a.joined(b))
    case (.plus, .list(let a), .any), (.plus, .any, .list(let a)): return a.isTainted ? .list(.secret) : .list(.any)
    case (_, _, _) where left.isTainted || right.isTainted: return secretMistake(symbol.rawValue, node)
    case (_, .int, .int): return .int
    case (.plus, .double, .double), (.minus, .double, .double), (.times, .double, .double), (.divide, .double, .double):
      return .double
    case (.plus, .string, .string): return .string
    case (.plus, .duration, .duration), (.minus, .duration, .duration), (.minus, .timestamp, .timestamp):
      return .duration
    case (.plus, .timestamp, .duration), (.plus, .duration, .timestamp), (.minus, .timestamp, .duration):
      return .timestamp
    case (_, .any, .any): return .any
    case (_, .any, let known) where known.allows(symbol):
      return known == .duration || known == .timestamp ? .any : known
    case (_, let known, .any) where known.allows(symbol):
      return known == .duration || known == .timestamp ? .any : known
    default:
      return mistake(
        .type, node, "`\(symbol.rawValue)` cannot take \(left.phrase) and \(right.phrase)",
        hint: left.mixHint(with: right))
    }
  }
}

/// Why an evaluation ends without a value, inside the evaluator: the node tells which values to show.
struct EvaluationFault: Error {
  var message: String
  var node: ExpressionNode?
  /// A budget that is spent: no `||` may swallow it.
  var isFinal = false
  /// Something is not there.
  var isAbsence = false

  init(_ message: String) { self.message = message }

  static func absent(_ message: String) -> EvaluationFault {
    var fault = EvaluationFault(message)
    fault.isAbsence = true
    return fault
  }

  static func secret(_ operation: String) -> EvaluationFault {
    EvaluationFault("`\(operation)` would reveal something about a secret")
  }
}

/// Tree to value. Nothing here traps: what a value cannot do is a fault, and every piece of work is paid for from
/// a budget.
struct Evaluator<Scope: ExpressionScope> {
  let scope: Scope
  /// Of the macros around the current node. Not unwound by a fault, so that its message can show them.
  var locals: [Value] = []
  var budget = EvaluationBudget()

  init(in scope: Scope) {
    self.scope = scope
    budget.masker = scope.messageMasker
  }

  /// - Parameter keepsStored: a text that lies in the store is given as it lies there, and not read.
  mutating func evaluate(_ node: ExpressionNode, keepsStored: Bool = false) throws(EvaluationFault) -> Value {
    do throws(EvaluationFault) {
      try budget.spend(1)
      let found = try value(of: node)
      if let words = found.lostWords { throw EvaluationFault(words) }
      if case .stored = found, !keepsStored { return try read(found) }
      return found
    } catch {
      guard error.node == nil else { throw error }
      var placed = error
      placed.node = node
      throw placed
    }
  }

  /// With every text in it that lies in the store. An operand, an argument or a result may hold one deeper inside.
  func read(_ value: Value) throws(EvaluationFault) -> Value {
    guard value.holdsStored else { return value }
    do throws(StoredText.Failure) { return try value.readingStored() } catch {
      switch error {
      case .lost(let names): throw EvaluationFault(Value.lostWords(names))
      case .unreadable(let reason): throw EvaluationFault(reason)
      }
    }
  }

  private mutating func operand(_ node: ExpressionNode) throws(EvaluationFault) -> Value {
    let value = try evaluate(node)
    return scope.holdsStored ? try read(value) : value
  }

  private mutating func value(of node: ExpressionNode) throws(EvaluationFault) -> Value {
    switch node.kind {
    case .literal(let value): return value
    case .root(let name): return try root(name)
    case .local(let slot, let name):
      guard slot < locals.count else { throw EvaluationFault("`\(name)` has no value here") }
      return locals[slot]
    case .select(let operand, let name, let isOptional): return try select(operand, name, isOptional: isOptional)
    case .binary(let symbol, let left, let right):
      let leftValue = try operand(left)
      return try budget.apply(symbol, leftValue, try operand(right))
    case .call(let function, let arguments, _): return try call(function, arguments)
    case .and(let operands): return try logic(operands, decidedBy: false)
    case .or(let operands): return try logic(operands, decidedBy: true)
    case .conditional(let condition, let first, let second):
      guard let isTrue = try truth(of: condition, "? :") else { return .unknown }
      return try evaluate(isTrue ? first : second)
    case .index(let operand, let index, let isOptional):
      let value = try evaluate(operand)
      return try element(of: value, at: try evaluate(index), isOptional: isOptional)
    case .has(let operand, let name): return try has(operand, name)
    case .not(let operand): return try truth(of: operand, "!").map { .bool(!$0) } ?? .unknown
    case .negate(let operand): return try budget.negate(try evaluate(operand))
    case .list(let items): return try list(items)
    case .map(let entries): return try map(entries)
    case .matches(let operand, let pattern): return try budget.matches(try evaluate(operand), pattern)
    case .macro(let macro, let list, let condition, let body): return try comprehension(macro, list, condition, body)
    case .optMap(let operand, let body): return try optMap(operand, body)
    }
  }

  private func root(_ name: String) throws(EvaluationFault) -> Value {
    if let value = scope.root(name) { return value }
    if ExpressionParser.typeNames.contains(name) { return .string(name) }
    throw EvaluationFault("`\(name)` is not available here")
  }

  /// nil for unknown.
  private mutating func truth(of node: ExpressionNode, _ symbol: String) throws(EvaluationFault) -> Bool? {
    switch try evaluate(node) {
    case .bool(let flag): return flag
    case .unknown: return nil
    case .secret: throw .secret(symbol)
    case let other: throw EvaluationFault("`\(symbol)` needs true or false, this is \(other.phrase)")
    }
  }

  /// `&&` and `||`: one operand that decides wins over errors and unknowns, wherever it stands.
  private mutating func logic(_ operands: [ExpressionNode], decidedBy deciding: Bool) throws(EvaluationFault) -> Value {
    var fault: EvaluationFault?
    var isUnknown = false
    let depth = locals.count
    for operand in operands {
      do throws(EvaluationFault) {
        guard let flag = try truth(of: operand, deciding ? "||" : "&&") else {
          isUnknown = true
          continue
        }
        if flag == deciding { return .bool(deciding) }
      } catch {
        if error.isFinal { throw error }
        fault = fault ?? error
        // A later fault may show locals of its own, but not the remains of this one.
        locals.removeLast(locals.count - depth)
      }
    }
    if isUnknown { return .unknown }
    if let fault { throw fault }
    return .bool(!deciding)
  }
}

// Members and elements.
extension Evaluator {
  private mutating func select(
    _ operand: ExpressionNode, _ name: String, isOptional: Bool
  ) throws(EvaluationFault) -> Value {
    if case .root(let rootName) = operand.kind, case .some(let found) = scope.member(of: rootName, name) {
      if let found { return isOptional ? .optional(found) : found }
      if isOptional { return .optional(nil) }
      if rootName == "steps" { return neverRun }
      throw EvaluationFault("`\(rootName)` has no member `\(budget.shown(name))`")
    }
    let value = try evaluate(operand)
    if case .root("steps") = operand.kind, case .map(let steps) = value, steps[name] == nil, !isOptional {
      return neverRun
    }
    return try member(name, of: value, isOptional: isOptional)
  }

  /// A declared step of which nothing is known yet.
  private var neverRun: Value { .map(["status": "pending"]) }

  private func member(_ name: String, of value: Value, isOptional: Bool) throws(EvaluationFault) -> Value {
    switch value {
    case .map(let entries):
      if let found = entries[name] {
        if case .unknown = found { return .unknown }
        return isOptional ? .optional(found) : found
      }
      if isOptional { return .optional(nil) }
      throw missing(name, in: entries)
    case .optional(nil): return .optional(nil)
    case .optional(let inner?): return try member(name, of: inner, isOptional: true).flattened
    case .unknown: return .unknown
    case .null where isOptional: return .optional(nil)
    case .null: throw .absent("null has no member `\(budget.shown(name))`")
    case .secret: throw .secret("." + name)
    default: throw EvaluationFault("\(value.phrase) has no member `\(budget.shown(name))`")
    }
  }

  private func missing(_ name: String, in entries: [String: Value]) -> EvaluationFault {
    let known = entries.keys.sorted()
    if let near = Suggestion.nearest(to: name, among: known) {
      return .absent("there is no `\(budget.shown(name))`; did you mean `\(budget.shown(near))`?")
    }
    let list = known.prefix(8).map { "`\(budget.shown($0))`" }.joined(separator: ", ")
    return .absent(
      "there is no `\(budget.shown(name))`" + (list.isEmpty ? "; the map is empty" : "; there are \(list)"))
  }

  private func element(of value: Value, at index: Value, isOptional: Bool) throws(EvaluationFault) -> Value {
    switch (value, index) {
    case (.unknown, _), (_, .unknown): return .unknown
    case (.secret, _), (_, .secret): throw .secret("[ ]")
    case (.list(let items), .int(let position)):
      if let position = Int(exactly: position), items.indices.contains(position) {
        return isOptional ? .optional(items[position]) : items[position]
      }
      if isOptional { return .optional(nil) }
      throw .absent(
        position < 0
          ? "an index is never negative" : "index \(position) is beyond the end of the list of \(items.count)")
    case (.map, .string(let name)): return try member(name, of: value, isOptional: isOptional)
    case (.optional(nil), _): return .optional(nil)
    case (.optional(let inner?), _): return try element(of: inner, at: index, isOptional: true).flattened
    case (.null, _) where isOptional: return .optional(nil)
    default: throw EvaluationFault("\(value.phrase) has no element `[\(index.phrase)]`")
    }
  }

  private mutating func has(_ operand: ExpressionNode, _ name: String) throws(EvaluationFault) -> Value {
    let found = try select(operand, name, isOptional: true)
    if case .optional(let value) = found { return .bool(value != nil) }
    return .unknown
  }
}

// Literals and macros.
extension Evaluator {
  private mutating func list(_ items: [ExpressionNode.ListItem]) throws(EvaluationFault) -> Value {
    var values: [Value] = []
    values.reserveCapacity(items.count)
    for item in items {
      let value = try evaluate(item.value)
      guard item.isOptional else {
        values.append(value)
        continue
      }
      switch value {
      case .optional(let inner?): values.append(inner)
      case .optional(nil): continue
      case .unknown: return .unknown
      default: throw EvaluationFault("`?` needs an optional, this is \(value.phrase)")
      }
    }
    return .list(values)
  }

  private mutating func map(_ entries: [ExpressionNode.MapEntry]) throws(EvaluationFault) -> Value {
    var values: [String: Value] = [:]
    for entry in entries {
      let key = try evaluate(entry.key)
      if case .unknown = key { return .unknown }
      guard case .string(let name) = key else { throw EvaluationFault("a map's key is a string, not \(key.phrase)") }
      var value = try evaluate(entry.value)
      if entry.isOptional {
        switch value {
        case .optional(let inner?): value = inner
        case .optional(nil): continue
        case .unknown: return .unknown
        default: throw EvaluationFault("`?` needs an optional, this is \(value.phrase)")
        }
      }
      guard values.updateValue(value, forKey: name) == nil else {
        throw EvaluationFault("the key `\(budget.shown(name))` stands twice in one map")
      }
    }
    return .map(values)
  }

  private mutating func comprehension(
    _ macro: Macro, _ over: ExpressionNode, _ condition: ExpressionNode?, _ body: ExpressionNode
  ) throws(EvaluationFault) -> Value {
    let items: [Value]
    switch try evaluate(over) {
    case .list(let list): items = list
    case .map(let entries): items = entries.keys.sorted().map { .string($0) }
    case .unknown: return .unknown
    case .secret: throw .secret(macro.rawValue)
    case let other: throw EvaluationFault("`\(macro.rawValue)` needs a list or a map, this is \(other.phrase)")
    }
    switch macro {
    case .map, .filter: return try collect(items, macro, condition, body)
    case .all, .exists: return try quantify(items, decidedBy: macro == .exists, body)
    case .existsOne:
      var count = 0
      for item in items {
        guard let flag = try holds(body, for: item, "exists_one") else { return .unknown }
        if flag { count += 1 }
      }
      return .bool(count == 1)
    }
  }

  private mutating func collect(
    _ items: [Value], _ macro: Macro, _ condition: ExpressionNode?, _ body: ExpressionNode
  ) throws(EvaluationFault) -> Value {
    var results: [Value] = []
    for item in items {
      if let filter = macro == .filter ? body : condition {
        guard let flag = try holds(filter, for: item, macro.rawValue) else { return .unknown }
        if !flag { continue }
      }
      guard macro == .map else {
        results.append(item)
        continue
      }
      locals.append(item)
      results.append(try evaluate(body))
      locals.removeLast()
    }
    return .list(results)
  }

  private mutating func holds(
    _ body: ExpressionNode, for item: Value, _ name: String
  ) throws(EvaluationFault) -> Bool? {
    locals.append(item)
    let flag = try truth(of: body, name)
    locals.removeLast()
    return flag
  }

  /// `all` and `exists`: as `&&` and `||` over the items.
  private mutating func quantify(
    _ items: [Value], decidedBy deciding: Bool, _ body: ExpressionNode
  ) throws(EvaluationFault) -> Value {
    var fault: EvaluationFault?
    var isUnknown = false
    let depth = locals.count
    for item in items {
      do throws(EvaluationFault) {
        guard let flag = try holds(body, for: item, deciding ? "exists" : "all") else {
          isUnknown = true
          continue
        }
        if flag == deciding { return .bool(deciding) }
      } catch {
        if error.isFinal { throw error }
        fault = fault ?? error
        locals.removeLast(locals.count - depth)
      }
    }
    if isUnknown { return .unknown }
    if let fault { throw fault }
    return .bool(!deciding)
  }

  private mutating func optMap(_ operand: ExpressionNode, _ body: ExpressionNode) throws(EvaluationFault) -> Value {
    switch try evaluate(operand) {
    case .optional(nil): return .optional(nil)
    case .unknown: return .unknown
    case .secret: throw .secret("optMap")
    case .optional(let value?):
      locals.append(value)
      let result = try evaluate(body)
      locals.removeLast()
      if case .unknown = result { return .unknown }
      return .optional(result)
    case let other: throw EvaluationFault("`optMap` needs an optional, this is \(other.phrase)")
    }
  }

  private mutating func call(_ function: ExpressionFunction, _ arguments: [ExpressionNode]) throws(EvaluationFault)
    -> Value
  {
    if function == .now { return .timestamp(scope.now) }
    if function == .orValue || function == .or { return try fallback(function, arguments) }
    var values: [Value] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments { values.append(try operand(argument)) }
    return try budget.call(function, values)
  }

  /// The second is evaluated only if the first is absent.
  private mutating func fallback(_ function: ExpressionFunction, _ arguments: [ExpressionNode]) throws(EvaluationFault)
    -> Value
  {
    guard arguments.count == 2 else { throw EvaluationFault("`\(function.rawValue)` needs a value to fall back to") }
    switch try evaluate(arguments[0]) {
    case .optional(let value?): return function == .or ? .optional(value) : value
    case .optional(nil): break
    case .unknown: return .unknown
    case let other: throw EvaluationFault("`\(function.rawValue)` needs an optional, this is \(other.phrase)")
    }
    let second = try evaluate(arguments[1])
    switch second {
    case .optional, .unknown: return second
    default:
      if function == .orValue { return second }
      throw EvaluationFault("`or` needs an optional, this is \(second.phrase)")
    }
  }
}

// Calls and macros.
extension ExpressionChecker {
  mutating func callType(
    _ function: ExpressionFunction, _ arguments: [ExpressionNode], isMethod: Bool, _ node: ExpressionNode
  ) -> ValueType {
    let types = arguments.map { type(of: $0) }
    guard function.acceptsSecret || !types.contains(where: { $0.isTainted }) else {
      return secretMistake(function.rawValue, node)
    }
    let overloads = function.overloads.filter { $0.isMethod == isMethod }
    if overloads.isEmpty {
      return mistake(
        .function, node, "`\(function.rawValue)` is a \(isMethod ? "function" : "method")",
        hint: "write \(function.usage)")
    }
    let fitting = overloads.filter { overload in
      overload.parameters.count == types.count
        && zip(types, overload.parameters).allSatisfy { $0.fits($1) || ($0 == .secret && $1 == .string) }
    }
    guard let first = fitting.first else {
      let given = types.isEmpty ? "nothing" : types.map(\.word).joined(separator: ", ")
      let isOptional = types.contains { if case .optional = $0 { true } else { false } }
      return mistake(
        .type, node, "`\(function.rawValue)` cannot take \(given)",
        hint: isOptional && fitting.isEmpty && function.overloads.allSatisfy { !$0.takesOptional }
          ? "give the optional a value first: `.orValue(…)`" : "it is \(function.usage)")
    }
    if let special = specialType(function, types, node) { return special }
    return fitting.allSatisfy { $0.result == first.result } ? first.result : .any
  }

  /// Results that depend on the arguments' types, and checks of literal arguments.
  private mutating func specialType(
    _ function: ExpressionFunction, _ types: [ValueType], _ node: ExpressionNode
  ) -> ValueType? {
    switch function {
    case .base64, .urlEncode: return types[0].isTainted ? .secret : nil
    case .hmacSHA256 where types[1].isTainted: return secretMistake(function.rawValue, node)
    case .optionalOf, .optionalOfNonZeroValue: return .optional(types[0])
    case .slice, .sortBy: return types[0]
    case .reverse: if case .list = types[0] { return types[0] } else { return nil }
    case .value: if case .optional(let inner) = types[0] { return inner } else { return .any }
    case .orValue:
      guard case .optional(let inner) = types[0] else { return types[1].isTainted ? .secret : .any }
      return inner.joined(types[1])
    case .or: return types[0].joined(types[1])
    case .duration, .timestamp: return checkedLiteral(function, node)
    default: return nil
    }
  }

  /// `duration('5 minutes')` is a mistake that needs no run to be seen.
  private mutating func checkedLiteral(_ function: ExpressionFunction, _ node: ExpressionNode) -> ValueType? {
    guard case .call(_, let arguments, _) = node.kind, let argument = arguments.first,
      case .literal(.string(let text)) = argument.kind
    else { return nil }
    if function == .duration, Duration(text: text) == nil {
      return mistake(
        .type, argument, "`\(text.shortened)` is no duration",
        hint: "durations look like `250ms`, `30s`, `5m`, `1h30m`, `2d`")
    }
    if function == .timestamp, Timestamp(text) == nil {
      return mistake(
        .type, argument, "`\(text.shortened)` is no timestamp", hint: "timestamps look like `2025-01-16T16:15:00Z`")
    }
    return nil
  }

  mutating func macroType(
    _ macro: Macro, _ list: ExpressionNode, _ condition: ExpressionNode?, _ body: ExpressionNode, _ node: ExpressionNode
  ) -> ValueType {
    let found = type(of: list)
    let item: ValueType
    switch found {
    case .any: item = .any
    case .list(let inner): item = inner
    case .map, .object: item = .string
    case .secret: return secretMistake(macro.rawValue, node)
    case .optional:
      return mistake(
        .type, list, "`\(macro.rawValue)` needs a list or a map, this is an optional",
        hint: "write `.orValue([])` before it")
    default: return mistake(.type, list, "`\(macro.rawValue)` needs a list or a map, this is \(found.phrase)")
    }
    locals.append(item)
    defer { locals.removeLast() }
    if let condition { expectBool(condition, "`\(macro.rawValue)`") }
    switch macro {
    case .map: return .list(type(of: body))
    case .filter:
      expectBool(body, "`filter`")
      return .list(item)
    case .all, .exists, .existsOne:
      expectBool(body, "`\(macro.rawValue)`")
      return .bool
    }
  }

  mutating func optMapType(_ operand: ExpressionNode, _ body: ExpressionNode, _ node: ExpressionNode) -> ValueType {
    let found = type(of: operand)
    let inner: ValueType
    switch found {
    case .any: inner = .any
    case .optional(let value): inner = value
    case .secret: return secretMistake("optMap", node)
    default: return mistake(.type, operand, "`optMap` needs an optional, this is \(found.phrase)")
    }
    locals.append(inner)
    defer { locals.removeLast() }
    return .optional(type(of: body))
  }
}

// What a condition tells about a step, and the words it may be compared with.
extension ExpressionChecker {
  static let stepStatuses = [
    "pending", "skipped", "not_run", "failed", "started", "succeeded", "cancelled", "unknown", "not_applied",
  ]

  /// The `x` of `steps.x.status`.
  private func statusOwner(_ node: ExpressionNode) -> String? {
    guard case .select(let step, "status", false) = node.kind else { return nil }
    return stepID(of: step)
  }

  mutating func checkStatusWord(_ left: ExpressionNode, _ right: ExpressionNode) {
    guard let id = statusOwner(left), case .literal(.string(let word)) = right.kind,
      !ExpressionChecker.stepStatuses.contains(word)
    else { return }
    let known = ExpressionChecker.stepStatuses
    let hint =
      Suggestion.question(for: word, among: known) ?? "statuses are " + known.map { "`\($0)`" }.joined(separator: ", ")
    _ = mistake(
      .type, right, "the status of step `\(id)` is never `\(word.shortened)`",
      hint: word == "success" ? "did you mean `succeeded`?" : hint)
  }

  /// Remembers what holds where `condition` is known to be true (or false).
  mutating func narrow(by condition: ExpressionNode, when isTrue: Bool) {
    switch condition.kind {
    case .not(let operand): narrow(by: operand, when: !isTrue)
    case .and(let operands) where isTrue, .or(let operands) where !isTrue:
      for operand in operands { narrow(by: operand, when: isTrue) }
    case .binary(.equal, let left, let right) where isTrue, .binary(.notEqual, let left, let right) where !isTrue:
      narrowByStatus(left, right)
      narrowByStatus(right, left)
    case .has(let operand, "outputs") where isTrue:
      if let id = stepID(of: operand) { narrowed[id] = .succeeded }
    case .call(.hasValue, let arguments, _) where isTrue:
      if let first = arguments.first, case .select(let operand, "outputs", true) = first.kind,
        let id = stepID(of: operand)
      {
        narrowed[id] = .succeeded
      }
    default: break
    }
  }

  private mutating func narrowByStatus(_ left: ExpressionNode, _ right: ExpressionNode) {
    guard let id = statusOwner(left), case .literal(.string(let word)) = right.kind else { return }
    switch word {
    case "succeeded": narrowed[id] = .succeeded
    case "failed", "cancelled": narrowed[id] = .ended
    default: break
    }
  }
}

extension ExpressionFunction.Overload {
  var takesOptional: Bool { parameters.contains { if case .optional = $0 { true } else { false } } }
}

/// Names that exist only in some places, or that other tools have.
enum RootHabit {
  static let places: [String: String] = [
    "result": "`result` is the answer of the step's own call: in `outputs`, `expect`, `until` and `fail_if`",
    "self": "`self` is the step itself: in its `expect` and its `rollback`",
    "error": "`error` is the failure of an attempt: in `retry.if` and `until`",
    "failure": "`failure` is the failure of the run: in `on_failure`, `rollback` and `always`",
    "rollback": "`rollback` is the result of the rollback: in `on_rollback_failure`, `always` and `outputs`",
    "item": "`item` is the current item of a `for_each`", "index": "`index` is the position in a `for_each`",
    "secrets": "secrets may be read only where a field accepts them",
    "vars": "`vars` are declared at the top of the file", "inputs": "`inputs` are declared at the top of the file",
  ]
  private static let habits: [String: String] = [
    "input": "did you mean `inputs`?", "params": "did you mean `inputs`?", "parameters": "did you mean `inputs`?",
    "var": "did you mean `vars`?", "secret": "did you mean `secrets`?", "step": "did you mean `steps`?",
    "env": "expressions do not see the environment: declare an input",
    "github": "the run is `run`, its parameters `inputs`",
    "outputs": "a step's own outputs are `self.outputs`, another's `steps.ID.outputs`",
    "output": "a step's own outputs are `self.outputs`, another's `steps.ID.outputs`",
    "True": "write `true`", "False": "write `false`", "None": "write `null`", "nil": "write `null`",
    "undefined": "write `null`",
    "status": "a step's status is `steps.ID.status`", "matrix": "the current item of a `for_each` is `item`",
    "not": "logical not is `!`",
  ]
  static func hint(for name: String) -> String? { places[name] ?? habits[name] }
}

/// Everything that only a run can know is `unknown`; secrets are there, and masked.
struct PlanScope: ExpressionScope {
  private(set) var roots: [String: Value]
  let now: Timestamp

  init(_ runbook: ValidatedRunbook, inputs: [String: Value], at instant: Timestamp) {
    var known = inputs
    for input in runbook.inputs where known[input.name] == nil { known[input.name] = input.defaultValue ?? .unknown }
    var roots: [String: Value] = [
      "inputs": .map(known), "steps": .unknown, "self": .unknown, "failure": .unknown, "rollback": .unknown,
      "result": .unknown, "error": .unknown, "waiting": .unknown,
      "secrets": .map(
        Dictionary(runbook.secrets.map { ($0.name, .secret(Secret("", named: [$0.name]))) }, uniquingKeysWith: { $1 })),
      "run": .map([
        "id": .unknown, "name": .string(runbook.name), "started_at": .unknown, "outcome": .unknown,
        "requester": .unknown,
      ]),
    ]
    now = instant
    var vars: [String: Value] = [:]
    for (name, template) in runbook.vars {
      roots["vars"] = .map(vars)
      let usesNow = template.references.callsNow
      vars[name] = usesNow ? .unknown : (try? template.evaluate(in: DictionaryScope(roots, now: instant))) ?? .unknown
    }
    roots["vars"] = .map(vars)
    self.roots = roots
  }

  func root(_ name: String) -> Value? { roots[name] }

  func isMissing(input name: String) -> Bool { roots["inputs"]?[name] == .unknown }

  func member(of root: String, _ name: String) -> Value?? {
    guard case .unknown? = roots[root] else { return .none }
    return .some(.unknown)
  }

  func value(of template: Template) -> Value {
    if template.isTainted { return .string(Secret.mask) }
    if template.references.callsNow { return .unknown }
    return (try? template.evaluate(in: self)) ?? .unknown
  }

  // MARK: Inside other steps

  /// What an iteration of the loop sees.
  /// - Parameter item: `unknown` where it is not one in particular.
  func iterating(_ loop: LoopStep, over item: Value = .unknown, at index: Value = .unknown) -> PlanScope {
    var scope = self
    scope.roots[loop.name] = item
    scope.roots["index"] = index
    return scope
  }

  /// What the steps of a called file see: its inputs, and nothing of the steps around the call.
  func called(_ call: CallStep) -> PlanScope {
    PlanScope(call.runbook, inputs: call.with.mapValues { value(of: $0) }, at: now)
  }

  /// What the loop is done for; nil: only the run will know.
  func items(of loop: LoopStep) -> [Value]? {
    guard !loop.items.references.callsNow else { return nil }
    switch try? loop.items.evaluate(in: self) {
    case .list(let items): return items
    case .map(let map): return map.keys.sorted().map { .string($0) }
    default: return nil
    }
  }
}

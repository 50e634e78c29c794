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
  /// The `x` of each `result.x` and `result['x']`.
  public var result: Set<String> = []
  /// The `x` of each `self.before.x`.
  public var before: Set<String> = []
  public var callsNow = false
  public init() {}

  /// Roots whose values are known before the run.
  static let knownRoots: Set<String> = ["inputs", "vars", "secrets"]

  var mayBeUnknown: Bool { callsNow || !roots.isSubset(of: References.knownRoots) }

  mutating func formUnion(_ other: References) {
    roots.formUnion(other.roots)
    steps.formUnion(other.steps)
    inputs.formUnion(other.inputs)
    vars.formUnion(other.vars)
    secrets.formUnion(other.secrets)
    result.formUnion(other.result)
    before.formUnion(other.before)
    callsNow = callsNow || other.callsNow
  }

  mutating func collect(_ node: ExpressionNode) {
    switch node.kind {
    case .root(let name): if !ExpressionParser.typeNames.contains(name) { roots.insert(name) }
    case .call(.now, _, _): callsNow = true
    case .select(let operand, let name, _), .has(let operand, let name):
      if case .root(let root) = operand.kind {
        switch root {
        case "steps": steps.insert(name)
        case "inputs": inputs.insert(name)
        case "vars": vars.insert(name)
        case "secrets": secrets.insert(name)
        case "result": result.insert(name)
        default: break
        }
      }
      if case .select(let outer, "before", _) = operand.kind, case .root("self") = outer.kind { before.insert(name) }
    case .index(let operand, let index, _):
      if case .root("result") = operand.kind, case .literal(.string(let name)) = index.kind { result.insert(name) }
    default: break
    }
    for child in node.children { collect(child) }
  }
}

extension ExpressionNode {
  /// True if it reads something that only the run can know. As `References.mayBeUnknown`, without building sets.
  var mayBeUnknown: Bool {
    switch kind {
    case .root(let name): !References.knownRoots.contains(name) && !ExpressionParser.typeNames.contains(name)
    case .call(.now, _, _): true
    default: children.contains { $0.mayBeUnknown }
    }
  }
}

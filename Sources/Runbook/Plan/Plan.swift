/// What a run would do, in order, as far as it can be known: no I/O, no secret, printable. What an earlier step makes
/// is `(known after apply)`; nothing else is left open.
public struct Plan: Sendable {
  public struct Step: Sendable {
    public var path: String
    public var title: String
    public var action: String
    public var provider: String?
    public var effect: ActionEffect
    /// nil for a step that changes nothing.
    public var effectClass: EffectClass?
    public var condition: String?
    public var with: [String: Value]
    public var waitsFor: String?
    public var failsOn: String?
    public var timeout: Duration
    public var attempts: Int
    /// Power states of its server in which it can be done; empty: any.
    public var needs: Set<PowerState>
    /// The power state of its server afterwards; nil if it acts on none.
    public var leaves: PowerEffect?
    /// How a call whose reply was lost is found again, in words; nil for what changes nothing and for built-in actions.
    public var recovery: String?
    public var undo: Undo
    /// The call may be lost, and then a person is asked what became of it.
    public var mayAsk: Bool
    /// What its author should know who writes its fields like this: a sentence each.
    public var cautions: [String]
  }

  public enum Undo: Sendable {
    case notNeeded
    case absent
    case none
    case irreversible
    case steps([Step])
  }

  public var name: String
  public var description: String?
  public var inputs: [String: Value]
  /// Without a value given: the plan goes on without them.
  public var missingInputs: [String]
  public var steps: [Step]
  public var onFailure: [Step]
  public var onRollbackFailure: [Step]
  public var always: [Step]
  public var locks: [String]
  public var timeout: Duration
  public var rollbackTimeout: Duration
  public var warnings: [Diagnostic]

  /// - Parameter inputs: checked; those missing count as unknown.
  public init(_ runbook: ValidatedRunbook, inputs: [String: Value], at instant: Timestamp) {
    let scope = PlanScope(runbook, inputs: inputs, at: instant)
    name = runbook.name
    description = runbook.description
    self.inputs = inputs
    missingInputs = runbook.inputs.filter { inputs[$0.name] == nil && $0.defaultValue == nil }.map(\.name)
    steps = runbook.steps.map { Plan.step($0, scope) }
    onFailure = runbook.onFailure.map { Plan.step($0, scope) }
    onRollbackFailure = runbook.onRollbackFailure.map { Plan.step($0, scope) }
    always = runbook.always.map { Plan.step($0, scope) }
    locks = Plan.locks(runbook, scope)
    timeout = runbook.timeout
    rollbackTimeout = runbook.rollbackPolicy.timeout
    warnings = runbook.warnings
  }

  private static func step(_ step: ValidatedStep, _ scope: PlanScope) -> Step {
    let changes = step.effect != .none
    var with: [String: Value] = [:]
    for (name, template) in step.with { with[name] = scope.value(of: template) }
    let hasUndo = if case .steps = step.rollback { true } else { false }
    return Step(
      path: step.path, title: step.title, action: step.action.name, provider: step.provider, effect: step.effect,
      effectClass: changes ? step.effectClass : nil, condition: step.condition?.source, with: with,
      waitsFor: step.wait.isSkipped ? nil : step.wait.until?.source ?? (changes ? step.action.wait?.until : nil),
      failsOn: step.wait.isSkipped ? nil : step.wait.failIf?.source ?? (changes ? step.action.wait?.failsOn : nil),
      timeout: step.timeout, attempts: step.retry.attempts, needs: step.action.operation?.needs ?? [],
      leaves: leaves(step, with),
      recovery: changes ? CapabilityTable.recoveryText(step.action) : nil, undo: undo(step, scope),
      mayAsk: changes && step.effectClass == .opaque && !step.isIdempotent
        && (step.onCrash ?? (hasUndo ? .fail : .ask)) == .ask,
      cautions: changes ? step.action.cautions.filter { with[$0.field] == $0.value }.map(\.text) : [])
  }

  /// What `power:` asks for is known here.
  private static func leaves(_ step: ValidatedStep, _ with: [String: Value]) -> PowerEffect? {
    guard step.effect != .none, step.action.serverField != nil, let leaves = step.action.operation?.leaves else {
      return nil
    }
    if case .asAsked = leaves, let state = with["power"]?.string.flatMap({ PowerState(rawValue: $0) }) {
      return .becomes(state)
    }
    return leaves
  }

  private static func undo(_ step: ValidatedStep, _ scope: PlanScope) -> Undo {
    switch step.rollback {
    case .absent: step.effect == .none ? .notNeeded : .absent
    case .none: .none
    case .irreversible: .irreversible
    case .steps(let steps, _): .steps(steps.map { Plan.step($0, scope) })
    }
  }

  /// The account is not known without connecting; the provider's name stands for it.
  private static func locks(_ runbook: ValidatedRunbook, _ scope: PlanScope) -> [String] {
    var locks: Set<String> = []
    for template in runbook.locks { locks.insert(PlanText.plain(scope.value(of: template))) }
    for step in runbook.steps where step.action.effect != .none {
      guard let provider = step.provider, let field = step.action.serverField, let template = step.with[field] else {
        continue
      }
      locks.insert("\(provider)/server/\(PlanText.plain(scope.value(of: template)))")
    }
    return locks.sorted()
  }
}

/// Everything that only a run can know is `unknown`; secrets are there, and masked.
private struct PlanScope: ExpressionScope {
  let roots: [String: Value]
  let now: Timestamp

  init(_ runbook: ValidatedRunbook, inputs: [String: Value], at instant: Timestamp) {
    var known = inputs
    for input in runbook.inputs where known[input.name] == nil { known[input.name] = input.defaultValue ?? .unknown }
    var roots: [String: Value] = [
      "inputs": .map(known), "steps": .unknown, "self": .unknown, "failure": .unknown, "rollback": .unknown,
      "result": .unknown, "error": .unknown,
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

  func member(of root: String, _ name: String) -> Value?? {
    guard case .unknown? = roots[root] else { return .none }
    return .some(.unknown)
  }

  func value(of template: Template) -> Value {
    if template.isTainted { return .string(Secret.mask) }
    if template.references.callsNow { return .unknown }
    return (try? template.evaluate(in: self)) ?? .unknown
  }
}

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
    public var decision: Decision
    public var with: [String: Value]
    /// Fields whose value is their default.
    public var defaults: Set<String>
    /// Variables of a script; secrets as `***`.
    public var env: [String: Value]
    /// It changes nothing of ours, and others get to see something: a message is sent.
    public var tells: Bool
    /// A person is asked, and the run waits for the answer.
    public var asks: Bool
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
    /// The call may be lost, and then a person is asked whether it took effect.
    public var mayAsk: Bool
    /// Warnings about values of its fields: a sentence each.
    public var cautions: [String]
    /// It closes the undo of all steps before it.
    public var isCommit: Bool
    /// One of its fields says how long it takes.
    public var hasSetLength: Bool
    /// Of the file, from 1.
    public var line: Int
    /// Where it stands in the tree.
    public var place = Place()
  }

  /// The value of a step's `if`, as far as the plan can evaluate it.
  public enum Decision: Sendable, Equatable {
    /// It holds, or there is none.
    case runs
    case skipped
    /// It reads these, which only the run will know: `steps.x`, `self`, `inputs.y`.
    case depends(on: [String])
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
  /// nil: the run is no drill.
  public var drill: Drill?
  /// What is done in order, as a tree.
  public var tree: [Node]
  /// Every step of the tree that has something called, in the order in which they are written; a step in a loop once.
  public var steps: [Step]
  public var onFailure: [Step]
  public var onRollbackFailure: [Step]
  public var onWaiting: [Step]
  public var always: [Step]
  public var locks: [String]
  public var timeout: Duration
  public var rollbackAfter: Set<RollbackPolicy.Trigger>
  public var rollbackTimeout: Duration
  public var warnings: [Diagnostic]

  /// - Parameter inputs: checked; those missing count as unknown.
  public init(_ runbook: ValidatedRunbook, inputs: [String: Value], at instant: Timestamp) {
    let scope = PlanScope(runbook, inputs: inputs, at: instant)
    name = runbook.name
    description = runbook.description
    self.inputs = inputs
    missingInputs = runbook.inputs.filter { inputs[$0.name] == nil && $0.defaultValue == nil }.map(\.name)
    drill = runbook.drill.map { drill in
      Drill(
        rto: drill.rto, rpo: drill.rpo, measure: drill.measure.mapValues { $0.source },
        steadyState: drill.before.leaves.map { Plan.step($0, scope) })
    }
    tree = runbook.steps.steps.map { Plan.node($0, at: $0.path, scope) }
    steps = tree.flatMap(\.steps)
    onFailure = runbook.onFailure.leaves.map { Plan.step($0, scope) }
    onRollbackFailure = runbook.onRollbackFailure.leaves.map { Plan.step($0, scope) }
    onWaiting = runbook.onWaiting.leaves.map { Plan.step($0, scope) }
    always = runbook.always.leaves.map { Plan.step($0, scope) }
    locks = PlannedLocks(runbook, scope).names
    timeout = runbook.timeout
    rollbackAfter = runbook.rollbackPolicy.after
    rollbackTimeout = runbook.rollbackPolicy.timeout
    warnings = runbook.warnings
  }

  static func step(_ step: ActionStep, _ scope: PlanScope) -> Step {
    let changes = step.effect != .none
    var with: [String: Value] = [:]
    for (name, template) in step.with { with[name] = scope.value(of: template) }
    let preset = step.action.fields.filter { $0.defaultValue != nil && with[$0.name] == $0.defaultValue }
    let hasUndo = if case .steps = step.rollback { true } else { false }
    return Step(
      path: step.path.text, title: step.title, action: step.action.name, provider: step.provider, effect: step.effect,
      effectClass: changes ? step.effectClass : nil, condition: step.condition?.source,
      decision: decision(step.condition, scope), with: with,
      defaults: Set(preset.map(\.name)), env: step.env.mapValues { scope.value(of: $0) },
      tells: !changes && step.action.tellsPeople, asks: step.action.asksPeople,
      waitsFor: step.wait.isSkipped ? nil : step.wait.until?.source ?? (changes ? step.action.wait?.until : nil),
      failsOn: step.wait.isSkipped ? nil : step.wait.failIf?.source ?? (changes ? step.action.wait?.failsOn : nil),
      timeout: step.timeout, attempts: step.retry.attempts, needs: step.action.operation?.needs ?? [],
      leaves: leaves(step, with),
      recovery: changes ? CapabilityTable.recoveryText(step.action) : nil, undo: undo(step, scope),
      mayAsk: changes && step.effectClass == .opaque && !step.isIdempotent
        && (step.onCrash ?? (hasUndo ? .fail : .ask)) == .ask,
      cautions: changes ? step.action.cautions.filter { with[$0.field] == $0.value }.map(\.text) : [],
      isCommit: step.isCommit, hasSetLength: step.action.lengthField != nil, line: step.range.start.line)
  }

  static func decision(_ condition: Expression?, _ scope: PlanScope) -> Decision {
    guard let condition else { return .runs }
    let read = condition.references
    let value = read.callsNow ? Value.unknown : (try? condition.evaluate(in: scope)) ?? .unknown
    if let holds = value.bool { return holds ? .runs : .skipped }
    let roots = read.roots.subtracting(["inputs", "vars", "secrets", "steps"])
    let inputs = read.inputs.filter { scope.isMissing(input: $0) }.map { "inputs.\($0)" }
    let names = read.steps.map { "steps.\($0)" } + roots + inputs + (read.callsNow ? ["now()"] : [])
    return .depends(on: names.isEmpty ? ["the run"] : names.sorted())
  }

  /// What `power:` asks for is known here.
  private static func leaves(_ step: ActionStep, _ with: [String: Value]) -> PowerEffect? {
    guard step.effect != .none, step.action.serverField != nil, let leaves = step.action.operation?.leaves else {
      return nil
    }
    if case .asAsked = leaves, let state = with["power"]?.string.flatMap({ PowerState(rawValue: $0) }) {
      return .becomes(state)
    }
    return leaves
  }

  private static func undo(_ step: ActionStep, _ scope: PlanScope) -> Undo {
    switch step.rollback {
    case .absent: step.effect == .none ? .notNeeded : .absent
    case .none: .none
    case .irreversible: .irreversible
    case .steps(let steps, _): .steps(steps.map { Plan.step($0, scope) })
    }
  }
}

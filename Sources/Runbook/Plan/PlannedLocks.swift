/// The locks of a run, spelled as the run's own; the account is not known without connecting.
struct PlannedLocks {
  private var found: Set<String> = []
  /// Items of a loop that are looked at one by one.
  private static let itemLimit = 100

  init(_ runbook: ValidatedRunbook, _ scope: PlanScope) {
    for template in runbook.locks { found.insert(PlanText.plain(scope.value(of: template))) }
    for step in runbook.steps.steps { add(step, of: runbook, scope) }
  }

  var names: [String] { found.sorted() }

  private mutating func add(_ step: Step, of runbook: ValidatedRunbook, _ scope: PlanScope) {
    switch step {
    case .action(let step): add(step, of: runbook, scope)
    case .block(let block):
      for step in block.steps.steps + (block.rescue?.steps ?? []) { add(step, of: runbook, scope) }
    case .parallel(let parallel): for step in parallel.branches.steps { add(step, of: runbook, scope) }
    case .loop(let loop):
      let items = scope.items(of: loop).flatMap { $0.count <= PlannedLocks.itemLimit ? $0 : nil } ?? [.unknown]
      for item in items { add(loop.step, of: runbook, scope.iterating(loop, over: item)) }
      for step in loop.gate.steps { add(step, of: runbook, scope) }
    case .call(let call):
      let inside = scope.called(call)
      for step in call.runbook.steps.steps { add(step, of: call.runbook, inside) }
    }
  }

  private mutating func add(_ step: ActionStep, of runbook: ValidatedRunbook, _ scope: PlanScope) {
    guard step.action.effect != .none, let provider = step.provider, let field = step.action.serverField,
      let template = step.with[field]
    else { return }
    let type = runbook.providers.first { $0.name == provider }?.type ?? provider
    found.insert("\(type)/(account)/server/\(PlanText.plain(scope.value(of: template)))")
  }
}

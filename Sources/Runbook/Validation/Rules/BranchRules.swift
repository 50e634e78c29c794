/// Branches of a `parallel` that change the same server: a run lets one branch at a time change it, so that the other
/// one would fail.
extension Validation {
  func branches(_ runbook: ValidatedRunbook) {
    let types = Dictionary(runbook.providers.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    branches(in: runbook.steps.steps, [], types)
  }

  private func branches(in steps: [Step], _ loops: [PowerLoop], _ types: [String: String]) {
    for step in steps {
      switch step {
      case .action, .call: break
      case .block(let block): branches(in: block.steps.steps + (block.rescue?.steps ?? []), loops, types)
      case .parallel(let parallel):
        compare(parallel, loops, types)
        branches(in: parallel.branches.steps, loops, types)
      case .loop(let loop):
        branches(in: [loop.step], loops + [PowerLoop(loop)], types)
        branches(in: loop.gate.steps, loops, types)
      }
    }
  }

  private func compare(_ parallel: ParallelStep, _ loops: [PowerLoop], _ types: [String: String]) {
    var changed: [ServerName: ActionStep] = [:]
    for branch in parallel.branches.steps {
      var own: [ServerName: ActionStep] = [:]
      changes(of: [branch], loops, types) { server, step in
        // An item of a loop in the branch is another server than an item of one in another branch.
        guard server.loop == nil || loops.contains(where: { $0.path == server.loop }) else { return }
        if own[server] == nil { own[server] = step }
      }
      for (server, step) in own.sorted(by: { $0.value.range.start < $1.value.range.start }) {
        guard let first = changed[server] else {
          changed[server] = step
          continue
        }
        refuse(step, besides: first)
      }
    }
  }

  private func refuse(_ step: ActionStep, besides first: ActionStep) {
    let (one, other) = (StepMark(first), StepMark(step))
    sink.report(
      Diagnostic(
        .branch, at: actionPlaces[step.path] ?? step.range,
        "two branches change the same server: \(one.text) and \(other.text)",
        hint: "put both steps into one branch, or one of them before or after the `parallel`",
        related: actionPlaces[first.path] ?? first.range))
  }

  /// The steps that change a server whatever happens, with the server: those with an `if` may be meant for one case
  /// each, and a `rescue` is for the case that something has failed.
  private func changes(
    of steps: [Step], _ loops: [PowerLoop], _ types: [String: String], _ see: (ServerName, ActionStep) -> Void
  ) {
    for step in steps where step.condition == nil {
      switch step {
      case .action(let step):
        guard step.effect != .none, step.action.serverField != nil,
          let server = PowerAct(step, types: types, in: loops).server
        else { continue }
        see(server, step)
      case .block(let block): changes(of: block.steps.steps, loops, types, see)
      case .parallel(let parallel): changes(of: parallel.branches.steps, loops, types, see)
      case .loop(let loop): changes(of: [loop.step], loops + [PowerLoop(loop)], types, see)
      case .call: continue
      }
    }
  }
}

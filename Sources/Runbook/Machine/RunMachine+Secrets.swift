/// Which secrets the rest of a run needs.
extension RunMachine {
  /// Names of secrets that something may still need which is left to do: steps and their undo steps, `always`,
  /// diagnostics, outputs, and the provider blocks that these use. What was made of a secret by an earlier step counts
  /// when what is left may read it.
  var neededSecrets: Set<String> {
    var references = References()
    var names: Set<String> = []
    for step in remaining {
      references.formUnion(step.references)
      let own = state(of: step.path.owner)
      names.formUnion(Value.map(own.before).lostSecrets + Value.map(own.outputs).lostSecrets)
      names.formUnion(Value.map(state(of: step.path).arguments ?? [:]).lostSecrets)
    }
    if ending.outputs == nil, outcome.isReached {
      for (_, value) in runbook.outputs { references.formUnion(value.references) }
    }
    if stop == nil, verdict == nil {
      for (_, moment) in runbook.drill?.measure ?? [:] { references.formUnion(moment.references) }
    }
    let used = Set((remaining + probed).compactMap(\.provider))
    for block in runbook.providers where used.contains(block.name) {
      for template in block.settings.values { references.formUnion(template.references) }
    }
    for (name, template) in runbook.vars where references.vars.contains(name) {
      names.formUnion(template.references.secrets)
    }
    let readsAnyStep = references.roots.contains("steps") && references.steps.isEmpty
    for step in runbook.steps.leaves where step.id.map({ references.steps.contains($0) || readsAnyStep }) == true {
      names.formUnion(Value.map(state(of: step.path).outputs).lostSecrets)
    }
    if references.roots.contains("secrets"), references.secrets.isEmpty { return Set(runbook.secrets.map(\.name)) }
    return names.union(references.secrets).intersection(runbook.secrets.map(\.name))
  }

  /// Steps that may still be called.
  private var remaining: [ActionStep] {
    var left = active.compactMap { path in
      isCancelling && state(of: path).purpose == .do ? nil : steps[path]
    }
    if stop == nil { for step in root.comingSteps { left += [step] + step.undoSteps } }
    for entry in stack.entries where entry.isOpen {
      guard case .steps(let undo, _) = entry.kind else { continue }
      left += undo.compactMap { state(of: $0).status.isDone ? nil : steps[$0] }
    }
    let mayFail = root.nextStep != nil
    if mayFail || rollback == nil && root.rollbackStartedAt == nil && stop != nil { left += pending(.onFailure) }
    if mayFail || stack.hasOpen { left += pending(.onRollbackFailure) }
    return left + pending(.always)
  }

  /// Steps that are looked at before they are undone.
  private var probed: [ActionStep] {
    let open = stack.entries.filter { $0.isOpen && !needsNoProbe($0) }.map(\.step) + active
    return open.compactMap { steps[$0] }
  }

  private func pending(_ section: RunbookSection) -> [ActionStep] {
    runbook.value.body(of: section).leaves.filter { !state(of: $0.path).status.isEnded }
  }
}

extension ActionStep {
  /// Members of `self.before` that its undo reads.
  var neededBefore: Set<String> {
    undoSteps.reduce(into: []) { $0.formUnion($1.references.before) }
  }

}

extension ActionStepDefinition {
  /// What all its templates and expressions read.
  fileprivate var references: References {
    var references = References()
    for template in Array(with.values) + Array(env.values) { references.formUnion(template.references) }
    for expression in [condition, expect, retry.condition, wait.until, wait.failIf].compactMap({ $0 }) {
      references.formUnion(expression.references)
    }
    for (_, value) in outputs { references.formUnion(value.references) }
    return references
  }
}

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
    // Of called files it is not told apart which of their steps are left.
    if !root.isOver || stack.hasOpen {
      for call in runbook.value.calls {
        for block in call.runbook.providers {
          for template in block.settings.values { references.formUnion(template.references) }
        }
        for (_, template) in call.runbook.vars { references.formUnion(template.references) }
        for step in call.runbook.steps.leaves.flatMap({ [$0] + $0.undoSteps }) + call.undo {
          references.formUnion(step.references)
        }
      }
    }
    if references.roots.contains("secrets"), references.secrets.isEmpty { return Set(runbook.secrets.map(\.name)) }
    return names.union(references.secrets).intersection(runbook.secrets.map(\.name))
  }

  /// Steps of the list that were not begun, and all of those in a step of it that is going on, each as it is written.
  private var comingSteps: [ActionStep] {
    let first = max(0, root.live.isEmpty ? root.cursor : root.cursor - 1)
    let coming = tree.root.steps.dropFirst(first)
    return coming.enumerated().flatMap { index, step in
      if case .action = step, index == 0, !root.live.isEmpty { return [] as [ActionStep] }
      return step.leaves
    }
  }

  /// Steps that may still be called.
  private var remaining: [ActionStep] {
    var left = active.compactMap { path in
      state(of: path).purpose == .do && isBeingStopped(path) ? nil : step(at: path)
    }
    if stop == nil { for step in comingSteps { left += [step] + step.undoSteps } }
    for entry in stack.entries where entry.isOpen {
      guard case .steps(let undo, _) = entry.kind else { continue }
      left += undo.compactMap { state(of: $0).status.isDone ? nil : step(at: $0) }
    }
    let mayFail = !root.isOver
    if mayFail || rollback == nil && root.rollbackStartedAt == nil && stop != nil { left += pending(.onFailure) }
    if mayFail || stack.hasOpen { left += pending(.onRollbackFailure) }
    return left + pending(.always)
  }

  /// Steps that are looked at before they are undone.
  private var probed: [ActionStep] {
    let open = stack.entries.filter { $0.isOpen && !needsNoProbe($0) }.map(\.step) + active
    return open.compactMap { step(at: $0) }
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

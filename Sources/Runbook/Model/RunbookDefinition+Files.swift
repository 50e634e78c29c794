/// A runbook and the files that it calls, as one.
extension RunbookDefinition {
  /// The list of the run: the steps that come one after the other before it is judged or undone.
  public var mainList: [Step] { RunbookSection.main.flatMap { body(of: $0).steps } }

  /// Changes every provider block, those of called files included: a simulation has to reach all of them.
  public mutating func changeProviders<Failure: Error>(
    _ change: (inout ProviderBlock) throws(Failure) -> Void
  ) throws(Failure) {
    for index in providers.indices { try change(&providers[index]) }
    steps = try steps.changing { (call: inout CallStep) throws(Failure) in
      try call.runbook.value.changeProviders(change)
    }
  }
}

extension ValidatedRunbook {
  /// The step that has something called at this place of a run; of a path without numbers the step as it is written.
  public func step(at path: StepPath) -> ActionStep? {
    if let step = RunbookTree(self).action(at: path) { return step }
    var found: ActionStep?
    value.walk { step, _ in if step.path == path { found = step } }
    return found
  }
}

extension Body {
  /// The same steps, with every call in them changed.
  fileprivate func changing<Failure: Error>(
    _ change: (inout CallStep) throws(Failure) -> Void
  ) throws(Failure) -> Body {
    var changed: [Step] = []
    for step in steps { changed.append(try step.changing(change)) }
    return Body(changed)
  }
}

extension Step {
  fileprivate func changing<Failure: Error>(
    _ change: (inout CallStep) throws(Failure) -> Void
  ) throws(Failure) -> Step {
    switch self {
    case .action: return self
    case .block(var block):
      block.steps = try block.steps.changing(change)
      if let rescue = block.rescue { block.rescue = try rescue.changing(change) }
      return .block(block)
    case .parallel(var parallel):
      parallel.branches = try parallel.branches.changing(change)
      return .parallel(parallel)
    case .loop(var loop):
      loop.step = try loop.step.changing(change)
      loop.gate = try loop.gate.changing(change)
      return .loop(loop)
    case .call(var call):
      try change(&call)
      return .call(call)
    }
  }
}

/// A runbook and the files that it calls, as one.
extension RunbookDefinition {
  /// The list of the run: the steps that come one after the other before it is judged or undone.
  public var mainList: [Step] { RunbookSection.main.flatMap { body(of: $0).steps } }

  /// The calls in its own steps, in the order of the file.
  var ownCalls: [CallStep] { steps.steps.flatMap(\.calls) }

  /// The files that are called, those which these call included, each once.
  public var calls: [CallStep] {
    var found: [String: CallStep] = [:]
    var order: [String] = []
    var waiting = ownCalls
    while let call = waiting.popLast() {
      guard found[call.file] == nil else { continue }
      found[call.file] = call
      order.append(call.file)
      waiting += call.runbook.value.ownCalls
    }
    return order.compactMap { found[$0] }
  }

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
  /// The calls in it, not those in the files that it calls.
  fileprivate var calls: [CallStep] {
    switch self {
    case .action: []
    case .block(let step): (step.steps.steps + (step.rescue?.steps ?? [])).flatMap(\.calls)
    case .parallel(let step): step.branches.steps.flatMap(\.calls)
    case .loop(let step): step.step.calls + step.gate.steps.flatMap(\.calls)
    case .call(let step): [step]
    }
  }

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

/// How steps that hold others come to their end: what follows from the ends of the steps in them.
extension RunMachine {
  /// The next fact about a scope that follows from the state alone; the innermost comes first.
  var scopeFact: Fact? {
    for path in openScopes.reversed() {
      guard let scope = scopes[path] else { continue }
      for iteration in scope.unwinding where !active.contains(where: { $0.isWithin(iteration) }) {
        if let fact = unwindingFact(of: iteration, reason: "failure") { return fact }
      }
      let isAtRest = scope.isOver || PlantedMistake.rescueBesideBranches.isMade && scope.stop != nil
      if isAtRest || scope.live.isEmpty && isBeingStopped(path), let fact = endFact(of: scope) { return fact }
    }
    return nil
  }

  private func endFact(of scope: Scope) -> Fact? {
    let path = scope.path
    guard let place = tree.place(at: path) else { return nil }
    if let error = scope.stop?.error {
      if case .block(let block)? = place.step, block.rescue != nil, scope.rescued == nil, !isBeingStopped(path) {
        return .scope(path, .rescuing(error))
      }
      return .scope(path, .ended(scopeEnd(path, error.kind == .cancelled ? .cancelled : .failed, [:], error)))
    }
    if !scope.isOver, let stop = stopping(path) {
      // Nothing of it was going on when what is around it was stopped.
      let error = StepError(StepFailure(.cancelled, stop.words(for: "")), step: path, attempt: 1)
      return .scope(path, .ended(scopeEnd(path, .cancelled, [:], error)))
    }
    if place.here.node.hasOutputs, !isBeingStopped(path) { return nil }
    return .scope(path, .ended(scopeEnd(path, .succeeded, [:], nil)))
  }

  func scopeEnd(
    _ path: StepPath, _ status: StepStatus, _ outputs: [String: Value], _ error: StepError?
  ) -> ScopeEnded {
    var ended = ScopeEnded(status, outputs: outputs, error: error)
    if let scope = scopes[path] {
      ended.failures = scope.failures
      ended.undone = scope.undone
    }
    return ended
  }
}

extension Scope.Stop {
  /// Why a step was stopped that did nothing wrong: "cancelled before its call", "stopped before its call, because
  /// `one` failed".
  func words(for moment: String) -> String {
    let moment = moment.isEmpty ? "" : " \(moment)"
    switch self {
    case .cancel, .refused: return "cancelled\(moment)"
    case .failure(let error): return "stopped\(moment), because `\(error.step)` failed"
    }
  }
}

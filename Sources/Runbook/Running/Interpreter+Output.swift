// What scripts write on its way into the store, and long texts that values refer to.
extension Interpreter {
  /// Where the output of the current attempt goes; nil: the action writes none.
  func output(of step: ActionStep, key: String) -> StepOutput? {
    guard !key.isEmpty, step.action.result["stdout"] != nil else { return nil }
    if let output = outputs[key] { return output }
    let output = StepOutput(
      key: key, step: step.path, attempt: machine.state(of: step.path).attempt, coder: coder, store: launch.store,
      lease: launch.lease, keeps: unmaskableSecrets(of: step).isEmpty, watching: watching(step.path))
    outputs[key] = output
    return output
  }

  private func watching(_ path: StepPath) -> @Sendable ([String]) -> Void {
    let observer = launch.observer
    return { observer.progress(RunProgress(step: path, output: $0)) }
  }

  /// The same for a call that is repeated with another key: only what the newest one writes is kept, unless an earlier
  /// one wrote more than goes with the journal.
  func freshOutput(of step: ActionStep, key: String) -> StepOutput? {
    guard step.action.result["stdout"] != nil else { return nil }
    let state = machine.state(of: step.path)
    let output = StepOutput(
      key: key, step: step.path, attempt: state.attempt, coder: coder, store: launch.store, lease: launch.lease,
      keeps: unmaskableSecrets(of: step).isEmpty, watching: watching(step.path))
    outputs[state.key] = output
    return output
  }

  /// A stream that is too long for the journal is referred to where it lies in the store. One that does not lie there
  /// whole can be judged, and not be kept.
  func referring(_ result: ActionResult, of step: ActionStep) -> ActionResult {
    guard Value.map(result.result).holdsStored else { return result }
    let output = outputs[machine.state(of: step.path).key]
    var result = result
    for (name, value) in result.result {
      guard case .stored(let text) = value, let reference = output?.reference(to: text) else { continue }
      result.result[name] = .stored(reference)
    }
    return result
  }

  static func notKept(_ name: String) -> StepFailure {
    StepFailure(
      .limit, "output `\(name)`: the stream could not be kept in the store, which is full or was taken over",
      effect: .applied)
  }
}

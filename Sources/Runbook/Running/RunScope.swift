/// What an author's expression sees at one moment of a run.
struct RunScope: ExpressionScope {
  let machine: RunMachine
  let runID: String
  let inputs: [String: Value]
  let vars: [String: Value]
  let secrets: [String: Secret]
  /// Declared secrets that this process goes on without.
  let without: Set<String>
  /// The step whose `self` this is: the step itself, or the one an undo step belongs to.
  var selfPath: StepPath?
  /// `result`, `error` and the `outputs` of the attempt just made, while they exist.
  var attempt: [String: Value] = [:]
  /// The machine's wall clock.
  var now: Timestamp
  /// As `drill.measure` sees it: a step that did not succeed has no `finished_at`, because what it was waiting for did
  /// not come.
  var isMeasuring = false
  let messageMasker: Masker?
  let holdsStored: Bool

  init(
    machine: RunMachine, runID: String, inputs: [String: Value], vars: [String: Value], secrets: [String: Secret],
    without: Set<String>, selfPath: StepPath?, attempt: [String: Value], now: Timestamp, masker: Masker?
  ) {
    self.machine = machine
    self.runID = runID
    self.inputs = inputs
    self.vars = vars
    self.secrets = secrets
    self.without = without
    self.selfPath = selfPath
    self.attempt = attempt
    self.now = now
    messageMasker = masker
    holdsStored = machine.holdsStored || attempt.values.contains { $0.holdsStored }
  }

  func root(_ name: String) -> Value? {
    switch name {
    case "inputs": .map(inputs)
    case "vars": .map(vars)
    case "secrets": .map(secrets.mapValues { .secret($0) })
    case "steps":
      .map(
        Dictionary(
          uniqueKeysWithValues: machine.runbook.steps.leaves.compactMap { step in
            step.id.flatMap { id in stepValue(step.path).map { (id, $0) } }
          }))
    case "self": selfValue
    case "run":
      .map([
        "id": .string(runID), "name": .string(machine.runbook.name), "started_at": .timestamp(machine.startedAt),
        "outcome": .string(machine.outcome.rawValue), "requester": .string(machine.started?.requester ?? ""),
      ])
    case "failure": failure
    case "rollback":
      .map([
        "outcome": .string((machine.root.rollback ?? .notNeeded).rawValue),
        "failed_step": machine.root.rollbackFailure?.step.map { .string($0.text) } ?? .null,
        "error": machine.root.rollbackFailure?.error?.value ?? .null,
      ])
    default: attempt[name]
    }
  }

  private func secret(_ name: String) -> Value? {
    secrets[name].map { .secret($0) } ?? (without.contains(name) ? .lost([name]) : nil)
  }

  func member(of root: String, _ name: String) -> Value?? {
    switch root {
    case "steps": .some(stepValue(StepPath(name)))
    case "inputs": .some(inputs[name])
    case "vars": .some(vars[name])
    case "secrets": .some(secret(name))
    default: .none
    }
  }

  /// nil for a step that was never begun: absent, as null safety has it.
  private func stepValue(_ path: StepPath) -> Value? {
    let state = machine.state(of: path)
    var value: [String: Value] = [
      "status": .string(state.status.rawValue), "attempts": .int(Int64(state.attempt)),
      "error": state.error?.value ?? .null,
    ]
    if state.status == .succeeded { value["outputs"] = .map(state.outputs) }
    value["started_at"] = state.startedAt.map { .timestamp($0) }
    // One that was never begun has no end.
    if state.startedAt != nil, state.status == .succeeded || !isMeasuring {
      value["finished_at"] = state.endedAt.map { .timestamp($0) }
    }
    value["ended_at"] = value["finished_at"]
    return .map(value)
  }

  private var selfValue: Value? {
    guard let selfPath else { return nil }
    let state = machine.state(of: selfPath)
    return .map([
      "status": .string(state.status.rawValue), "attempts": .int(Int64(state.attempt)),
      "error": state.error?.value ?? .null, "before": .map(state.before),
      "outputs": attempt["outputs"] ?? .map(state.outputs.isEmpty ? state.result.outputs : state.outputs),
      "started_at": state.startedAt.map { .timestamp($0) } ?? .null,
      "finished_at": state.endedAt.map { .timestamp($0) } ?? .null,
      "ended_at": state.endedAt.map { .timestamp($0) } ?? .null,
    ])
  }

  /// What made the steps end before their end: null in a run that has not failed.
  private var failure: Value {
    switch machine.stop {
    case nil: .null
    case .failure(let error): error.value
    case .cancel(let by, _):
      StepError(StepFailure(.cancelled, "cancelled by \(by)"), step: machine.active.first?.text ?? "", attempt: 1).value
    case .refused(let problems):
      StepError(StepFailure(.rejected, problems.joined(separator: "; ")), step: "", attempt: 1).value
    }
  }
}

/// What an author's expression sees at one moment of a run.
struct RunScope: ExpressionScope {
  let machine: RunMachine
  let runID: String
  /// The file in which it stands.
  let file: FileContext
  let secrets: [String: Secret]
  /// Declared secrets that this process goes on without.
  let without: Set<String>
  /// Where it is read from; nil: from the end of the run.
  let place: RunbookTree.Place?
  /// The step whose `self` this is: the step itself, or the one an undo step belongs to.
  var selfPath: StepPath?
  /// The undo step that it is read for; nil: for no undo step.
  var undoPath: StepPath?
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
    machine: RunMachine, runID: String, file: FileContext, secrets: [String: Secret],
    without: Set<String>, place: RunbookTree.Place?, selfPath: StepPath?, attempt: [String: Value], now: Timestamp,
    masker: Masker?
  ) {
    self.machine = machine
    self.runID = runID
    self.file = file
    self.place = place
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
    case "inputs": .map(file.inputs)
    case "vars": .map(file.vars)
    case "secrets": .map(secrets.mapValues { .secret($0) })
    case "steps": .map(allSteps)
    case "self": selfValue
    case "run":
      .map([
        "id": .string(runID), "name": .string(machine.runbook.name), "started_at": .timestamp(machine.startedAt),
        "outcome": .string(machine.outcome.rawValue), "requester": .string(machine.started?.requester ?? ""),
      ])
    case "failure": failure
    case "rollback":
      .map([
        "outcome": .string((machine.rollback ?? .notNeeded).rawValue),
        "failed_step": machine.root.rollbackFailure?.step.map { .string($0.text) } ?? .null,
        "error": machine.root.rollbackFailure?.error?.value ?? .null,
      ])
    default: attempt[name] ?? item(name)
    }
  }

  private var allSteps: [String: Value] {
    var steps: [String: Value] = [:]
    for id in machine.tree.ids(seenFrom: place) {
      if let path = machine.tree.path(ofID: id, seenFrom: place) { steps[id] = stepValue(path) }
    }
    return steps
  }

  /// What the loops around bind: the item by its name, and the position in the innermost as `index`.
  private func item(_ name: String) -> Value? {
    if let undoPath, let item = machine.undoItem(at: undoPath, name) { return item }
    guard let place else { return nil }
    for located in (place.around + [place.here]).reversed() {
      guard case .iteration(let position) = located.slot, let path = located.loop,
        let node = machine.tree.place(at: path)?.here.node, case .step(.loop(let loop)) = node.content
      else { continue }
      if name == "index" { return .int(Int64(position)) }
      guard loop.name == name else { continue }
      let items = machine.scope(at: path)?.opened?.items ?? []
      return items.indices.contains(position) ? items[position] : nil
    }
    return nil
  }

  private func secret(_ name: String) -> Value? {
    secrets[name].map { .secret($0) } ?? (without.contains(name) ? .lost([name]) : nil)
  }

  func member(of root: String, _ name: String) -> Value?? {
    switch root {
    case "steps": .some(machine.tree.path(ofID: name, seenFrom: place).flatMap { stepValue($0) })
    case "inputs": .some(file.inputs[name])
    case "vars": .some(file.vars[name])
    case "secrets": .some(secret(name))
    default: .none
    }
  }

  /// nil for a step that was never begun: absent, as null safety has it.
  private func stepValue(_ path: StepPath) -> Value? {
    if machine.leaves[path] == nil, let scope = machine.scope(at: path) { return scopeValue(scope) }
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

  /// A step that holds others.
  private func scopeValue(_ scope: Scope) -> Value {
    var value: [String: Value] = [
      "status": .string(machine.status(of: scope.path).rawValue), "attempts": 1,
      "error": scope.ended?.error?.value ?? .null,
    ]
    if scope.ended?.status == .succeeded { value["outputs"] = .map(scope.ended?.outputs ?? [:]) }
    value["started_at"] = scope.startedAt.map { .timestamp($0) }
    if scope.startedAt != nil { value["finished_at"] = scope.endedAt.map { .timestamp($0) } }
    value["ended_at"] = value["finished_at"]
    if let items = scope.opened?.items {
      value["items"] = .list(
        items.enumerated().map { position, item in
          var entry: [String: Value] = ["item": item, "status": .string(StepStatus.pending.rawValue), "error": .null]
          entry.merge(stepValue(scope.path.iteration(position))?.map ?? [:]) { _, new in new }
          return .map(entry)
        })
    }
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

  /// In a `rescue` why its block failed; in an undo step of an iteration why that failed; else what made the steps of
  /// the run end before their end: null in a run that has not failed.
  private var failure: Value {
    for located in (place.map { $0.around + [$0.here] } ?? []).reversed() {
      if case .rescue = located.slot, let block = located.path.outer,
        let error = machine.scope(at: block)?.rescued
      {
        return error.value
      }
      if located.slot.isIteration, let error = machine.error(of: located.path), machine.stop == nil {
        return error.value
      }
    }
    return switch machine.stop {
    case nil: .null
    case .failure(let error): error.value
    case .cancel(let by, _):
      StepError(StepFailure(.cancelled, "cancelled by \(by)"), step: machine.active.first?.text ?? "", attempt: 1).value
    case .refused(let problems):
      StepError(StepFailure(.rejected, problems.joined(separator: "; ")), step: "", attempt: 1).value
    }
  }
}

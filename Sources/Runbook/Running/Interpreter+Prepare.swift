extension Interpreter {
  /// Evaluates `vars`, connects the providers; sends nothing. Returns what keeps the run from being carried on.
  func prepare() -> String? {
    ownFile.inputs = machine.started?.inputs ?? [:]
    do throws(StepFailure) {
      let context = try RunContext(
        launch.runbook, inputs: machine.started?.inputs ?? [:], secrets: launch.secrets, without: launch.without,
        world: launch.world, transport: launch.transport, at: machine.startedAt)
      ownFile.inputs = machine.started?.inputs ?? [:]
      ownFile.vars = context.vars
      ownFile.providers = context.providers
      ownFile.unconnected = context.unconnected
      claimLocks()
      return nil
    } catch {
      return masker.mask(error.message)
    }
  }

  /// Takes the locks again that the run was started with and no longer holds: a person freed one by hand, or an earlier
  /// release gave them back while its rollback was owed.
  /// - Throws: `lockHeld`: nothing may be done beside the run that holds one.
  func takeMissingLocks() async throws(StoreFailure) {
    let creation = NewRun(
      runbook: launch.runbook, source: launch.source, file: "", inputs: machine.started?.inputs ?? [:], requester: "")
    guard let locks = try? creation.locks(providers: ownFile.providers, vars: ownFile.vars) else { return }
    let missing = locks.filter { !heldLocks.contains($0) }
    guard !missing.isEmpty else { return }
    try await launch.store.append(
      [], to: runID, epoch: launch.lease.epoch, summary: nil, locks: missing, releasingLocks: false)
    heldLocks.formUnion(missing)
  }

  /// The lock of the server that a step with these fields changes; nil for one that changes no server.
  func serverLock(of step: ActionStep, _ with: [String: Value]) -> String? {
    let file = file(of: step.path)
    guard step.action.effect != .none, let provider = step.provider, let field = step.action.serverField,
      let server = with[field]?.string, let account = file.providers[provider]?.account,
      let type = file.runbook.providers.first(where: { $0.name == provider })?.type
    else { return nil }
    return "\(type)/\(account)/server/\(server)"
  }

  /// Which branch needs which lock follows from the steps that were begun.
  private func claimLocks() {
    guard machine.hasBranches else { return }
    for (path, state) in machine.leaves where state.purpose == .do {
      guard let step = machine.step(at: path), let with = state.arguments, let lock = serverLock(of: step, with) else {
        continue
      }
      let earlier = lockClaims[lock].flatMap { machine.startedAt(of: $0) }
      if let earlier, let started = state.startedAt, started < earlier { continue }
      lockClaims[lock] = path
    }
  }

  func liveProblems() async -> [String] {
    guard launch.world.makesLiveChecks else { return [] }
    let check = LiveCheck(
      runbook: launch.runbook, providers: ownFile.providers, inputs: ownFile.inputs, vars: ownFile.vars,
      secrets: launch.secrets, world: launch.world, runID: runID, at: machine.startedAt,
      began: began)
    return await check.problems()
  }

  func action(of step: ActionStep) -> (any Action)? {
    guard let provider = step.provider else { return launch.world.builtIn[step.action.name] }
    return file(of: step.path).providers[provider]?.action(step.action.name)
  }

  /// - Throws: why the step has no action in this process.
  func action(for step: ActionStep) throws(StepFailure) -> any Action {
    if let action = action(of: step) { return action }
    let provider = step.provider ?? ""
    let file = file(of: step.path)
    if let reason = file.problem ?? file.unconnected[provider] {
      throw StepFailure(.input, "provider `\(provider)`: \(reason)")
    }
    throw StepFailure(.input, "provider `\(provider)` has no action `\(step.action.name)`")
  }
}

/// The key of one logical attempt: the same after a crash and for every owner of the run.
enum StepKey {
  static func make(_ runID: String, _ path: StepPath, _ purpose: Purpose, _ attempt: Int) -> String {
    let digest = SHA256.hash(Array("\(runID)\n\(path)\n\(purpose.rawValue)\n\(attempt)".utf8))
    return runID + "-" + Hex.text(digest.prefix(8))
  }

  /// Of one look of a step with this key: another one each time, and in each process.
  static func look(_ number: Int, of key: String, epoch: Int64) -> String {
    let digest = SHA256.hash(Array("\(key)\n\(epoch)\n\(number)".utf8))
    return String(key.prefix { $0 != "-" }) + "-" + Hex.text(digest.prefix(8))
  }
}

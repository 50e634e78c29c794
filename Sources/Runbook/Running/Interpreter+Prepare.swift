extension Interpreter {
  /// Evaluates `vars`, connects the providers; sends nothing. Returns what keeps the run from being carried on.
  func prepare() -> String? {
    do throws(StepFailure) {
      let context = try RunContext(
        launch.runbook, inputs: machine.started?.inputs ?? [:], secrets: launch.secrets, without: launch.without,
        world: launch.world, transport: launch.transport, at: machine.startedAt)
      vars = context.vars
      providers = context.providers
      unconnected = context.unconnected
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
    guard let locks = try? creation.locks(providers: providers, vars: vars) else { return }
    let missing = locks.filter { !heldLocks.contains($0) }
    guard !missing.isEmpty else { return }
    try await launch.store.append(
      [], to: runID, epoch: launch.lease.epoch, summary: nil, locks: missing, releasingLocks: false)
    heldLocks.formUnion(missing)
  }

  func liveProblems() async -> [String] {
    guard launch.world.makesLiveChecks else { return [] }
    let check = LiveCheck(
      runbook: launch.runbook, providers: providers, inputs: machine.started?.inputs ?? [:], vars: vars,
      secrets: launch.secrets, world: launch.world, runID: runID, at: machine.startedAt,
      began: began)
    return await check.problems()
  }

  func action(of step: ActionStep) -> (any Action)? {
    guard let provider = step.provider else { return launch.world.builtIn[step.action.name] }
    return providers[provider]?.action(step.action.name)
  }

  /// - Throws: why the step has no action in this process.
  func action(for step: ActionStep) throws(StepFailure) -> any Action {
    if let action = action(of: step) { return action }
    let provider = step.provider ?? ""
    if let reason = unconnected[provider] { throw StepFailure(.input, "provider `\(provider)`: \(reason)") }
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

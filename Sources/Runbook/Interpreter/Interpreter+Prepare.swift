extension Interpreter {
  /// Evaluates `vars`, connects the providers; sends nothing. Returns what keeps the run from being carried on.
  func prepare() -> String? {
    do throws(StepFailure) {
      let context = try RunContext(
        launch.runbook, inputs: machine.started?.inputs ?? [:], secrets: launch.secrets, world: launch.world,
        transport: launch.transport, at: machine.startedAt)
      vars = context.vars
      providers = context.providers
      return nil
    } catch {
      return masker.mask(error.message)
    }
  }

  func liveProblems() async -> [String] {
    guard launch.world.makesLiveChecks else { return [] }
    let check = LiveCheck(
      runbook: launch.runbook, providers: providers, inputs: machine.started?.inputs ?? [:], vars: vars,
      secrets: launch.secrets, world: launch.world, runID: runID, at: machine.startedAt)
    return await check.problems()
  }

  func action(of step: ValidatedStep) -> (any Action)? {
    guard let provider = step.provider else { return launch.world.builtIn[step.action.name] }
    return providers[provider]?.action(step.action.name)
  }

  func actionCall(
    _ step: ValidatedStep, key: String, with: [String: Value], deadline: Timestamp, before: [String: Value] = [:],
    intendedAt: Timestamp? = nil
  ) -> ActionCall {
    let observer = launch.observer
    let masker = masker
    let path = step.path
    var call = ActionCall(
      with: Arguments(with), key: key, runID: runID, clock: launch.world.clock, transport: launch.transport,
      scripts: launch.scripts, files: launch.files, deadline: deadline, before: before,
      intendedAt: intendedAt, step: path,
      report: { observer.progress(RunProgress(step: path, message: masker.mask($0))) })
    if step.action.name == "server.delete" { call.createdServers = machine.createdServers }
    return call
  }
}

/// The key of one logical attempt: the same after a crash and for every owner of the run.
enum StepKey {
  static func make(_ runID: String, _ path: String, _ purpose: Purpose, _ attempt: Int) -> String {
    let digest = SHA256.hash(Array("\(runID)\n\(path)\n\(purpose.rawValue)\n\(attempt)".utf8))
    return runID + "-" + Hex.text(digest.prefix(8))
  }
}

extension Interpreter {
  /// Evaluates `vars`, connects the providers; sends nothing. Returns what keeps the run from being carried on.
  func prepare() -> String? {
    do throws(StepFailure) {
      let context = try RunContext(
        launch.runbook, inputs: machine.started?.inputs ?? [:], secrets: launch.secrets, world: launch.world,
        at: machine.startedAt)
      vars = context.vars
      providers = context.providers
      return nil
    } catch {
      return masker.mask(error.message)
    }
  }

  /// What can be asked before the first change: credentials, and per step what is known already (the server exists, a
  /// snapshot still fits, the name is free).
  func liveProblems() async -> [String] {
    guard launch.world.makesLiveChecks else { return [] }
    var problems: [String] = []
    for (name, provider) in providers.sorted(by: { $0.key < $1.key }) {
      do throws(StepFailure) {
        problems += try await provider.liveCheck().map { "provider `\(name)`: \($0)" }
      } catch {
        problems.append("provider `\(name)`: \(error.message)")
      }
    }
    guard problems.isEmpty else { return problems.map { masker.mask($0) } }
    for step in launch.runbook.steps where step.mode == .call && step.provider != nil {
      guard let action = action(of: step) else { continue }
      do throws(StepFailure) {
        problems += try await action.liveCheck(liveCheckCall(step)).map { "step `\(step.path)`: \($0)" }
      } catch {
        problems.append("step `\(step.path)`: \(error.message)")
      }
    }
    var seen: Set<String> = []
    return problems.map { masker.mask($0) }.filter { seen.insert($0).inserted }
  }

  /// With the fields that do not depend on earlier steps.
  private func liveCheckCall(_ step: ValidatedStep) -> ActionCall {
    let known = step.with.filter { $0.value.references.steps.isEmpty }
    let fields = step.action.fields.map { field in
      var optional = field
      optional.required = false
      return optional
    }
    let with = (try? FieldValues.evaluate(known, fields: fields, in: scope(for: step.path))) ?? [:]
    return actionCall(step, key: StepKey.make(runID, step.path, .do, 1), with: with, deadline: clock.now + .seconds(60))
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
    return ActionCall(
      with: Arguments(with), key: key, runID: runID, clock: launch.world.clock, transport: launch.world.transport,
      scripts: launch.world.scripts, files: launch.world.files, deadline: deadline, before: before,
      intendedAt: intendedAt, step: path,
      report: { observer.progress(RunProgress(step: path, message: masker.mask($0))) })
  }
}

/// The key of one logical attempt: the same after a crash and for every owner of the run.
enum StepKey {
  static func make(_ runID: String, _ path: String, _ purpose: Purpose, _ attempt: Int) -> String {
    let digest = SHA256.hash(Array("\(runID)\n\(path)\n\(purpose.rawValue)\n\(attempt)".utf8))
    return runID + "-" + Hex.text(digest.prefix(8))
  }
}

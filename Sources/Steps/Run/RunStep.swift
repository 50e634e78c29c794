public import Runbook

/// `run: TEXT`: a script on this machine, for `/bin/sh -eu`, or `run: {command: [argv]}`, or `run: {script_file:
/// PATH}`.
public struct RunStep: StepKind {
  public static let keyword = "run"
  public static let summary = "runs a script on this machine"
  public static let example =
    "- {id: pack, run: \"tar -cf \\\"$TARGET\\\" ./data\", env: {TARGET: /tmp/data.tar}, timeout: 10m, rollback: none}"
  public static let shape = StepShape.scalarOrFields(action: "run", scalarField: "script")
  public static let actions: [any Action] = [RunAction()]
}

/// Starts the script detached, in a folder named by the key, so that it outlives the engine: after a crash, `probe`
/// attaches to it again and reads how it ended.
struct RunAction: StandardAction {
  static let declaration = ActionDeclaration(
    "run", "runs a script on this machine", fields: ScriptFields.declared, effect: .change, class: .opaque,
    timeout: .seconds(3600), cancellable: true, isDiagnostic: true, isWritable: false, result: ScriptResult.members
  ).given([.folder, .scriptFile, .environment]).judged(by: ScriptResult.exitCode).setting(\.runsScript, to: true)

  /// How much longer than the deadline the keeper may take to end a script before we do it; nil: the script's grace and
  /// a moment.
  var patience: Duration?
  /// Longest look at a script that an earlier engine started.
  static let glance = Duration.seconds(5)

  /// Started scripts are durable before they start: one that is not found was never started.
  var maxRequestLife: Duration { .zero }
  var answersAtOnce: Bool { true }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let work = try ScriptFields(call.with)
    var request = ScriptRequest(
      key: call.key, command: work.command ?? ["/bin/sh", "-eu"], script: work.script,
      environment: try call.with.environment(), workingDirectory: try call.with.optionalText(EngineField.folder),
      lifetime: max(call.deadline - call.clock.now, .zero), grace: work.grace)
    if let script = work.script, let interpreter = try ScriptText.interpreter(of: script) {
      request.command = interpreter + [ScriptRequest.secretFilePlaceholder]
      (request.script, request.secretFile) = (nil, Secret(script, named: []))
    }
    try await call.scripts.start(request)
    return try await finish(call)
  }

  /// While it still runs, the probe fails for now, so that the engine can heed what comes in, and ask again.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let left = max(call.deadline - call.clock.now, .zero)
    switch try await wait(call, atMost: min(left, Self.glance)) {
    case .absent:
      guard try await !isMisplaced(call) else {
        if try await call.scripts.isSeen(call.key) {
          throw StepFailure(.timeout, "the script still runs", effect: .unknown, retryable: true)
        }
        throw StepFailure(.crashed, Self.misplaced, effect: .unknown)
      }
      return .notApplied
    case .lost: return .unsure
    case .running where left > Self.glance:
      throw StepFailure(.timeout, "the script still runs", effect: .unknown, retryable: true)
    case .running, .ended:
      do throws(StepFailure) { return .applied(try await finish(call)) } catch {
        if error.effect == .applied { return .failed(error) }
        throw error
      }
    }
  }

  func cancel(_ call: ActionCall) async throws(StepFailure) {
    try await call.scripts.cancel(call.key, grace: try ScriptFields.grace(call.with))
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    switch try await call.scripts.state(of: call.key) {
    case .running: return false
    case .absent where try await isMisplaced(call): return try await !call.scripts.isSeen(call.key)
    case .absent, .ended, .lost: return true
    }
  }

  private static let misplaced = "the folder that kept its script is not the one it was started in"

  /// Whether the script was started, if it was, where we cannot look.
  private func isMisplaced(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard let place = call.scriptPlace, !PlantedMistake.scriptPlaceIgnored.isMade else { return false }
    return try await call.scripts.place() != place
  }

  private func wait(_ call: ActionCall, atMost timeout: Duration) async throws(StepFailure) -> ScriptState {
    guard let output = call.output else { return try await call.scripts.wait(for: call.key, timeout: timeout) }
    return try await call.scripts.wait(for: call.key, timeout: timeout, output: output)
  }

  /// Waits for the end. At the step's deadline its keeper stops the script; if nobody has, we do.
  private func finish(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let grace = try ScriptFields.grace(call.with)
    let left = max(call.deadline - call.clock.now, .zero) + (patience ?? grace + .seconds(2))
    switch try await wait(call, atMost: left) {
    case .ended(let end) where end.isTimedOut: throw Self.outOfTime
    case .ended(let end): return try ScriptResult(end, of: call).get(of: "the script")
    case .absent: throw StepFailure(.crashed, "the script's folder has disappeared", effect: .unknown)
    case .lost:
      throw StepFailure(.crashed, "the script's process is gone and left no exit code", effect: .unknown)
    case .running:
      if Task.isCancelled { throw StepFailure(.cancelled, "the script was told to stop", effect: .applied) }
      try await call.scripts.cancel(call.key, grace: grace)
      _ = try await wait(call, atMost: .zero)
      throw Self.outOfTime
    }
  }

  private static let outOfTime = StepFailure(
    .timeout, "the script ran longer than the step's timeout and was stopped", effect: .applied)
}

import Runbook

/// `ssh.run`: a script on another machine, under `/bin/sh -eu` or the program that its first line names, over the
/// system's OpenSSH.
///
/// It is started detached, in a folder named by the step's key, and goes on without the connection: whoever comes back
/// finds it there and reads how it ended. A keeper beside it ends it when the step's time is over. With `detached:
/// false`, and in a step that changes nothing, it hangs on its connection instead: then nobody can tell what became of
/// it when the connection is lost.
struct SSHRunAction: StandardAction {
  static let declaration: ActionDeclaration = {
    var declaration = ActionDeclaration(
      "ssh.run", "runs a script on another machine, over the system's OpenSSH",
      fields: SSHFields.declared + ScriptFields.declared + [
        Field(
          "detached", .bool,
          help: "`false`: it ends with its connection, and leaves nothing on the other machine; default `true`")
      ],
      effect: .change, class: .opaque, timeout: .seconds(3600), cancellable: true, isDiagnostic: true,
      result: ScriptResult.members)
    declaration.runsElsewhere = true
    declaration.runsScript = true
    declaration.judgedMember = ScriptResult.exitCode
    declaration.context = SSHFields.context.union([.scriptFile, .environment])
    declaration.cautions = [
      PlanCaution(
        field: "detached", is: .bool(false),
        "if its connection is lost, it is unknown whether it goes on: it is not found again, not stopped, and "
          + "undone only when its time is over")
    ]
    return declaration
  }()

  /// Longest look at a script that an earlier engine started.
  static let glance = Duration.seconds(10)

  let program: SSHProgram

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let ssh = try SSHCommand(program, call.with)
    let work = try ScriptFields(call.with)
    guard try isKept(call) else { return try await attached(ssh, work, call) }
    let remote = RemoteScript(ssh, call, grace: work.grace)
    let launcher = RemoteOrder.launcher(
      key: call.key, environment: try call.with.environment(), work: try Self.kept(work))
    return try result(try await remote.run(work.script ?? "", launcher: launcher), at: ssh.host, call)
  }

  /// Shell words of its program; `$1` is its folder. What may not be there is started by a shell, which says so by its
  /// exit code: that of an older `setsid` is another.
  private static func kept(_ work: ScriptFields) throws(StepFailure) -> String {
    guard let script = work.script else {
      return "/bin/sh -c 'exec \"$@\"' sh " + (work.command ?? []).map(ShellText.quoted).joined(separator: " ")
    }
    return try ScriptText.interpreter(of: script) == nil
      ? "/bin/sh -eu \"$1/script\"" : "/bin/sh -c 'exec \"$0\"' \"$1/script\""
  }

  private func result(_ end: RemoteEnd, at host: String, _ call: ActionCall) throws(StepFailure) -> ActionResult {
    switch end.cause {
    case "timeout":
      throw StepFailure(
        .timeout, "the script on \(host) ran longer than the step's timeout and was stopped", effect: .applied)
    case "cancelled": throw StepFailure(.cancelled, "the script on \(host) was told to stop", effect: .applied)
    case "forgotten":
      throw StepFailure(
        .crashed, "the files of the script on \(host) were removed, as its outcome was known", effect: .unknown)
    default: return try ScriptResult(end.end, of: call).get(of: "the script on \(host)")
    }
  }

  /// Whether the other machine keeps it. What changes nothing may simply be asked again; and an earlier release, whose
  /// intent names no place, let every script hang on its connection.
  private func isKept(_ call: ActionCall) throws(StepFailure) -> Bool {
    let isDetached = try call.with.bool("detached") ?? true
    return isDetached && !call.isRead && call.scriptPlace != nil
  }
}

// MARK: After a lost outcome

extension SSHRunAction {
  /// While it still runs, the probe fails for now, so that the engine can heed what comes in, and ask again.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    guard try isKept(call) else { return .unsure }
    let remote = try kept(call)
    let host = remote.ssh.host
    switch try await remote.session(.follow, share: min(Self.glance, max(call.deadline - call.clock.now, .seconds(1))))
    {
    case .answered(.ended):
      do throws(StepFailure) { return .applied(try result(try await remote.read(), at: host, call)) } catch {
        if error.effect == .applied { return .failed(error) }
        throw error
      }
    case .answered(.goesOn):
      if call.clock.now < remote.limit {
        throw StepFailure(.timeout, "the script still runs on \(host)", effect: .unknown, retryable: true)
      }
      // Its keeper is gone, or its machine stood still.
      try await cancel(call)
      throw StepFailure(.timeout, "the script on \(host) was stopped late", effect: .unknown, retryable: true)
    case .answered(.rebooted): return .failed(remote.failure(.rebooted))
    // A disk that was put back forgets: that nothing is there is no proof.
    case .answered(.absent), .answered(.lost): return .unsure
    case .answered(let answer): throw remote.failure(answer).with(.unknown)
    case .rejected(let failure): throw failure.with(.unknown)
    case .cut(let failure): throw remote.retryable(failure)
    }
  }

  /// Returns when the other machine has said that nothing of it runs.
  func cancel(_ call: ActionCall) async throws(StepFailure) {
    guard try isKept(call) else {
      if !call.isRead { call.report("a script with `detached: false` cannot be stopped: it is awaited") }
      return
    }
    let remote = try kept(call)
    call.report("telling \(remote.ssh.host) to stop the script; it has \(remote.grace.text) from TERM to KILL")
    while true {
      switch try await remote.session(.stop(grace: remote.grace), share: remote.grace + .seconds(20)) {
      case .answered(.ended), .answered(.absent), .answered(.lost), .answered(.rebooted): return
      case .answered(.goesOn): call.report("waiting for the script on \(remote.ssh.host) to end")
      case .answered(let answer): throw remote.failure(answer).with(.unknown)
      case .rejected(let failure): throw failure.with(.unknown)
      case .cut(var failure):
        failure.message =
          "the script on \(remote.ssh.host) could not be told to stop (\(failure.message)); its keeper there ends it "
          + "at \(call.deadline.wholeSecond)"
        throw remote.retryable(failure)
      }
    }
  }

  func forget(_ call: ActionCall, keys: [String]) async {
    guard (try? isKept(call)) == true, let remote = try? kept(call) else { return }
    let end = call.clock.now + .seconds(10)
    guard case .answered(.listed(let kept))? = try? await remote.session(.forget(keys), share: .zero, until: end),
      let isOver = call.isOver
    else { return }
    // Runs that were killed, or could not reach the machine, have left theirs.
    var left: [String] = []
    for script in kept where !script.isRunning { if await isOver(script.run) { left.append(script.key) } }
    guard !left.isEmpty else { return }
    _ = try? await remote.session(.forget(left), share: .zero, until: end, epoch: RemoteOrder.highestEpoch)
  }

  private func kept(_ call: ActionCall) throws(StepFailure) -> RemoteScript {
    RemoteScript(try SSHCommand(program, call.with), call, grace: try ScriptFields.grace(call.with))
  }

  func answersAtOnce(_ call: ActionCall) -> Bool { (try? isKept(call)) == true }

  /// Its keeper ends it then. One that hangs on its connection may go on for as long as the step may take.
  func lateBound(of call: ActionCall, lostSince: Timestamp) -> Timestamp {
    guard (try? isKept(call)) == true, let limit = try? kept(call).limit else { return max(lostSince, call.deadline) }
    return max(lostSince, limit)
  }
}

// MARK: On its connection

extension SSHRunAction {
  private func attached(
    _ ssh: SSHCommand, _ work: ScriptFields, _ call: ActionCall
  ) async throws(StepFailure) -> ActionResult {
    let session = SSHSession(key: call.key, become: ssh.become)
    let input = session.program(try Self.attached(work), environment: try call.with.environment())
    let end = try await ssh.run(["/bin/sh", "-s"], input: input, until: call.deadline, call)
    return try session.result(of: end, at: ssh.host, call)
  }

  /// A program that is named by the script's first line reads it from a pipe: nothing of it lies on the other machine.
  private static func attached(_ work: ScriptFields) throws(StepFailure) -> String {
    guard let script = work.script else {
      return "exec " + (work.command ?? []).map(ShellText.quoted).joined(separator: " ")
    }
    guard let interpreter = try ScriptText.interpreter(of: script) else { return script }
    let words = (interpreter + ["/dev/fd/3"]).map(ShellText.quoted).joined(separator: " ")
    return "printf '%s' \(ShellText.quoted(script)) | { exec 3<&0 </dev/null; exec \(words); }"
  }
}

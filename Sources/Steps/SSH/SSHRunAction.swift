import Runbook

/// `ssh.run`: a script on another machine, under `/bin/sh -eu`, over the system's OpenSSH.
///
/// The script ends with the connection, or goes on without it: nobody can tell, so a lost connection is an unknown
/// effect and never a reason to try again. Script and environment travel over the connection, never on a command
/// line.
struct SSHRunAction: StandardAction {
  static let declaration = ActionDeclaration(
    "ssh.run", "runs a script on another machine, over the system's OpenSSH",
    fields: SSHFields.declared + ScriptFields.declared,
    effect: .change, class: .opaque, timeout: .seconds(3600), isDiagnostic: true, result: ScriptResult.members)

  let program: SSHProgram

  /// The script may go on without its connection for as long as the step may take: nobody can look at it.
  func lateBound(of call: ActionCall, lostSince: Timestamp) -> Timestamp { max(lostSince, call.deadline) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let ssh = try SSHCommand(program, call.with)
    let work = try ScriptFields(call.with)
    let session = SSHSession(key: call.key)
    let script = work.script ?? "exec " + (work.command ?? []).map(ShellText.quoted).joined(separator: " ")
    let input = session.program(script, environment: try call.with.environment())
    let end = try await ssh.run(["/bin/sh", "-s"], input: input, until: call.deadline, call)
    return try session.result(of: end, at: ssh.host, mask: call.mask, output: call.output)
  }
}

extension SSHCommand {
  func run(_ words: [String], input: Secret?, until deadline: Timestamp, _ call: ActionCall) async throws(StepFailure)
    -> ScriptEnd
  {
    let request = ScriptRequest(key: call.key, command: argv(running: words), secretFile: key)
    let left = max(deadline - call.clock.now, .milliseconds(1))
    do throws(StepFailure) {
      return try await call.scripts.run(request, stdin: input, timeout: left)
    } catch {
      guard error.kind == .input else { throw error }
      throw StepFailure(.input, "the OpenSSH client could not be started: \(error.message)")
    }
  }
}

import Runbook

/// `ssh.run`: a script on another machine.
struct SSHRunAction: Action {
  static let declaration = ActionDeclaration(
    "ssh.run", "runs a script on another machine, over the system's OpenSSH", fields: SSHFields.declared + ScriptFields.declared,
    effect: .change, class: .opaque, timeout: .seconds(3600), isDiagnostic: true, result: ScriptResult.members)

  let program: SSHProgram

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    throw StepFailure(.input, "`ssh.run` is not supported yet")
  }
}

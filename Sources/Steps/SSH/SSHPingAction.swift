import Runbook

/// `ssh.ping`: whether one can log in and run `true`.
struct SSHPingAction: Action {
  static let declaration = ActionDeclaration(
    "ssh.ping", "logs in over OpenSSH and runs `true`: is the machine up?", fields: SSHFields.declared,
    effect: .none, class: .convergent, isDiagnostic: true)

  let program: SSHProgram

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    throw StepFailure(.input, "`ssh.ping` is not supported yet")
  }
}

import Runbook

/// `ssh.ping`: whether one can log in and run `true`. Changes nothing, so it may be asked again and again.
struct SSHPingAction: StandardAction {
  static let declaration = ActionDeclaration(
    "ssh.ping", "logs in over OpenSSH and runs `true`: is the machine up?", fields: SSHFields.declared,
    effect: .none, class: .convergent, isDiagnostic: true
  ).given(SSHFields.context)

  /// For login and `true`, on top of `connect_timeout`.
  static let patience = Duration.seconds(20)

  let program: SSHProgram

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    var ssh = try SSHCommand(program, call.with)
    // Whether one can log in is told by a login alone.
    ssh.isShared = false
    let deadline = min(call.deadline, call.clock.now + ssh.connectTimeout + Self.patience)
    let end: ScriptEnd
    do throws(StepFailure) {
      end = try await ssh.run(["true"], input: nil, until: deadline, call)
    } catch {
      guard error.kind == .timeout else { throw error }
      throw StepFailure(.unreachable, "\(ssh.host) did not answer ssh in time", retryable: true)
    }
    if end.exitCode == 0 { return ActionResult() }
    guard end.exitCode == 255 || end.exitCode == nil else {
      let log = SSHLog(end.stderr, mask: call.mask)
      if let become = ssh.become, let refusal = log.sudoRefusal(at: ssh.host, become: become) { throw refusal }
      throw StepFailure(
        .exitCode, "\(ssh.host) accepted the login, but `true` failed there", detail: log.detail)
    }
    var failure = SSHLog(end.stderr, mask: call.mask).failure(at: ssh.host)
    // It only reads: whatever happened, nothing was changed, and a lost connection is worth another try.
    if failure.effect == .unknown { failure.retryable = true }
    failure.effect = .none
    failure.beforeFirstByte = false
    throw failure
  }
}

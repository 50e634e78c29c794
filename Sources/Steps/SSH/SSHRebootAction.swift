import Runbook

/// `ssh.reboot`: reboots a machine from inside, and waits until it answers under another boot.
///
/// The boot that it has to end is read before the intent and journaled. The order names it, and does nothing under
/// another boot: however often it is sent, and however late it arrives, the machine is rebooted once.
struct SSHRebootAction: StandardAction {
  static let declaration = ActionDeclaration(
    "ssh.reboot", "reboots a machine over OpenSSH and waits until a login works again",
    fields: SSHFields.declared + [
      Field(
        "command", .list,
        help: "the command, if `systemctl reboot`, `reboot` and `/sbin/reboot` do not work: `[sudo, -n, reboot]`"
      )
    ],
    outputs: ["boot_id": .string], effect: .change, class: .convergent,
    wait: WaitDefaults(
      until: "it answers under another boot", failsOn: "another host key", timeout: .seconds(600)),
    suggestedUndo: "none", before: ["boot_id": .string]
  ).given(SSHFields.context)

  /// Longest time from an order that was accepted to the end of the boot in which it was given: services are stopped.
  static let longestShutdown = Duration.seconds(180)
  /// For the command, which may come back only when it has failed.
  static let share = Duration.seconds(20)

  let program: SSHProgram

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let exchange = try exchange(call)
    switch try await exchange.ask(Self.look) {
    case .answered(let lines): return ["boot_id": .string(try boot(lines, at: exchange.ssh.host))]
    case .rejected(let failure): throw failure
    case .cut(let failure, _): throw failure.ofLook
    }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    guard let boot = call.before["boot_id"]?.string else {
      throw StepFailure.unfit("the boot that is to end is not known")
    }
    let exchange = try exchange(call)
    let order = Self.order(against: boot, try Self.commands(call.with))
    switch try await exchange.ask(order, share: Self.share) {
    case .answered(let lines):
      if let line = lines.first(where: { $0.hasPrefix("f ") }) {
        throw refusal(lines, code: String(line.dropFirst(2)), exchange)
      }
      guard lines.contains("a") || lines.contains(where: { $0.hasPrefix("d ") }) else {
        throw StepFailure(.rejected, "\(exchange.ssh.host) does not say under which boot it runs")
      }
    case .rejected(let failure): throw failure
    case .cut(let failure, let begun):
      // It goes on there without the connection, which the reboot itself may have cut.
      guard begun?.contains("a") == true else { throw failure }
    }
    return ActionResult()
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let exchange = try exchange(call)
    switch try await exchange.ask(Self.look) {
    case .answered(let lines):
      let boot = try boot(lines, at: exchange.ssh.host)
      if .string(boot) == call.before["boot_id"] { return Observation(.pending, nativeState: "not down yet") }
      return Observation(.done, nativeState: "up again", result: ActionResult(outputs: ["boot_id": .string(boot)]))
    case .rejected: return Observation(.pending, nativeState: "no login yet")
    case .cut(let failure, _):
      if failure.detail["host_key"] != nil {
        return Observation(.failed(failure.with(.applied)), nativeState: "another host key")
      }
      return Observation(.pending, nativeState: failure.kind == .auth ? "no login yet" : "away")
    }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let exchange = try exchange(call)
    switch try await exchange.ask(Self.look) {
    case .answered(let lines):
      let boot = try boot(lines, at: exchange.ssh.host)
      if .string(boot) == call.before["boot_id"] { return .notApplied }
      return .applied(ActionResult(outputs: ["boot_id": .string(boot)]))
    case .rejected(var failure):
      // What a machine says that still boots.
      failure.retryable = true
      throw failure
    case .cut(let failure, _): throw failure.ofLook
    }
  }

  /// Not while it goes down or comes up.
  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard case .notApplied = try await probe(call) else { return true }
    return call.clock.now >= (call.intendedAt ?? call.clock.now) + Self.longestShutdown
  }

  private func exchange(_ call: ActionCall) throws(StepFailure) -> SSHExchange {
    var ssh = try SSHCommand(program, call.with)
    // Whether the machine answers again is told by a login, and a kept connection does not outlive the boot.
    ssh.isShared = false
    return SSHExchange(ssh, call)
  }

  private func refusal(_ lines: [String], code: String, _ exchange: SSHExchange) -> StepFailure {
    let said = lines.filter { $0.hasPrefix("| ") }.suffix(3).map { String($0.dropFirst(2).prefix(200)) }
    let words = String(decoding: exchange.call.mask(Array(said.joined(separator: " / ").utf8)), as: UTF8.self)
    return StepFailure(
      .rejected,
      "\(exchange.ssh.host) was not rebooted: the command for it ended with \(code)"
        + (words.isEmpty ? "" : ": \(words)") + "; log in as root, or give a `command` such as [sudo, -n, reboot]")
  }
}

// MARK: What the other side is told

extension SSHRebootAction {
  /// Names the boot: `i ID`.
  private static let look = """
    rb_boot_id() { cat /proc/sys/kernel/random/boot_id; }
    rb_id=$(rb_boot_id) && printf 'i %s\\n' "$rb_id"
    """

  /// `d ID`: it runs under another boot already. `a`: the command is started in a second, and goes on without the
  /// connection.
  /// `| TEXT` and `f CODE`: it has failed, and the machine is still up some seconds later.
  static func order(against boot: String, _ commands: [[String]]) -> String {
    let work = commands.map { $0.map(ShellText.quoted).joined(separator: " ") }.joined(separator: " || ")
    return """
      \(look)
      [ -n "$rb_id" ] || exit 0
      if [ "$rb_id" != \(ShellText.quoted(boot)) ]; then
        printf 'd %s\\n' "$rb_id"
        exit 0
      fi
      rb_work() {
        trap '' HUP PIPE
        sleep 1
        rb_said=$({ \(work); } 2>&1)
        rb_code=$?
        [ "$rb_code" = 0 ] && return
        sleep 3
        printf '%s\\n' "$rb_said" | sed 's/^/| /'
        printf 'f %s\\n' "$rb_code"
      }
      rb_work &
      echo a
      wait
      """
  }

  private static func commands(_ with: Arguments) throws(StepFailure) -> [[String]] {
    guard with["command"] == nil else { return [try ScriptFields.argv(with)] }
    return [["systemctl", "reboot"], ["reboot"], ["/sbin/reboot"]]
  }

  private func boot(_ lines: [String], at host: String) throws(StepFailure) -> String {
    let boot = lines.first { $0.hasPrefix("i ") }.map { String($0.dropFirst(2)) } ?? ""
    guard (1...64).contains(boot.utf8.count), boot.allSatisfy({ $0.isHexDigit || $0 == "-" }) else {
      throw StepFailure(
        .rejected, "\(host) does not say under which boot it runs: it is no Linux machine, or has no /proc")
    }
    return boot
  }
}

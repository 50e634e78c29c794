import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// Reboots over a real OpenSSH server, whose login tells a boot id of its own.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct SSHRebootActionTests {
  let server: SSHServer
  let folder = TemporaryFolder()
  let action = SSHRebootAction(program: SSHProgram(path: "/usr/bin/ssh"))

  init() throws { server = try SSHServer() }

  private func call(
    _ with: [String: Value] = [:], as account: SSHServer.Account = .bootable, before: [String: Value] = [:],
    intendedAt: Timestamp? = nil
  ) -> ActionCall {
    let clock = RealClock()
    let scripts = Harness.scripts(in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
    return ActionCall(
      with: Arguments(server.place(account).merging(with) { $1 }), key: "r1-reboot", runID: "r1", clock: clock,
      transport: Calls(scripts: scripts).make([:]).transport, scripts: scripts, files: LocalFiles(),
      deadline: clock.now + .seconds(60), before: before, intendedAt: intendedAt)
  }

  /// The connection may be cut before the answer has left: then it is not known what became of the order.
  private func reboot(_ command: Value, _ before: [String: Value]) async throws(StepFailure) {
    do throws(StepFailure) { _ = try await action.perform(call(["command": command], before: before)) } catch {
      guard error.effect == .unknown else { throw error }
    }
  }

  /// Looks until it is up again. - Returns: the words it saw, without repetitions.
  private func watch(_ call: ActionCall) async throws -> (states: [String], result: ActionResult) {
    var states: [String] = []
    for _ in 0..<600 {
      let seen = try await action.observe(call, after: ActionResult())
      if let state = seen.nativeState, states.last != state { states.append(state) }
      switch seen.verdict {
      case .done: return (states, seen.result)
      case .failed(let failure): throw failure
      case .pending: await call.clock.sleep(for: .milliseconds(50))
      }
    }
    throw StepFailure(.timeout, "it never came back: \(states)")
  }

  @Test(
    "a machine is rebooted once, and the step is done when it answers under another boot",
    arguments: [true, false])
  func aMachineIsRebootedOnce(cuts: Bool) async throws {
    let command: Value = .list(server.rebooting(cuts: cuts))
    let before = try await action.capture(call(["command": command]))
    #expect(before == ["boot_id": "11111111-aaaa"])
    try await reboot(command, before)
    let end = try await watch(call(before: before))
    #expect(end.result.outputs == ["boot_id": "1-bbbb"])
    #expect(end.states.last == "up again")
    #expect(server.boots == 1)
    // The order is sent again, as after a reply that was lost.
    _ = try await action.perform(call(["command": command], before: before))
    #expect(server.boots == 1)
  }

  @Test("after a lost reply the boot id tells whether it was rebooted")
  func afterALostReplyTheBootIDTells() async throws {
    let before = try await action.capture(call())
    #expect(try await action.probe(call(before: before)) == .notApplied)
    try await reboot(.list(server.rebooting()), before)
    _ = try await watch(call(before: before))
    #expect(
      try await action.probe(call(before: before)) == .applied(ActionResult(outputs: ["boot_id": "1-bbbb"])))
  }

  @Test("a machine that was asked to reboot and has not done it is not at rest for three minutes")
  func aMachineThatGoesDownIsNotAtRest() async throws {
    let before = try await action.capture(call())
    let now = call().clock.now
    #expect(try await !action.isSettled(call(before: before, intendedAt: now)))
    #expect(try await action.isSettled(call(before: before, intendedAt: now + .seconds(-200))))
  }

  @Test("a command that does not reboot is told with its words, and nothing has happened")
  func aCommandThatFailsIsTold() async throws {
    let before = try await action.capture(call())
    let command: Value = ["/bin/sh", "-c", "echo it\\'s forbidden >&2; exit 4"]
    do throws(StepFailure) {
      _ = try await action.perform(call(["command": command], before: before))
      Issue.record("it did not fail")
    } catch {
      #expect(error.kind == .rejected && error.effect == .none && !error.retryable, "\(error)")
      #expect(error.message.contains("ended with 4: it's forbidden; log in as root"), "\(error)")
    }
  }

  @Test("a login that runs something else is rebooted by nothing")
  func aForcedCommandIsNoReboot() async throws {
    do throws(StepFailure) {
      _ = try await action.capture(call(as: .forced))
      Issue.record("it did not fail")
    } catch {
      #expect(error.kind == .rejected && error.effect == .none, "\(error)")
    }
  }

  @Test("another host key ends the wait")
  func anotherHostKeyEndsTheWait() async throws {
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIBc3qqzPEmUuvyyMGrYmrdOIbvtfVIUu6qyEYsnd9bMq"
    let known = folder.file("known", "* ssh-ed25519 \(key)\n")
    let seen = try await action.observe(
      call(["known_hosts": .string(known)], before: ["boot_id": "x"]), after: ActionResult())
    guard case .failed(let failure) = seen.verdict else {
      Issue.record("it goes on: \(seen)")
      return
    }
    #expect(failure.kind == .auth && failure.effect == .applied)
  }
}

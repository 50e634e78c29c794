import Runbook
import Testing

@testable import Steps

struct SSHPingActionTests {
  let ssh = FakeSSH()

  @Test func aPingRunsTrue() async throws {
    _ = try await SSHPingAction(program: ssh.client(FakeSSH.works)).perform(ssh.call([:]))
    #expect(ssh.written("arguments").suffix(3) == ["--", "db-1.example.com", "true"])
  }

  @Test(arguments: [
    "exit 255", "echo 'Authenticated to x' >&2; exit 255", "echo 'ssh: connect to host' >&2; exit 255", "kill -9 $$",
  ])
  func aPingThatFailsHasChangedNothingAndMayBeRepeated(behaviour: String) async {
    do throws(StepFailure) {
      _ = try await SSHPingAction(program: ssh.client(behaviour)).perform(ssh.call([:]))
      Issue.record("it succeeded")
    } catch {
      #expect(error.kind == .unreachable && error.effect == .none && error.retryable)
    }
  }

  @Test(
    arguments: [
      (["host": "-oProxyCommand=id"], "`host` is not a host name or an address"),
      (["host": "a b"], "`host` is not a host name or an address"),
      (["host": "a$(id)"], "`host` is not a host name or an address"),
      (["host": ""], "`host` is missing or empty"),
      (["user": "-l"], "`user` is not a user name"), (["user": "a b"], "`user` is not a user name"),
      (["jump": "-W@x"], "`jump` must be `host`, `user@host` or `user@host:port`"),
      (["jump": "h:0"], "`jump` must be `host`, `user@host` or `user@host:port`"),
      (["port": 0], "`port` must be 1 to 65535"),
      (["password": "a\nb"], "`password` must be one line of 1 to 1000 bytes"),
      (["become": "root; id"], "`become` is not a user name"),
      (["become": "-u"], "`become` is not a user name"),
      (["host_key": "rescue"], "`host_key: rescue` needs `server`, as in `rescue.enter`"),
      (["host_key": "none"], "`host_key` must be `strict`, `accept_new` or `rescue`"),
      (
        ["known_hosts": "a\"b"],
        "the path of a key or of known hosts may not hold quotes, `%`, `$` or control characters"
      ),
    ] as [([String: Value], String)])
  func whatOpenSSHCouldMisreadIsRefused(with: [String: Value], message: String) async {
    await #expect(throws: StepFailure.unfit(message)) {
      try await SSHPingAction(program: ssh.client("exit 0")).perform(ssh.call(with))
    }
    #expect(ssh.written("arguments").isEmpty)
  }
}

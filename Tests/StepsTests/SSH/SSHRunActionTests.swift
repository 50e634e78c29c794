import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

struct SSHRunActionTests {
  let ssh = FakeSSH()
  static let hasOpenSSH = unsafe access("/usr/bin/ssh", X_OK) == 0

  @Test func aScriptRunsOnTheOtherSideWithItsVariables() async throws {
    let text = "it's \"$HOME\" `id`\n#"
    let with: [String: Value] = [
      "script": "echo \"$QUOTED\"; cat; echo e >&2", "_env": ["QUOTED": .secret(Secret(text, named: ["q"]))],
    ]
    let result = try await SSHRunAction(program: ssh.client(FakeSSH.works)).perform(ssh.call(with))
    #expect(result.result == ["stdout": .string(text), "stderr": "e", "exit_code": 0])
    let arguments = ssh.written("arguments")
    #expect(arguments.suffix(4) == ["--", "db-1.example.com", "/bin/sh", "-s"])
    for option in ["BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no"] {
      #expect(arguments.contains(option))
    }
    #expect(!arguments.contains { $0.contains("QUOTED") || $0.contains("HOME") })
    let environment = ssh.written("environment")
    #expect(environment.contains("SSH_AUTH_SOCK=/agent"))
    #expect(!environment.contains { $0.hasPrefix("TOKEN") || $0.hasPrefix("QUOTED") })
  }

  @Test func aCommandArrivesWordByWord() async throws {
    let with: [String: Value] = ["command": ["printf", "[%s]", "a b", "$HOME", "", "'", "; rm -rf x", "-n"]]
    let result = try await SSHRunAction(program: ssh.client(FakeSSH.works)).perform(ssh.call(with))
    #expect(result.result["stdout"] == "[a b][$HOME][]['][; rm -rf x][-n]")
  }

  @Test func placeAndIdentityBecomeOptions() async throws {
    let with: [String: Value] = [
      "script": "true", "user": "deploy", "port": 2222, "key": "keys/id", "known_hosts": "hosts file",
      "_cwd": "/srv/runbooks", "host_key": "accept_new", "connect_timeout": .duration(.seconds(3)),
      "jump": "gate@10.0.0.9:2200",
    ]
    _ = try await SSHRunAction(program: ssh.client(FakeSSH.works)).perform(ssh.call(with))
    let arguments = ssh.written("arguments").joined(separator: " ")
    for expected in [
      "-l deploy", "-p 2222", "-i /srv/runbooks/keys/id", "IdentitiesOnly=yes",
      "UserKnownHostsFile=\"/srv/runbooks/hosts file\"", "StrictHostKeyChecking=accept-new", "ConnectTimeout=3",
      "'-l' 'gate' '-p' '2200' -W '[%h]:%p' -- '10.0.0.9'",
    ] {
      #expect(arguments.contains(expected))
    }
  }

  @Test func aSecretKeyIsReadFromMemory() async throws {
    let behaviour = "echo \"$KEY\" > \(ssh.folder.path)/place; cat \"$KEY\" > \(ssh.folder.path)/seen; \(FakeSSH.works)"
    let with: [String: Value] = ["script": "true", "key": .secret(Secret("PRIVATE", named: ["k"]))]
    _ = try await SSHRunAction(program: ssh.client(behaviour)).perform(ssh.call(with))
    #expect(ssh.written("seen") == ["PRIVATE"])
    #expect(ssh.written("place").first?.hasPrefix("/proc/") == true)
  }

  @Test(arguments: ["7", "255"])
  func aRemoteExitCodeIsAFailureThatHappened(code: String) async throws {
    let failure = try #require(await ssh.failure(FakeSSH.works, script: "exit \(code)"))
    #expect(failure.kind == .exitCode && failure.effect == .applied && !failure.retryable)
    #expect(failure.message == "the script on db-1.example.com ended with exit code \(code)")
  }

  struct Lost: Sendable, CustomTestStringConvertible {
    let behaviour: String
    let kind: StepFailure.Kind
    let effect: StepFailure.Effect
    let message: String
    var testDescription: String { behaviour }
  }

  private static let unreachable = "db-1.example.com cannot be reached by ssh: "
  private static let nothingKnown = "the connection to db-1.example.com was lost: whether anything was run is not known"

  private static let login = "echo 'Authenticated to db-1 ([10.0.0.1]:22) using \"publickey\".' >&2"

  @Test(arguments: [
    Lost(
      behaviour: "echo 'ssh: connect to host db-1 port 22: Connection refused' >&2; exit 255", kind: .unreachable,
      effect: .none,
      message: unreachable + "ssh: connect to host db-1 port 22: Connection refused"),
    Lost(
      behaviour: "echo 'kex_exchange_identification: Connection closed by remote host' >&2; exit 255",
      kind: .unreachable,
      effect: .none, message: unreachable + "kex_exchange_identification: Connection closed by remote host"),
    Lost(
      behaviour: "echo 'root@db-1: Permission denied (publickey).' >&2; exit 255", kind: .auth, effect: .none,
      message: "db-1.example.com refused the login: check `user` and `key`"),
    Lost(
      behaviour: "echo 'Host key verification failed.' >&2; exit 255", kind: .auth, effect: .none,
      message: "the host key of db-1.example.com is not the known one: check it, then correct `known_hosts`"),
    // Logged in, then lost: it may or may not have begun.
    Lost(
      behaviour:
        Self.login + "; echo 'Connection reset by peer' >&2; exit 255",
      kind: .unreachable,
      effect: .unknown, message: nothingKnown),
    // Words that no release of OpenSSH is known to say: nothing is certain.
    Lost(behaviour: "exit 255", kind: .unreachable, effect: .unknown, message: nothingKnown),
    Lost(behaviour: "kill -9 $$", kind: .unreachable, effect: .unknown, message: nothingKnown),
    // The script began, and the connection broke.
    Lost(
      behaviour:
        Self.login + "; echo \"runbook key1 begin\" >&2; exit 255",
      kind: .unreachable,
      effect: .unknown,
      message: "the connection to db-1.example.com was lost while the script ran: whether it went on is not known"),
  ])
  func aLostConnectionIsJudgedByWhatIsCertain(lost: Lost) async throws {
    let failure = try #require(await ssh.failure(lost.behaviour, script: "echo hello"))
    #expect(failure.kind == lost.kind && failure.effect == lost.effect && failure.message == lost.message)
    #expect(failure.retryable == (lost.effect == .none && lost.kind == .unreachable))
  }

  @Test func aScriptThatArrivesInPartDoesNotBegin() async throws {
    let marker = ssh.folder.path + "/marker"
    let whole = SSHSession(key: "k").program("touch \(marker)\necho more", environment: ["A": Secret("b", named: [])])
      .reveal()
    let scripts = Harness.scripts(in: ssh.folder)
    var beginsAt: Int?
    for length in 0..<whole.utf8.count where beginsAt == nil {
      let part = String(decoding: Array(whole.utf8.prefix(length)), as: UTF8.self)
      let request = ScriptRequest(key: "k", command: ["/bin/sh", "-s"])
      _ = try await scripts.run(request, stdin: Secret(part, named: []), timeout: .seconds(60))
      if unsafe access(marker, F_OK) == 0 {
        beginsAt = length
        // Only the engine's own last words may be missing: all of the script had arrived.
        #expect(part.contains("echo more' )"))
      }
    }
    #expect(beginsAt != nil)
  }

  @Test func aMissingClientIsNamed() async {
    let message = "the OpenSSH client could not be started: there is no program `no-ssh-here` on PATH"
    await #expect(throws: StepFailure(.input, message)) {
      try await SSHRunAction(program: SSHProgram(path: "no-ssh-here")).perform(ssh.call(["script": "true"]))
    }
  }

  /// The real client against a port where nobody listens: the words it uses are the ones we know.
  @Test(.enabled(if: SSHRunActionTests.hasOpenSSH, "OpenSSH is not installed"))
  func theRealClientIsUnderstoodWhenItCannotConnect() async {
    let with: [String: Value] = ["host": "127.0.0.1", "port": 1, "script": "true"]
    do throws(StepFailure) {
      _ = try await SSHRunAction(program: SSHProgram(path: "/usr/bin/ssh")).perform(ssh.call(with))
      Issue.record("it succeeded")
    } catch {
      #expect(error.kind == .unreachable && error.effect == .none && error.retryable && error.beforeFirstByte)
    }
  }
}

import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// How one gets in: passwords, other users, jump hosts and the user's own configuration.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct SSHLoginTests {
  static let password = "right horse"
  /// `root` with that password, as `openssl passwd -6 -salt runbooktest` says it.
  static let shadow =
    "root:$6$runbooktest$Mp13GwD15Hx/hpTK2UtDSb4wnDt2ytpVfSMKt6yk5OlhUo72zgxwUgjjvoYFjuICnLI9xdwGhBEYffcu2dbzP1"
    + ":20228:0:99999:7:::"

  private static func secret(_ text: String) -> Value { .secret(Secret(text, named: ["p"])) }

  @Test(
    "a password logs in, once for all steps; a wrong one is tried once",
    .enabled(if: SSHServer.canTakePasswords, "it takes root to give a server passwords of its own"))
  func aPasswordLogsIn() async throws {
    let settings = "PasswordAuthentication yes\nAuthenticationMethods password"
    let world = try ConnectedWorld(settings: settings, password: Self.shadow)
    var place = world.server.place()
    place["key"] = .null
    for _ in 0..<2 {
      let with = place.merging(["script": "echo in", "password": Self.secret(Self.password)]) { $1 }
      #expect(try await world.action.perform(world.call(with)).result["stdout"] == "in")
    }
    _ = try await SSHPingAction(program: world.program).perform(
      world.call(place.merging(["password": Self.secret(Self.password)]) { $1 }))
    #expect(world.server.logged("Accepted password for ") == 2)
    let wrong = place.merging(["script": "true", "password": Self.secret("wrong horse")]) { $1 }
    let failure = try #require(await world.failure(world.call(wrong)))
    #expect(failure.kind == .auth && failure.effect == StepFailure.Effect.none && !failure.retryable, "\(failure)")
    #expect(failure.message == "127.0.0.1 refused the login: check `user` and `password`")
    #expect(world.server.logged("Failed password for ") == 1)
    for pid in world.keepers {
      for name in ["cmdline", "environ"] {
        let bytes = (try? FileReading.all(of: "/proc/\(pid)/\(name)", limit: 1 << 20)) ?? []
        #expect(!bytes.isEmpty && bytes.firstRange(of: Array(Self.password.utf8)) == nil)
      }
    }
    #expect(!Self.isOnDisk(Self.password, below: world.folder.path))
  }

  private static func isOnDisk(_ text: String, below folder: String) -> Bool {
    FileReading.names(in: folder).contains { name in
      let path = "\(folder)/\(name)"
      if Folder.exists(path) { return isOnDisk(text, below: path) }
      let bytes = (try? FileReading.all(of: path, limit: 1 << 24)) ?? []
      return bytes.firstRange(of: Array(text.utf8)) != nil
    }
  }

  /// What a client does that asks: the question, and what follows.
  private static func asks(_ question: String, _ then: String = ":") -> String {
    "answer=$(\"$SSH_ASKPASS\" \"\(question)\") && echo \"got [$answer]\" >> \"$DIR/got\"; \(then)"
  }

  private static func got(_ behaviour: String) async -> (String, StepFailure?) {
    let ssh = FakeSSH()
    let with: [String: Value] = ["password": secret("pa ss"), "script": "true"]
    let client = ssh.client("DIR=\(ssh.folder.path); " + behaviour)
    var failure: StepFailure?
    do throws(StepFailure) { _ = try await SSHRunAction(program: client).perform(ssh.call(with)) } catch {
      failure = error
    }
    let words = ssh.written("arguments") + ssh.written("environment")
    #expect(
      !words.contains { $0.contains("pa ss") } && ssh.written("environment").contains("SSH_ASKPASS_REQUIRE=force"))
    return (String(decoding: ssh.folder.read("got"), as: UTF8.self), failure)
  }

  @Test("a question for the password is answered once; the second one ends the client, with the kind `auth`")
  func aQuestionForThePasswordIsAnsweredOnce() async throws {
    let (answered, none) = await Self.got(Self.asks("me@db-1's password: ", FakeSSH.works))
    #expect(answered == "got [pa ss]\n" && none == nil, "\(String(describing: none))")
    let twice = Self.asks("(me@db-1) Password: ", Self.asks("me@db-1's password: ", FakeSSH.works))
    let (once, failure) = await Self.got(twice)
    #expect(once == "got [pa ss]\n")
    #expect(failure?.kind == .auth && failure?.effect == StepFailure.Effect.none, "\(String(describing: failure))")
    #expect(failure?.message == "db-1.example.com refused the login: check `user` and `password`")
  }

  @Test(
    "other questions are not answered: a key's passphrase, a new password, a code",
    arguments: ["Enter passphrase for key '/k': ", "New password: ", "Verification code: ", "Retype new password: "])
  func otherQuestionsAreNotAnswered(question: String) async throws {
    #expect(await Self.got(Self.asks(question, FakeSSH.works)).0 == "")
  }

  @Test("another client that the client starts, for a jump host, gets no answer")
  func aJumpHostGetsNoAnswer() async throws {
    // The same program, one generation further from the keeper.
    let inner =
      "/bin/sh -c 'a=$(\"$SSH_ASKPASS\" \"me@gate password: \") && echo got $a >> \"$0/got\"; exit 0' \"$DIR\""
    #expect(await Self.got("\(inner); \(FakeSSH.works)").0 == "")
  }

  @Test("a script runs as another user by sudo, with its own environment and its own exit code")
  func aScriptRunsAsAnotherUser() async throws {
    let world = try ConnectedWorld()
    for isDetached in [true, false] {
      let with: [String: Value] = [
        "script": "echo $BECAME $OWN; exit 3", "become": "deploy", "detached": .bool(isDetached),
        "_env": ["OWN": Self.secret("it's $HOME")],
      ]
      let failure = try #require(await world.failure(world.call(with, as: .sudoer)))
      #expect(failure.kind == .exitCode && failure.detail["exit_code"] == 3, "\(failure)")
      #expect(failure.detail["stdout"] == "deploy it's $HOME")
    }
    #expect(world.server.sudoCalls.allSatisfy { $0 == "-n -H -u deploy -- /bin/sh -s" })
    #expect(world.server.sudoCalls.count == 2)
    _ = try await SSHPingAction(program: world.program).perform(world.call(["become": "deploy"], as: .sudoer))
    #expect(world.server.sudoCalls.last == "-n -H -u deploy -- true")
  }

  @Test("whoever has logged in as that user needs no sudo")
  func whoeverIsThatUserNeedsNoSudo() async throws {
    let world = try ConnectedWorld()
    let with: [String: Value] = ["script": "id -un", "become": .string(world.server.user)]
    let result = try await world.action.perform(world.call(with, as: .sudoer)).result
    #expect(result["stdout"] == .string(world.server.user) && world.server.sudoCalls.isEmpty)
  }

  static let refusals: [(SSHServer.Account, String, String)] = [
    (
      .sudoer, "asks",
      "sudo on 127.0.0.1 asks for a password: allow the login `NOPASSWD` there, or log in as `asks`"
    ),
    (.sudoer, "unknown", "sudo on 127.0.0.1 does not let the login become `unknown`: sudo: unknown user unknown"),
  ]

  @Test("a sudo that refuses is told in its words, and nothing was run", arguments: refusals, [true, false])
  func aSudoThatRefusesIsTold(refusal: (SSHServer.Account, String, String), isDetached: Bool) async throws {
    let world = try ConnectedWorld()
    let with: [String: Value] = [
      "script": .string("touch \(world.folder.path)/ran"), "become": .string(refusal.1),
      "detached": .bool(isDetached),
    ]
    let failure = try #require(await world.failure(world.call(with, as: refusal.0)))
    #expect(failure.kind == .rejected && failure.effect == StepFailure.Effect.none)
    #expect(failure.message == refusal.2)
    #expect((try? Folder.isThere(world.folder.path + "/ran")) == false)
    await #expect(throws: StepFailure.self) {
      try await SSHPingAction(program: world.program).perform(
        world.call(["become": .string(refusal.1)], as: refusal.0))
    }
  }

  @Test("a way through another machine is opened once too", arguments: ["field", "configuration"])
  func aWayThroughAnotherMachineIsOpenedOnce(how: String) async throws {
    let gate = try SSHServer(settings: "LogLevel VERBOSE")
    let world = try ConnectedWorld { target, folder in
      let included = folder.file(
        "included",
        """
        Host inner
          HostName 127.0.0.1
          Port \(target.port)
          \(how == "configuration" ? "ProxyJump gate" : "")
          HostKeyAlias 127.0.0.1
          UserKnownHostsFile \(target.knownHosts)
        Host gate
          HostName 127.0.0.1
          Port \(gate.port)
          UserKnownHostsFile \(gate.knownHosts)
        Host *
          User \(target.user)
          IdentityFile \(target.key(.plain))
          IdentityFile \(gate.key(.plain))

        """)
      return "Include \(included)\n"
    }
    var with: [String: Value] = ["host": "inner", "script": "echo there"]
    for name in ["port", "user", "key", "known_hosts"] { with[name] = .null }
    if how == "field" { with["jump"] = "gate" }
    for _ in 0..<3 { #expect(try await world.action.perform(world.call(with)).result["stdout"] == "there") }
    #expect(world.logins == 1)
    #expect(gate.logins == 1)
  }
}

import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

@testable import Steps

/// Connections that the steps of a run share, over a real OpenSSH server.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct SSHConnectionTests {
  @Test("ten steps log in once, and each has its own output and exit code")
  func tenStepsLogInOnce() async throws {
    let world = try ConnectedWorld()
    for number in 0..<10 {
      let isKept = number % 2 == 0
      let call = world.call([
        "script": .string("echo \(number); echo e >&2; exit \(number == 4 ? 255 : 0)")
      ])
      let failure = await world.failure(call)
      #expect((failure?.detail["exit_code"] == 255) == (number == 4), "\(String(describing: failure))")
      if isKept { await world.action.forget(call, keys: [call.key]) }
    }
    #expect(try await world.run("echo all") == "all")
    #expect(world.logins == 1)
    #expect(world.keepers.count == 1)
  }

  @Test("ten steps at once log in once")
  func tenStepsAtOnceLogInOnce() async throws {
    let world = try ConnectedWorld()
    try await withThrowingTaskGroup(of: Value?.self) { group in
      for number in 0..<10 { group.addTask { try await world.run("echo \(number)") } }
      var seen: [String] = []
      for try await value in group { if case .string(let text)? = value { seen.append(text) } }
      #expect(seen.sorted() == (0..<10).map(String.init))
    }
    #expect(world.logins == 1)
  }

  @Test("another user, key or run has a connection of its own")
  func anotherLoginHasAConnectionOfItsOwn() async throws {
    let world = try ConnectedWorld()
    for account in [SSHServer.Account.plain, .bash, .plain, .bash] {
      _ = try await world.action.perform(world.call(["script": "true"], as: account))
    }
    #expect(world.logins == 2)
    // A secret with another content is another key, whatever its name.
    for account in [SSHServer.Account.plain, .bash] {
      let key = String(decoding: try FileReading.all(of: world.server.key(account), limit: 1 << 16), as: UTF8.self)
      let with: [String: Value] = ["script": "true", "key": .secret(Secret(key, named: ["k"]))]
      _ = try await world.action.perform(world.call(with))
    }
    #expect(world.logins == 4)
  }

  @Test("a server that lets in no more sessions over one connection gets a second one, and each script runs once")
  func beyondMaxSessionsASecondConnectionIsOpened() async throws {
    let world = try ConnectedWorld(settings: "MaxSessions 2")
    _ = try await world.run("true")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        group.addTask {
          let go = "while ! test -e \(world.folder.path)/go; do sleep 0.05; done"
          _ = try await world.run("echo \(number) >> \(world.folder.path)/ledger; \(go)")
        }
      }
      let ledger = { @Sendable in world.folder.read("ledger").split(separator: UInt8(ascii: "\n")) }
      #expect(await RemoteWorld.eventually { ledger().count == 6 })
      #expect(world.logins >= 3)
      world.folder.write("go", [])
      try await group.waitForAll()
      #expect(Set(ledger()).count == 6 && ledger().count == 6)
    }
  }

  @Test("where the server lets in no session over a kept connection, each step opens its own, and says what it said")
  func whereNoSessionIsLetInTheEndIsAsBefore() async throws {
    let world = try ConnectedWorld(settings: "MaxSessions 0")
    let shared = try #require(await world.failure(world.call(["script": "true"])))
    let own = await #expect(throws: StepFailure.self) {
      try await SSHRunAction(program: SSHProgram(path: "/usr/bin/ssh")).perform(world.call(["script": "true"]))
    }
    #expect(shared.kind == own?.kind && shared.effect == own?.effect && shared.message == own?.message, "\(shared)")
  }

  @Test("a connection that was cut or killed between two steps is replaced", arguments: ["cut", "killed"], [1, 3])
  func aConnectionThatWasLostBetweenTwoStepsIsReplaced(how: String, stepsBefore: Int) async throws {
    let world = try ConnectedWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    for _ in 0..<stepsBefore { #expect(try await world.run("echo one", through: proxy.port) == "one") }
    let keeper = try #require(world.keepers.first)
    if how == "cut" { proxy.cut() } else { kill(keeper, SIGKILL) }
    #expect(try await world.run("echo two", through: proxy.port) == "two")
    #expect(world.logins == 2)
  }

  @Test("while steps follow one another, the session of the next one is opened while the one before works")
  func theNextSessionIsOpenedEarly() async throws {
    let world = try ConnectedWorld()
    for number in 1...2 { #expect(try await world.run("echo \(number)") == .string("\(number)")) }
    let isOpened = await RemoteWorld.eventually { world.sessions == 3 }
    #expect(isOpened)
    // Nobody came for it: it ends, and the next step has a session of its own.
    #expect(await RemoteWorld.eventually { world.server.logged("Close session") == 3 })
    #expect(try await world.run("echo 3") == "3")
    #expect(world.logins == 1)
  }

  @Test(
    "an order is taken to a session that was opened early, and is carried out once", arguments: ["echo x", "exit 7"])
  func anOrderGoesToTheSessionThatWasOpenedEarly(script: String) async throws {
    let world = try ConnectedWorld()
    let ledger = "\(world.folder.path)/ledger"
    for _ in 1...6 {
      let failure = await world.failure(world.call(["script": .string("echo run >> \(ledger); \(script)")]))
      #expect(failure?.detail["exit_code"] == (script == "exit 7" ? 7 : nil))
    }
    #expect(world.folder.read("ledger").count { $0 == UInt8(ascii: "\n") } == 6)
    #expect(world.sessions <= 7 && world.logins == 1)
  }

  @Test("a session that was opened early is none of the steps' that the server lets in", arguments: [1, 2])
  func aSessionThatWasOpenedEarlyTakesNobodysPlace(most: Int) async throws {
    let world = try ConnectedWorld(settings: "MaxSessions \(most)")
    for number in 1...6 { #expect(try await world.run("echo \(number)") == .string("\(number)")) }
    let way = world.call(["upload": .string(world.folder.file("a", "a")), "to": .string("\(world.folder.path)/b")])
    _ = try await SSHCopyAction(program: world.program).perform(way)
    #expect(String(decoding: world.folder.read("b"), as: UTF8.self) == "a")
    for number in 7...9 { #expect(try await world.run("echo \(number)") == .string("\(number)")) }
    #expect(world.logins == 1)
  }

  @Test(
    "a connection that is cut or killed under a script: the script goes on, once", arguments: ["cut", "killed"], [0, 2])
  func aConnectionThatIsLostUnderAScriptIsReplaced(how: String, stepsBefore: Int) async throws {
    let world = try ConnectedWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    for _ in 0..<stepsBefore { _ = try await world.run("true", through: proxy.port) }
    let ledger = "\(world.folder.path)/ledger"
    async let output = world.run(
      "echo start >> \(ledger); while ! test -e \(world.folder.path)/go; do sleep 0.05; done; echo out",
      through: proxy.port)
    #expect(await RemoteWorld.eventually { !world.folder.read("ledger").isEmpty })
    if how == "cut" { proxy.cut() } else { for pid in world.keepers { kill(pid, SIGKILL) } }
    world.folder.write("go", [])
    #expect(try await output == "out")
    #expect(world.folder.read("ledger") == Array("start\n".utf8))
    #expect(world.logins == 2)
  }

  @Test("a machine that does not answer any more: a step that begins then was not run, as without a kept connection")
  func aMachineThatDoesNotAnswerRunsNothing() async throws {
    let world = try ConnectedWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    #expect(try await world.run("echo one", through: proxy.port) == "one")
    proxy.set(.stall)
    let with: [String: Value] = [
      "script": .string("touch \(world.folder.path)/ran"), "connect_timeout": .duration(.seconds(3)),
    ]
    let failure = try #require(await world.failure(world.call(with, through: proxy.port)))
    #expect(failure.kind == .unreachable && failure.effect == StepFailure.Effect.none, "\(failure)")
    #expect(failure.retryable && failure.beforeFirstByte)
    #expect(world.folder.read("ran").isEmpty && world.logins == 1)
  }

  @Test(
    "a script that hangs on its connection ends as without a kept one", arguments: ["exit 255", "exit 3", "echo x"])
  func aScriptOnItsConnectionEndsAsWithoutAKeptOne(script: String) async throws {
    let world = try ConnectedWorld()
    let with: [String: Value] = ["script": .string("printf half >&2; \(script)"), "detached": false]
    let shared = await world.failure(world.call(with))
    let own = await Self.failureAlone(world, world.call(with))
    #expect(shared?.kind == own?.kind && shared?.message == own?.message && shared?.effect == own?.effect)
    #expect(shared?.detail["stderr"] == own?.detail["stderr"])
    #expect(world.logins == 2)
  }

  @Test(
    "what runs no script is told as without a kept connection",
    arguments: [SSHServer.Account.forced, .forcedFailing, .nologin, .restricted], [true, false])
  func whatRunsNoScriptIsToldAsBefore(account: SSHServer.Account, isDetached: Bool) async throws {
    let world = try ConnectedWorld()
    let call = world.call(["script": "true", "detached": .bool(isDetached)], as: account)
    let shared = try #require(await world.failure(call))
    let own = try #require(await Self.failureAlone(world, call))
    #expect(shared.kind == .rejected && shared.effect == StepFailure.Effect.none, "\(shared)")
    #expect(shared.message == own.message)
  }

  private static func failureAlone(_ world: ConnectedWorld, _ call: ActionCall) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await SSHRunAction(program: SSHProgram(path: world.program.path)).perform(call)
      return nil
    } catch { return error }
  }

  @Test("a login that fails is tried once, and fails as without a kept connection")
  func aLoginThatFailsIsTriedOnce() async throws {
    let world = try ConnectedWorld()
    let stranger = try SSHServer()
    let with: [String: Value] = ["script": "true", "key": .string(stranger.key(.plain))]
    let failure = try #require(await world.failure(world.call(with)))
    #expect(failure.kind == .auth && failure.effect == StepFailure.Effect.none, "\(failure)")
    #expect(world.server.logged("Connection from ") <= 2, "the test's own look, and one login")
  }

  @Test("the user's own ControlMaster is not used, and none is left behind")
  func theUsersOwnControlMasterIsNotUsed() async throws {
    let world = try ConnectedWorld { _, folder in
      "Host *\n  ControlMaster auto\n  ControlPath \(folder.path)/theirs\n  ControlPersist 60\n"
    }
    #expect(try await world.run("echo one") == "one")
    #expect(try await world.run("echo two") == "two")
    #expect(world.logins == 1)
    #expect((try? Folder.isThere(world.folder.path + "/theirs")) == false)
  }

  @Test("the folder of a connection is its user's alone, and goes with it")
  func theFolderOfAConnectionGoesWithIt() async throws {
    let folder: TemporaryFolder
    do {
      let world = try ConnectedWorld()
      folder = world.folder
      _ = try await world.run("true")
      let names = FileReading.names(in: folder.path + "/scripts").filter { $0.hasPrefix("attached-") }
      #expect(names.count == 1)
      var status = stat()
      #expect(unsafe stat("\(folder.path)/scripts/\(names.first ?? "")", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      #expect(world.keepers.count == 1)
    }
    #expect(
      await RemoteWorld.eventually {
        FileReading.names(in: folder.path + "/scripts").allSatisfy { !$0.hasPrefix("attached-") }
      })
  }

  @Test("what the client says before it has asked for a session, and nothing else, means that nothing was run")
  func onlyCertainWordsMeanThatNothingWasRun() {
    func log(_ text: String) -> SSHShareLog { SSHShareLog(Array(text.utf8)) }
    #expect(log("Control socket connect(ctl): Connection refused\r\n").isRefused)
    #expect(log("debug1: Control socket \"ctl\" does not exist\r\n").isRefused)
    #expect(log("mux_client_request_session: session request failed: Session open refused by peer").isFull)
    #expect(log("mux_client_request_session: read from master failed: Broken pipe").isLost)
    let begun = log("debug1: mux_client_request_session: master session id: 2\r\n")
    #expect(begun.isBegun && !begun.isRefused && !begun.isLost && !begun.isFull && !begun.isOver)
    #expect(log("debug2: Received exit status from master 255").isOver)
    #expect(!log("debug2: Control master terminated unexpectedly").isOver)
  }
}

/// Programs that a host holds.
struct HeldProgramTests {
  @Test("a program that is held ends with its engine, even when that is killed")
  func aHeldProgramEndsWithItsEngine() async throws {
    let folder = TemporaryFolder()
    let (pid, said) = try Harness.start([
      "held", folder.path + "/scripts", "/bin/sh", "-c", "echo $$ > pid; exec sleep 98764",
    ])
    defer { Children.reap(pid) }
    let place = String(decoding: try said.read(limit: 4096) ?? [], as: UTF8.self).dropLast()
    #expect(place.hasPrefix(folder.path))
    #expect(Harness.eventually { !((try? FileReading.all(of: "\(place)/pid", limit: 99)) ?? []).isEmpty })
    let text = String(decoding: try FileReading.all(of: "\(place)/pid", limit: 99), as: UTF8.self)
    let held = try #require(Int32(text.dropLast()))
    #expect(kill(held, 0) == 0)
    kill(pid, SIGKILL)
    #expect(Harness.eventually { kill(held, 0) != 0 })
  }

  @Test("a program that is held ends when its time is over, which can be moved, and when nobody holds it")
  func aHeldProgramEndsWhenItsTimeIsOver() async throws {
    let folder = TemporaryFolder()
    let scripts = Harness.scripts(in: folder)
    let request = ScriptRequest(key: "k", command: ["/bin/sh", "-c", "echo out; exec sleep 98763"])
    var first = try await scripts.hold(request, life: .milliseconds(1))
    // It may be over before it is moved: then another one is.
    #expect(await Self.ending(of: try #require(first))?.isTimedOut == true)
    first = try await scripts.hold(request, life: .seconds(600))
    #expect(await first?.ending() == nil)
    first?.live(for: .zero)
    #expect(await Self.ending(of: try #require(first))?.isTimedOut == true)
    first = try await scripts.hold(request, life: .seconds(600))
    let place = try #require(first?.folder)
    #expect(Folder.exists(place))
    first = nil
    #expect(!Folder.exists(place))
  }

  @Test("a program that awaits its input reads all of it, once, and ends when its new time is over")
  func aHeldProgramIsGivenItsInput() async throws {
    let scripts = Harness.scripts(in: TemporaryFolder())
    var request = ScriptRequest(key: "k", command: ["/bin/sh", "-c", "cat; echo e >&2; exit 6"])
    request.awaitsInput = true
    let first = try #require(try await scripts.hold(request, life: .seconds(600)))
    #expect(first.feed(Secret("in\n", named: []), life: .seconds(600)))
    _ = first.feed(Secret("again\n", named: []), life: .seconds(600))
    #expect(
      try await first.end(reading: nil)
        == ScriptEnd(exitCode: 6, stdout: Array("in\n".utf8), stderr: Array("e\n".utf8)))
    #expect(!first.feed(Secret("late\n", named: []), life: .seconds(600)))
    request.command = ["/bin/sh", "-c", "cat >/dev/null; exec sleep 98763"]
    let second = try #require(try await scripts.hold(request, life: .seconds(600)))
    #expect(second.feed(Secret("in\n", named: []), life: .milliseconds(1)))
    await #expect(throws: StepFailure(.timeout, "`/bin/sh` ran out of time and was stopped", effect: .unknown)) {
      try await second.end(reading: nil)
    }
  }

  /// One that has passed by the time it is asked again.
  private final class Passing: Tenure {
    let begins: Bool
    private let asked = Atomic<Int>(0)
    init(begins: Bool) { self.begins = begins }
    var until: BootTime {
      let isFirst = asked.load(ordering: .relaxed) < 2
      return BootTime(id: Host.bootID, elapsed: BootClock.now + .seconds(isFirst ? 600 : -1))
    }
    var standing: TenureStanding { .passed }
    func begin() -> Bool { asked.add(1, ordering: .relaxed).newValue < 2 || begins }
    func end() {}
  }

  @Test("a program is given nothing when the run may belong to another process", arguments: [false, true])
  func aHeldProgramIsGivenNothingTooLate(onlyTheKeeperNotices: Bool) async throws {
    let folder = TemporaryFolder()
    let scripts = Harness.scripts(in: folder)
    var request = ScriptRequest(key: "k", command: ["/bin/sh", "-s"])
    request.awaitsInput = true
    request.tenure = Passing(begins: onlyTheKeeperNotices)
    let program = try #require(try await scripts.hold(request, life: .seconds(600)))
    let order = Secret("touch \(folder.path)/ran\n", named: [])
    #expect(program.feed(order, life: .seconds(600)) == onlyTheKeeperNotices)
    if !onlyTheKeeperNotices { program.live(for: .zero) }
    #expect(await Self.ending(of: program)?.isTimedOut == true)
    #expect(!FileReading.names(in: folder.path).contains("ran"))
  }

  private static func ending(of program: any HeldProgram) async -> ScriptEnd? {
    for _ in 0..<6000 {
      if let end = await program.ending() { return end }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }
}

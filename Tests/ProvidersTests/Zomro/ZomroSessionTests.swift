import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Log-ins: once however many ask, repeated once when a session has ended, and never for lack of a privilege.
struct ZomroSessionTests {
  /// A Zomro that takes sessions from this number on; log-ins take two seconds.
  private static func wire(from first: Box<Int>) -> ZomroWire {
    let logIns = Box(0)
    return ZomroWire { function, form in
      if function == "auth" {
        logIns.value += 1
        return .delayed(.seconds(2), ZomroWire.session(logIns.value))
      }
      let number = form["auth"].flatMap { Int($0.dropFirst("5e5510n0000".count)) } ?? 0
      guard number >= first.value else { return ZomroWire.error("access") }
      return function == "instances" ? ZomroWire.list(ZomroWire.server()) : nil
    }
  }

  private func crowd(_ fixtures: [ZomroFixture]) async -> Int {
    await withTaskGroup(of: Int.self) { group in
      for number in 0..<100 {
        let fixture = fixtures[number % fixtures.count]
        group.addTask { (try? await fixture.run("server.status")) == nil ? 0 : 1 }
      }
      return await group.reduce(0, +)
    }
  }

  @Test(arguments: [1, 3])
  func manyCallersAtOnceLogInOnce(providers: Int) async throws {
    let wire = Self.wire(from: Box(1))
    let shared = SharedObjects()
    let fixtures = try (0..<providers).map { _ in try ZomroFixture(wire, shared: shared) }
    #expect(await crowd(fixtures) == 100)
    #expect(wire.count("auth") == 1)
  }

  @Test func manyCallersWhoseSessionEndedLogInOnce() async throws {
    let first = Box(1)
    let wire = Self.wire(from: first)
    let fixture = try ZomroFixture(wire)
    try await fixture.run("server.status")
    first.value = 2
    #expect(await crowd([fixture]) == 100)
    #expect(wire.count("auth") == 2)
  }

  @Test func aSessionThatIsNeverAcceptedIsNoLoop() async throws {
    let wire = ZomroWire { function, _ in ["auth", "whoami"].contains(function) ? nil : ZomroWire.error("access") }
    let failure = try await ZomroFixture(wire).failure("server.status")
    #expect(failure.kind == .auth)
    #expect(!failure.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(wire.count("auth") == 2)
    #expect(wire.requests.count <= 8)
  }

  /// `access` while the session lives is about the account's rights.
  @Test func aMissingPrivilegeIsNoReasonToLogIn() async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["no_privilege:server.stop"])
    let failure = try await fixture.failure("server.stop", attempts: 3)
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("may not do this"))
    #expect(twin.requests.count { $0 == "auth" } == 1)
    #expect(twin.requests.count { $0 == "server.stop" } == 1)
    #expect(twin.effects("server.stop") == 0)
  }

  /// Whether the session lives cannot be told: worth a retry, not a refusal.
  @Test(arguments: [
    ScriptedSystem.reply(502, "<html>"), ScriptedSystem.reply(200, "<html>"), ScriptedSystem.reply(429, ""), .lost,
  ])
  func aLookAtTheSessionThatFailsIsNoRefusal(reply: SimulatedReply) async throws {
    let looks = Box(0)
    let wire = ZomroWire { function, form in
      if function == "keepalive" {
        looks.value += 1
        if looks.value == 1 { return reply }
      }
      if function != "auth", form["auth"] == "5e5510n00001", function != "whoami" { return ZomroWire.error("access") }
      return function == "instances" ? ZomroWire.list(ZomroWire.server()) : nil
    }
    let fixture = try ZomroFixture(wire)
    let failure = try await fixture.failure("server.status")
    #expect(failure.retryable)
    #expect(failure.kind != .auth)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(wire.count("auth") == 1)
    #expect(try await fixture.run("server.status")["state"] == "running")
    #expect(wire.count("auth") == 2)
  }

  static let actions: [(String, [String: Value])] = [
    ("server.stop", [:]), ("server.reboot", [:]), ("backup.create", ["name": "a"]), ("snapshot.create", ["name": "a"]),
    ("rescue.enter", ["image": "Debian 12", "password": "Rescue1word"]), ("server.status", [:]),
    ("zomro.schedule_create", ["name": "nightly", "days": "1,3", "time": "03:30"]), ("backup.list", [:]),
  ]

  @Test(arguments: actions.map { $0.0 }, [1, 2, 3, 4, 5, 8])
  func aSessionThatEndsOnTheWayIsReplaced(_ action: String, after requests: Int) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["token_expires:\(requests)"])
    let with = Self.actions.first { $0.0 == action }?.1 ?? [:]
    try await fixture.run(action, with)
    #expect(twin.ledger.count <= 1)
    #expect(twin.ledger.isEmpty == (action == "server.status" || action == "backup.list"))
    #expect(twin.requests.count { $0 == "auth" } <= 2)
  }

  @Test func aSessionEndsAnHourAfterItsLastRequest() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    for _ in 1...5 {
      try await fixture.run("server.status")
      await fixture.clock.sleep(for: .seconds(3000))
    }
    #expect(twin.requests.count { $0 == "auth" } == 1)
    await fixture.clock.sleep(for: .seconds(3700))
    try await fixture.run("server.status")
    #expect(twin.requests.count { $0 == "auth" } == 2)
  }

  @Test func anotherPasswordHasASessionOfItsOwn() async throws {
    let wire = Self.wire(from: Box(1))
    let shared = SharedObjects()
    let other = Value.secret(Secret("Other1word", named: ["p"]))
    for password in [ZomroFixture.password, other, ZomroFixture.password] {
      try await ZomroFixture(wire, credential: ["username": "ops", "password": password], shared: shared)
        .run("server.status")
    }
    #expect(wire.count("auth") == 2)
  }

  @Test func aWrongPasswordIsSentOnce() async throws {
    let wire = ZomroWire { function, _ in function == "auth" ? ZomroWire.error("auth", "badpassword") : nil }
    let failure = try await ZomroFixture(wire).failure("server.stop", attempts: 3)
    #expect(failure.kind == .auth)
    #expect(wire.requests == ["auth"])
  }

  @Test(arguments: [#""auth":{}"#, #""auth":{"$id":""}"#, #""auth":"x""#, #""auth":{"$id":7}"#, #""ok":{}"#])
  func aLogInWithoutASessionIsMalformed(inside: String) async throws {
    let wire = ZomroWire { function, _ in function == "auth" ? ZomroWire.doc(inside) : nil }
    let failure = try await ZomroFixture(wire).failure("server.status")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("holds no session"))
    #expect(wire.requests == ["auth"])
  }

  // MARK: Other credentials

  @Test func aGivenSessionIsSentAndEnds() async throws {
    let session = Value.secret(Secret("5e5510n00001", named: ["zomro_session"]))
    let first = Box(1)
    let wire = Self.wire(from: first)
    let fixture = try ZomroFixture(wire, credential: ["session": session])
    try await fixture.run("server.status")
    #expect(wire.last("instances")?["auth"] == "5e5510n00001")
    first.value = 2
    let failure = try await fixture.failure("server.status", attempts: 3)
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("(`zomro_session`)"))
    #expect(failure.message.contains("the session has ended"))
    #expect(wire.count("auth") == 0)
  }

  @Test func authinfoGoesWithEveryCall() async throws {
    let wire = ZomroWire { function, form in
      guard form["authinfo"] == "ops@example.com:Canary1word", form["auth"] == nil else {
        return ZomroWire.error("access")
      }
      return function == "instances" ? ZomroWire.list(ZomroWire.server()) : nil
    }
    let fixture = try ZomroFixture(wire, credential: ZomroFixture.authinfo)
    try await fixture.run("server.status")
    #expect(wire.count("auth") == 0)
    let refused = ZomroWire { function, _ in ZomroWire.error("auth", "badpassword") }
    let failure = try await ZomroFixture(refused, credential: ZomroFixture.authinfo).failure("server.status")
    #expect(failure.kind == .auth)
    #expect(refused.requests.count == 1)
  }

  @Test func theReportTellsWhoItIs() async throws {
    let (fixture, _) = try ZomroFixture.twin()
    let report = await fixture.provider.report()
    #expect(report.identity == "ops@example.com")
    #expect(report.problems == [])
    #expect(try await fixture.provider.liveCheck() == [])
    let refused = ZomroWire { function, _ in ZomroWire.error("auth", "badpassword") }
    let stranger = try ZomroFixture(refused)
    #expect(try await stranger.provider.liveCheck().count == 1)
    #expect(await stranger.provider.report().problems.count == 1)
  }

  // MARK: The second factor

  private func twin(totp: String?, good: String = "287082") throws -> (fixture: ZomroFixture, twin: SimulatedZomro) {
    var credential = ZomroFixture.logIn
    if let totp { credential["totp"] = .secret(Secret(totp, named: ["zomro_totp"])) }
    return try ZomroFixture.twin(credential: credential) { code, _ in code == good }
  }

  @Test func aCodeIsMadeFromTheSecret() async throws {
    let clock = VirtualClock(start: Timestamp(seconds: 59))
    let twin = SimulatedZomro(clock: clock, seed: 7) { code, _ in code == "287082" }
    twin.ensureServer(ZomroFixture.server)
    let secret = Value.secret(Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", named: ["zomro_totp"]))
    let fixture = try ZomroFixture(
      twin, clock: clock, credential: ZomroFixture.logIn.merging(["totp": secret]) { old, _ in old })
    try await fixture.run("server.status")
    #expect(twin.requests.prefix(3) == ["auth", "whoami", "totp.confirm"])
  }

  @Test func oneCodeIsGoodOnce() async throws {
    let (fixture, twin) = try twin(totp: "287082")
    try await fixture.run("server.status")
    #expect(twin.requests.count { $0 == "totp.confirm" } == 1)
  }

  @Test func aWrongCodeIsAFailureThatNamesIt() async throws {
    let (fixture, twin) = try twin(totp: "111111")
    let failure = try await fixture.failure("server.status", attempts: 3)
    #expect(failure.kind == .auth)
    #expect(!failure.retryable)
    #expect(failure.message.contains("second factor"))
    #expect(!"\(failure)".contains("111111"))
    #expect(twin.requests.count { $0 == "totp.confirm" } == 1)
  }

  @Test func aMissingFactorIsAskedFor() async throws {
    let (fixture, twin) = try twin(totp: nil)
    let failure = try await fixture.failure("server.status", attempts: 3)
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("`totp`"))
    #expect(twin.requests == ["auth", "whoami"])
  }

  // MARK: Settings

  static let refused: [(String, [String: Value])] = [
    ("missing", [:]), ("missing", ["username": "ops"]), ("missing", ["password": ZomroFixture.password]),
    ("missing", ["username": "", "password": ZomroFixture.password]),
    ("missing", ["username": "ops", "password": ""]),
    ("not both", ["session": "a", "username": "ops"]), ("not both", ["session": "a", "password": "b"]),
    ("not both", ["session": "a", "auth": "authinfo"]),
    ("`totp`", ["session": "a", "totp": "123456"]),
    ("`totp`", ["username": "ops", "password": "b", "auth": "authinfo", "totp": "123456"]),
    ("`auth`", ["username": "ops", "password": "b", "auth": "basic"]),
    ("`username`", ["username": "o:ps", "password": "b", "auth": "authinfo"]),
    ("`time_zone`", ["username": "ops", "password": "b", "time_zone": "CET"]),
    ("`url`", ["username": "ops", "password": "b", "url": "ftp://x"]),
    ("`timeout`", ["username": "ops", "password": "b", "timeout": .duration(.zero)]),
  ]

  @Test(arguments: refused.indices)
  func settingsThatCannotBeAreRefused(index: Int) throws {
    let (word, settings) = Self.refused[index]
    let failure = #expect(throws: StepFailure.self) {
      try ZomroFixture(ZomroWire(200, "{}"), credential: settings)
    }
    #expect(failure?.kind == .input)
    #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
  }
}

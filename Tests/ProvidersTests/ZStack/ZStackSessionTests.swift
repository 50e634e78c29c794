import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// Log-ins: once however many ask, prolonged in time, repeated once, and never shown.
struct ZStackSessionTests {
  private static func oauth(_ request: SimulatedRequest) -> String? { request.header("authorization") }

  @Test func aLogInSendsTheDigestOfThePassword() async throws {
    let wire = ZStackWire { $0.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil }
    let password = Value.secret(Secret("password", named: ["p"]))
    try await ZStackFixture(wire, credential: ["account": "admin", "password": password]).run("server.status")
    let logIn = try #require(wire.seen.first)
    #expect(logIn.method == "PUT")
    #expect(logIn.path == "/zstack/v1/accounts/login")
    #expect(logIn.header("authorization") == nil)
    let body = try JSONReader.read(logIn.body)
    #expect(body["logInByAccount"]?["accountName"] == "admin")
    #expect(
      body["logInByAccount"]?["password"]
        == .string(
          "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9"
            + "80b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86"))
    #expect(wire.seen.last?.header("authorization") == "OAuth 5e551000000040008000000000000001")
  }

  @Test(arguments: [1, 2])
  func manyCallersAtOnceLogInOnce(providers: Int) async throws {
    let wire = ZStackWire(answersLogIns: true) { request in
      if request.path.hasSuffix("/login") {
        return .delayed(.seconds(2), ZStackWire.session("5e551000000040008000000000000001"))
      }
      return request.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil
    }
    let shared = SharedObjects()
    let fixtures = try (0..<providers).map { _ in try ZStackFixture(wire, shared: shared) }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        let fixture = fixtures[number % providers]
        group.addTask { _ = try? await fixture.run("server.status") }
      }
    }
    #expect(wire.logIns == 1)
    #expect(wire.count("GET /vm-instances") == 40)
  }

  @Test func otherAccountsAndPasswordsHaveSessionsOfTheirOwn() async throws {
    let wire = ZStackWire { $0.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil }
    let shared = SharedObjects()
    let other = Value.secret(Secret("other", named: ["p"]))
    for credential in [
      ZStackFixture.account, ["account": "ops", "password": ZStackFixture.password],
      ["account": "admin", "password": other], ZStackFixture.account,
    ] {
      try await ZStackFixture(wire, credential: credential, shared: shared).run("server.status")
    }
    #expect(wire.logIns == 3)
  }

  @Test func aSessionIsProlongedBeforeItsEnd() async throws {
    let wire = ZStackWire { request in
      if request.path.hasSuffix("/renew") { return ZStackWire.accepted() }
      if request.isJob { return ScriptedSystem.reply(200, "{}") }
      return request.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil
    }
    let fixture = try ZStackFixture(wire)
    try await fixture.run("server.status")
    await fixture.clock.sleep(for: .seconds(6590))
    try await fixture.run("server.status")
    #expect(wire.count("PUT /accounts/sessions") == 0)
    for _ in 1...20 {
      await fixture.clock.sleep(for: .seconds(600))
      try await fixture.run("server.status")
    }
    #expect(wire.logIns == 1)
    #expect(wire.count("PUT /accounts/sessions") == 2)
    let renewal = try #require(wire.seen.first { $0.path.hasSuffix("/renew") })
    #expect(renewal.path == "/zstack/v1/accounts/sessions/5e551000000040008000000000000001/renew")
    #expect(renewal.text == #"{"renewSession":{"duration":7200}}"#)
    #expect(renewal.header("x-job-uuid")?.utf8.count == 32)
  }

  @Test(arguments: ["refused", "failed", "endless"])
  func aSessionThatCannotBeProlongedIsReplaced(why: String) async throws {
    let wire = ZStackWire { request in
      if request.path.hasSuffix("/renew") {
        return why == "refused" ? ScriptedSystem.reply(400, "no") : ZStackWire.accepted()
      }
      if request.isJob { return why == "failed" ? ZStackWire.error("SYS.1006") : ZStackWire.running }
      return request.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil
    }
    let fixture = try ZStackFixture(wire)
    try await fixture.run("server.status")
    await fixture.clock.sleep(for: .seconds(7000))
    try await fixture.run("server.status")
    #expect(wire.logIns == 2)
    #expect(Self.oauth(try #require(wire.seen.last)) == "OAuth 5e551000000040008000000000000002")
  }

  @Test func aSessionThatIsOverIsReplaced() async throws {
    let wire = ZStackWire { $0.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil }
    let fixture = try ZStackFixture(wire)
    try await fixture.run("server.status")
    await fixture.clock.sleep(for: .seconds(7201))
    try await fixture.run("server.status")
    #expect(wire.logIns == 2)
    #expect(wire.count("PUT /accounts/sessions") == 0)
  }

  /// The life is what the two times of the session leave, whatever zone they are in.
  @Test func aShortSessionIsHeeded() async throws {
    let wire = ZStackWire(answersLogIns: true) { request in
      if request.path.hasSuffix("/login") {
        return ZStackWire.session("5e551000000040008000000000000001", life: "Jan 16, 2025 4:16:00 PM")
      }
      return request.isMachine ? ZStackWire.list(ZStackWire.machine()) : nil
    }
    let fixture = try ZStackFixture(wire)
    try await fixture.run("server.status")
    await fixture.clock.sleep(for: .seconds(61))
    try await fixture.run("server.status")
    #expect(wire.logIns == 2)
  }

  @Test func aRefusedSessionIsReplacedOncePerCall() async throws {
    let bad = Mutex<Set<String>>(["OAuth 5e551000000040008000000000000001"])
    let wire = ZStackWire { request in
      let isBad = bad.withLock { $0.contains(request.header("authorization") ?? "") || $0.contains("all") }
      return isBad ? ZStackWire.error("ID.1001", "invalid session") : ZStackWire.list(ZStackWire.machine())
    }
    let fixture = try ZStackFixture(wire)
    try await fixture.run("server.status")
    #expect(wire.logIns == 2)
    #expect(wire.requests.count == 2)
    bad.withLock { $0 = ["all"] }
    let failure = try await fixture.failure("server.status")
    #expect(failure.kind == .auth)
    #expect(!failure.retryable)
    #expect(failure.message.contains("`zstack_password`"))
    #expect(wire.logIns == 3)
    #expect(wire.requests.count == 4)
  }

  @Test func aSessionOpenedElsewhereIsNeitherReplacedNorShown() async throws {
    let wire = ZStackWire(503, #"{"error":{"code":"ID.1001","details":"session[s3cretsession] is invalid"}}"#)
    let session = Value.secret(Secret("s3cretsession", named: ["zs"]))
    let fixture = try ZStackFixture(wire, credential: ["session": session])
    let failure = try await fixture.failure("server.status")
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("the session (`zs`)"))
    #expect(!"\(failure)".contains("s3cretsession"))
    #expect(wire.logIns == 0)
    #expect(wire.seen.first?.header("authorization") == "OAuth s3cretsession")
  }

  @Test func aWrongPasswordIsTriedOnceAndNotShown() async throws {
    let wire = ZStackWire(answersLogIns: true) { request in
      .delayed(.seconds(1), ZStackWire.error("ID.1000", "wrong password zstack_t0psecret"))
    }
    let fixture = try ZStackFixture(wire)
    let failures = await withTaskGroup(of: StepFailure?.self) { group in
      for _ in 0..<10 { group.addTask { try? await fixture.failure("server.status") } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(failures.count == 10)
    for failure in failures {
      #expect(failure?.kind == .auth)
      #expect(failure?.message.contains("account `admin` (`zstack_password`)") == true)
      #expect(!"\(String(describing: failure))".contains("t0psecret"))
    }
    #expect(wire.logIns <= 10)
    #expect(wire.requests == [])
  }

  @Test(arguments: ["{}", "[]", "<html>", #"{"inventory":{"uuid":7}}"#, #"{"inventory":{"uuid":null}}"#, ""])
  func aLogInThatDoesNotAnswerAsItShouldMayBeRepeated(body: String) async throws {
    let failure = try await ZStackFixture(ZStackWire(answersLogIns: true) { _ in ScriptedSystem.reply(200, body) })
      .failure("server.stop")
    #expect(failure.kind == .server)
    #expect(failure.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
  }

  // MARK: Access keys

  @Test func anAccessKeySignsMethodDateAndPath() async throws {
    let id = "36c27e8ff05c4780bf6d2fa65700f22e"
    let wire = ZStackWire { _ in ZStackWire.list(ZStackWire.machine(id: id)) }
    let secret = Value.secret(Secret("s3cret-canary", named: ["k"]))
    let fixture = try ZStackFixture(wire, credential: ["access_key_id": "AK1", "access_key_secret": secret])
    try await fixture.run("server.status", ["server": .string(id)])
    let request = try #require(wire.seen.last)
    #expect(request.header("date") == "Thu, 16 Jan 2025 16:15:00 GMT")
    #expect(request.header("authorization") == "ZStack AK1:cOeizcxszFm8DB/Atvw0gE0a1+Q=")
    #expect(wire.logIns == 0)
  }

  /// The query is not signed, nor is what stands before `/v1`.
  @Test func aSignatureLeavesTheQueryOut() async throws {
    let wire = ZStackWire { _ in ZStackWire.list() }
    let secret = Value.secret(Secret("s3cret-canary", named: ["k"]))
    let fixture = try ZStackFixture(wire, credential: ["access_key_id": "AK1", "access_key_secret": secret])
    try await fixture.run("server.list")
    let signed = try #require(wire.seen.last)
    #expect(signed.query.count > 2)
    try await fixture.run("zstack.request", ["path": "/vm-instances"])
    #expect(wire.seen.last?.header("authorization") == signed.header("authorization"))
  }

  @Test func aClockThatIsOffIsNamed() async throws {
    let secret = Value.secret(Secret("s3cret-canary", named: ["k"]))
    let failure = try await ZStackFixture(
      ZStackWire(403, "requestTimeTooSkewed"), credential: ["access_key_id": "AK1", "access_key_secret": secret]
    ).failure("server.status")
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("clock"))
  }

  @Test(
    arguments: [
      [:], ["account": "a"], ["password": "p"], ["access_key_id": "a"],
      ["session": "s", "account": "a", "password": "p"],
      ["account": "a", "password": "p", "access_key_id": "k", "access_key_secret": "s"], ["session": ""],
    ] as [[String: Value]])
  func exactlyOneWayIsTaken(credential: [String: Value]) throws {
    let failure = #expect(throws: StepFailure.self) {
      try ZStackFixture(ZStackWire(200, "{}"), credential: credential)
    }
    #expect(failure?.kind == .input)
    #expect(failure?.message.contains("`access_key_id`") == true)
  }

  @Test(arguments: [
    ("https://zstack.example.com:8080", "/zstack/v1"), ("https://zstack.example.com:8080/", "/zstack/v1"),
    ("https://zstack.example.com:8080/zstack", "/zstack/v1"),
    ("https://zstack.example.com:8080/zstack/v1/", "/zstack/v1"), ("https://zstack.example.com:8080/v1", "/v1"),
    ("https://zstack.example.com:8080/cloud", "/cloud/v1"),
  ])
  func theRootOfTheAPIMayBeLeftOut(url: String, root: String) async throws {
    let wire = ZStackWire { _ in ZStackWire.list() }
    try await ZStackFixture(wire, settings: ["url": .string(url)], credential: ["session": "s"]).run("server.list")
    #expect(wire.seen.last?.path == root + "/vm-instances")
  }
}

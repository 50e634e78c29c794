import VPSOrgCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What each answer, and each missing one, means: kind, whether it may be repeated, and what it did to the world.
struct VPSOrgErrorsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var status: Int
    var body = "{}"
    var kind: StepFailure.Kind
    var retryable = false
    /// For a write; a read never has an effect.
    var effect = StepFailure.Effect.none
    var testDescription: String { "\(status) \(body.prefix(40))" }
  }

  static let rows = [
    Row(status: 302, kind: .server, effect: .unknown),
    Row(status: 400, kind: .input), Row(status: 401, kind: .auth), Row(status: 403, kind: .auth),
    Row(status: 404, kind: .notFound), Row(status: 405, kind: .input),
    Row(status: 408, kind: .timeout, retryable: true, effect: .unknown),
    Row(status: 409, kind: .conflict, retryable: true), Row(status: 418, kind: .input), Row(status: 422, kind: .input),
    Row(status: 423, kind: .conflict, retryable: true), Row(status: 429, kind: .rateLimited, retryable: true),
    Row(status: 500, kind: .server, retryable: true, effect: .unknown),
    Row(status: 502, kind: .server, retryable: true, effect: .unknown),
    Row(status: 503, kind: .server, retryable: true, effect: .unknown),
    Row(status: 504, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: "", kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: "<html>hello</html>", kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":12345"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"[]"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"name":"a","status":"active"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":null,"name":"a","status":"x"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":1.5,"name":"a","status":"x"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":"..","name":"a","status":"x"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":1e400,"name":"a","status":"x"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(
      status: 200, body: #"{"id":99999999999999999999,"name":"a"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":1,"name":7,"status":"x"}"#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"id":1,"name":"a","status":["x"]}"#, kind: .server, retryable: true, effect: .unknown),
    Row(
      status: 200, body: String(repeating: "[", count: 100_000), kind: .server, retryable: true, effect: .unknown),
  ]

  @Test(arguments: rows)
  func aReadSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let failure = try await VPSOrgFixture(system: ScriptedSystem(row.status, row.body)).failure("server.status")
    #expect(failure.kind == row.kind)
    #expect(failure.retryable == row.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    if row.kind != .notFound {
      #expect(failure.message.contains("(\(row.status)") || failure.message.contains("\(row.status) "))
    }
  }

  @Test(arguments: rows)
  func aWriteSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let driver = try VPSOrgFixture(system: ScriptedSystem(row.status, row.body)).driver("snapshot.create")
    let call = driver.call(["server": "12345", "name": "a"])
    let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    #expect(failure?.kind == row.kind)
    #expect(failure?.retryable == row.retryable)
    #expect(failure?.effect == row.effect)
  }

  @Test(arguments: [
    (HTTPFailure.Kind.badURL, true, StepFailure.Kind.input, false), (.refusedAddress, true, .input, false),
    (.lookup, true, .unreachable, true), (.connect, true, .unreachable, true), (.tls, true, .unreachable, true),
    (.certificate, true, .auth, false),
    (.timeout, true, .unreachable, true), (.timeout, false, .timeout, true), (.reset, false, .unreachable, true),
    (.badReply, false, .server, true), (.tooLarge, false, .server, false), (.cancelled, false, .cancelled, false),
  ])
  func aMissingAnswerSaysWhetherAnythingLeft(
    kind: HTTPFailure.Kind, beforeFirstByte: Bool, expected: StepFailure.Kind, retryable: Bool
  ) async throws {
    let fixture = try VPSOrgFixture()
    fixture.transport.interceptor = { _ in .fail(HTTPFailure(kind, "why", beforeFirstByte: beforeFirstByte)) }
    let read = try await fixture.failure("server.status")
    #expect((read.kind, read.retryable, read.effect) == (expected, retryable, .none))
    let driver = try fixture.driver("server.stop")
    let write = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(driver.call(["server": "12345"]))
    }
    #expect(write?.kind == expected)
    #expect(write?.effect == (beforeFirstByte ? StepFailure.Effect.none : .unknown))
    #expect(write?.beforeFirstByte == beforeFirstByte)
    #expect(fixture.twin.ledger == [])
  }

  @Test(
    arguments: [
      ("0", 0), ("7", 7), ("299", 299), ("301", 301), ("86400", 86_400), ("-5", nil), ("soon", nil),
      ("", nil),
      ("1.5", nil), ("Thu, 16 Jan 2025 16:15:30 GMT", 30), ("Thu, 16 Jan 2025 16:14:30 GMT", 0),
      ("Fri, 17 Jan 2025 16:15:30 GMT", 86_430), ("Thu, 32 Jan 2025 16:15:30 GMT", nil),
      ("Thu, 16 Jab 2025 16:15:30 GMT", nil),
    ] as [(String, Int64?)])
  func theOtherSidesPauseIsNeverCut(header: String, seconds: Int64?) async throws {
    let system = ScriptedSystem(429, "{}", headers: [(name: "retry-after", value: header)])
    let failure = try await VPSOrgFixture(system: system).failure("server.status", attempts: 1)
    #expect(failure.retryAfter == seconds.map { .seconds($0) })
    #expect(failure.message.contains("; it asks for a pause of ") == (seconds != nil))
  }

  @Test func whatVPSOrgSaysIsToldWithoutTheToken() async throws {
    let system = ScriptedSystem(400, #"{"name":["Bad value vps_t0psecret.","\u0007Really."],"detail":"No."}"#)
    let failure = try await VPSOrgFixture(system: system).failure("server.status")
    #expect(failure.message == "VPS.org refused GET /servers/12345/ (400: No.; name: Bad value ***.  Really.)")
    #expect(failure.detail["status"] == 400)
    #expect(failure.detail["excerpt"]?.string?.contains("vps_t0psecret") == false)
  }

  @Test func anExcerptIsShortAndMaskedAtItsEnd() async throws {
    let body = String(repeating: "é", count: 510) + "vps_t0psecret" + String(repeating: "x", count: 5000)
    let failure = try await VPSOrgFixture(system: ScriptedSystem(500, body)).failure("server.status")
    let excerpt = failure.detail["excerpt"]?.string ?? ""
    #expect(excerpt.utf8.count <= 1024)
    #expect(!excerpt.contains("vps_"))
    #expect(excerpt.hasPrefix("ééé"))
  }

  @Test func aMissingPermissionIsNamed() async throws {
    let fixture = try VPSOrgFixture(faults: ["403:snapshot.create"])
    let failure = try await fixture.failure("snapshot.create", ["name": "a"])
    #expect(
      failure.message
        == "the token (`vps_token`) has no permission for POST /snapshots/ "
        + "(403: You do not have permission to perform this action.)"
    )
  }

  // MARK: Lists

  static func page(_ ids: ClosedRange<Int>, next: String?) -> SimulatedReply {
    let items = ids.map { #"{"id":\#($0),"name":"s\#($0)","status":"active"}"# }.joined(separator: ",")
    let link = next.map { #""\#($0)""# } ?? "null"
    return ScriptedSystem.reply(200, #"{"count":9,"results":[\#(items)],"next":\#(link)}"#)
  }

  @Test func linksToOurHostAreFollowedWhateverTheirScheme() async throws {
    let system = ScriptedSystem([
      Self.page(1...2, next: "http://ADMIN.vps.org/api/v1/servers/?page=2"),
      Self.page(2...3, next: "/api/v1/servers/?page=3"),
      Self.page(4...4, next: nil),
    ])
    let outcome = try await VPSOrgFixture(system: system).run("server.list")
    #expect(outcome.result.outputs["servers"]?.list?.compactMap { $0["id"]?.string } == ["1", "2", "3", "4"])
    #expect(system.seen.map { $0.query.first?.value } == [nil, "2", "3"])
  }

  @Test(arguments: [
    "https://evil.example/api/v1/servers/", "//evil.example/", "https://admin.vps.org.evil.example/x",
    "https://u@admin.vps.org/x",
    "ftp://admin.vps.org/x", "servers",
  ])
  func aLinkElsewhereIsNotFollowed(link: String) async throws {
    let system = ScriptedSystem([Self.page(1...1, next: link)])
    let failure = try await VPSOrgFixture(system: system).failure("server.list", attempts: 1)
    #expect(failure.kind == .server)
    #expect(system.seen.count == 1)
  }

  @Test func aListThatLeadsBackIsBroken() async throws {
    let system = ScriptedSystem([Self.page(1...1, next: "/api/v1/servers/?page=2")])
    let failure = try await VPSOrgFixture(system: system).failure("server.list")
    #expect(failure.kind == .server)
    #expect(!failure.retryable)
    #expect(system.seen.count == 2)
  }

  @Test func aListWithoutAnEndIsBroken() async throws {
    let system = ScriptedSystem((1...200).map { Self.page($0...$0, next: "/api/v1/servers/?page=\($0 + 1)") })
    #expect(try await VPSOrgFixture(system: system).failure("server.list").message.contains("more than 100 pages"))
    #expect(system.seen.count == 100)
    let wide = ScriptedSystem(
      (1...50).map { Self.page($0 * 4000...$0 * 4000 + 3999, next: "/api/v1/servers/?page=\($0 + 1)") })
    #expect(try await VPSOrgFixture(system: wide).failure("server.list").message.contains("more than 100000 items"))
  }

  @Test(arguments: [
    #"{"results":{}}"#, #"{"count":1}"#, #"{"results":[1]}"#, #"{"results":[],"next":7}"#, #"{"results":[{}]}"#,
  ])
  func aListOfAnotherShapeIsBroken(body: String) async throws {
    #expect(try await VPSOrgFixture(system: ScriptedSystem(200, body)).failure("server.list").kind == .server)
  }

  /// A filter that is ignored must not give us another server's snapshots.
  @Test func itemsOfOtherServersAreLeftOut() async throws {
    func item(_ id: Int, _ server: Int) -> String {
      #"{"id":\#(id),"server":{"id":\#(server)},"name":"a","status":"completed","#
        + #""created_at":"2025-01-01T00:00:00Z","new":1}"#
    }
    let system = ScriptedSystem(200, #"{"results":[\#(item(1, 12345)),\#(item(2, 77))]}"#)
    let snapshots = try await VPSOrgFixture(system: system).run("snapshot.list").result.outputs["snapshots"]?.list
    #expect(snapshots?.compactMap { $0["id"]?.string } == ["1"])
  }

  // MARK: The provider

  @Test func aGoodTokenPassesTheLiveCheck() async throws {
    #expect(try await VPSOrgFixture().provider.liveCheck() == [])
  }

  @Test func aTokenThatIsNotAcceptedIsAProblem() async throws {
    let fixture = try VPSOrgFixture(settings: ["token": .secret(Secret("nonsense", named: ["vps_token"]))])
    let problems = try await fixture.provider.liveCheck()
    #expect(problems.count == 1)
    #expect(problems.first?.contains("does not accept the token (`vps_token`)") == true)
  }

  @Test func whereNobodyTellsWhoWeAreTheServersAreListed() async throws {
    let system = ScriptedSystem([ScriptedSystem.reply(404, "{}"), Self.page(1...1, next: nil)])
    #expect(try await VPSOrgFixture(system: system).provider.liveCheck() == [])
  }

  @Test(
    arguments: [
      ["url": "ftp://x"], ["url": "https://u:p@x/"], ["url": "https://x/?a=b"], ["api": "d3"],
      ["timeout": .duration(.zero)],
      ["max_requests_per_second": 0], ["max_requests_per_second": "many"], ["token": ""],
    ] as [[String: Value]])
  func settingsThatCannotBeAreRefused(settings: [String: Value]) {
    let failure = #expect(throws: StepFailure.self) { try VPSOrgFixture(settings: settings) }
    #expect(failure?.kind == .input)
  }

  @Test func settingsReachTheRequests() async throws {
    let system = ScriptedSystem(200, #"{"id":1,"name":"a","status":"active"}"#)
    let fixture = try VPSOrgFixture(
      settings: [
        "url": "https://admin.vps.org/other/", "timeout": .duration(.seconds(7)),
        "max_requests_per_second": .double(0.5),
      ], system: system)
    #expect(fixture.provider.account == "admin.vps.org")
    #expect(fixture.provider.action("server.stop")?.maxRequestLife == .seconds(67))
    for _ in 1...3 { try await fixture.run("server.status") }
    #expect(fixture.clock.now - VPSOrgFixture.start == .seconds(4))
    #expect(system.seen.map { $0.path } == Array(repeating: "/other/servers/12345/", count: 3))
    #expect(system.seen.first?.header("authorization") == "Bearer vps_t0psecret")
  }

  @Test func everyActionIsDeclaredAndBound() throws {
    let fixture = try VPSOrgFixture()
    let names = VPSOrgProvider().actions.map { $0.name }
    #expect(Set(names).count == names.count)
    for name in names { #expect(fixture.provider.action(name)?.declaration.name == name) }
    for name in ["rescue.enter", "rescue.exit", "rescue.images", "backup.restore_as", "backup.sync"] {
      #expect(!names.contains(name))
      #expect(fixture.provider.action(name) == nil)
    }
  }
}

import ZStackCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What each answer, and each missing one, means: kind, whether it may be repeated, and what it did to the world.
struct ZStackErrorsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var status: Int
    var body = ""
    var kind: StepFailure.Kind
    var retryable = false
    /// For a write; a read never has an effect.
    var effect = StepFailure.Effect.none
    var testDescription: String { "\(status) \(body.prefix(40))" }
  }

  static let rows = [
    Row(status: 302, kind: .server, effect: .unknown),
    Row(status: 400, body: "missing header 'Authorization'", kind: .input), Row(status: 401, kind: .auth),
    Row(status: 403, body: "requestTimeTooSkewed", kind: .auth), Row(status: 403, kind: .auth),
    Row(status: 404, body: "no such path", kind: .notFound), Row(status: 405, body: "only GET", kind: .input),
    Row(status: 408, kind: .timeout, retryable: true, effect: .unknown),
    Row(status: 409, kind: .conflict, retryable: true), Row(status: 418, kind: .input),
    Row(status: 429, kind: .rateLimited, retryable: true),
    Row(status: 500, body: "java.lang.NullPointerException", kind: .server, retryable: true, effect: .unknown),
    Row(status: 502, body: "<html>bad gateway</html>", kind: .server, retryable: true, effect: .unknown),
    Row(status: 503, body: "<html>soon</html>", kind: .server, retryable: true, effect: .unknown),
    Row(status: 504, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: "", kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: "<html>hello</html>", kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: #"{"inventories":["#, kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: "[]", kind: .server, retryable: true, effect: .unknown),
    Row(status: 202, body: "<html>queue</html>", kind: .server, retryable: true, effect: .unknown),
    Row(status: 200, body: String(repeating: "[", count: 100_000), kind: .server, retryable: true, effect: .unknown),
  ]

  @Test(arguments: rows)
  func aReadSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let failure = try await ZStackFixture(ZStackWire(row.status, row.body)).failure("server.list")
    #expect(failure.kind == row.kind)
    #expect(failure.retryable == row.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
  }

  @Test(arguments: rows)
  func aWriteSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let wire = ZStackWire { request in
      request.isChange ? ScriptedSystem.reply(row.status, row.body) : ZStackWire.list(ZStackWire.machine())
    }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("server.stop")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver))
    }
    #expect(failure?.kind == row.kind)
    #expect(failure?.retryable == row.retryable)
    #expect(failure?.effect == row.effect)
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  @Test(arguments: [
    #"{}"#, #"{"inventories":{}}"#, #"{"inventories":[7]}"#, #"{"inventories":[{}]}"#,
    #"{"inventories":[{"uuid":null,"state":"Running"}]}"#, #"{"inventories":[{"uuid":1.5,"state":"Running"}]}"#,
    #"{"inventories":[{"uuid":"..","state":"Running"}]}"#, #"{"inventories":[{"uuid":"a"}]}"#,
    #"{"inventories":[{"uuid":"a","state":["Running"]}]}"#, #"{"inventories":[{"uuid":"a","state":"x","name":7}]}"#,
    #"{"inventories":[{"uuid":1e400,"state":"Running"}]}"#,
  ])
  func wrongTypesAreAServerFailure(body: String) async throws {
    for action in ["server.status", "server.list"] {
      let failure = try await ZStackFixture(ZStackWire(200, body)).failure(action)
      #expect(failure.kind == .server, "\(action)")
      #expect(failure.retryable)
      #expect(failure.message.contains("but not as it should"))
    }
  }

  @Test(arguments: [
    (HTTPFailure.Kind.badURL, true, StepFailure.Kind.input, false), (.lookup, true, .unreachable, true),
    (.connect, true, .unreachable, true), (.tls, true, .unreachable, true),
    (.certificate, true, .auth, false), (.timeout, true, .unreachable, true),
    (.timeout, false, .timeout, true), (.reset, false, .unreachable, true), (.badReply, false, .server, true),
    (.tooLarge, false, .server, false), (.cancelled, false, .cancelled, false),
  ])
  func aMissingAnswerSaysWhetherAnythingLeft(
    kind: HTTPFailure.Kind, beforeFirstByte: Bool, expected: StepFailure.Kind, retryable: Bool
  ) async throws {
    let fixture = try ZStackFixture(ZStackWire(200, "{}"), credential: ["session": "s"])
    fixture.transport.interceptor = { _ in .fail(HTTPFailure(kind, "why", beforeFirstByte: beforeFirstByte)) }
    let read = try await fixture.failure("server.status")
    #expect((read.kind, read.retryable, read.effect) == (expected, retryable, .none))
    let driver = try fixture.driver("server.stop")
    let write = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver))
    }
    #expect(write?.kind == expected)
    #expect(write?.effect == (beforeFirstByte ? StepFailure.Effect.none : .unknown))
  }

  /// Code of the error, code of its cause, and what follows.
  struct Code: Sendable, CustomTestStringConvertible {
    var code: String
    var cause: String?
    var kind: StepFailure.Kind
    var retryable = false
    var testDescription: String { code + (cause.map { " < \($0)" } ?? "") }
  }

  static let codes = [
    Code(code: "SYS.1000", kind: .server), Code(code: "SYS.1006", kind: .server),
    Code(code: "SYS.1003", kind: .notFound), Code(code: "SYS.1007", kind: .input),
    Code(code: "SYS.1013", kind: .input), Code(code: "SYS.1014", kind: .input),
    Code(code: "SYS.1010", kind: .unreachable, retryable: true),
    Code(code: "SYS.1011", kind: .unreachable, retryable: true),
    Code(code: "SYS.1012", kind: .unreachable, retryable: true),
    Code(code: "SYS.1015", kind: .unreachable, retryable: true),
    Code(code: "SYS.1016", kind: .unreachable, retryable: true), Code(code: "ID.1000", kind: .auth),
    Code(code: "ID.1002", kind: .auth), Code(code: "ID.1003", kind: .limit), Code(code: "ID.1005", kind: .auth),
    Code(code: "ID.1006", kind: .limit), Code(code: "VM.1001", kind: .server), Code(code: "VM.1002", kind: .server),
    Code(code: "VM.1003", kind: .server), Code(code: "VM.1004", kind: .server), Code(code: "NEW.9999", kind: .server),
    Code(code: "VM.1002", cause: "VM.1010", kind: .conflict), Code(code: "VM.1010", kind: .conflict),
    Code(code: "VOL_BACKUP.1000", kind: .conflict), Code(code: "SYS.1006", cause: "ID.1003", kind: .limit),
    Code(code: "SYS.1000", cause: "SYS.1011", kind: .unreachable, retryable: true),
    Code(code: "ID.1003", cause: "SYS.1006", kind: .limit),
  ]

  /// The job of a stop ends in the error, and the server is as it was.
  @Test(arguments: codes)
  func aFailedJobSaysWhatItsCodesMean(_ row: Code) async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return ZStackWire.error(row.code, cause: row.cause) }
      return ZStackWire.list(ZStackWire.machine())
    }
    let failure = try await ZStackFixture(wire).failure("server.stop", attempts: 1)
    #expect(failure.kind == row.kind)
    #expect(failure.retryable == row.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("because (\(row.code))"), "\(failure.message)")
  }

  @Test func aChainOfCausesIsOneShortSentence() async throws {
    let deep = (1...30).reduce(#"{"code":"SYS.1006","details":"end"}"#) { inner, number in
      #"{"code":"L.\#(number)","description":"level \#(number)","cause":\#(inner)}"#
    }
    let wire = ZStackWire(503, #"{"error":\#(deep)}"#)
    let failure = try await ZStackFixture(wire).failure("server.list")
    #expect(failure.message.hasPrefix("GET /vm-instances failed at ZStack: level 30 (L.30): level 29 (L.29): "))
    #expect(failure.message.utf8.count < 420)
    #expect(failure.detail["codes"]?.list?.count == 8)
  }

  @Test func whatIsSaidTwiceIsToldOnceAndAllCausesAreRead() async throws {
    let body = """
      {"error":{"code":"SYS.1000","details":"same","cause":{"code":"SYS.1006","details":"same"},"causes":[
      {"code":"HOST.1","details":"first"},{"code":"VM.1010","details":"second"},7,null]}}
      """
    let failure = try await ZStackFixture(ZStackWire(503, body)).failure("server.list")
    #expect(
      failure.message == "ZStack refused GET /vm-instances: same (SYS.1000): first (HOST.1): second (VM.1010)")
    #expect(failure.kind == .input)
  }

  @Test(arguments: [
    "null", "7", "{}", #"{"code":7}"#, #"{"code":null,"details":[1],"cause":"x","causes":{}}"#,
  ])
  func anErrorObjectOfAnyShapeIsNoTrap(error: String) async throws {
    let failure = try await ZStackFixture(ZStackWire(503, #"{"error":\#(error)}"#)).failure("server.list")
    #expect(failure.kind == .server)
  }

  @Test func whatZStackSaysIsToldWithoutItsSecrets() async throws {
    let wire = ZStackWire { request in
      let session = request.header("authorization") ?? ""
      return ScriptedSystem.reply(400, "bad \(session)\u{7} zstack_t0psecret")
    }
    let failure = try await ZStackFixture(wire).failure("server.list")
    #expect(failure.message == "ZStack refused GET /vm-instances (400: bad OAuth ***  ***)")
    #expect(failure.detail["excerpt"]?.string?.contains("5e551") == false)
  }

  /// Fields of any length: refused as a whole, or cut in all that is shown.
  @Test func textsOfAnyLengthDoNoHarm() async throws {
    let huge = String(repeating: "x", count: 10 << 20)
    let name = try await ZStackFixture(
      ZStackWire(200, #"{"inventories":[{"uuid":"a","state":"Running","name":"\#(huge)"}]}"#)
    ).failure("server.list", attempts: 1)
    #expect(name.kind == .server)
    let long = String(repeating: "y", count: 1 << 20)
    let wire = ZStackWire(200, #"{"inventories":[{"uuid":"\#(ZStackWire.vm)","state":"\#(long)","name":"\#(long)"}]}"#)
    let outputs = try await ZStackFixture(wire).run("server.status").result.outputs
    #expect(outputs["state"] == "changing")
    #expect((outputs["native_state"]?.string?.utf8.count ?? 0) <= 64)
    #expect((outputs["name"]?.string?.utf8.count ?? 0) <= 1024)
    let failure = try await ZStackFixture(ZStackWire(400, long)).failure("server.list", attempts: 1)
    #expect(failure.message.utf8.count < 600)
  }
}

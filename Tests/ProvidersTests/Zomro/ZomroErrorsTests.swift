import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What each answer means: kind, whether it may be repeated, and what it did to the world.
struct ZomroErrorsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var reply: SimulatedReply
    var name: String
    var kind: StepFailure.Kind
    var retryable = false
    /// For a write; a read never has an effect.
    var effect = StepFailure.Effect.none
    var words: String
    var testDescription: String { name }

    static func error(
      _ type: String, _ object: String?, _ kind: StepFailure.Kind, retryable: Bool = false,
      effect: StepFailure.Effect = .none, _ words: String
    ) -> Row {
      Row(
        reply: ZomroWire.error(type, object), name: "\(type) \(object ?? "")", kind: kind, retryable: retryable,
        effect: effect, words: words)
    }

    static func status(
      _ status: Int, _ kind: StepFailure.Kind, retryable: Bool = false, effect: StepFailure.Effect = .none,
      _ words: String
    ) -> Row { .status(status, "", kind, retryable: retryable, effect: effect, words) }

    static func status(
      _ status: Int, _ body: String, _ kind: StepFailure.Kind, retryable: Bool = false,
      effect: StepFailure.Effect = .none, _ words: String
    ) -> Row {
      Row(
        reply: ScriptedSystem.reply(status, body), name: "\(status) \(body.prefix(40))", kind: kind,
        retryable: retryable, effect: effect, words: words)
    }
  }

  static let rows: [Row] = [
    .error("auth", "badpassword", .auth, "does not accept the log-in"),
    .error("auth", "badip", .auth, "does not accept this machine's address"),
    .error("access", nil, .auth, "the account may not do this"),
    .error("missed", "elid", .notFound, "has nothing of that id"), .error("missed", "name", .input, "`missed`"),
    .error("exists", "name", .conflict, "there is one already"), .error("value", "name", .input, "`value`"),
    .error("fleio_error", "runningoperation", .conflict, retryable: true, "another operation is in progress"),
    .error("value", "runningoperation", .conflict, retryable: true, "another operation is in progress"),
    .error("pricelist_min_order", nil, .input, effect: .unknown, "`pricelist_min_order`: because"),
    .error("fleio_error", "state", .input, effect: .unknown, "`fleio_error`: because"),
    .error("fleio_error", #"{"name":["too long"]}"#, .input, "name: too long"),
    .status(302, .server, effect: .unknown, "redirect"), .status(307, .server, effect: .unknown, "redirect"),
    .status(400, .input, "refused"), .status(403, .rateLimited, retryable: true, "blocked this machine's address"),
    .status(404, "<html>", .input, "refused"), .status(408, .timeout, retryable: true, effect: .unknown, "gave up"),
    .status(429, .rateLimited, retryable: true, "fewer requests"),
    .status(460, .rateLimited, retryable: true, "blocked this machine's address"),
    .status(500, .server, retryable: true, effect: .unknown, "failed"),
    .status(502, "<html>bad gateway</html>", .server, retryable: true, effect: .unknown, "failed"),
    .status(503, "<html>soon</html>", .server, retryable: true, effect: .unknown, "failed"),
    .status(599, .server, retryable: true, effect: .unknown, "failed"),
    .status(200, .server, retryable: true, effect: .unknown, "empty"),
    .status(200, "<html>hello</html>", .server, retryable: true, effect: .unknown, "not JSON"),
    .status(200, #"{"doc":{"#, .server, retryable: true, effect: .unknown, "not JSON"),
    .status(200, "[]", .server, retryable: true, effect: .unknown, "`doc` is missing"),
    .status(200, #"{"doc":[]}"#, .server, retryable: true, effect: .unknown, "`doc` is missing"),
    .status(
      200, String(repeating: "[", count: 100_000), .server, retryable: true, effect: .unknown, "not as it should"),
    .status(
      200, String(repeating: "a", count: 1 << 20), .server, retryable: true, effect: .unknown, "not as it should"),
    .status(200, String(repeating: "a", count: 10 << 20), .server, effect: .unknown, "longer than allowed"),
    .status(
      200, #"{"doc":{"elem":[7],"a":""# + String(repeating: "a", count: 10 << 20), .server, effect: .unknown,
      "longer than allowed"),
  ]

  @Test(arguments: rows)
  func aReadSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let wire = ZomroWire { function, _ in function == "instances" ? row.reply : nil }
    let failure = try await ZomroFixture(wire).failure("server.list")
    #expect(failure.kind == row.kind)
    #expect(failure.retryable == row.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains(row.words), "\(failure.message)")
    #expect(failure.message.contains("`instances`"))
    #expect((failure.detail["excerpt"]?.string ?? "").utf8.count <= 1024)
  }

  @Test(arguments: rows)
  func aWriteSaysWhatTheAnswerMeans(_ row: Row) async throws {
    let wire = ZomroWire { function, _ in function == "instances.edit" ? row.reply : nil }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver("zomro.call")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["func": "instances.edit", "commit": true]))
    }
    #expect(failure?.kind == row.kind)
    #expect(failure?.retryable == row.retryable)
    #expect(failure?.effect == row.effect)
    #expect(failure?.message.contains(row.words) == true, "\(failure?.message ?? "")")
    #expect(wire.count("instances.edit") == 1)
    #expect(wire.count("auth") == 1)
  }

  @Test(arguments: [403, 460])
  func aBlockedAddressWaitsForLong(status: Int) async throws {
    let failure = try await ZomroFixture(ZomroWire(status, "<html>no</html>")).failure("server.list")
    #expect(failure.retryAfter == .seconds(300))
    let shorter = ZomroWire(status, "", headers: [(name: "retry-after", value: "5")])
    #expect(try await ZomroFixture(shorter).failure("server.list").retryAfter == .seconds(300))
  }

  @Test func tooManyRequestsWaitAsLongAsTheySay() async throws {
    let wire = ZomroWire(429, "", headers: [(name: "retry-after", value: "17")])
    #expect(try await ZomroFixture(wire).failure("server.list").retryAfter == .seconds(17))
  }

  @Test(arguments: [
    #""elem":[7]"#, #""elem":"x""#, #""elem":[{}]"#, #""elem":{"id":"5"}"#, #""elem":{"id":{"$":true}}"#,
    #""elem":{"id":{"$":["5"]}}"#, #""elem":{"id":{"$":".."}}"#, #""elem":{"id":{"$":""}}"#,
    #""elem":{"id":{"$":"5"},"servername":{"$":{}}}"#, #""elem":{"id":{"$":"5"},"instance_status":7}"#,
    #""elem":{"id":{"$":"5"},"ip":{"$":1.5}}"#, #""elem":{"id":{"$":1e400}}"#,
  ])
  func wrongTypesAreAServerFailure(inside: String) async throws {
    for action in ["server.status", "server.list"] {
      let wire = ZomroWire { function, _ in function == "instances" ? ZomroWire.doc(inside) : nil }
      let failure = try await ZomroFixture(wire).failure(action)
      #expect(failure.kind == .server, "\(action)")
      #expect(failure.retryable)
      #expect(failure.message.contains("but not as it should"))
    }
  }

  @Test(arguments: [
    #""elem":{"id":{"$":"5"},"createdate":{"$":"yesterday"}}"#, #""elem":{"id":{"$":"5"},"fleio_status":{"$":[]}}"#,
    #""elem":[{"id":{"$":"5"}},7]"#, #""elem":{"id":{"$":"5"},"createdate":[7]}"#,
  ])
  func wrongTypesOfImagesAreAServerFailure(inside: String) async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.doc(inside)
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("backup.list")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("but not as it should"))
  }

  /// An answer that repeats all that was sent.
  private static func echo(_ form: [String: String], _ kind: Int) -> SimulatedReply {
    let text = form.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " & ")
    switch kind {
    case 0: return ZomroWire.error("fleio_error", text, text)
    case 1: return ScriptedSystem.reply(502, "<html>\(text)</html>")
    case 2: return ScriptedSystem.reply(200, text)
    case 3: return ZomroWire.error("value", "x", JSONWriter.text(.map(["field": .list([.string(text)])])))
    default: return ZomroWire.error("access", nil, text)
    }
  }

  @Test(arguments: [0, 1, 2, 3, 4])
  func noFailureShowsASecret(_ kind: Int) async throws {
    let session = Value.secret(Secret("5e5510n00001", named: ["s"]))
    let accounts: [[String: Value]] = [
      ZomroFixture.logIn, ZomroFixture.authinfo, ["session": session],
      ZomroFixture.logIn.merging(["totp": .secret(Secret("GEZDGNBVGY3TQOJQ", named: ["t"]))]) { old, _ in old },
    ]
    for credential in accounts {
      for function in ["instances", "auth", "instances.edit"] {
        let wire = ZomroWire { asked, form in asked == function ? Self.echo(form, kind) : nil }
        let fixture = try ZomroFixture(wire, credential: credential)
        let parameters: Value = ["password": .secret(Secret("Param1word", named: ["p"]))]
        let edit: [String: Value] = ["func": "instances.edit", "params": parameters]
        for (action, with) in [("server.status", [:]), ("zomro.call", edit)] as [(String, [String: Value])] {
          do { try await fixture.run(action, with, attempts: 1) } catch {
            let shown = "\(error)"
            for secret in [ZomroFixture.word, "Param1word", "5e5510n0000", "GEZDGNBV"] {
              #expect(!shown.contains(secret), "\(function), \(action): \(shown)")
            }
          }
        }
      }
    }
  }
}

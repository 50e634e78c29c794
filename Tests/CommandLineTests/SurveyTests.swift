import Providers
import Runbook
import Simulator
import Testing

@testable import CommandLine

/// `runbook providers check NAME --record FILE`: what an account answers is compared with what the documents say, which
/// the twin is made from.
@Suite struct SurveyTests {
  private static func kind(_ type: String) throws -> any ProviderKind {
    try #require(standardProviders.first { $0.type == type })
  }

  /// What is found when the twin's answers to `question` are changed.
  private func findings(
    _ type: String, _ question: String, _ change: @escaping @Sendable (inout [String: Value]) -> Void
  ) async throws -> [String] {
    let kind = try Self.kind(type)
    let changed = await TwinSurvey(of: kind) { exchange in
      guard exchange.question == question, case .map(var document)? = exchange.json else {
        return exchange.response.body
      }
      change(&document)
      return JSONWriter.bytes(.map(document))
    }
    let documents = await DocumentedReplies(of: kind)
    return SurveyFinding.all(in: changed.exchanges, against: documents).map { $0.text }
  }

  @Test(arguments: standardProviders.map { $0.type })
  func againstTheTwinNothingIsFoundAndNothingIsChanged(_ type: String) async throws {
    let kind = try Self.kind(type)
    let survey = await TwinSurvey(of: kind)
    #expect(survey.effects == [], "a survey changes nothing")
    #expect(survey.exchanges.count >= 4 && !survey.answers.values.contains { $0["failed"] != nil }, "\(survey.answers)")
    let documents = await DocumentedReplies(of: kind)
    #expect(SurveyFinding.all(in: survey.exchanges, against: documents) == [])
    #expect(documents.needed.values.contains { !$0.isEmpty })
  }

  @Test func aFieldThatIsMissingIsTold() async throws {
    let found = try await findings("hetzner", "GET /servers/*") { document in
      var server = document["server"]?.map ?? [:]
      server["status"] = nil
      server["backup_window"] = nil
      document["server"] = .map(server)
    }
    #expect(
      found == [
        "missing     GET /servers/*: server.backup_window", "missing     GET /servers/*: server.status (needed)",
      ])
  }

  @Test func aFieldOfAnotherTypeIsTold() async throws {
    let found = try await findings("hetzner", "GET /servers/*") { document in
      var server = document["server"]?.map ?? [:]
      server["id"] = .list([])
      document["server"] = .map(server)
    }
    #expect(found == ["other type  GET /servers/*: server.id: list instead of number (needed)"])
  }

  @Test func aFieldThatNoDocumentNamesIsTold() async throws {
    let found = try await findings("vps_org", "GET /servers") { document in document["next_cursor"] = "x" }
    #expect(found == ["unknown     GET /servers: next_cursor"])
  }

  @Test func anAnswerThatIsNoJSONIsTold() async throws {
    let kind = try Self.kind("vps_org")
    let changed = await TwinSurvey(of: kind) { $0.question == "GET /servers" ? Array("<html>".utf8) : $0.response.body }
    let documents = await DocumentedReplies(of: kind)
    let found = SurveyFinding.all(in: changed.exchanges, against: documents).map { $0.text }
    #expect(found == ["unreadable  GET /servers: no JSON (application/json) (needed)"])
  }

  @Test func whatTheOwnerPutsInIsNotUnknown() async throws {
    let found = try await findings("hetzner", "GET /servers/*") { document in
      var server = document["server"]?.map ?? [:]
      server["labels"] = ["customer": "secret inc"]
      document["server"] = .map(server)
    }
    #expect(found == [])
  }

  /// The address of an account may have a path, which its twin has not.
  @Test func anAddressWithAPathIsComparedAllTheSame() async throws {
    let kind = try Self.kind("vps_org")
    let documents = await DocumentedReplies(of: kind)
    let exchanges = await TwinSurvey(of: kind).exchanges.map { exchange in
      var exchange = exchange
      exchange.url = exchange.url.replacing(".example.com/", with: ".example.com/api/v1/")
      return exchange
    }
    #expect(exchanges.contains { $0.question == "GET /api/v1/servers" })
    #expect(SurveyFinding.all(in: exchanges, against: documents) == [])
  }

  @Test func aRequestThatMayChangeSomethingIsNotSent() async throws {
    let clock = VirtualClock(start: SimulatedWorld.day)
    let twin = try Self.kind("vps_org").twin(clock: clock, seed: 1, isSealed: true)
    let transport = SurveyTransport(InMemoryTransport(clock: clock, routes: [:], fallback: twin))
    await #expect(throws: HTTPFailure.self) {
      _ = try await transport.send(HTTPRequest("POST", "https://vps.example.com/servers/12345/stop/"))
    }
    #expect(twin.requests == [] && twin.ledger == [])
  }

  // MARK: The file

  private func recorded(_ body: Value, _ headers: [(name: String, value: String)] = []) throws -> String {
    let exchange = Exchange(
      method: "POST", url: "https://cloud.example.com/v1/login?token=hunter2-hunter2", headers: headers,
      body: Array("func=auth&username=ops&password=hunter2-hunter2&auth=session-4711".utf8),
      response: HTTPResponse(
        status: 200, headers: [("content-type", "application/json"), ("set-cookie", "sid=abcdef")],
        body: JSONWriter.bytes(body)))
    let document = SurveyRecord.document(
      [exchange], of: "cloud", [], secrets: [Secret("hunter2-hunter2", named: ["token"])], at: SimulatedWorld.day)
    return JSONWriter.text(document)
  }

  @Test func whatProvesWhoAsksIsInNoFile() throws {
    let text = try recorded(
      [
        "session": "abc", "api_token": "abc", "echo": "hunter2-hunter2", "mine": "Bearer-1234567", "id": "session-4711",
        "sshKeys": ["ssh-ed25519 AAAA"],
      ], [("authorization", "OAuth Bearer-1234567")])
    for word in ["hunter2", "Bearer-1234567", "session-4711", "abc", "sid=", "AAAA"] {
      #expect(!text.contains(word), "\(word) is in \(text)")
    }
    #expect(text.contains(#""echo":"***""#))
  }

  @Test func namesAndAddressesBecomeWordsThatTellNothingAndStatesStay() throws {
    let text = try recorded([
      "servers": [
        ["hostname": "db.secret.example", "ip": "198.51.100.7", "v6": "2001:db8::1", "state": "running", "disk": 80],
        [
          "hostname": "db.secret.example", "ip": "198.51.100.8", "v6": .null, "state": "off",
          "at": "2025-01-16T16:14:00Z",
        ],
      ], "contact": "who@secret.example", "labels": ["customer": "secret"],
    ])
    for word in ["secret", "198.51", "2001:db8"] { #expect(!text.contains(word), "\(word) is in \(text)") }
    for word in [#""state":"running""#, #""disk":80"#, #""at":"2025-01-16T16:14:00Z""#, #""v6":null"#] {
      #expect(text.contains(word), "\(word) is not in \(text)")
    }
    // The same name is the same word.
    #expect(text.ranges(of: "hostname-").count == 2)
  }
}

import DeclaredClouds
import ProviderKit
import Providers
import Runbook
import Simulator
import TestSupport
import Testing

/// What is sent, and what is made of the answers.
@Suite struct DeclaredClientTests {
  private static let tokens = ["hetzner": "Canary42canary", "digitalocean": "dop_v1_canary"]

  /// An account whose provider answers what the test says, or with its twin.
  private struct Account {
    let clock = VirtualClock()
    let system: any SimulatedSystem
    let provider: any Provider

    init(_ type: String, _ answering: (any SimulatedSystem)? = nil) throws {
      let kind = try #require(standardProviders.first { $0.type == type })
      try self.init(kind, answering, token: tokens[type] ?? "")
    }

    init(_ kind: any ProviderKind, _ answering: (any SimulatedSystem)?, token: String) throws {
      system = answering ?? kind.twin(clock: clock, seed: 7, isSealed: true)
      let url = Value.string("https://cloud.example.com" + (answering == nil ? "" : "/v9"))
      provider = try kind.connect(
        Arguments(["url": url, "token": .secret(Secret(token, named: ["my_token"]))]),
        environment: ProviderEnvironment(
          transport: InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": system]), clock: clock,
          random: SeededRandom(seed: 1)))
    }

    func driver(_ action: String) throws -> ActionDriver {
      var driver = ActionDriver(
        try #require(provider.action(action)), clock: clock,
        transport: InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": system]),
        scripts: SimulatedScripts(clock: clock), files: SimulatedFiles())
      driver.attempts = 1
      return driver
    }

    func failure(_ action: String, _ with: [String: Value]) async throws -> StepFailure {
      do {
        _ = try await driver(action).run(with)
        Issue.record("`\(action)` succeeded")
        return StepFailure(.server, "none")
      } catch let failure as StepFailure { return failure }
    }
  }

  // MARK: Requests

  struct Sent: Sendable, CustomTestStringConvertible {
    var type: String
    var action: String
    var with: [String: Value]
    var request: String
    var body: String
    var testDescription: String { "\(type) \(action)" }
  }

  static let sent = [
    Sent(
      type: "hetzner", action: "server.start", with: [:], request: "POST /v9/servers/42/actions/poweron", body: ""),
    Sent(
      type: "hetzner", action: "server.stop", with: ["mode": "hard"],
      request: "POST /v9/servers/42/actions/poweroff", body: ""),
    Sent(
      type: "hetzner", action: "server.stop", with: ["mode": "clean_then_hard"],
      request: "POST /v9/servers/42/actions/shutdown", body: ""),
    Sent(
      type: "hetzner", action: "snapshot.create", with: ["name": "pre \"1\""],
      request: "POST /v9/servers/42/actions/create_image",
      body: #"{"description":"pre \"1\"","labels":{"runbook":"KEY"},"type":"snapshot"}"#),
    Sent(
      type: "digitalocean", action: "server.reboot", with: [:], request: "POST /v9/droplets/42/actions",
      body: #"{"type":"reboot"}"#),
    Sent(
      type: "digitalocean", action: "snapshot.create", with: ["name": "pre-1"],
      request: "POST /v9/droplets/42/actions", body: #"{"name":"pre-1","type":"snapshot"}"#),
  ]

  @Test(arguments: sent)
  func aRequestIsSentAsDocumented(_ sent: Sent) async throws {
    // A server in the state that the action needs, and nothing else.
    let isStart = sent.action == "server.start"
    let state = sent.type == "hetzner" ? (isStart ? "off" : "running") : (isStart ? "off" : "active")
    let networks = #""public_net":{"ipv4":null},"networks":{"v4":[]}"#
    let server = #"{"id":42,"name":"a","status":"\#(state)","locked":false,\#(networks)}"#
    let lists = #""images":[],"snapshots":[],"actions":[],"links":{},"meta":{"pagination":{"next_page":null}}"#
    let system = ScriptedSystem(200, #"{"server":\#(server),"droplet":\#(server),\#(lists)}"#)
    let account = try Account(sent.type, system)
    let driver = try account.driver(sent.action)
    let with = sent.with.merging(["server": "42"]) { given, _ in given }
    let before = try await driver.action.capture(driver.call(with))
    _ = try? await driver.action.perform(driver.call(with, before: before, intendedAt: account.clock.now))
    let changes = system.seen.filter { $0.method != "GET" }
    #expect(changes.map { "\($0.method) \($0.path)" } == [sent.request])
    let bodies = changes.map { String(decoding: $0.body, as: UTF8.self) }
    let expected = sent.body.replacing("KEY", with: driver.key)
    #expect(bodies == [expected])
    for request in system.seen {
      #expect(request.header("authorization") == "Bearer \(Self.tokens[sent.type] ?? "")")
      let address = request.path + request.query.map { $0.value }.joined()
      #expect(!address.contains("anary"))
    }
  }

  /// The server that it was made of is gone, and its number may be given to another one.
  @Test func aSnapshotThatNamesNoServerIsNobodys() async throws {
    let server = #"{"id":42,"name":"a","status":"off","public_net":{"ipv4":null}}"#
    let image =
      #"{"id":7,"type":"snapshot","status":"available","description":"pre-1","image_size":1.0,"#
      + #""created":"2025-01-01T00:00:00Z","created_from":null,"bound_to":null,"labels":{},"#
      + #""protection":{"delete":false}}"#
    let page = #""meta":{"pagination":{"next_page":null}}"#
    let system = ScriptedSystem(200, #"{"server":\#(server),"images":[\#(image)],"actions":[],\#(page)}"#)
    let account = try Account("hetzner", system)
    for word in ["snapshot", "backup"] {
      #expect(try await account.failure("\(word).find", ["server": "42", "newest": true]).kind == .notFound)
      let list = try await account.driver("\(word).list").run(["server": "42"]).result.outputs
      #expect(list["\(word)s"] == .list([]))
      #expect(try await account.failure("\(word).restore", ["server": "42", word: "7"]).kind == .notFound)
      let pruned = try await account.driver("\(word).prune").run(["server": "42", "keep": 0]).result.outputs
      #expect(pruned["deleted"] == .list([]))
      #expect(try await account.failure("\(word).delete", ["server": "42", word: "7"]).kind == .conflict)
    }
    #expect(system.seen.allSatisfy { $0.method == "GET" })
  }

  @Test(arguments: ["hetzner", "digitalocean"])
  func anIDThatWouldChangeThePathIsNotSent(_ type: String) async throws {
    for id in ["a/b", "..", "x?y=1", "a#b", "%2e", "a b"] {
      let account = try Account(type)
      let failure = try await account.failure("server.status", ["server": .string(id)])
      #expect(failure.kind == .input, "\(failure.message)")
      #expect(account.system.requests == [])
    }
  }

  @Test func aSecretWithALineBreakIsNotSent() async throws {
    let system = ScriptedSystem(200, "{}")
    let kind = try #require(standardProviders.first { $0.type == "hetzner" })
    let failure = try await Account(kind, system, token: "a\r\nX-Evil: 1").failure("server.list", [:])
    #expect(failure.kind == .input)
    #expect(!failure.message.contains("Evil"))
    #expect(system.requests == [])
  }

  // MARK: Answers

  @Test(
    "an answer of another shape does not make an account good", arguments: ["hetzner", "digitalocean"],
    ["null", "{}", "[]", "1"])
  func anAccountIsNotGoodByAnyAnswer(_ type: String, _ body: String) async throws {
    let report = try await Account(type, ScriptedSystem(200, body)).provider.report()
    #expect(report.problems.count == 1, "\(report)")
    #expect(report.problems.first?.contains("but not as it should") == true, "\(report.problems)")
  }

  @Test(arguments: ["hetzner", "digitalocean"])
  func aListIsReadToItsEnd(_ type: String) async throws {
    let account = try Account(type)
    for number in 100..<350 { account.system.ensureServer(String(number)) }
    let servers = try await account.driver("server.list").run([:]).result.outputs["servers"]?.list ?? []
    let ids = Set(servers.compactMap { $0["id"]?.string })
    let missing = (100..<350).map { String($0) }.filter { !ids.contains($0) }
    #expect(missing == [])
    #expect(account.system.requests.count { $0 == "server.list" } > 2)
  }

  @Test func aLinkToAnotherHostIsNotFollowed() async throws {
    let system = ScriptedSystem(200, #"{"droplets":[],"links":{"pages":{"next":"https://evil.example/v2/droplets"}}}"#)
    let failure = try await Account("digitalocean", system).failure("server.list", [:])
    #expect(failure.message.contains("another host"))
    #expect(system.requests.count == 1)
  }

  @Test func aListThatDoesNotEndIsGivenUp() async throws {
    let system = ScriptedSystem(200, #"{"droplets":[],"links":{"pages":{"next":"/v2/droplets?page=2"}}}"#)
    let failure = try await Account("digitalocean", system).failure("server.list", [:])
    #expect(failure.message.contains("does not end"), "\(failure.message)")
  }

  @Test func anEmptyLinkEndsAList() async throws {
    let system = ScriptedSystem(200, #"{"droplets":[],"links":{"pages":{"next":""}}}"#)
    let outputs = try await Account("digitalocean", system).driver("server.list").run([:]).result.outputs
    #expect(outputs["servers"] == .list([]))
    #expect(system.requests.count == 1)
  }

  @Test func aWordThatNobodyKnowsIsStillChanging() async throws {
    let system = ScriptedSystem(
      200, #"{"server":{"id":42,"name":"a","status":"quiescing","public_net":{"ipv4":null}}}"#)
    let outputs = try await Account("hetzner", system).driver("server.status").run(["server": "42"]).result.outputs
    #expect(outputs["state"] == "changing")
    #expect(outputs["native_state"] == "quiescing")
    #expect(outputs["ip"] == .null)
  }

  struct Answer: Sendable, CustomTestStringConvertible {
    var type: String
    var status: Int
    var body: String
    var kind: StepFailure.Kind
    var isRetryable: Bool
    var effect: StepFailure.Effect
    var testDescription: String { "\(type) \(status) \(body)" }
  }

  static let answers = [
    Answer(
      type: "hetzner", status: 423, body: #"{"error":{"code":"locked","message":"locked"}}"#, kind: .conflict,
      isRetryable: true, effect: .none),
    Answer(
      type: "hetzner", status: 403, body: #"{"error":{"code":"resource_limit_exceeded","message":"no"}}"#,
      kind: .limit, isRetryable: false, effect: .none),
    Answer(
      type: "hetzner", status: 403, body: #"{"error":{"code":"token_readonly","message":"no"}}"#, kind: .auth,
      isRetryable: false, effect: .none),
    Answer(type: "hetzner", status: 502, body: "<html>", kind: .server, isRetryable: true, effect: .unknown),
    Answer(type: "hetzner", status: 401, body: "", kind: .auth, isRetryable: false, effect: .none),
    Answer(type: "hetzner", status: 422, body: "[1]", kind: .input, isRetryable: false, effect: .none),
    Answer(type: "hetzner", status: 201, body: "<html>", kind: .server, isRetryable: true, effect: .unknown),
    Answer(
      type: "digitalocean", status: 422,
      body: #"{"id":"unprocessable_entity","message":"Droplet already has a pending event."}"#, kind: .conflict,
      isRetryable: true, effect: .none),
    Answer(
      type: "digitalocean", status: 422, body: #"{"message":"no such image"}"#, kind: .input, isRetryable: false,
      effect: .none),
    Answer(type: "digitalocean", status: 429, body: "{}", kind: .rateLimited, isRetryable: true, effect: .none),
  ]

  @Test(arguments: answers)
  func aRefusalIsWhatTheFileSaysItIs(_ answer: Answer) async throws {
    let token = Self.tokens[answer.type] ?? ""
    let server = #"{"id":42,"name":"a","status":"running","public_net":{"ipv4":null}}"#
    let droplet = #"{"id":42,"name":"a","status":"active","locked":false,"networks":{"v4":[]}}"#
    let read = ScriptedSystem.reply(200, #"{"server":\#(server),"droplet":\#(droplet)}"#)
    let no = ScriptedSystem.reply(answer.status, answer.body.replacing("no", with: "no \(token)"))
    let account = try Account(answer.type, ScriptedSystem([read, no, read]))
    let driver = try account.driver("snapshot.create")
    let call = driver.call(["server": "42", "name": "a"], before: ["matching": [], "taken": .null])
    do throws(StepFailure) {
      _ = try await driver.action.perform(call)
      Issue.record("it succeeded")
    } catch {
      #expect(error.kind == answer.kind, "\(error.message)")
      #expect(error.retryable == answer.isRetryable)
      #expect(error.effect == answer.effect)
      #expect(!"\(error)".contains(token))
    }
  }

  /// A refusal is told in the other side's own words, which may have nothing to do with the server's state.
  @Test func aRefusalIsToldInItsOwnWords() async throws {
    let server = #"{"server":{"id":42,"name":"a","status":"off","public_net":{"ipv4":null}}}"#
    let read = ScriptedSystem.reply(200, server)
    let image = ScriptedSystem.reply(
      200,
      #"{"images":[{"id":7,"type":"snapshot","status":"available","description":"a","image_size":1.0,"#
        + #""created":"2025-01-01T00:00:00Z","created_from":{"id":42},"bound_to":null,"labels":{},"#
        + #""protection":{"delete":false}}],"meta":{"pagination":{"next_page":null}}}"#)
    let no = ScriptedSystem.reply(422, #"{"error":{"code":"invalid_input","message":"disk too small"}}"#)
    let account = try Account("hetzner", ScriptedSystem([image, read, read, no, read]))
    let driver = try account.driver("snapshot.restore")
    let call = driver.call(["server": "42", "snapshot": "7"], before: ["state": "stopped", "jobs": []])
    let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    #expect(failure?.kind == .input, "\(String(describing: failure))")
    #expect(failure?.message.hasPrefix("Hetzner Cloud refused POST") == true, "\(failure?.message ?? "")")
    #expect(failure?.message.contains("(422: disk too small)") == true, "\(failure?.message ?? "")")
    #expect(failure?.retryable == false && failure?.effect == StepFailure.Effect.none)
  }

  // MARK: Classes

  /// A creation that nothing can find again is never taken for done, and never for not done.
  @Test func whatCannotBeFoundAgainIsOpaque() async throws {
    let text = DeclaredMistakesTests.sound.replacing("    found_by: mark", with: "    timeout: 5m")
    let kind = try DeclaredProvider(yaml: Array(text.utf8))
    let create = try #require(kind.actions.first { $0.name == "snapshot.create" })
    #expect(create.effectClass == .opaque)
    let account = try Account(kind, ScriptedSystem(200, #"{"s":[]}"#), token: "t")
    let driver = try account.driver("snapshot.create")
    let call = driver.call(["server": "m", "name": "a"], before: ["matching": []], intendedAt: account.clock.now)
    #expect(try await driver.action.probe(call) == .unsure)
  }

  @Test func aFileWithoutATwinSimulatesNothing() throws {
    let kind = try DeclaredProvider(yaml: Array(DeclaredMistakesTests.sound.utf8))
    let twin = kind.twin(clock: VirtualClock(), seed: 1, isSealed: true)
    twin.ensureServer("a")
    guard case .response(let response) = twin.answer(SimulatedRequest(method: "GET", path: "/v1/m")) else {
      Issue.record("no response")
      return
    }
    #expect(response.status == 501)
  }
}

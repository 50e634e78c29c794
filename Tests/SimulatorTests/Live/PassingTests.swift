import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import TestSupport
import Testing

/// What passes by itself is waited for within the step's time: a server that is busy, a limit until its reset. What
/// does not pass is not asked again: an answer that does not fit.
@Suite struct PassingTests {
  /// A VPS.org that answers something else until its time has come, and counts what it is asked.
  private final class Moody: SimulatedSystem {
    let twin: SimulatedVPSOrg
    let type = "vps_org"
    private let clock: any EngineClock
    private let until: Timestamp
    private let answer: @Sendable (SimulatedRequest) -> HTTPResponse?
    private let asked = Mutex<[String]>([])

    init(
      _ clock: any EngineClock, until: Timestamp, _ answer: @escaping @Sendable (SimulatedRequest) -> HTTPResponse?
    ) {
      twin = SimulatedVPSOrg(clock: clock)
      self.clock = clock
      self.until = until
      self.answer = answer
    }

    func answer(_ request: SimulatedRequest) -> SimulatedReply {
      asked.withLock { $0.append("\(request.method) \(request.path)") }
      if clock.now < until, let response = answer(request) { return .response(response) }
      return twin.answer(request)
    }

    var requests: [String] { asked.withLock { $0 } }
    var ledger: [LedgerEntry] { twin.ledger }
    func ensureServer(_ id: String) { twin.ensureServer(id) }
    func inject(_ fault: String) throws(ExpressionFailure) { try twin.inject(fault) }
  }

  private static func run(_ step: String, on cloud: Moody, _ clock: VirtualClock) async throws -> RunEnd {
    let text = """
      runbook: v1
      name: busy
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - \(step)
      """
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders)
    let process = SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7),
        transport: InMemoryTransport(clock: clock, routes: ["https://admin.vps.org": cloud]),
        scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: standardActions,
        providerKinds: standardProviders),
      store: MemoryStore(clock: clock), runbook: try ValidatedRunbook(ParsedDocument(yaml: text), in: context),
      source: PinnedSource(text: text, files: [:], folder: "/srv/runbooks"),
      secrets: ["token": Secret("vps_canary_token", named: ["token"])], observer: RecordingObserver())
    return try await process.start("r0123456789abcdefghi", inputs: [:])
  }

  private static func json(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = [])
    -> HTTPResponse
  {
    HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
  }

  private static let server =
    #"{"id":12345,"name":"web","status":"quiescing","ip_address":"203.0.113.10","updated_at":"2025-01-15T10:20:00Z"}"#

  /// Ten minutes of somebody else's backup: the step is as long as its own time, not three tries in six seconds.
  @Test(arguments: [423, 409])
  func aServerThatIsBusyIsWaitedFor(_ status: Int) async throws {
    let clock = VirtualClock()
    let until = clock.now + .seconds(600)
    let cloud = Moody(clock, until: until) { request in
      request.method == "GET" ? Self.json(200, Self.server) : Self.json(status, #"{"detail":"Server is locked."}"#)
    }
    let end = try await Self.run(
      "{id: stop, action: server.stop, rollback: none, with: {server: \"12345\"}}", on: cloud, clock)
    #expect(end.exitCode == 0)
    #expect(cloud.ledger.map { $0.effect } == ["server.stop"])
    #expect(clock.now >= until)
    #expect(cloud.requests.count { $0.hasPrefix("POST") } < 30, "\(cloud.requests)")
  }

  /// What its author wrote goes before.
  @Test func aWrittenRetryIsObeyed() async throws {
    let clock = VirtualClock()
    let cloud = Moody(clock, until: clock.now + .seconds(600)) { request in
      request.method == "GET" ? Self.json(200, Self.server) : Self.json(423, #"{"detail":"Server is locked."}"#)
    }
    let end = try await Self.run(
      "{id: stop, action: server.stop, rollback: none, retry: {attempts: 2}, with: {server: \"12345\"}}", on: cloud,
      clock)
    #expect(end.exitCode == 1)
    #expect(cloud.requests.count { $0.hasPrefix("POST") } == 2)
  }

  @Test func aServerThatStaysBusyEndsWithTheStepsTime() async throws {
    let clock = VirtualClock()
    let start = clock.now
    let cloud = Moody(clock, until: clock.now + .seconds(86_400)) { request in
      request.method == "GET" ? Self.json(200, Self.server) : Self.json(423, #"{"detail":"Server is locked."}"#)
    }
    let end = try await Self.run(
      "{id: stop, action: server.stop, rollback: none, timeout: 5m, with: {server: \"12345\"}}", on: cloud, clock)
    #expect(end.exitCode == 1)
    #expect(clock.now - start <= .seconds(310))
    #expect(cloud.ledger == [])
  }

  /// A limit without `Retry-After`: the next try comes after its reset.
  @Test(arguments: ["RateLimit-Reset", "X-RateLimit-Reset"], [true, false])
  func theResetOfALimitIsWaitedFor(_ header: String, isDate: Bool) async throws {
    let clock = VirtualClock()
    let until = clock.now + .seconds(100)
    let cloud = Moody(clock, until: until) { request in
      guard request.method == "POST" else { return nil }
      let left = isDate ? until.seconds : (until - clock.now).components.seconds + 1
      return Self.json(429, #"{"detail":"Too many."}"#, [(name: header.lowercased(), value: String(left))])
    }
    let end = try await Self.run(
      "{id: stop, action: server.stop, rollback: none, with: {server: \"12345\"}}", on: cloud, clock)
    #expect(end.exitCode == 0)
    #expect(cloud.requests.count { $0.hasPrefix("POST") } == 2, "\(cloud.requests)")
  }

  /// `created_at` without a zone: asked again it would be the same.
  @Test(arguments: ["snapshot.list", "snapshot.find"])
  func anAnswerThatDoesNotFitIsAskedForOnce(_ action: String) async throws {
    let clock = VirtualClock()
    let item = #"{"id":1,"server":{"id":12345},"name":"a","status":"completed","created_at":"2025-01-16T16:15:00"}"#
    let cloud = Moody(clock, until: clock.now + .seconds(86_400)) { request in
      request.path.contains("snapshots") ? Self.json(200, #"{"results":[\#(item)]}"#) : nil
    }
    let end = try await Self.run("{id: a, action: \(action), with: {server: \"12345\"}}", on: cloud, clock)
    #expect(end.exitCode == 1)
    #expect(cloud.requests.count { $0.contains("snapshots") } == 1, "\(cloud.requests)")
  }
}

import Providers
import Runbook
import Simulator
import TestSupport
import Testing
import Transport

/// A cloud that must pass every test of this suite. A new one adds a case here.
struct CloudUnderTest: Sendable, CustomTestStringConvertible {
  let type: String
  /// The block's fields besides `url`.
  let settings: [String: Value]
  /// A server that its twin knows, running, and what it is called there.
  let server: String
  let name: String
  /// Further fields of some actions: where backups go.
  var with: [String: [String: Value]] = [:]
  /// Settings over loopback, where an hour may pass while the machine is busy: no sessions that end.
  var onLoopback: [String: Value] = [:]
  /// The page whose example declares it, for a cloud that a file beside the runbook declares.
  var page: String?
  /// What stands in the file instead of what the page shows.
  var edits: [(shown: String, instead: String)] = []
  /// The credential that no message may show.
  let canary: String

  var testDescription: String { type }

  static let all = [
    CloudUnderTest(
      type: "vps_org", settings: ["token": .secret(Secret("vps_canary", named: ["token"]))], server: "12345",
      name: "web-server-01", canary: "vps_canary"),
    CloudUnderTest(
      type: "zomro",
      settings: ["username": "ops@example.com", "password": .secret(Secret("Canary1word", named: ["password"]))],
      server: "5203773", name: "web", onLoopback: ["auth": "authinfo"], canary: "Canary1word"),
    CloudUnderTest(
      type: "zstack",
      settings: [
        "account": "ops", "password": .secret(Secret("Correct-horse-7", named: ["password"])),
        "backup_storage": "fc50c1ece4753c1981e3e3f65a151e0e", "time_zone": "+08:00",
      ], server: "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b", name: "web", canary: "Correct-horse-7"),
    CloudUnderTest(
      type: "hetzner",
      settings: ["token": .secret(Secret(String(repeating: "Canary42", count: 8), named: ["token"]))],
      server: "42", name: "web-1", canary: "Canary42"),
    CloudUnderTest(
      type: "digitalocean", settings: ["token": .secret(Secret("dop_v1_canary", named: ["token"]))],
      server: "3164444", name: "example.com", canary: "dop_v1_canary"),
    CloudUnderTest(
      type: "./acme.yaml", settings: ["token": .secret(Secret("acme_canary", named: ["token"]))],
      server: "m-1", name: "web", page: "docs/declaring-a-provider.md", canary: "acme_canary"),
    // As the page's, but a restore takes none but a stopped server.
    CloudUnderTest(
      type: "./strict.yaml", settings: ["token": .secret(Secret("acme_canary", named: ["token"]))],
      server: "m-1", name: "web", page: "docs/declaring-a-provider.md",
      edits: [
        (shown: "    needs: [running, stopped]", instead: "    needs: [stopped]"),
        (
          shown: #"snapshot.restore: {from: ["on", "off"]"#, instead: #"snapshot.restore: {from: ["off"]"#
        ),
      ], canary: "acme_canary"),
  ]

  var kind: any ProviderKind {
    get throws {
      if let file = try file { return try ProviderFile.read(file) }
      return try #require(standardProviders.first { $0.type == type }, "no provider is registered as `\(type)`")
    }
  }

  /// The file that declares it: the one example of its page that begins with `provider: v1`.
  var file: [UInt8]? {
    get throws {
      guard let page else { return nil }
      let text = try Repository.text(page)
      let start = try #require(text.firstRange(of: "```yaml\nprovider: v1\n"), "\(page) has no example")
      let end = try #require(text[start.upperBound...].firstRange(of: "```"))
      var file = "provider: v1\n\(text[start.upperBound..<end.lowerBound])"
      for edit in edits {
        try #require(file.contains(edit.shown), "\(page) does not show `\(edit.shown)`")
        file = file.replacing(edit.shown, with: edit.instead)
      }
      return Array(file.utf8)
    }
  }

  /// Another id of the same kind, which the twin does not know by itself.
  var other: String {
    type == "zstack" ? "99999999999949998999999999999999" : type.hasPrefix("./") ? "m-2" : "777"
  }

  func offers(_ action: String) throws -> Bool { try kind.actions.contains { $0.name == action } }
}

/// How the twin is reached.
enum Way: String, Sendable, CaseIterable {
  case memory, loopback
}

/// One account of a cloud's twin, reached in memory on a virtual clock, or over HTTP on loopback on a fast one.
struct CloudWorld: Sendable {
  let cloud: CloudUnderTest
  let clock: any EngineClock
  let twin: any SimulatedSystem
  let transport: any HTTPTransport
  let provider: any Provider
  private let host: LoopbackHost?

  /// A day passes in a minute: waits of minutes are over at once, and time goes on between requests. Were it faster, a
  /// request at a busy machine would take longer than it may live.
  private static let speed = 1500

  /// - Parameter later: how much later than others its clock begins, in memory.
  init(
    _ cloud: CloudUnderTest, _ way: Way = .memory, faults: [String] = [], settings: [String: Value] = [:],
    startingIn later: Duration = .zero
  ) throws {
    self.cloud = cloud
    let url: String
    switch way {
    case .memory:
      clock = VirtualClock(start: VirtualClock().now + later)
      twin = try cloud.kind.twin(clock: clock, seed: 7, isSealed: false)
      transport = InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": twin])
      host = nil
      url = "https://cloud.example.com"
    case .loopback:
      clock = ScaledClock(TestClock(), speed: CloudWorld.speed, start: VirtualClock().now)
      twin = try cloud.kind.twin(clock: clock, seed: 7, isSealed: false)
      let host = try LoopbackHost(twin) { $0 / CloudWorld.speed }
      self.host = host
      transport = LibcurlTransport()
      url = host.url
    }
    twin.ensureServer(cloud.server)
    for fault in faults { try twin.inject(fault) }
    var block = cloud.settings.merging(settings) { _, given in given }
    block["url"] = .string(url)
    if way == .loopback { block.merge(cloud.onLoopback) { _, given in given } }
    provider = try cloud.kind.connect(
      Arguments(block),
      environment: ProviderEnvironment(transport: transport, clock: clock, random: SeededRandom(seed: 1)))
  }

  func driver(_ action: String) throws -> ActionDriver {
    ActionDriver(
      try #require(provider.action(action), "\(cloud.type) has no `\(action)`"), clock: clock, transport: transport,
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles())
  }

  /// Carries an action on the cloud's server out to its end; `server` goes where the action has the field.
  @discardableResult
  func run(
    _ action: String, _ with: [String: Value] = [:], key: String? = nil, created: [Value] = []
  ) async throws -> [String: Value] {
    var driver = try driver(action)
    if let key { driver.key = key }
    driver.createdServers = Set(created.compactMap { $0.string })
    return try await driver.run(fields(action, with)).result.outputs
  }

  func fields(_ action: String, _ with: [String: Value]) throws -> [String: Value] {
    let declaration = try #require(try cloud.kind.actions.first { $0.name == action })
    var all: [String: Value] = [:]
    for field in declaration.fields { all[field.name] = field.defaultValue }
    if declaration.fields.contains(where: { $0.name == "server" }) { all["server"] = .string(cloud.server) }
    return all.merging(cloud.with[action] ?? [:]) { _, more in more }.merging(with) { _, given in given }
  }

  func failure(_ action: String, _ with: [String: Value] = [:]) async throws -> StepFailure {
    do {
      let outputs = try await run(action, with)
      Issue.record("`\(action)` succeeded: \(outputs)")
      return StepFailure(.server, "none")
    } catch let failure as StepFailure {
      return failure
    }
  }

  var state: String? { get async throws { try await run("server.status")["state"]?.string } }
  func effects(_ effect: String) -> Int { twin.ledger.count { $0.effect == effect } }
}

/// The machine's clocks, for what really waits.
struct TestClock: EngineClock {
  private static let start = ContinuousClock.now
  var now: Timestamp { VirtualClock().now + monotonic }
  var monotonic: Duration { ContinuousClock.now - TestClock.start }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}

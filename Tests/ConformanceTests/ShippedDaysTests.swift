import Providers
import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// Shipped runbooks on good days and bad ones, and what the cloud's ledger says then.
@Suite struct ShippedDaysTests {
  private static let rescue = ["server": "5203773", "host": "web01.example.com"] as [String: Value]
  private static let deploy: [String: Value] = [
    "server": "12345", "host": "web01.example.com", "pool": "https://lb.example.com/pools/web/web01",
    "release": "./release",
  ]

  @Test func aMendedServerIsOutOfRescueAndRuns() async throws {
    let day = try ShippedDay("rescue_boot.yaml")
    #expect(try await day.run(Self.rescue).exitCode == 0, "\(day.story)")
    #expect(day.effects == ["rescue.enter", "rescue.exit"])
    #expect(try await day.state == "running")
  }

  @Test func aServerThatWasStoppedIsStoppedAfterRescueToo() async throws {
    let day = try ShippedDay("rescue_boot.yaml")
    try await day.stopFirst()
    #expect(try await day.run(Self.rescue).exitCode == 0, "\(day.story)")
    #expect(day.effects == ["server.stop", "rescue.enter", "rescue.exit", "server.stop"])
    #expect(try await day.state == "stopped")
  }

  @Test func aServerThatStaysDownGoesBackToRescueToBePutBack() async throws {
    let day = try ShippedDay("rescue_boot.yaml", mock: "mocks/stays_down.yaml")
    #expect(try await day.run(Self.rescue).exitCode == 3, "\(day.story)")
    #expect(day.effects == ["rescue.enter", "rescue.exit", "rescue.enter", "rescue.exit"])
    #expect(day.undone == ["back.undo[0]", "back.undo[1]", "mend.undo[0]", "rescue.undo[0]"])
    #expect(try await day.state == "running")
  }

  @Test(arguments: [false, true])
  func aServerIsOutOfRescueWhereverItFails(wasStopped: Bool) async throws {
    for step in ["up", "look", "mend"] {
      let fail = "{fail: {kind: rejected, message: no, effect: \(step == "mend" ? "applied" : "none")}}"
      let day = try ShippedDay("rescue_boot.yaml", mocks: "mock: v1\nsteps: {\(step): \(fail)}\n")
      if wasStopped { try await day.stopFirst() }
      #expect(try await day.run(Self.rescue).exitCode == 3, "\(step): \(day.story)")
      #expect(day.effects.filter { $0.hasPrefix("rescue") } == ["rescue.enter", "rescue.exit"], "\(step)")
      #expect(day.undone.contains("mend.undo[0]") == (step == "mend"))
      #expect(try await day.state == (wasStopped ? "stopped" : "running"), "\(step)")
    }
  }

  /// Killed at every commit, send and receive of the bad day, and resumed.
  @Test func aKillAtAnyPointLeavesNoServerInRescue() async throws {
    let life = KillSwitch()
    _ = try await ShippedDay("rescue_boot.yaml", mock: "mocks/stays_down.yaml").run(Self.rescue, life: life)
    #expect(life.passed > 40)
    for point in Campaign.part(of: 1...life.passed, every: 9) {
      let day = try ShippedDay("rescue_boot.yaml", mock: "mocks/stays_down.yaml")
      let life = KillSwitch(at: point)
      _ = try await day.run(Self.rescue, life: life)
      let place = try #require(life.place, "the kill at \(point) never fired")
      #expect(try await day.resume().exitCode == 3, "killed at \(point), \(place)\n\(day.story)")
      #expect(try await day.state == "running", "killed at \(point), \(place)")
      #expect(day.effects.count { $0 == "rescue.enter" } <= 2, "killed at \(point), \(place)")
    }
  }

  @Test func aReleaseThatAnswersStaysAndComesBackIntoThePool() async throws {
    let day = try ShippedDay("deploy_hook.yaml")
    #expect(try await day.run(Self.deploy).exitCode == 0, "\(day.story)")
    #expect(day.effects == ["snapshot.create"])
    #expect(day.undone.isEmpty)
    #expect(day.done.suffix(4) == ["smoke", "keep", "pool", "always[0]"])
  }

  @Test func aReleaseThatDoesNotAnswerIsTakenBackBeforeTheServiceIsRestarted() async throws {
    let day = try ShippedDay("deploy_hook.yaml", mock: "mocks/smoke_fails.yaml")
    #expect(try await day.run(Self.deploy).exitCode == 3, "\(day.story)")
    #expect(day.undone == ["deploy.undo[0]", "deploy.undo[1]", "drain.undo[0]"])
    #expect(day.effects == ["snapshot.create"])
    #expect(!day.done.contains("pool"))
  }

  /// After `commit` nothing is taken back: the release is good, and only its place in the pool is missing.
  @Test func aPoolThatDoesNotAnswerTakesNoReleaseBack() async throws {
    let day = try ShippedDay(
      "deploy_hook.yaml", mocks: "mock: v1\nsteps: {pool: {fail: {kind: server, message: no, retryable: true}}}\n")
    #expect(try await day.run(Self.deploy).exitCode == 1, "\(day.story)")
    #expect(day.undone.isEmpty)
  }
}

/// One shipped runbook against its cloud's twin, in virtual time; what leaves the machine is answered by a mock file.
struct ShippedDay: Sendable {
  static let runID = "r0123456789abcdefghi"
  private static let url = "https://cloud.example.com"
  private static let folder = "/srv/runbooks"

  private let twin: any SimulatedSystem
  private let world: RunWorld
  private let store: MemoryStore
  private let observer = RecordingObserver()
  private let runbook: ValidatedRunbook
  private let source: PinnedSource

  init(_ file: String, mock: String? = nil, mocks text: String? = nil) throws {
    source = try Self.source(Repository.text("runbooks/\(file)"))
    runbook = try Self.runbook(source)
    let clock = VirtualClock()
    let type = runbook.providers.first?.type
    let kind = try #require(standardProviders.first { $0.type == type })
    twin = kind.twin(clock: clock, seed: 3, isSealed: true)
    store = MemoryStore(clock: clock)
    let mocks = try (mock.map { try Repository.bytes("runbooks/\($0)") } ?? text.map { Array($0.utf8) })
      .map { try MockFile(yaml: $0) }
    world = RunWorld(
      clock: clock, random: SeededRandom(seed: 7),
      transport: InMemoryTransport(
        clock: clock, routes: [Self.url: twin], fallback: SimulatedWeb(clock: clock)),
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(),
      builtIn: SimulatedActions.make(from: standardActions, mocks: mocks), providerKinds: standardProviders)
  }

  private static func source(_ text: String) throws -> PinnedSource {
    PinnedSource(
      text: text, files: try runbook(PinnedSource(text: text, files: [:], folder: folder)).pinnedFiles, folder: folder)
  }

  private static func runbook(_ source: PinnedSource) throws -> ValidatedRunbook {
    var runbook = try ValidatedRunbook(
      ParsedDocument(yaml: source.text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
        readFile: { (path, _) throws(FileRefusal) in
          do { return try Repository.bytes("runbooks/\(path)") } catch { throw FileRefusal("it is not there") }
        }))
    for index in runbook.providers.indices { runbook.providers[index].settings["url"] = .literal(.string(url)) }
    return runbook
  }

  private func process(_ runbook: ValidatedRunbook, _ source: PinnedSource, _ observer: RecordingObserver)
    -> SimulatedProcess
  {
    let secrets = Dictionary(
      runbook.secrets.map { ($0.name, Secret("https://Simulated1.invalid/\($0.name.prefix(20))", named: [$0.name])) },
      uniquingKeysWith: { first, _ in first })
    return SimulatedProcess(
      world: world, store: store, runbook: runbook, source: source, secrets: secrets, observer: observer)
  }

  func run(_ inputs: [String: Value], life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process(runbook, source, observer).start(Self.runID, inputs: inputs, life: life)
  }

  func resume() async throws -> RunEnd { try await process(runbook, source, observer).resume(Self.runID) }

  /// A run of its own, with the same cloud.
  private func other(_ id: String, _ step: String, _ output: String) async throws -> Value? {
    let head = source.text.split(separator: "\n").filter {
      $0.hasPrefix("secrets:") || $0.hasPrefix("providers:") || $0.contains("{source: env") || $0.hasPrefix("  cloud:")
    }
    let text = """
      runbook: v1
      name: other
      \(head.joined(separator: "\n"))
      steps:
        - \(step)
      outputs: {result: "\(output)"}

      """
    let source = try Self.source(text)
    let observer = RecordingObserver()
    let end = try await process(Self.runbook(source), source, observer).start(id, inputs: [:])
    #expect(end.exitCode == 0)
    return observer.events.last { $0.event == "run.ended" }?.fields["outputs"]?.map?["result"]
  }

  func stopFirst() async throws {
    let step = "{id: a, action: server.stop, with: {server: '5203773'}, rollback: none}"
    _ = try await other("r00000000000000000st", step, "steps.a.outputs.state")
  }

  /// Of Zomro's server.
  var state: String? {
    get async throws {
      let step = "{id: a, action: server.status, with: {server: '5203773'}}"
      return try await other("r00000000000000000as", step, "steps.a.outputs.state")?.string
    }
  }

  /// What the twin's ledger says, in order.
  var effects: [String] { twin.ledger.map(\.effect) }
  /// Paths of the steps and undo steps that succeeded, in order.
  var done: [String] { ended("step.ended", "step") }
  var undone: [String] { ended("undo.ended", "entry") }

  private func ended(_ name: String, _ path: String) -> [String] {
    observer.events.filter { $0.event == name && $0.fields["status"] == "succeeded" }
      .compactMap { $0.fields[path]?.string }
  }

  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }
}

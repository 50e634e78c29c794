import Providers
import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// `runbooks/pre_upgrade.yaml` with nothing but its provider block replaced.
@Suite struct PreUpgradeTests {
  @Test(arguments: CloudUnderTest.all)
  func itUpgradesOnEveryCloud(_ cloud: CloudUnderTest) async throws {
    let world = try MovedRunbook(cloud, update: 0)
    #expect(try await world.run().exitCode == 0, "\(world.story)")
    #expect(world.effects("server.stop") == 1)
    #expect(world.effects("snapshot.create") == 1)
    #expect(world.effects("server.start") == 1)
    #expect(world.effects("snapshot.restore") == 0)
  }

  @Test(arguments: CloudUnderTest.all)
  func itPutsTheSnapshotBackOnEveryCloud(_ cloud: CloudUnderTest) async throws {
    let world = try MovedRunbook(cloud, update: 100)
    #expect(try await world.run().exitCode == 3, "\(world.story)")
    #expect(world.effects("snapshot.create") == 1)
    #expect(world.effects("snapshot.restore") == 1)
    #expect(try await world.cloud.state == "running")
  }

  /// Where a log-in makes sessions: the run opens another one, and nothing is done twice.
  @Test(arguments: CloudUnderTest.all.filter { $0.settings["token"] == nil })
  func aSessionThatEndsInTheMiddleOfARunIsReplaced(_ cloud: CloudUnderTest) async throws {
    let whole = try MovedRunbook(cloud, update: 100)
    #expect(try await whole.run().exitCode == 3)
    let requests = whole.cloud.twin.requests.count
    #expect(requests > 20)
    var ended = 0
    for after in stride(from: 2, to: requests, by: Campaign.count(11, torture: 1)) {
      let world = try MovedRunbook(cloud, update: 100)
      try world.cloud.twin.inject("token_expires:\(after)")
      #expect(try await world.run().exitCode == 3, "after \(after): \(world.story)")
      for effect in ["server.stop", "snapshot.create", "snapshot.restore"] {
        #expect(world.effects(effect) == whole.effects(effect), "\(effect), after \(after)")
      }
      // Not every request is asked for its session: later than the last that is, none ends, and the next look would
      // have a session that ends before it is used.
      guard !world.cloud.twin.firedFaults.isEmpty else { continue }
      ended += 1
      #expect(try await world.cloud.state == "running")
    }
    #expect(ended >= 3)
  }

  /// A service that answers every such request with an error page: the step ends with its own time, after requests that
  /// leave further and further apart.
  @Test(arguments: CloudUnderTest.all, ["snapshot.create", "server.stop"])
  func aCallThatIsNeverAnsweredEndsWithItsStep(_ cloud: CloudUnderTest, _ operation: String) async throws {
    let world = try MovedRunbook(cloud, update: 0)
    try world.cloud.twin.inject("502:\(operation):1000000")
    let end = try await world.run()
    #expect(end.exitCode == (operation == "server.stop" ? 1 : 3), "\(world.story)")
    #expect(world.cloud.twin.requests.count { $0 == operation } < 500)
    #expect(world.effects(operation) == 0)
    #expect(try await world.cloud.state == "running")
  }

  /// The process is killed at every commit, send and receive; another one resumes.
  @Test(arguments: CloudUnderTest.all)
  func aKillAtAnyPointRepeatsNothingOnAnyCloud(_ cloud: CloudUnderTest) async throws {
    let life = KillSwitch()
    #expect(try await MovedRunbook(cloud, update: 100).run(life: life).exitCode == 3)
    let last = life.passed
    #expect(last > 50)
    for point in Campaign.part(of: 1...last, every: 9) {
      let world = try MovedRunbook(cloud, update: 100)
      let life = KillSwitch(at: point)
      _ = try await world.run(life: life)
      let place = try #require(life.place, "the kill at \(point) never fired")
      let end = try await world.resume()
      #expect(end.exitCode == 3, "\(cloud.type), killed at \(point), \(place): \(end)\n\(world.story)")
      for effect in ["server.stop", "snapshot.create", "snapshot.restore"] {
        #expect(world.effects(effect) <= world.expected(effect), "\(cloud.type), \(effect), at \(point), \(place)")
      }
      #expect(try await world.cloud.state == "running", "\(cloud.type), killed at \(point), \(place)")
    }
  }

  /// Nobody resumes for hours: what the other side remembered of a request (the job of its key) is gone by then.
  @Test(arguments: CloudUnderTest.all)
  func aKillThatIsNoticedLateRepeatsNothingOnAnyCloud(_ cloud: CloudUnderTest) async throws {
    let life = KillSwitch()
    _ = try await MovedRunbook(cloud, update: 100).run(life: life)
    for point in Campaign.part(of: 2...life.passed, every: 13) {
      let world = try MovedRunbook(cloud, update: 100)
      let life = KillSwitch(at: point)
      _ = try await world.run(life: life)
      let place = try #require(life.place, "the kill at \(point) never fired")
      await world.cloud.clock.sleep(for: .seconds(5 * 3600))
      let end = try await world.resume()
      // Where the first step's time was over before anything was changed, there is nothing to undo.
      let hasChanged = world.effects("server.stop") > 0
      #expect(end.exitCode == 3 || !hasChanged && end.exitCode == 1, "\(cloud.type), \(point), \(place): \(end)")
      for effect in ["server.stop", "snapshot.create"] {
        #expect(world.effects(effect) <= world.expected(effect), "\(cloud.type), \(effect), at \(point), \(place)")
      }
      // An undo of which nothing tells any more is made again: not cleaning up is worse.
      #expect(world.effects("snapshot.restore") <= 2, "\(cloud.type), at \(point), \(place)")
    }
  }
}

/// The runbook on one cloud's twin, in virtual time.
struct MovedRunbook: Sendable {
  static let runID = "r0123456789abcdefghi"

  let cloud: CloudWorld
  private let web: SimulatedWeb
  private let store: MemoryStore
  private let observer = RecordingObserver()
  private let runbook: ValidatedRunbook
  private let source: PinnedSource
  private let world: RunWorld

  init(_ type: CloudUnderTest, update exitCode: Int32) throws {
    cloud = try CloudWorld(type)
    web = SimulatedWeb(clock: cloud.clock)
    store = MemoryStore(clock: cloud.clock)
    let text = try MovedRunbook.text(for: type)
    var files = ["./update.sh": try Repository.bytes("runbooks/update.sh")]
    files[type.type] = try type.file
    let known = files
    runbook = try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
        readFile: { (path, _) throws(FileRefusal) in
          guard let bytes = known[path] else { throw FileRefusal("it is not there") }
          return bytes
        }, readProvider: { (yaml) throws(Diagnostics) in try ProviderFile.read(yaml) }))
    source = PinnedSource(text: text, files: runbook.pinnedFiles, folder: "/srv/runbooks")
    world = RunWorld(
      clock: cloud.clock, random: SeededRandom(seed: 7),
      transport: InMemoryTransport(
        clock: cloud.clock, routes: ["https://cloud.example.com": cloud.twin], fallback: web),
      scripts: SimulatedScripts(
        clock: cloud.clock,
        rules: exitCode == 0
          ? [] : [SimulatedScripts.Rule(matching: "upgrade", exitCode: exitCode, stderr: "held broken packages")]),
      files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders)
  }

  /// The shipped text, its provider block replaced by one with literal settings, and every secret of it by an input.
  static func text(for cloud: CloudUnderTest) throws -> String {
    let shipped = try Repository.text("runbooks/pre_upgrade.yaml")
    let block = "  cloud: {type: vps_org, token: \"${{ secrets.vps_token }}\"}"
    #expect(shipped.ranges(of: block).count == 1)
    var fields = ["type: \(cloud.type)", "url: \"https://cloud.example.com\""]
    for (name, value) in cloud.settings.sorted(by: { $0.key < $1.key }) {
      if case .secret = value {
        fields.append("\(name): \"${{ secrets.\(name) }}\"")
      } else {
        fields.append("\(name): \(value.string ?? JSONWriter.text(value))")
      }
    }
    let secrets = cloud.settings.filter { if case .secret = $0.value { true } else { false } }.keys.sorted()
      .map { "  \($0): {source: env, key: CLOUD_\($0.uppercased())}\n" }.joined()
    return shipped.replacing(block, with: "  cloud: {\(fields.joined(separator: ", "))}")
      .replacing("  vps_token: {source: env, key: VPS_TOKEN}\n", with: secrets)
  }

  private var process: SimulatedProcess {
    var secrets = ["chat_hook": Secret("https://chat.example.com/hook/canary_2", named: ["chat_hook"])]
    for (name, value) in cloud.cloud.settings {
      if case .secret(let secret) = value { secrets[name] = Secret(secret.reveal(), named: [name]) }
    }
    return SimulatedProcess(
      world: world, store: store, runbook: runbook, source: source, secrets: secrets, observer: observer)
  }

  func run(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.start(
      MovedRunbook.runID, inputs: ["server": .string(cloud.cloud.server), "host": "web01.example.com"], life: life)
  }

  func resume() async throws -> RunEnd { try await process.resume(MovedRunbook.runID) }

  func effects(_ effect: String) -> Int { cloud.effects(effect) }

  /// How often an effect may take place: a restore may have to stop the server first.
  func expected(_ effect: String) -> Int { effect == "server.stop" ? 2 : 1 }

  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }
}

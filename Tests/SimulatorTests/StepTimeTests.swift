import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// A step's time bounds what it does, and what the other side asks for is not undercut within it.
@Suite struct StepTimeTests {
  /// A runbook without providers, in virtual time.
  private struct World {
    let clock = VirtualClock()
    let system: ScriptedSystem
    let observer = RecordingObserver()

    init(_ system: ScriptedSystem = ScriptedSystem(200, "{}")) { self.system = system }

    func run(_ steps: String) async throws -> RunEnd {
      let text = Array("runbook: v1\nname: times\n\(steps)".utf8)
      let runbook = try ValidatedRunbook(
        ParsedDocument(yaml: text),
        in: ValidationContext(
          steps: standardSteps, actions: standardActions.map(\.declaration), providers: [],
          readFile: { (_, _) throws(FileRefusal) in throw FileRefusal("it is not there") }))
      let world = RunWorld(
        clock: clock, random: SeededRandom(seed: 7),
        transport: InMemoryTransport(clock: clock, routes: ["https://web.example.com": system]),
        scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: standardActions,
        providerKinds: [])
      let process = SimulatedProcess(
        world: world, store: MemoryStore(clock: clock), runbook: runbook,
        source: PinnedSource(text: String(decoding: text, as: UTF8.self), files: [:], folder: "/srv"),
        observer: observer)
      return try await process.start("r0123456789abcdefghi", inputs: [:])
    }

    var message: String {
      let error = observer.events.last { $0.event == "step.ended" && $0.fields["error"]?.isNull == false }
      return error?.fields["error"]?["message"]?.string ?? ""
    }
  }

  @Test(
    arguments: [
      ("steps: [{id: nap, sleep: 6s, timeout: 1s}]", 1), ("timeout: 1s\nsteps: [{id: nap, sleep: 20s}]", 1),
    ] as [(String, Int64)])
  func aPauseEndsWithItsStepAndItsRun(_ text: String, _ seconds: Int64) async throws {
    let world = World()
    let begun = world.clock.now
    #expect(try await world.run(text).exitCode == 1)
    #expect(world.clock.now - begun == .seconds(seconds))
    #expect(world.message.contains("longer than the step may take"))
  }

  /// Looks and attempts alike: the next request leaves when the pause is over, or never.
  @Test(arguments: [
    "{id: look, wait_for: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}",
    "{id: look, action: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}",
    "{id: look, action: http.put, with: {url: 'https://web.example.com/'}, timeout: 30m, rollback: none}",
  ])
  func aPauseThatOutlastsTheStepEndsItAndIsTold(_ step: String) async throws {
    let world = World(ScriptedSystem(429, "{}", headers: [(name: "retry-after", value: "7200")]))
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    #expect(world.system.seen.count == 1)
    #expect(world.message.contains("it asks for a pause of 2h"), "\(world.message)")
  }

  @Test func aPauseWithinTheStepIsKept() async throws {
    let replies = [
      ScriptedSystem.reply(429, "{}", headers: [(name: "retry-after", value: "900")]), ScriptedSystem.reply(200, "{}"),
    ]
    let world = World(ScriptedSystem(replies))
    let begun = world.clock.now
    let step = "{id: look, wait_for: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 0)
    #expect(world.system.seen.count == 2)
    #expect(world.clock.now - begun >= .seconds(900))
  }
}

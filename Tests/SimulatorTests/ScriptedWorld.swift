import Runbook
import Simulator
import Steps
import Stores
import TestSupport

/// A runbook without providers, in virtual time, with one web site that answers what a list says.
struct ScriptedWorld {
  let clock = VirtualClock()
  let system: ScriptedSystem
  let scripts: SimulatedScripts
  let files = SimulatedFiles()
  let observer = RecordingObserver()

  init(_ system: ScriptedSystem = ScriptedSystem(200, "{}"), scripts rules: [SimulatedScripts.Rule] = []) {
    self.system = system
    scripts = SimulatedScripts(clock: clock, rules: rules)
  }

  /// - Parameter steps: the file behind its name.
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
      scripts: scripts, files: files, builtIn: standardActions,
      providerKinds: [])
    let process = SimulatedProcess(
      world: world, store: MemoryStore(clock: clock), runbook: runbook,
      source: PinnedSource(text: String(decoding: text, as: UTF8.self), files: [:], folder: "/srv"),
      observer: observer)
    return try await process.start("r0123456789abcdefghi", inputs: [:])
  }

  /// Of the newest step that failed.
  var message: String {
    let error = observer.events.last { $0.event == "step.ended" && $0.fields["error"]?.isNull == false }
    return error?.fields["error"]?["message"]?.string ?? ""
  }
  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }
  /// Commands of the scripts that were started, in order.
  var started: [String] { scripts.ledger.map(\.detail) }
}

import Runbook
import Simulator
import Steps
import Stores
import Synchronization

/// A simulated world with the standard steps, and the steps and the cloud of this folder beside them.
struct OutsideWorld {
  static let runID = "r0123456789abcdefghi"
  static let steps = standardSteps + [HandoverStep.self]
  static let actions = standardActions + FlagActions.all + HandoverStep.actions
  static let clouds: [any ProviderKind] = [TinyCloud()]
  static let context = ValidationContext(
    steps: steps, actions: actions.map { $0.declaration }, providers: clouds)
  static let known = KnownActions(builtIn: context.actions, providers: clouds)

  let clock = VirtualClock()
  private let log = ChangeLog()
  let flags: SimulatedFlags
  let twin: TinyTwin
  let store: MemoryStore
  let observer = RecordingObserver()
  let runbook: ValidatedRunbook
  private let text: String

  init(_ text: String) throws {
    self.text = text
    flags = SimulatedFlags(clock: clock, on: ["web"], log: log)
    twin = TinyTwin(clock: clock, log: log)
    store = MemoryStore(clock: clock)
    runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: Self.context)
  }

  var process: SimulatedProcess {
    SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7),
        transport: InMemoryTransport(clock: clock, routes: [TinyCloud.origin: twin, FlagService.origin: flags]),
        scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: Self.actions,
        providerKinds: Self.clouds),
      store: store, runbook: runbook, source: PinnedSource(text: text, files: [:], folder: "/srv/runbooks"),
      secrets: ["token": Secret("tiny-token", named: ["token"])], observer: observer)
  }

  func run(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.start(Self.runID, inputs: Self.inputs, life: life)
  }

  static let inputs: [String: Value] = ["server": .string(TinyTwin.server)]

  /// What was changed, in order: `off web`, `power off`, `size 8`.
  var changes: [String] { log.changes }

  /// What the run told, one line an event.
  var lines: [String] {
    var text = EventText(actions: Self.known)
    return observer.events.compactMap { text.line(for: $0) }
  }
}

/// What was changed on either side, in the order in which it was.
final class ChangeLog: Sendable {
  private let entries = Mutex<[String]>([])
  var changes: [String] { entries.withLock { $0 } }
  func note(_ entry: LedgerEntry) { entries.withLock { $0.append("\(entry.effect) \(entry.detail)") } }
}

import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import TestSupport

/// A world for any runbook, in virtual time, with one cloud. It outlives the processes that work in it, and it changes
/// between them: secrets, clocks, the scripts' folder, the store.
final class MovingWorld {
  static let runID = "r0123456789abcdefghi"
  /// Of the run that a `rerun` repeats.
  static let earlierID = "r0123456789abcdefg00"
  /// Of runs that must not come about.
  static let otherID = "r0123456789abcdefg99"

  let clock = VirtualClock()
  let web: LedgerWeb
  let twin: SimulatedVPSOrg
  let scripts: SimulatedScripts
  var store: MemoryStore
  let observer = RecordingObserver()
  var secrets: [String: Secret]
  /// Names of secrets that a process is told to go on without.
  var without: Set<String> = []
  var acceptsRestored: String?
  /// As `--key` says.
  var key: String?
  /// As `rerun` says.
  var earlier: (id: String, fromStep: String, inherited: [String: Value])?
  /// How often somebody was refused who could have disturbed the run.
  var refused = 0
  /// How often another start with the same key found the run.
  var attached = 0
  /// A request on its way: when it arrives.
  var late: Timestamp?
  /// When the run began that is looked at: what happened before belongs to another.
  private(set) var beginning: Timestamp
  let runbook: ValidatedRunbook
  private let source: PinnedSource
  let inputs: [String: Value]

  init(
    _ text: String, inputs: [String: Value] = [:], secrets: [String: String] = [:],
    scripts rules: [SimulatedScripts.Rule] = [], files: [String: String] = [:]
  ) throws {
    // Other machines have clocks of their own, which nobody sets.
    let theirs = SteadyClock(base: clock)
    web = LedgerWeb(clock: theirs)
    twin = SimulatedVPSOrg(clock: theirs)
    scripts = SimulatedScripts(clock: theirs, rules: rules)
    store = MemoryStore(clock: clock)
    beginning = clock.now
    runbook = try MovingWorld.validated(text, files)
    source = PinnedSource(text: text, files: runbook.pinnedFiles, folder: "/srv/runbooks")
    self.inputs = inputs
    self.secrets = secrets.reduce(into: [:]) { $0[$1.key] = Secret($1.value, named: [$1.key]) }
  }

  /// Validated once: thousands of worlds run the same text.
  private static let cache = Mutex<[String: ValidatedRunbook]>([:])

  static func validated(_ text: String, _ files: [String: String] = [:]) throws -> ValidatedRunbook {
    if let known = cache.withLock({ $0[text] }) { return known }
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
      readFile: { (path, _) throws(FileRefusal) in
        if let text = files[path] ?? files[String(path.drop { "./".contains($0) })] { return Array(text.utf8) }
        guard let bytes = try? Repository.bytes("runbooks/" + path) else { throw FileRefusal("it is not there") }
        return bytes
      })
    let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
    cache.withLock { $0[text] = runbook }
    return runbook
  }

  func process(_ control: RunControl = RunControl()) -> SimulatedProcess {
    var process = SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7),
        transport: network, scripts: scripts,
        files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders),
      store: store, runbook: runbook, source: source, secrets: secrets, observer: observer)
    process.control = control
    process.without = without
    process.acceptsRestored = acceptsRestored
    process.key = key
    process.earlier = earlier
    return process
  }

  /// A transport that no process owns.
  var network: InMemoryTransport {
    InMemoryTransport(clock: clock, routes: ["https://admin.vps.org": twin], fallback: web)
  }

  func start(life: KillSwitch = KillSwitch(), _ control: RunControl = RunControl()) async throws -> RunEnd {
    try await process(control).start(MovingWorld.runID, inputs: inputs, life: life)
  }

  /// Killed at the first point whose place holds `place`.
  func start(killedAt place: String) async throws {
    let life = KillSwitch(where: place)
    _ = try await start(life: life)
    guard life.place != nil else { throw NeverFired(place: place) }
  }

  func resume(life: KillSwitch = KillSwitch(), _ control: RunControl = RunControl()) async throws -> RunEnd {
    try await process(control).resume(MovingWorld.runID, life: life)
  }

  /// Does a whole run and lets an hour pass; the run that is looked at repeats it.
  /// - Parameter from: as `rerun --from` says; nil: all of it is done again.
  func rerunOfARun(from: String?) async throws -> RunEnd {
    var process = process()
    process.observer = RecordingObserver()
    let end = try await process.start(MovingWorld.earlierID, inputs: inputs)
    clock.advance(by: .seconds(3600))
    beginning = clock.now
    var inherited: [String: Value] = [:]
    if let from {
      let (values, undone) = try await NewRun.inheritance(
        from: MovingWorld.earlierID, before: from, of: runbook, in: store, secrets: secrets)
      guard undone == nil else { throw NeverFired(place: "rerun --from \(from)") }
      inherited = values
    }
    earlier = (MovingWorld.earlierID, from ?? runbook.steps.leaves.first?.path.text ?? "", inherited)
    return end
  }

  struct NeverFired: Error { var place: String }

  func rotate(_ name: String, to text: String) { secrets[name] = Secret(text, named: [name]) }
  func lose(_ name: String) { secrets[name] = nil }

  func post(_ kind: String, _ body: Value) throws {
    _ = try store.post(kind, body: JSONWriter.bytes(body), to: MovingWorld.runID, requester: "ops") { _ in false }
  }

  // MARK: What came of it

  var locks: [String] { (try? store.locks(of: MovingWorld.runID)) ?? [] }
  /// Commands of the scripts that were started, in order.
  var started: [String] { scripts.ledger.filter { $0.effect == "script.start" }.map(\.detail) }
  var messages: [String] { observer.progress.compactMap(\.message) }
  func events(_ name: String) -> [RunEvent] { observer.events.filter { $0.event == name } }
  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }
  /// The end of a step or undo step, as the newest event tells it.
  func end(of step: String) -> RunEvent? {
    observer.events.last {
      ($0.event == "step.ended" || $0.event == "undo.ended")
        && ($0.fields["entry"]?.string ?? $0.fields["step"]?.string) == step
    }
  }
  /// Bytes of the journal, as they would lie on a disk.
  var journal: String {
    let entries = (try? store.entries(of: MovingWorld.runID, after: 0)) ?? []
    return entries.map { String(decoding: $0.body, as: UTF8.self) }.joined(separator: "\n")
  }
}

/// The same time, on a wall clock that is never set.
struct SteadyClock: EngineClock {
  let base: VirtualClock
  private let start: Timestamp

  init(base: VirtualClock) {
    self.base = base
    start = base.now + (.zero - base.monotonic)
  }

  var now: Timestamp { start + base.monotonic }
  var monotonic: Duration { base.monotonic }
  func sleep(for duration: Duration) async { await base.sleep(for: duration) }
}

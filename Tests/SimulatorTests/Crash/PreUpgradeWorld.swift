import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import TestSupport

/// `runbooks/pre_upgrade.yaml` in a world of its own: virtual time, the twin of VPS.org, a web site for health page and
/// chat hook, scripts that end as told. The world outlives the processes that work in it.
struct PreUpgradeWorld {
  enum Scenario: String, CaseIterable, Sendable {
    case succeeding, failing, failingInRollback

    /// Exit codes a run may end with when nobody kills it.
    var exitCode: Int32 {
      switch self {
      case .succeeding: 0
      case .failing: 3
      case .failingInRollback: 4
      }
    }
  }

  static let runID = "r0123456789abcdefghi"
  static let inputs: [String: Value] = ["server": "12345", "host": "web01.example.com"]

  let clock = VirtualClock()
  let twin: SimulatedVPSOrg
  let web: SimulatedWeb
  let scripts: SimulatedScripts
  let store: MemoryStore
  let observer = RecordingObserver()
  let transport: InMemoryTransport
  private let runbook: ValidatedRunbook
  private let source: PinnedSource

  init(_ scenario: Scenario, faults: [String] = [], edit: (String) -> String = { $0 }) throws {
    twin = SimulatedVPSOrg(clock: clock)
    web = SimulatedWeb(clock: clock)
    scripts = SimulatedScripts(
      clock: clock,
      rules: scenario == .succeeding ? [] : [SimulatedScripts.Rule(matching: "upgrade", exitCode: 1, stderr: "no luck")]
    )
    store = MemoryStore(clock: clock)
    if scenario == .failingInRollback { try twin.inject("fails:snapshot.restore") }
    for fault in faults { try twin.inject(fault) }
    transport = InMemoryTransport(clock: clock, routes: ["https://admin.vps.org": twin], fallback: web)
    let text = edit(try Repository.text("runbooks/pre_upgrade.yaml"))
    runbook = try PreUpgradeWorld.validated(text)
    source = PinnedSource(text: text, files: runbook.pinnedFiles, folder: "/srv/runbooks")
  }

  /// Validated once: thousands of worlds run the same text.
  private static let cache = Mutex<[String: ValidatedRunbook]>([:])

  private static func validated(_ text: String) throws -> ValidatedRunbook {
    if let known = cache.withLock({ $0[text] }) { return known }
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
      readFile: { (path, _) throws(FileRefusal) in
        guard let bytes = try? Repository.bytes("runbooks/" + path) else { throw FileRefusal("it is not there") }
        return bytes
      })
    let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
    cache.withLock { $0[text] = runbook }
    return runbook
  }

  /// A new process; each has its own control.
  var process: SimulatedProcess {
    SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7), transport: transport, scripts: scripts,
        files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders),
      store: store, runbook: runbook, source: source,
      secrets: [
        "vps_token": Secret("vps_canary_token_1", named: ["vps_token"]),
        "chat_hook": Secret("https://chat.example.com/hook/canary_2", named: ["chat_hook"]),
      ], observer: observer)
  }

  func start(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.start(PreUpgradeWorld.runID, inputs: PreUpgradeWorld.inputs, life: life)
  }

  func resume(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.resume(PreUpgradeWorld.runID, life: life)
  }

  /// What happened at the cloud, in order, without times.
  var effects: [String] { twin.ledger.map { "\($0.effect) \($0.subject) \($0.detail)" } }
  /// How often the update was begun.
  var updates: Int { scripts.ledger.filter { $0.detail.contains("deploy") }.count }
  var notices: Int { web.ledger.count }
}

extension RunEnd {
  /// nil unless the run has ended.
  var ended: RunEnded? { if case .ended(let ended) = self { ended } else { nil } }
}

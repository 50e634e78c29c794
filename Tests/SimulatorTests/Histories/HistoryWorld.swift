import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores

/// The world a history is carried on in: its journal in a store, a clock that goes on five seconds after its last
/// entry, and a log of what is done.
struct HistoryWorld {
  /// How it differs from the plain world, in which scripts end at once with 0 and web sites answer 200.
  struct Facts: Sendable {
    /// Tells it from other worlds of the same history.
    var note = ""
    /// The fate of the script that the last owner had begun.
    var begun = Begun.running
    var scripts: [SimulatedScripts.Rule] = []
    var web: [SimulatedWeb.Rule] = []
    /// The secret `token`, which may have been changed since.
    var token = "vps_s3cret-token"
    /// Requests of the last owner to the cloud, ten minutes passing between one and the next.
    var asked: [Asked] = []

    enum Asked: Sendable { case stop, start, snapshot, restore }

    enum Begun: Sendable {
      /// For one second more; then it ends with 0.
      case running
      /// It left no exit code.
      case lost
      /// Nothing is left of its folder.
      case absent
    }
  }

  let history: History
  let row: HistoryRow
  let store: MemoryStore
  let scripts: SimulatedScripts
  let log: DeedLog
  let observer = RecordingObserver()
  private let clock: VirtualClock
  private let process: SimulatedProcess

  /// Many times what any of them needs: a run that is still going on then does not end.
  private static let patience = 600

  /// - Parameter cut: the last owner died behind its entry of this number; nil: behind the last.
  init(_ row: HistoryRow, cut: Int? = nil) async throws {
    self.row = row
    var history = try History.named(row.name)
    if let cut, cut < history.entries.count {
      history.entries.removeLast(history.entries.count - cut)
      history.summary.status = try history.machine().status
      history.epoch = history.entries.last?.epoch ?? 1
    }
    self.history = history
    let last = history.entries.last?.at ?? history.summary.startedAt
    clock = VirtualClock(start: last - .seconds(600 * row.world.asked.count))
    let log = DeedLog(clock)
    self.log = log
    store = MemoryStore(clock: clock, digestKey: history.digestKey)
    try store.restore(
      history.summary, entries: history.entries, requests: history.requests, locks: history.locks,
      epoch: history.epoch)
    scripts = SimulatedScripts(clock: clock, rules: row.world.scripts + [HistoryWorld.begun(row)])
    let ready = SimulatedWeb.Rule(matching: "/ready/", status: 200, body: #"{"status":"ready"}"#)
    let twin = SimulatedVPSOrg(clock: clock)
    let transport = InMemoryTransport(
      clock: clock, routes: ["http://127.0.0.1:8098": twin],
      fallback: SimulatedWeb(clock: clock, rules: row.world.web + [ready]))
    process = SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7), transport: LoggedTransport(base: transport, log: log),
        scripts: LoggedScripts(base: scripts, log: log), files: SimulatedFiles(), builtIn: standardActions,
        providerKinds: standardProviders),
      store: store, runbook: history.runbook, source: history.source,
      secrets: [
        "token": Secret(row.world.token, named: ["token"]),
        "hook": Secret("http://127.0.0.1:8099/hook/s3cret-hook", named: ["hook"]),
      ], observer: observer)
    for asked in row.world.asked {
      clock.advance(by: .seconds(600))
      ask(asked, twin)
    }
    clock.advance(by: .seconds(5))
    log.begin()
    try await beginScript()
  }

  private static func begun(_ row: HistoryRow) -> SimulatedScripts.Rule {
    SimulatedScripts.Rule(
      matching: DeedLog.ofLastOwner, duration: .seconds(1), isLost: row.world.begun == .lost, times: 1)
  }

  private func ask(_ asked: Facts.Asked, _ twin: SimulatedVPSOrg) {
    let (path, json): (String, Value) =
      switch asked {
      case .stop: ("/servers/12345/power/", ["action": "stop"])
      case .start: ("/servers/12345/power/", ["action": "start"])
      case .snapshot: ("/snapshots/", ["server_id": 12345, "name": .string("pre-\(history.summary.id)")])
      case .restore: ("/snapshots/802/restore/", [:])
      }
    let headers = [
      (name: "authorization", value: "Bearer vps_x"), (name: "content-type", value: "application/json"),
    ]
    _ = twin.answer(
      SimulatedRequest(method: "POST", path: "/api/v1" + path, headers: headers, body: JSONWriter.bytes(json)))
  }

  /// The last owner has begun the script of a step that has not ended.
  private func beginScript() async throws {
    guard row.world.begun != .absent else { return }
    var begun: String?
    for (fact, _) in try history.facts() {
      switch fact {
      case .step(_, .started(let step)): begun = step.action == "run" ? step.key : nil
      case .step(_, .attemptStarted(_, let key, _)): if begun != nil { begun = key }
      case .step(_, .ended): begun = nil
      default: break
      }
    }
    guard let begun else { return }
    try await scripts.start(ScriptRequest(key: begun, command: [DeedLog.ofLastOwner]))
  }

  /// Lets another process carry the run on, and says how that ended.
  func carryOn() async throws -> String {
    let life = KillSwitch(at: HistoryWorld.patience)
    let end = try await process.resume(history.summary.id, life: life)
    let locks = try store.locks(of: history.summary.id).joined(separator: ", ")
    let text = life.place == nil ? HistoryWorld.text(end) : "never ends"
    return locks.isEmpty ? text : "\(text), holds \(locks)"
  }

  /// Does as `runbook rollback resume`. nil: nothing is owed, or nothing stopped.
  func resumeRollback() async throws -> String? {
    let owner = Owner(host: "desk", bootID: "desk", pid: 1, processStart: 1)
    let lease = try store.takeOver(history.summary.id, owner: owner, leaseFor: .seconds(10))
    var desk = try await RollbackDesk(history.runbook, store: store, lease: lease, clock: clock)
    guard desk.canResume else {
      return nil
    }
    try await desk.resume(by: "operator")
    store.dropProof(of: lease)
    return "rollback resume: " + (try await carryOn())
  }

  private static func text(_ end: RunEnd) -> String {
    switch end {
    case .ended(let ended): "exit \(ended.exitCode), rollback \(ended.rollback.rawValue)"
    case .parked(let step, _): "parked \(step)"
    case .restored: "waits for a word about a restored store"
    case .left(let reason): "left: \(reason)"
    case .lost(let failure): "lost: \(failure)"
    }
  }
}

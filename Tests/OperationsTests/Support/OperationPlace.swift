import Runbook
import Simulator
import Steps
import Stores

@testable import Operations

/// A store in memory, a simulated world in virtual time, and a person who asks.
struct OperationPlace {
  let clock = VirtualClock()
  let store: MemoryStore
  let scripts: SimulatedScripts
  private let random = SeededRandom(seed: 7)
  var requester = "ops"
  /// By name; a declared secret that is not here is missing.
  var secrets = GivenSecrets()

  init(scripts rules: [SimulatedScripts.Rule] = []) {
    store = MemoryStore(clock: clock)
    scripts = SimulatedScripts(clock: clock, rules: rules)
  }

  static let own = Owner(host: "here", bootID: "here", pid: 1, processStart: 1)
  static let other = Owner(host: "there", bootID: "there", pid: 2, processStart: 1)

  /// - Parameter isPassive: its clock waits for others to let time pass, as a keeper beside a run does.
  func context(isPassive: Bool = false) -> OperationContext {
    OperationContext(
      store: store, clock: isPassive ? clock.passive : clock, owner: Self.own, requester: requester,
      actions: KnownActions(builtIn: standardActions.map { $0.declaration }, providers: []),
      check: { (source) throws(Diagnostics) in try Self.runbook(source.text) })
  }

  var world: RunWorld {
    RunWorld(
      clock: clock, random: random, transport: InMemoryTransport(clock: clock, routes: [:]),
      scripts: scripts, files: SimulatedFiles(), builtIn: standardActions, providerKinds: [])
  }

  static func runbook(_ text: String) throws(Diagnostics) -> ValidatedRunbook {
    try ValidatedRunbook(
      ParsedDocument(yaml: Array(text.utf8)),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: [],
        readFile: { (_, _) throws(FileRefusal) in throw FileRefusal("it is not there") }))
  }

  /// - Parameter steps: the file behind its name.
  func new(_ steps: String, key: String? = nil) throws -> NewRun {
    let text = "runbook: v1\nname: trial\n\(steps)"
    return NewRun(
      runbook: try Self.runbook(text), source: PinnedSource(text: text, files: [:], folder: "/srv"), file: "trial.yaml",
      inputs: [:], key: key, requester: requester)
  }

  func start(_ run: NewRun, wait: LockWait? = nil) -> StartRun {
    StartRun(run, context(), secrets: secrets, in: world, wait: wait)
  }

  /// Begins a run and does nothing of it; its lease is still held.
  func begin(_ steps: String, key: String? = nil) async throws -> RunAssignment {
    guard case .assigned(let assignment) = try await start(try new(steps, key: key)).begin({ _ in }) else {
      throw Unexpected()
    }
    return assignment
  }

  func work(on assignment: RunAssignment) async -> RunEnd {
    await WorkOnRun(context(isPassive: true), fence: Fence { nil }).carryOut(assignment)
  }

  /// Begins a run and works on it.
  /// - Returns: its id.
  func run(_ steps: String, key: String? = nil) async throws -> String {
    let assignment = try await begin(steps, key: key)
    _ = await work(on: assignment)
    return assignment.lease.runID
  }

  /// The process that works on the run ends without a word.
  func die(_ assignment: RunAssignment) { store.dropProof(of: assignment.lease) }

  func resumption(_ run: String, without: Set<String> = [], acceptsRestored: Bool = false) async throws -> ResumeRun {
    try await ResumeRun(
      run, context(), secrets: secrets, without: without, acceptsRestored: acceptsRestored)
  }

  /// As a store does that was put back from an older copy.
  func markRestored(_ assignment: RunAssignment) throws {
    var row = try store.summary(of: assignment.lease.runID)
    row.isRestored = true
    _ = try store.append(
      [], to: row.id, epoch: assignment.lease.epoch, summary: row, locks: [], releasingLocks: false)
  }

  struct Unexpected: Error {}
}

struct GivenSecrets: SecretSource {
  var texts: [String: String] = [:]
  func text(of declaration: SecretDeclaration, folder: String) throws(MissingSecret) -> String {
    guard let text = texts[declaration.name] else {
      throw MissingSecret(name: declaration.name, reason: "nobody has given it", hint: "give it")
    }
    return text
  }
}

/// The refusal of an operation; nil: it was not refused.
func refusal<Outcome>(of body: () async throws(OperationRefusal) -> Outcome) async -> OperationRefusal? {
  do throws(OperationRefusal) {
    _ = try await body()
    return nil
  } catch { return error }
}

/// What runs in these tests do.
enum Sample {
  static let one = "steps:\n  - {id: one, run: echo one, rollback: none}\n"
  static let locked = "locks: [rack]\nsteps:\n  - {id: one, run: echo one, rollback: none}\n"
  static let undone = """
    steps:
      - {id: change, run: echo change, rollback: [{run: echo undo, retry: {attempts: 1}}]}
      - {id: stop, fail: no luck}

    """
  static let asking = """
    steps:
      - {id: go, approve: {prompt: "Go on?", timeout: 1h, allow_requester: true}}
      - {id: one, run: echo one, rollback: none}

    """
  static let askingTwice = """
    steps:
      - id: both
        parallel:
          - {id: left, approve: {prompt: "Go left?", timeout: 1h, allow_requester: true}}
          - {id: right, approve: {prompt: "Go right?", timeout: 1h, allow_requester: true}}

    """
  static let secret = """
    secrets:
      token: {source: env, key: TOKEN}
      other: {source: env, key: OTHER}
    steps:
      - {id: one, run: echo one, env: {T: "${{ secrets.token }}", O: "${{ secrets.other }}"}, rollback: none}

    """
}

import Providers
import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import TestSupport
import Testing

/// A stop or a start is undone while the guest has not done it yet: whatever interrupts the run, the server is in the
/// end as it was before.
@Suite struct UndoneWhileSlowTests {
  enum Interruption: String, Sendable, CaseIterable {
    /// A person cancels while the step waits.
    case cancel
    /// The step's time is over before the guest is.
    case timeout
    /// The process goes while the step waits; the run is cancelled and resumed by another one.
    case goneAndCancelled
    /// The step does not wait, and the next one fails.
    case notWaitedFor
  }

  /// Shorter than a request may live, and longer.
  @Test(arguments: CloudUnderTest.all, Interruption.allCases)
  func anUndoneStopLeavesTheServerRunning(_ cloud: CloudUnderTest, _ interruption: Interruption) async throws {
    for slowness in ["30s", "4m"] {
      let run = try SlowRun(cloud, "server.stop", undo: "server.start", former: "running", interruption)
      try run.world.twin.inject("guest_slow:server.stop:\(slowness)")
      try await run.carryOut()
      #expect(try await run.world.state == "running", "\(slowness): \(run.story)")
    }
  }

  @Test(arguments: CloudUnderTest.all, Interruption.allCases)
  func anUndoneStartLeavesTheServerStopped(_ cloud: CloudUnderTest, _ interruption: Interruption) async throws {
    for slowness in ["30s", "4m"] {
      let run = try SlowRun(cloud, "server.start", undo: "server.stop", former: "stopped", interruption)
      try await run.world.run("server.stop", key: "before")
      try run.world.twin.inject("guest_slow:server.start:\(slowness)")
      try await run.carryOut()
      #expect(try await run.world.state == "stopped", "\(slowness): \(run.story)")
    }
  }
}

/// One step with an undo, and one that fails, on one cloud's twin in virtual time.
private struct SlowRun {
  private static let runID = "r0123456789abcdefghi"

  let world: CloudWorld
  private let interruption: UndoneWhileSlowTests.Interruption
  private let store: MemoryStore
  private let runbook: ValidatedRunbook
  private let source: PinnedSource
  private let machine: RunWorld
  private let observer = RecordingObserver()

  init(
    _ cloud: CloudUnderTest, _ action: String, undo: String, former: String,
    _ interruption: UndoneWhileSlowTests.Interruption
  ) throws {
    world = try CloudWorld(cloud)
    self.interruption = interruption
    store = MemoryStore(clock: world.clock)
    let extra =
      switch interruption {
      case .timeout: ", timeout: 15s"
      case .notWaitedFor: ", wait: false"
      case .cancel, .goneAndCancelled: ""
      }
    let server = "with: {server: \"\(cloud.server)\"}"
    let text = Array(
      """
      runbook: v1
      name: slow
      \(try SlowRun.provider(cloud))steps:
        - {id: change, action: \(action), \(server)\(extra), rollback: [{action: \(undo), \(server), \
      if: self.before.state == '\(former)'}]}
        - {id: last, fail: on purpose}
      """.utf8)
    let file = try cloud.file
    runbook = try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
        readFile: { (path, _) throws(FileRefusal) in
          guard path == cloud.type, let file else { throw FileRefusal("it is not there") }
          return file
        }, readProvider: { (yaml) throws(Diagnostics) in try ProviderFile.read(yaml) }))
    source = PinnedSource(
      text: String(decoding: text, as: UTF8.self), files: runbook.pinnedFiles, folder: "/srv/runbooks")
    machine = RunWorld(
      clock: world.clock, random: SeededRandom(seed: 7), transport: world.transport,
      scripts: SimulatedScripts(clock: world.clock), files: SimulatedFiles(), builtIn: standardActions,
      providerKinds: standardProviders)
  }

  private static func provider(_ cloud: CloudUnderTest) throws -> String {
    var fields = ["type: \(cloud.type)", "url: \"https://cloud.example.com\""]
    var secrets: [String] = []
    for (name, value) in cloud.settings.sorted(by: { $0.key < $1.key }) {
      if case .secret = value {
        fields.append("\(name): \"${{ secrets.\(name) }}\"")
        secrets.append("\(name): {source: env, key: CLOUD_\(name.uppercased())}")
      } else {
        fields.append("\(name): \"\(value.string ?? JSONWriter.text(value))\"")
      }
    }
    return "secrets: {\(secrets.joined(separator: ", "))}\nproviders:\n  cloud: {\(fields.joined(separator: ", "))}\n"
  }

  private func process(_ observer: any RunObserver) -> SimulatedProcess {
    var secrets: [String: Secret] = [:]
    for (name, value) in world.cloud.settings {
      if case .secret(let secret) = value { secrets[name] = Secret(secret.reveal(), named: [name]) }
    }
    return SimulatedProcess(
      world: machine, store: store, runbook: runbook, source: source, secrets: secrets, observer: observer)
  }

  /// To the end, and an hour beyond: what was on its way has come by then.
  func carryOut() async throws {
    let waiting = Signal(observer)
    var process = process(waiting)
    let control = process.control
    let life = KillSwitch()
    switch interruption {
    case .cancel: waiting.whenWaiting = { control.post(.cancel(by: "operator", rollback: true, request: 1)) }
    case .goneAndCancelled: waiting.whenWaiting = { control.leave("the process goes") }
    case .timeout, .notWaitedFor: break
    }
    var end = try await process.start(SlowRun.runID, inputs: [:], life: life)
    if interruption == .goneAndCancelled {
      #expect(waiting.hasFired, "the step never waited")
      process = self.process(observer)
      process.control = RunControl()
      process.control.post(.cancel(by: "operator", rollback: true, request: 1))
      end = try await process.resume(SlowRun.runID)
    }
    let isCancelled = interruption == .cancel || interruption == .goneAndCancelled
    #expect(end.exitCode == (isCancelled ? 5 : 3), "\(story)")
    await world.clock.sleep(for: .seconds(3600))
    #expect(world.twin.unfiredFaults == [], "the fault never fired")
  }

  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }

  /// Tells once that the step is being waited for.
  private final class Signal: RunObserver {
    private let base: RecordingObserver
    private let state = Mutex<(action: (@Sendable () -> Void)?, hasFired: Bool)>((nil, false))

    init(_ base: RecordingObserver) { self.base = base }

    var whenWaiting: (@Sendable () -> Void)? {
      get { state.withLock { $0.action } }
      set { state.withLock { $0.action = newValue } }
    }
    var hasFired: Bool { state.withLock { $0.hasFired } }

    func observe(_ event: RunEvent) {
      base.observe(event)
      guard event.event == "step.waiting" else { return }
      let action = state.withLock { state in
        defer { state.hasFired = true }
        return state.hasFired ? nil : state.action
      }
      action?()
    }
    func progress(_ progress: RunProgress) { base.progress(progress) }
  }
}

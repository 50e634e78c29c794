import Glibc
import Runbook
import Simulator
import Steps
import Stores
import Transport

/// Many short durable runs at once in one process: `ManyRunsBench RUNS STEPS STORE`. Prints how long they took and how
/// many transactions, each of which is one flush, they needed.
@main
enum ManyRunsBench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let count = Int(arguments[1]), let steps = Int(arguments[2]) else {
      print("usage: ManyRunsBench RUNS STEPS STORE")
      exit(2)
    }
    let clock = MachineClock()
    let store = try SQLiteStore(at: arguments[3], clock: clock)
    let world = RunWorld(
      clock: clock, random: SystemRandom(), transport: LibcurlTransport(), scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles(), builtIn: standardActions, providerKinds: [])
    let text =
      "runbook: v1\nname: many\nsteps:\n"
      + (0..<steps).map { "  - {id: s\($0), action: assert, with: {that: true}}\n" }.joined()
    let runbook = try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: []))
    let committer = Committer(store)
    var leases: [Lease] = []
    for _ in 0..<count { leases.append(try await create(runbook, store, world)) }
    let begin = clock.monotonic
    let failures = await withTaskGroup(of: Bool.self) { group in
      for lease in leases {
        group.addTask {
          let launch = RunAssignment(
            runbook: runbook, source: PinnedSource(text: "", files: [:], folder: "/"), secrets: [:], store: store,
            lease: lease, world: world, observer: Nobody(), control: RunControl(), committer: committer)
          if case .ended(let ended) = await Interpreter(launch).run() { return ended.outcome == .succeeded }
          return false
        }
      }
      var failures = 0
      for await isFine in group where !isFine { failures += 1 }
      return failures
    }
    let milliseconds = (clock.monotonic - begin).milliseconds
    let written = committer.written
    let share = Double(written.transactions) / Double(max(count * steps, 1))
    print(
      "\(milliseconds) ms, \(written.transactions) flushes for \(written.batches) batches (\(share) a step), "
        + "\(failures) failed")
    exit(failures == 0 ? 0 : 1)
  }

  private static func create(
    _ runbook: ValidatedRunbook, _ store: any RunStore, _ world: RunWorld
  ) async throws -> Lease {
    let creation = NewRun(
      runbook: runbook, source: PinnedSource(text: "", files: [:], folder: "/"), file: "many.yaml", inputs: [:],
      requester: "bench")
    return try await creation.create(
      in: store, id: RunID.make(at: world.clock.now, random: world.random),
      owner: Owner(host: "bench", bootID: "bench", pid: getpid(), processStart: 1), leaseFor: .seconds(120),
      locks: [], secrets: [:], clock: world.clock)
  }
}

private struct Nobody: RunObserver {
  func observe(_ event: RunEvent) {}
  func progress(_ progress: RunProgress) {}
}

/// The machine's own clocks.
private struct MachineClock: EngineClock {
  var now: Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec)) + .nanoseconds(time.tv_nsec)
  }
  var monotonic: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}

private struct SystemRandom: RandomSource {
  func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}

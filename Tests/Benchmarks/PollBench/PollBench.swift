import Glibc
import Runbook
import Simulator
import Steps
import Stores
import Transport

/// Many runs in one process, each waiting for a resource of its own: `PollBench PORT COUNT STORE`. The server is
/// `statusd`, which reports how late each was noticed. Everything is as in a real run: one SQLite store, a lease and a
/// journal each.
@main
enum PollBench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let port = Int(arguments[1]), let count = Int(arguments[2]) else {
      print("usage: PollBench PORT COUNT STORE")
      exit(2)
    }
    let begin = MachineClock().monotonic
    let clock = MachineClock()
    let store = try SQLiteStore(at: arguments[3], clock: clock)
    let world = RunWorld(
      clock: clock, random: SystemRandom(), transport: LibcurlTransport(), scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles(), builtIn: standardActions, providerKinds: [])
    let runbook = try Self.runbook(port: port)
    let failures = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<count {
        // Runs of a day do not begin in the same moment; these begin within one interval.
        let pause = Duration.microseconds(1_000_000 * index / count)
        group.addTask {
          await clock.sleep(for: pause)
          return await Self.run(runbook, index, store, world)
        }
      }
      var failures = 0
      for await isFine in group where !isFine { failures += 1 }
      return failures
    }
    let seconds = Double((clock.monotonic - begin).milliseconds) / 1000
    print("\(Usage.cpuSeconds) CPU s, \(Usage.peakMiB) MiB, \(failures) failed, \(seconds) s")
  }

  private static func runbook(port: Int) throws -> ValidatedRunbook {
    let text = """
      runbook: v1
      name: poll
      inputs: {resource: {type: int}}
      steps:
        - id: ready
          wait_for: http.get
          with: {url: "http://127.0.0.1:\(port)/resource/${{ inputs.resource }}"}
          wait: {every: 1s, timeout: 1m, until: result.json.state == 'ready'}
      """
    return try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: []))
  }

  private static func run(_ runbook: ValidatedRunbook, _ index: Int, _ store: any RunStore, _ world: RunWorld) async
    -> Bool
  {
    let source = PinnedSource(text: "", files: [:], folder: "/")
    let creation = NewRun(
      runbook: runbook, source: source, file: "poll.yaml", inputs: ["resource": .int(Int64(index))], requester: "bench")
    do {
      let lease = try await creation.create(
        in: store, id: RunID.make(at: world.clock.now, random: world.random),
        owner: Owner(host: "bench", bootID: "bench", pid: getpid(), processStart: 1), leaseFor: .seconds(120),
        locks: [], secrets: [:], clock: world.clock)
      let launch = RunAssignment(
        runbook: runbook, source: source, secrets: [:], store: store, lease: lease, world: world, observer: Nobody(),
        control: RunControl())
      if case .ended(let ended) = await Interpreter(launch).run() { return ended.outcome == .succeeded }
    } catch {
      print(error)
    }
    return false
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

private enum Usage {
  static var own: rusage {
    var usage = rusage()
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage
  }
  static var cpuSeconds: Double {
    let usage = own
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
  static var peakMiB: Double { Double(own.ru_maxrss) / 1024 }
}

import Glibc
import Posix
import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores
import Synchronization

/// Many runs in one process that wait for servers of one account: `WatchBench COUNT STORE [EVERY]`. Each restarts a
/// server of its own at the twin of VPS.org and waits until it runs again, 20 to 60 s after the last one has begun.
/// `EVERY` (such as `5s`) makes each of them ask for its own server that often, as a poller does. Everything else is as
/// in a real run: one SQLite store, a lease and a journal each. The twin answers in the same process, so its CPU time
/// and memory are in the figures.
@main
enum WatchBench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 || arguments.count == 4, let count = Int(arguments[1]), count > 0 else {
      print("usage: WatchBench COUNT STORE [EVERY]")
      exit(2)
    }
    // As the command does.
    Heap.keepTogether()
    let clock = MachineClock()
    // They begin one after the other, as fast as a process can begin them; runs of a day do not begin in one moment.
    let ramp = max(10, count / 200)
    let twin = SimulatedVPSOrg(
      clock: clock, seed: 7, withExamples: false, restartSeconds: Int64(ramp + 20)...Int64(ramp + 60))
    for index in 0..<count { twin.ensureServer(server(index)) }
    let store = try SQLiteStore(at: arguments[2], clock: clock)
    let world = RunWorld(
      clock: clock, random: SystemRandom(),
      transport: InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": twin]),
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: standardActions,
      providerKinds: standardProviders)
    let runbook = try Self.runbook(every: arguments.count == 4 ? arguments[3] : nil)
    // One run to its end, so that what is made once is not counted.
    twin.ensureServer("1")
    _ = await run(runbook, "1", store, world)
    let before = Usage()
    let earlier = twin.requests.count
    let seen = Peak()
    let failures = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<count {
        let pause = Duration.microseconds(ramp * 1_000_000 * index / count)
        group.addTask {
          await clock.sleep(for: pause)
          defer { seen.noteEnd() }
          return await run(runbook, server(index), store, world)
        }
      }
      group.addTask {
        await clock.sleep(for: .seconds(ramp + 10))
        seen.note(Usage.residentKiB, begun: twin.ledger.count - 1)
        return true
      }
      var failures = 0
      for await isFine in group where !isFine { failures += 1 }
      return failures
    }
    let after = Usage()
    let delays = try Self.delays(twin, store, clock).sorted()
    // Three live checks, a look before, the restart itself and a first look after it are not part of the waiting.
    let requests = twin.requests.count - earlier - 6 * count
    let memory = Double(seen.residentKiB - before.residentKiB) / Double(max(1, seen.waiting))
    print(
      "\(seen.waiting) waiting at once, \(requests) requests, "
        + "\((after.cpuSeconds - before.cpuSeconds).rounded(1)) CPU s, "
        + "\(memory.rounded(1)) KiB a waiting run, noticed after \(percentile(delays, 50)) s (median), "
        + "\(percentile(delays, 95)) s (95th percentile), \(failures) failed")
  }

  private static func server(_ index: Int) -> String { String(100_000 + index) }

  private static func runbook(every: String?) throws -> ValidatedRunbook {
    let text = """
      runbook: v1
      name: watch
      inputs: {server: {type: string}}
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, url: "https://cloud.example.com", token: "${{ secrets.token }}"}}
      steps:
        - id: restart
          action: server.reboot
          with: {server: "${{ inputs.server }}"}
          rollback: none
          \(every.map { "wait: {every: \($0)}" } ?? "wait: {timeout: 10m}")
      """
    return try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: standardProviders))
  }

  private static func run(
    _ runbook: ValidatedRunbook, _ server: String, _ store: any RunStore, _ world: RunWorld
  ) async -> Bool {
    guard let interpreter = await interpreter(runbook, server, store, world) else { return false }
    if case .ended(let ended) = await interpreter.run() { return ended.outcome == .succeeded }
    return false
  }

  @inline(never) private static func interpreter(
    _ runbook: ValidatedRunbook, _ server: String, _ store: any RunStore, _ world: RunWorld
  ) async -> Interpreter? {
    let source = PinnedSource(text: "", files: [:], folder: "/")
    let creation = NewRun(
      runbook: runbook, source: source, file: "watch.yaml", inputs: ["server": .string(server)], requester: "bench")
    do {
      let lease = try await creation.create(
        in: store, id: RunID.make(at: world.clock.now, random: world.random),
        owner: Owner(host: "bench", bootID: "bench", pid: getpid(), processStart: 1), leaseFor: .seconds(600),
        locks: [], secrets: [:], clock: world.clock)
      return Interpreter(
        RunAssignment(
          runbook: runbook, source: source, secrets: ["token": Secret("vps_bench", named: ["token"])], store: store,
          lease: lease, world: world, observer: Nobody(), control: RunControl()))
    } catch {
      print(error)
      return nil
    }
  }

  /// From the moment at which each server ran again, by its own account, to the journaled end of the step.
  private static func delays(
    _ twin: SimulatedVPSOrg, _ store: SQLiteStore, _ clock: MachineClock
  ) throws -> [Duration] {
    let request = SimulatedRequest(
      method: "GET", path: "/servers/", headers: [(name: "authorization", value: "Bearer vps_bench")])
    guard case .response(let response) = twin.answer(request),
      let servers = try JSONReader.read(response.body)["results"]?.list
    else { return [] }
    var backAt: [String: Timestamp] = [:]
    for server in servers {
      guard let id = server["id"]?.int ?? server["id"]?.string.flatMap({ Int64($0) }) else { continue }
      backAt[String(id)] = server["updated_at"]?.string.flatMap { Timestamp($0) }
    }
    // The twin tells whole seconds; a restart takes a whole number of them from its beginning, which the ledger knows.
    for entry in twin.ledger where entry.effect == "server.reboot" {
      backAt[entry.subject] = backAt[entry.subject].map { $0 + .nanoseconds(entry.at.nanoseconds) }
    }
    var delays: [Duration] = []
    for summary in try store.summaries(limit: .max) {
      let entries = try store.entries(of: summary.id, after: 0)
      guard let started = entries.first(where: { $0.kind == "run.started" }),
        let id = try JSONReader.read(started.body)["inputs"]?["server"]?.string,
        let end = entries.first(where: { $0.kind == "step.succeeded" || $0.kind == "step.ended" }),
        let back = backAt[id]
      else { continue }
      delays.append(end.at - back)
    }
    return delays
  }

  private static func percentile(_ sorted: [Duration], _ share: Int) -> Double {
    guard let last = sorted.last else { return -1 }
    let index = sorted.count * share / 100
    return (Double((index < sorted.count ? sorted[index] : last).milliseconds) / 1000).rounded(2)
  }
}

extension Double {
  fileprivate func rounded(_ digits: Int) -> Double {
    let scale = digits == 1 ? 10.0 : 100.0
    return (self * scale).rounded() / scale
  }
}

/// What was seen when all were waiting.
private final class Peak: Sendable {
  private struct State {
    var ended = 0
    var waiting = 0
    var residentKiB = 0
  }
  private let state = Mutex(State())

  var waiting: Int { state.withLock { $0.waiting } }
  var residentKiB: Int { state.withLock { $0.residentKiB } }

  func noteEnd() { state.withLock { $0.ended += 1 } }

  func note(_ residentKiB: Int, begun: Int) {
    state.withLock { state in
      state.residentKiB = residentKiB
      state.waiting = begun - state.ended
    }
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

private struct Usage {
  let cpuSeconds: Double
  let residentKiB: Int

  init() {
    var usage = rusage()
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    cpuSeconds =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    residentKiB = Usage.residentKiB
  }

  /// `/proc/self/statm`, second field, in pages of 4 KiB.
  static var residentKiB: Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard unsafe fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
  }
}

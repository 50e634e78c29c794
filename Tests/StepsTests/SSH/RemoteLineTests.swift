import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

@testable import Steps

/// A line to another machine that is cut, stalled, delayed or silent: the script is started at most once, and its exit
/// code is the true one.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteLineTests {
  private static func script(_ world: RemoteWorld) -> String {
    "\(world.writes("start")); echo one; sleep 0.3; echo two; \(world.writes("end")); exit 5"
  }

  /// What a line carries when nothing happens to it.
  private static func messages(_ world: RemoteWorld) async throws -> Int {
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    _ = await world.failure(world.call(["script": .string(script(world))], through: proxy.port))
    return proxy.messages(of: 0)
  }

  private static func check(cutAt number: Int) async throws -> Bool {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port, fault: .init(number: number))
    defer { proxy.stop() }
    var failure = await world.failure(world.call(["script": .string(script(world))], through: proxy.port))
    if failure?.beforeFirstByte == true {
      #expect(failure?.effect == StepFailure.Effect.none && world.ledger.isEmpty)
      failure = await world.failure(world.call(["script": .string(script(world))], through: proxy.port))
    }
    #expect(world.ledger == ["start", "end"], "cut at message \(number): \(String(describing: failure))")
    #expect(failure?.kind == .exitCode && failure?.detail["exit_code"] == 5, "\(String(describing: failure))")
    #expect(failure?.detail["stdout"] == "one\ntwo", "cut at message \(number)")
    return proxy.hasFired
  }

  @Test("a line that is cut at any message starts the script once, and its end is read")
  func aLineThatIsCutAtAnyMessageStartsTheScriptOnce() async throws {
    let count = try await Self.messages(try RemoteWorld())
    #expect(count > 20)
    // The order, and what follows it, are the last third.
    let all = Array(1...count)
    let chosen = Campaign.isLong ? all : all.filter { $0 > count - 12 || $0 % 6 == 0 }
    for start in stride(from: 0, to: chosen.count, by: 6) {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in chosen[start..<min(start + 6, chosen.count)] {
          group.addTask { try await Self.check(cutAt: number) }
        }
        var fired = 0
        for try await hasFired in group where hasFired { fired += 1 }
        #expect(fired > 0)
      }
    }
  }

  @Test("a line that stalls, delays or loses what it carries changes nothing", arguments: ["stall", "delay", "drop"])
  func aLineThatStallsDelaysOrLosesChangesNothing(kind: String) async throws {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    let reports = Mutex<[String]>([])
    if kind == "delay" { proxy.set(.delay(milliseconds: 20)) }
    let script = "\(world.writes("start")); \(world.waits(for: "go")); echo out; \(world.writes("end"))"
    async let result = world.action.perform(
      world.call(["script": .string(script)], through: proxy.port) { text in reports.withLock { $0.append(text) } })
    #expect(await RemoteWorld.eventually { world.ledger == ["start"] })
    if kind != "delay" {
      proxy.set(kind == "stall" ? .stall : .drop)
      try await Task.sleep(for: .milliseconds(300))
      // What was lost cannot be made up for: the line is useless, and ends.
      if kind == "drop" { proxy.cut() }
      proxy.set(.forward)
    }
    world.folder.write("go", [])
    #expect(try await result.result["stdout"] == "out")
    #expect(world.ledger == ["start", "end"])
    #expect(reports.withLock { $0 }.contains { $0.contains("is looked for again") } == (kind == "drop"))
  }

  @Test("output goes on where the last line was cut, without a byte too many or too few")
  func outputGoesOnWhereTheLineWasCut() async throws {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    let script = "for i in 1 2 3 4; do seq 1 40000; \(world.waits(for: "go$i")); done"
    let call = world.call(["script": .string(script)], through: proxy.port)
    let launcher = RemoteOrder.launcher(key: call.key, environment: [:], work: "/bin/sh \"$1/script\"")
    async let end = world.remote(call).run(script, launcher: launcher)
    let one = Array((1...40_000).map { "\($0)\n" }.joined().utf8)
    for part in 1...4 {
      #expect(await RemoteWorld.eventually { world.size(of: "stdout") == part * one.count })
      proxy.cut()
      world.folder.write("go\(part)", [])
    }
    let wanted = Array([one, one, one, one].joined())
    #expect(try await end.end.stdout == wanted)
    #expect(proxy.lines > 1)
  }

  @Test("a machine that cannot be reached any more: its end was not seen, and the effect is unknown")
  func anEndThatWasNotSeenIsUnknown() async throws {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port)
    let script: [String: Value] = ["script": .string("\(world.writes("start")); sleep 600")]
    let call = world.call(script, through: proxy.port, timeout: .seconds(1))
    let clock = QuickClock()
    var gone = ActionCall(
      with: call.with, key: call.key, runID: call.runID, clock: clock, transport: call.transport,
      scripts: call.scripts, files: call.files, deadline: clock.now + .seconds(60))
    gone.scriptPlace = "elsewhere"
    let lost = gone
    async let failure = world.failure(lost)
    #expect(await RemoteWorld.eventually { world.ledger == ["start"] })
    proxy.stop()
    let unseen = try #require(await failure)
    #expect(unseen.kind == .unreachable && unseen.effect == .unknown && !unseen.retryable, "\(unseen)")
    #expect(unseen.message.contains("was not seen"), "\(unseen.message)")
    #expect(world.isAlive)
    try await world.action.cancel(world.call([:], epoch: 2))
    #expect(!world.isAlive)
    #expect(world.ledger == ["start"])
  }
}

/// Real time, of which pauses pass twenty times as fast.
struct QuickClock: EngineClock {
  private let real = RealClock()
  private let slept = Slept()
  private final class Slept: Sendable { let total = Mutex(Duration.zero) }
  var now: Timestamp { real.now + slept.total.withLock { $0 } }
  var monotonic: Duration { real.monotonic + slept.total.withLock { $0 } }
  func sleep(for duration: Duration) async {
    let real = duration / 20
    await self.real.sleep(for: real)
    slept.total.withLock { $0 += duration - real }
  }
}

import Glibc
import Posix

/// The process that starts scripts and waits for them on behalf of one engine, and outlives it: it writes down how
/// each one ended, so that an engine that was killed, or its successor, can read it. It is our own program under a
/// hidden argument, started once a run, with no environment, no terminal and no open file but the socket to the
/// engine.
///
/// It is a single thread around `poll`: no memory grows with a script's output. It ends when the engine is gone and no
/// script is left. Its death in turn costs the exit codes of the scripts that run then, and nothing else.
public struct ScriptKeeper {
  /// The hidden first argument.
  public static let argument = "__keep-scripts"

  /// For the program's first line: becomes the keeper, and does not return, if the program was started as one.
  public static func runIfAsked(_ arguments: [String] = CommandLine.arguments) {
    guard arguments.count == 2, arguments[1] == argument else { return }
    do throws(PosixError) {
      var keeper = try ScriptKeeper(engine: Descriptor(adopting: 0))
      try keeper.run()
      exit(0)
    } catch {
      exit(1)
    }
  }

  private let engine: Descriptor
  private let childEvents: Descriptor
  private let identity: ProcessIdentity
  private var isEngineGone = false
  private var incoming = FrameReader()
  private var scripts: [KeptScript] = []
  /// Pipes that survivors of ended scripts still hold: read and thrown away, so that they live on undisturbed.
  private var leftovers: [Descriptor] = []

  private init(engine: Descriptor) throws(PosixError) {
    Signals.ignoreAll()
    childEvents = try Signals.childEvents()
    try Children.adoptOrphans()
    try engine.setNonblocking()
    self.engine = engine
    identity = ProcessIdentity.own
  }

  private mutating func run() throws(PosixError) {
    while !(isEngineGone && scripts.isEmpty) {
      var interests = [Poll.Interest(childEvents.number, .readable)]
      if !isEngineGone { interests.append(Poll.Interest(engine.number, .readable)) }
      for script in scripts {
        if let pipe = script.stdout.pipe { interests.append(Poll.Interest(pipe.number, .readable)) }
        if let pipe = script.stderr.pipe { interests.append(Poll.Interest(pipe.number, .readable)) }
        if let input = script.input { interests.append(Poll.Interest(input.pipe.number, .writable)) }
      }
      for pipe in leftovers { interests.append(Poll.Interest(pipe.number, .readable)) }
      let ready = try Poll.wait(for: interests, timeout: nextDeadline())

      for index in scripts.indices {
        scripts[index].drain()
        scripts[index].feed()
      }
      if ready[0] { reapEnded() }
      dropLeftovers()
      enforceDeadlines()
      if !isEngineGone, ready[1] { readOrders() }
    }
  }

  private func nextDeadline() -> Duration? {
    scripts.filter { !$0.hasTimedOut }.compactMap { $0.deadline }.min().map { max($0 - Monotonic.now, .zero) }
  }

  private mutating func enforceDeadlines() {
    let now = Monotonic.now
    for index in scripts.indices {
      guard let deadline = scripts[index].deadline, !scripts[index].hasTimedOut, now >= deadline else { continue }
      scripts[index].hasTimedOut = true
      kill(-scripts[index].pid, SIGKILL)
    }
  }

  private mutating func reapEnded() {
    while let events = try? childEvents.read(limit: 1024), !events.isEmpty {}
    while let (pid, end) = Children.ended() {
      // Written down before the pid is free: whoever sees the process gone finds its end.
      if let index = scripts.firstIndex(where: { $0.pid == pid }) { finish(index, end) }
      Children.reap(pid)
    }
  }

  private mutating func finish(_ index: Int, _ end: ProcessEnd) {
    var script = scripts.remove(at: index)
    script.drain()
    let cause: ScriptEnding.Cause =
      switch end {
      case _ where script.hasTimedOut: .timedOut
      case .exited(let code): .exited(code)
      case .signalled(let signal): .signalled(signal)
      }
    let ending = ScriptEnding(cause, stdoutBytes: script.stdout.total, stderrBytes: script.stderr.total)
    if !script.isAttached { try? script.folder.write(ending.line, to: "rc") }
    leftovers += [script.stdout.pipe, script.stderr.pipe].compactMap { $0 }
    say(.ended(key: script.key, ending))
  }

  private mutating func dropLeftovers() {
    leftovers.removeAll { pipe in
      do throws(PosixError) { return try pipe.read(limit: 64 << 10)?.isEmpty == true } catch { return true }
    }
  }

  private mutating func readOrders() {
    do throws(PosixError) {
      guard let bytes = try engine.read(limit: 64 << 10) else { return }
      if bytes.isEmpty { return loseEngine() }
      incoming.append(bytes)
    } catch {
      return loseEngine()
    }
    do throws(FrameReader.Malformed) {
      while let message = try incoming.next() {
        if case .start(let order) = message { begin(order) }
      }
    } catch {
      loseEngine()
    }
  }

  private mutating func begin(_ order: KeeperOrder) {
    do throws(KeeperOrder.Refusal) {
      let script = try order.begin(bystanders: orphans(), keeper: identity)
      scripts.append(script)
      say(.started(key: script.key, pid: script.pid))
    } catch {
      say(.refused(key: order.key, reason: error.reason, code: error.code))
    }
  }

  /// Our children that are no scripts: what earlier scripts left behind.
  private func orphans() -> Set<Int32> {
    let bytes = (try? FileReading.all(of: "/proc/self/task/\(identity.pid)/children", limit: 1 << 20)) ?? []
    let pids = bytes.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    return Set(pids)
  }

  private mutating func loseEngine() {
    isEngineGone = true
    for script in scripts where script.isAttached { kill(-script.pid, SIGTERM) }
  }

  private mutating func say(_ message: KeeperMessage) {
    guard !isEngineGone else { return }
    do throws(PosixError) { try engine.write(message.frame) } catch { loseEngine() }
  }
}

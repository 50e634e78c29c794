import Glibc
import Posix

/// The process that starts scripts and waits for them on behalf of one engine, and outlives it: it writes down how
/// each one ended, so that an engine that was killed, or its successor, can read it. It is our own program under a
/// hidden argument, started once a run, with no environment, no terminal and no open file but the socket to the
/// engine.
///
/// It is a single thread around `poll`: no memory grows with a script's output. It ends a script, and all that came
/// from it, when the script's lifetime is over. It ends itself when the engine is gone, no script is left, and nothing
/// that a script left in the background holds a pipe of ours: such a process would die of its next line. Its own death
/// costs the exit codes of the scripts that run then.
public struct ScriptKeeper {
  /// The hidden first argument.
  public static let argument = "__keep-scripts"

  /// For the program's first line: becomes the keeper, and does not return, if the program was started as one.
  public static func runIfAsked(_ arguments: [String] = CommandLine.arguments) {
    runIfAsked(arguments) { _, _ in 0 }
  }

  package static func runIfAsked(_ arguments: [String], probe: @escaping KeeperProbe) {
    PasswordAnswer.runIfAsked(arguments)
    guard arguments.count == 2, arguments[1] == argument else { return }
    do throws(PosixError) {
      var keeper = try ScriptKeeper(engine: Descriptor(adopting: 0), probe: probe)
      try keeper.run()
      exit(0)
    } catch {
      exit(1)
    }
  }

  private let engine: Descriptor
  private let childEvents: Descriptor
  private let identity: ProcessIdentity
  private let probe: KeeperProbe
  private var isEngineGone = false
  private var incoming = FrameReader()
  private var scripts: [KeptScript] = []
  /// Pipes that survivors of ended scripts still hold: read and thrown away, so that they live on undisturbed.
  private var leftovers: [Descriptor] = []

  private init(engine: Descriptor, probe: @escaping KeeperProbe) throws(PosixError) {
    Signals.ignoreAll()
    childEvents = try Signals.childEvents()
    try Children.adoptOrphans()
    try engine.setNonblocking()
    self.engine = engine
    identity = ProcessIdentity.own
    self.probe = probe
  }

  private mutating func run() throws(PosixError) {
    while !(isEngineGone && scripts.isEmpty && leftovers.isEmpty) {
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

  /// `poll` does not count while the machine sleeps, deadlines do: so it is never left alone for long with one.
  private func nextDeadline() -> Duration? {
    scripts.compactMap { $0.wakeAt }.min().map { min(max($0 - BootClock.now, .zero), .seconds(10)) }
  }

  private mutating func enforceDeadlines() {
    var ended: [String] = []
    for index in scripts.indices where scripts[index].goOnEnding() { ended.append(scripts[index].key) }
    for key in ended {
      guard let index = scripts.firstIndex(where: { $0.key == key }), let end = scripts[index].end else { continue }
      finish(index, end)
    }
  }

  private mutating func reapEnded() {
    while let events = try? childEvents.read(limit: 1024), !events.isEmpty {}
    while let (pid, end) = Children.ended() {
      if let index = scripts.firstIndex(where: { $0.pid == pid && $0.end == nil }) {
        if scripts[index].stop == .none {
          finish(index, end)
        } else {
          // Others of its family may live on; its end is told when they are gone.
          scripts[index].end = end
          scripts[index].wakeAt = BootClock.now
        }
      }
      Children.reap(pid)
    }
  }

  private mutating func finish(_ index: Int, _ end: ProcessEnd) {
    var script = scripts.remove(at: index)
    _ = probe(script.key, .ended)
    script.drain()
    let cause: ScriptEnding.Cause =
      switch end {
      case _ where script.stop != .none: .timedOut
      case .exited(let code): .exited(code)
      case .signalled(let signal): .signalled(signal)
      }
    let ending = ScriptEnding(cause, stdout: script.stdout.amount, stderr: script.stderr.amount)
    if !script.isAttached { try? script.folder.write(ending.line, to: "rc") }
    _ = probe(script.key, .written)
    // Before it is told: who hears of the end may remove the folder.
    script.lock = nil
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
        switch message {
        case .start(let order): begin(order)
        case .live(let key, let milliseconds):
          guard let index = scripts.firstIndex(where: { $0.key == key }) else { break }
          scripts[index].live(for: .milliseconds(min(milliseconds, 366 * 86_400_000)))
        case .feed(let key, let input, let milliseconds, let notAfter):
          feed(key, input, milliseconds, notAfter)
        case .started, .refused, .ended: break
        }
      }
    } catch {
      loseEngine()
    }
  }

  /// One that is being ended, or whose order comes too late, is given nothing.
  private mutating func feed(_ key: String, _ input: [UInt8], _ milliseconds: Int, _ notAfter: Int) {
    guard let index = scripts.firstIndex(where: { $0.key == key }), scripts[index].stop == .none else { return }
    guard notAfter == 0 || BootClock.now < .nanoseconds(notAfter) else {
      scripts[index].live(for: .zero)
      return
    }
    scripts[index].live(for: .milliseconds(min(milliseconds, 366 * 86_400_000)))
    scripts[index].give(input)
  }

  private mutating func begin(_ order: KeeperOrder) {
    do throws(KeeperOrder.Refusal) {
      _ = probe(order.key, .ordered)
      let script = try order.begin(bystanders: orphans(), keeper: identity, probe: probe)
      scripts.append(script)
      say(.started(key: script.key, pid: script.pid))
      _ = probe(order.key, .answered)
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
    // Attached ones end with their engine.
    for index in scripts.indices where scripts[index].isAttached { scripts[index].wakeAt = BootClock.now }
  }

  private mutating func say(_ message: KeeperMessage) {
    guard !isEngineGone else { return }
    do throws(PosixError) { try engine.write(message.frame) } catch { loseEngine() }
  }
}

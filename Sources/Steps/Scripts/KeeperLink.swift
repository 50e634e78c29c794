import Glibc
import Posix
import Synchronization

/// The engine's end of the socket to its keeper. A thread of its own reads what the keeper says.
final class KeeperLink: Sendable {
  enum Start: Sendable, Equatable {
    case started(pid: Int32)
    case refused(reason: String, code: Int32)
    /// The keeper died before it answered.
    case gone
  }
  enum Wait: Sendable, Equatable {
    case ended(ScriptEnding)
    /// The task was cancelled, or the time is over.
    case interrupted
    /// The keeper died, or never had this script.
    case gone
  }

  private struct State {
    var starting: [String: Promise<Start>] = [:]
    /// Started and not forgotten: its pid, and its end once that is known.
    var scripts: [String: (pid: Int32, ending: ScriptEnding?)] = [:]
    /// Each until an instant of the monotonic clock.
    var waiting: [String: [(promise: Promise<Wait>, until: Duration)]] = [:]
    var isGone = false
  }

  private let socket: Descriptor
  private let state = Mutex(State())
  /// One frame at a time.
  private let sending = Mutex(())

  init(_ program: KeeperProgram) throws(PosixError) {
    let (ours, theirs) = try Descriptor.socketPair()
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let request = SpawnRequest(
      program.path, arguments: ["runbook", ScriptKeeper.argument], environment: [], workingDirectory: "/",
      descriptors: [theirs.number, null.number, null.number])
    let pid = try request.start()
    socket = ours
    try Thread.start { [weak self] in
      Self.read(from: ours, { self?.handle($0) }, tick: { self?.expireWaits() ?? false })
      // Its locks are free when it is gone, a moment after the socket: who is told then finds what it left.
      for _ in 0..<200 where Children.ended(pid) == nil { _ = try? Poll.wait(for: [], timeout: .milliseconds(5)) }
      self?.lose()
      Children.reap(pid)
    }
  }

  deinit { socket.shutDown() }

  var isGone: Bool { state.withLock { $0.isGone } }

  func pid(of key: String) -> Int32? { state.withLock { $0.scripts[key]?.pid } }

  /// nil if this keeper does not have the script; then its folder tells.
  func isRunning(_ key: String) -> Bool? {
    state.withLock { state in
      if state.isGone { return nil }
      if state.starting[key] != nil { return true }
      return state.scripts[key].map { $0.ending == nil }
    }
  }

  /// - Parameter sent: called when the order is on its way.
  func start(_ order: KeeperOrder, sent: () -> Void = {}) async -> Start {
    let promise = Promise<Start>()
    let isOpen = state.withLock { state in
      if !state.isGone { state.starting[order.key] = promise }
      return !state.isGone
    }
    guard isOpen else { return .gone }
    // The thread that reads finds the end of the socket, and tells the promise.
    do throws(PosixError) { try send(.start(order)) } catch { socket.shutDown() }
    sent()
    return await promise.value()
  }

  /// A keeper that is gone has ended it.
  func live(_ key: String, milliseconds: Int) {
    do throws(PosixError) { try send(.live(key: key, milliseconds: milliseconds)) } catch { socket.shutDown() }
  }

  /// The same if it does not arrive: then the keeper is gone, and whoever waits for the program is told.
  func feed(_ key: String, _ input: [UInt8], milliseconds: Int, notAfter: Int) {
    let message = KeeperMessage.feed(key: key, input: input, milliseconds: milliseconds, notAfter: notAfter)
    do throws(PosixError) { try send(message) } catch { socket.shutDown() }
  }

  private func send(_ message: KeeperMessage) throws(PosixError) {
    let frame = message.frame
    let failure = sending.withLock { _ -> PosixError? in
      do throws(PosixError) {
        try socket.write(frame)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// - Parameter limit: of the monotonic clock; noticed a quarter of a second late at most.
  func wait(for key: String, until limit: Duration) async -> Wait {
    let promise = Promise<Wait>()
    let known = state.withLock { state -> Wait? in
      guard let script = state.scripts[key] else { return .gone }
      if let ending = script.ending { return .ended(ending) }
      if state.isGone { return .gone }
      if limit <= Monotonic.now { return .interrupted }
      state.waiting[key, default: []].append((promise, limit))
      return nil
    }
    if let known { return known }
    return await promise.value(whenCancelled: .interrupted)
  }

  func forget(_ key: String) { state.withLock { _ = $0.scripts.removeValue(forKey: key) } }

  private func handle(_ message: KeeperMessage) {
    switch message {
    case .start, .live, .feed: break
    case .started(let key, let pid):
      let promise = state.withLock { state in
        state.scripts[key] = (pid, nil)
        return state.starting.removeValue(forKey: key)
      }
      promise?.give(.started(pid: pid))
    case .refused(let key, let reason, let code):
      state.withLock { $0.starting.removeValue(forKey: key) }?.give(.refused(reason: reason, code: code))
    case .ended(let key, let ending):
      let promises = state.withLock { state in
        state.scripts[key]?.ending = ending
        return state.waiting.removeValue(forKey: key) ?? []
      }
      for waiter in promises { waiter.promise.give(.ended(ending)) }
    }
  }

  private func lose() {
    let (starts, waits) = state.withLock { state in
      state.isGone = true
      defer {
        state.starting = [:]
        state.waiting = [:]
      }
      return (Array(state.starting.values), state.waiting.values.flatMap { $0 })
    }
    for promise in starts { promise.give(.gone) }
    for waiter in waits { waiter.promise.give(.gone) }
  }

  /// Ends the waits whose time is over. - Returns: whether any script runs, so that somebody may wait for it.
  private func expireWaits() -> Bool {
    let now = Monotonic.now
    let (expired, runs) = state.withLock { state -> ([Promise<Wait>], Bool) in
      var expired: [Promise<Wait>] = []
      for (key, waiters) in state.waiting {
        expired += waiters.filter { $0.until <= now }.map { $0.promise }
        state.waiting[key] = waiters.filter { $0.until > now }
      }
      return (expired, state.scripts.values.contains { $0.ending == nil })
    }
    for promise in expired { promise.give(.interrupted) }
    return runs
  }

  /// How often the limits of waits are looked at while a script runs: soon after the keeper has said something, then
  /// after twice the time, and so on.
  static let ticks = (first: Duration.milliseconds(30), longest: Duration.milliseconds(250))

  /// - Parameter tick: whether to be called again after a while even if the keeper says nothing.
  private static func read(from socket: Descriptor, _ handle: (KeeperMessage) -> Void, tick: () -> Bool) {
    var frames = FrameReader()
    var isTicking = false
    var pause = ticks.first
    while true {
      if isTicking {
        guard let ready = try? Poll.wait(for: [.init(socket.number, .readable)], timeout: pause) else { return }
        if ready == [false] {
          pause = min(pause * 2, ticks.longest)
          isTicking = tick()
          continue
        }
      }
      guard let bytes = try? socket.read(limit: 16 << 10), !bytes.isEmpty else { return }
      frames.append(bytes)
      (isTicking, pause) = (true, ticks.first)
      do throws(FrameReader.Malformed) {
        while let message = try frames.next() { handle(message) }
      } catch {
        return
      }
    }
  }
}

/// The program that becomes the keeper: one whose `main` calls `ScriptKeeper.runIfAsked()` first. By default our own.
public struct KeeperProgram: Sendable {
  public var path: String
  public init(path: String = "/proc/self/exe") { self.path = path }
}

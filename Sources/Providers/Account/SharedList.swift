import Runbook
import Synchronization

/// A list that many runs wait on: one request a tick answers all of them, and only those are woken whose own entry has
/// changed. Entries by key; what is not in the list has no entry.
final class SharedList<Element: Sendable>: Sendable {
  typealias Read = @Sendable () async throws(StepFailure) -> [String: Element]

  struct Snapshot: Sendable {
    /// When the request for it was made, on the monotonic clock.
    let askedAt: Duration
    let elements: [String: Element]
  }

  private struct Waiter {
    var key: String
    /// How the entry looked when it was looked at last.
    var seen: String
    /// It is woken then at the latest.
    var until: Duration
    var wake: CheckedContinuation<Void, Never>
  }

  private enum Claim: Sendable {
    case known(Snapshot)
    case failed(StepFailure)
    /// The caller makes the request.
    case mine
    /// Another caller is making one.
    case busy
  }

  private struct State {
    var snapshot: Snapshot?
    var waiters: [Int: Waiter] = [:]
    /// Cancelled before they were registered.
    var cancelled: Set<Int> = []
    /// Runs between two looks, registered or not.
    var count = 0
    var lastNumber = 0
    var isTicking = false
    var lastAskedAt: Duration = .zero
    /// A request under way, and who waits for its end.
    var isReading = false
    var readers: [CheckedContinuation<Void, Never>] = []
    var lastFailure: (at: Duration, failure: StepFailure)?
  }

  private let clock: any EngineClock
  private let fingerprint: @Sendable (Element?) -> String
  private let read: Read
  private let state = Mutex(State())

  /// - Parameter fingerprint: differs when an entry has changed in a way that a wait cares for.
  init(clock: any EngineClock, fingerprint: @escaping @Sendable (Element?) -> String, read: @escaping Read) {
    self.clock = clock
    self.fingerprint = fingerprint
    self.read = read
  }

  /// How many runs are between two looks: for tests and figures.
  var waiting: Int { state.withLock { $0.count } }

  /// What was read last, if anything.
  var latest: Snapshot? { state.withLock { $0.snapshot } }

  // MARK: Reading

  /// What was read at this instant or later; read now if there is nothing so new. Any number of callers cost one
  /// request.
  func snapshot(asOf: Duration) async throws(StepFailure) -> Snapshot {
    while true {
      let claim = state.withLock { state -> Claim in
        if let snapshot = state.snapshot, snapshot.askedAt >= asOf { return .known(snapshot) }
        if let last = state.lastFailure, last.at >= asOf { return .failed(last.failure) }
        guard !state.isReading else { return .busy }
        state.isReading = true
        return .mine
      }
      switch claim {
      case .known(let snapshot): return snapshot
      case .failed(let failure): throw failure
      case .mine: return try await request()
      case .busy: await end()
      }
    }
  }

  private func request() async throws(StepFailure) -> Snapshot {
    let askedAt = clock.monotonic
    let outcome: Result<[String: Element], StepFailure>
    do throws(StepFailure) { outcome = .success(try await read()) } catch { outcome = .failure(error) }
    let (readers, woken) = state.withLock { state -> ([CheckedContinuation<Void, Never>], [Waiter]) in
      state.isReading = false
      state.lastAskedAt = max(state.lastAskedAt, askedAt)
      let readers = state.readers
      state.readers = []
      var woken: [Waiter] = []
      switch outcome {
      case .success(let elements):
        state.snapshot = Snapshot(askedAt: askedAt, elements: elements)
        state.lastFailure = nil
        for (number, waiter) in state.waiters where fingerprint(elements[waiter.key]) != waiter.seen {
          woken.append(waiter)
          state.waiters[number] = nil
        }
      case .failure(let failure):
        // Not the others' failure if only this caller was stopped.
        if failure.kind != .cancelled { state.lastFailure = (askedAt, failure) }
      }
      return (readers, woken)
    }
    for reader in readers { reader.resume() }
    for waiter in woken { waiter.wake.resume() }
    return Snapshot(askedAt: askedAt, elements: try outcome.get())
  }

  private func end() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.isReading { state.readers.append(continuation) }
        return !state.isReading
      }
      if isOver { continuation.resume() }
    }
  }

  // MARK: Waiting

  /// Suspends until the entry may have changed, at most for `pause`.
  /// - Returns: as of when the next look need be; nil: this run waits alone, and had better ask for its own thing.
  func awaitNews(of key: String, seen: String, atMost pause: Duration) async -> Duration? {
    let (number, isAlone) = state.withLock { state in
      state.count += 1
      state.lastNumber += 1
      return (state.lastNumber, state.count == 1)
    }
    defer { state.withLock { $0.count -= 1 } }
    guard !isAlone else {
      await clock.sleep(for: pause)
      return nil
    }
    let since = clock.monotonic
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waiter = Waiter(key: key, seen: seen, until: since + pause, wake: continuation)
        let (isGone, starts) = state.withLock { state in
          if state.cancelled.remove(number) != nil { return (true, false) }
          state.waiters[number] = waiter
          defer { state.isTicking = true }
          return (false, !state.isTicking)
        }
        if isGone { continuation.resume() }
        if starts { Task { await tick() } }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        let waiter = state.waiters.removeValue(forKey: number)
        if waiter == nil { state.cancelled.insert(number) }
        return waiter
      }
      waiter?.wake.resume()
    }
    state.withLock { _ = $0.cancelled.remove(number) }
    return state.withLock { max($0.lastAskedAt, since) }
  }

  /// One task for all that wait here: it reads when a tick is due, wakes whose time is over, and ends with the last.
  private func tick() async {
    while true {
      let now = clock.monotonic
      let plan = state.withLock { state -> (next: Duration, first: Duration)? in
        guard !state.waiters.isEmpty else {
          state.isTicking = false
          return nil
        }
        let first = state.waiters.values.reduce(Duration.seconds(86_400) + now) { min($0, $1.until) }
        return (state.lastAskedAt + Tick.interval(waiting: state.count), first)
      }
      guard let plan else { return }
      let pause = min(plan.next, plan.first) - now
      if pause > .zero { await clock.sleep(for: pause) }
      if clock.monotonic >= plan.next {
        // What fails here is told to whoever looks.
        _ = try? await snapshot(asOf: plan.next)
        let asked = clock.monotonic
        state.withLock { $0.lastAskedAt = max($0.lastAskedAt, min(asked, plan.next)) }
      }
      wakeOverdue()
    }
  }

  private func wakeOverdue() {
    let now = clock.monotonic
    let overdue = state.withLock { state in
      let overdue = state.waiters.filter { $0.value.until <= now }
      for number in overdue.keys { state.waiters[number] = nil }
      return overdue.values.map { $0.wake }
    }
    for wake in overdue { wake.resume() }
  }
}

/// How often a shared list is read.
enum Tick {
  /// A hundredth of what one request each run every five seconds would cost; never more often than every second, nor
  /// less often than every four.
  static func interval(waiting: Int) -> Duration {
    let milliseconds = 500_000 / Int64(max(waiting, 1))
    return .milliseconds(min(max(milliseconds, 900), 4000))
  }
}

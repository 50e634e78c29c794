import Runbook
import Synchronization

/// A run between two looks.
private struct Waiter {
  var key: String
  /// How the entry looked when it was looked at last.
  var seen: Int
  /// It is woken then at the latest.
  var until: Duration
  var wake: CheckedContinuation<Wake, Never>
}

private enum Wake: Sendable {
  case news
  /// The one that kept the time has gone: this one keeps it now.
  case lead
}

/// A list that many runs wait on: one request a tick answers all of them, and only those are woken whose own entry has
/// changed. Entries by key; what is not in the list has no entry.
final class SharedList<Element: Sendable>: Sendable {
  typealias Read = @Sendable () async throws(StepFailure) -> [String: Element]

  struct Snapshot: Sendable {
    /// When the request for it was made, on the monotonic clock.
    let askedAt: Duration
    let elements: [String: Element]
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
    /// One of the waiting runs keeps the time for all.
    var isLed = false
    var lastAskedAt: Duration = .zero
    /// A request under way, and who waits for its end.
    var isReading = false
    var readers: [CheckedContinuation<Void, Never>] = []
    var lastFailure: (at: Duration, failure: StepFailure)?

    /// Takes out those for whom it holds, to be resumed.
    mutating func wake(where holds: (Waiter) -> Bool) -> [Waiter] {
      var woken: [Waiter] = []
      var numbers: [Int] = []
      for (number, waiter) in waiters where holds(waiter) {
        woken.append(waiter)
        numbers.append(number)
      }
      for number in numbers { waiters[number] = nil }
      return woken
    }
  }

  private let clock: any EngineClock
  private let fingerprint: @Sendable (Element?) -> Int
  private let read: Read
  private let state = Mutex(State())

  /// - Parameter fingerprint: differs when an entry has changed in a way that a wait cares for.
  init(clock: any EngineClock, fingerprint: @escaping @Sendable (Element?) -> Int, read: @escaping Read) {
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
        woken = state.wake { fingerprint(elements[$0.key]) != $0.seen }
      case .failure(let failure):
        // Not the others' failure if only this caller was stopped.
        if failure.kind != .cancelled { state.lastFailure = (askedAt, failure) }
      }
      return (readers, woken)
    }
    for reader in readers { reader.resume() }
    for waiter in woken { waiter.wake.resume(returning: .news) }
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
  func awaitNews(of key: String, seen: Int, atMost pause: Duration) async -> Duration? {
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
    let until = since + pause
    let isFirst = state.withLock { state in
      defer { state.isLed = true }
      return !state.isLed
    }
    if isFirst {
      await lead(key, seen, until)
    } else if await follow(number, key, seen, until) == .lead {
      await lead(key, seen, until)
    }
    return state.withLock { max($0.lastAskedAt, since) }
  }

  /// Suspends until somebody wakes this run.
  private func follow(_ number: Int, _ key: String, _ seen: Int, _ until: Duration) async -> Wake {
    let wake = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waiter = Waiter(key: key, seen: seen, until: until, wake: continuation)
        let wake = state.withLock { state -> Wake? in
          if state.cancelled.remove(number) != nil { return .news }
          // The caller that led has gone since.
          if !state.isLed {
            state.isLed = true
            return .lead
          }
          state.waiters[number] = waiter
          return nil
        }
        if let wake { continuation.resume(returning: wake) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        let waiter = state.waiters.removeValue(forKey: number)
        if waiter == nil { state.cancelled.insert(number) }
        return waiter
      }
      waiter?.wake.resume(returning: .news)
    }
    state.withLock { _ = $0.cancelled.remove(number) }
    return wake
  }

  /// Keeps the time for all that wait here, as long as this run waits itself: reads when a tick is due, wakes those
  /// whose entry has changed or whose time is over, and hands over to another one.
  private func lead(_ key: String, _ seen: Int, _ until: Duration) async {
    while !Task.isCancelled, clock.monotonic < until {
      let now = clock.monotonic
      let (next, first) = state.withLock { state in
        (
          state.lastAskedAt + Tick.interval(waiting: state.count),
          state.waiters.values.reduce(until) { min($0, $1.until) }
        )
      }
      let pause = min(next, first) - now
      if pause > .zero { await clock.sleep(for: pause) }
      if clock.monotonic >= next, !Task.isCancelled {
        // Ignore the error: the next look returns the stored failure.
        let snapshot = try? await snapshot(asOf: next)
        let asked = clock.monotonic
        state.withLock { $0.lastAskedAt = max($0.lastAskedAt, min(asked, next)) }
        if let snapshot, fingerprint(snapshot.elements[key]) != seen { break }
      }
      wakeOverdue()
    }
    let successor = state.withLock { state -> Waiter? in
      let number = state.waiters.keys.first
      let waiter = number.flatMap { state.waiters.removeValue(forKey: $0) }
      state.isLed = waiter != nil
      return waiter
    }
    successor?.wake.resume(returning: .lead)
  }

  private func wakeOverdue() {
    // Those of the next moment too: ten thousand are not looked through for each of them.
    let moment = clock.monotonic + .milliseconds(50)
    let overdue = state.withLock { $0.wake { $0.until <= moment } }
    for waiter in overdue { waiter.wake.resume(returning: .news) }
  }
}

/// How often a shared list is read: as often as one run would ask alone, and more often the more runs wait, because it
/// is one request for all of them.
enum Tick {
  /// Eight seconds over the root of their number, at most four seconds (four runs or fewer), and 0.95 from 70 runs on:
  /// a thousand runs cost a request where a poller that asks for each every five seconds makes 190. From a thousand on
  /// it falls again, to 0.5 from 3600 on (where the poller makes 360 and more), because so long a list takes its time.
  static func interval(waiting: Int) -> Duration {
    let root = Double(max(waiting, 1)).squareRoot()
    let interval = min(max(8000 / root, 950), max(30_000 / root, 500))
    return .milliseconds(Int64(min(interval, 4000)))
  }
}

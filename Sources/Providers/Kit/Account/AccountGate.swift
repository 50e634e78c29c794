import Runbook
import Synchronization

/// What every request of an account passes, whichever run of the process sends it: no faster than the block allows, not
/// before a pause is over that the other side has asked for, and hardly at all while nearly everything fails.
final class AccountGate: Sendable {
  /// How long a request is held back rather than refused.
  static let patience: Duration = .seconds(10)

  private struct State {
    /// When the next request may leave, on the monotonic clock.
    var nextSlot: Duration = .zero
    /// The other side asked for silence until then.
    var pausedUntil: Duration = .zero
    var breaker = CircuitBreaker()
  }

  private let clock: any EngineClock
  private let state = Mutex(State())

  init(clock: any EngineClock) { self.clock = clock }

  /// Returns when a request may leave.
  /// - Parameter interval: least time between two requests, of the block's `max_requests_per_second`; nil: none.
  /// - Throws: a retryable failure that certainly sent nothing, if that would take longer than `patience`.
  func pass(_ service: String, interval: Duration?) async throws(StepFailure) {
    while true {
      let now = clock.monotonic
      switch state.withLock({ AccountGate.admit(&$0, now, interval) }) {
      case .go: return
      case .wait(let pause, let reason):
        guard pause <= AccountGate.patience || reason == .pace else {
          throw AccountGate.refusal(service, reason, pause)
        }
        await clock.sleep(for: pause)
        if Task.isCancelled {
          throw StepFailure(.cancelled, "a request to \(service) was given up before it was sent")
        }
        // Its place is taken: nobody else may leave in it.
        if reason == .pace { return }
      }
    }
  }

  private enum Reason: Sendable { case pace, asked, breaker }
  private enum Admission: Sendable {
    case go
    case wait(Duration, Reason)
  }

  private static func admit(_ state: inout State, _ now: Duration, _ interval: Duration?) -> Admission {
    if now < state.pausedUntil { return .wait(state.pausedUntil - now, .asked) }
    if let pause = state.breaker.admit(now) { return .wait(pause, .breaker) }
    guard let interval else { return .go }
    let mine = max(state.nextSlot, now)
    state.nextSlot = mine + interval
    return mine > now ? .wait(mine - now, .pace) : .go
  }

  private static func refusal(_ service: String, _ reason: Reason, _ pause: Duration) -> StepFailure {
    let wait = Duration.seconds(max(pause.components.seconds, 1))
    let failure =
      reason == .asked
      ? StepFailure(
        .rateLimited, "\(service) has asked this account to send nothing for another \(wait.text)", retryable: true)
      : StepFailure(
        .unreachable, "\(service) has answered few requests lately: the next try is in \(wait.text)",
        retryable: true)
    var told = failure
    told.retryAfter = pause
    told.beforeFirstByte = true
    return told
  }

  /// Tells how a request went.
  /// - Parameters:
  ///   - isGood: it was answered, with whatever but "too many" and "failed".
  ///   - pause: what the other side asked for.
  func note(isGood: Bool, pause: Duration?) {
    let now = clock.monotonic
    state.withLock { state in
      state.breaker.note(isGood, now)
      if let pause { state.pausedUntil = max(state.pausedUntil, now + pause) }
    }
  }
}

/// Opens when nearly everything fails, and then lets a tenth of the usual requests through, until one succeeds.
struct CircuitBreaker: Sendable {
  /// So many outcomes are looked at.
  static let window = 20
  /// It opens when so many of them are failures.
  static let most = 16
  /// Bounds of the pause between two tries while it is open.
  static let shortest: Duration = .seconds(1)
  static let longest: Duration = .seconds(60)

  /// Newest last.
  private var outcomes: [(at: Duration, isGood: Bool)] = []
  /// nil: closed.
  private var open: (pause: Duration, nextTry: Duration)?

  var isOpen: Bool { open != nil }

  /// nil: the request may leave. Else how long it has to wait.
  mutating func admit(_ now: Duration) -> Duration? {
    guard let open else { return nil }
    guard now < open.nextTry else {
      self.open?.nextTry = now + open.pause
      return nil
    }
    return open.nextTry - now
  }

  mutating func note(_ isGood: Bool, _ now: Duration) {
    if isGood, open != nil {
      open = nil
      outcomes = []
      return
    }
    outcomes.append((now, isGood))
    if outcomes.count > CircuitBreaker.window { outcomes.removeFirst() }
    guard open == nil, outcomes.count == CircuitBreaker.window,
      outcomes.count(where: { !$0.isGood }) >= CircuitBreaker.most, let first = outcomes.first
    else { return }
    // A tenth of the rate at which the window was filled.
    let spacing = (now - first.at) / (CircuitBreaker.window - 1)
    let pause = min(max(spacing * 10, CircuitBreaker.shortest), CircuitBreaker.longest)
    open = (pause, now + pause)
  }
}

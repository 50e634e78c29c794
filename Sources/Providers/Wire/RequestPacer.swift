import Runbook
import Synchronization

/// Keeps requests apart so that no more than a number of them leave in a second.
final class RequestPacer: Sendable {
  private let interval: Duration
  private let clock: any EngineClock
  private let nextSlot = Mutex<Duration>(.zero)

  /// `perSecond` above zero; clamped to 0.001 … 1000.
  init(perSecond: Double, clock: any EngineClock) {
    interval = .seconds(1 / min(max(perSecond, 0.001), 1000))
    self.clock = clock
  }

  /// From the field `max_requests_per_second`; nil if it is not given.
  convenience init?(_ settings: Arguments, clock: any EngineClock) throws(StepFailure) {
    let limit: Double
    switch settings["max_requests_per_second"] {
    case nil: return nil
    case .int(let number)?: limit = Double(number)
    case .double(let number)?: limit = number
    default: throw StepFailure(.input, "`max_requests_per_second` must be a number")
    }
    guard limit > 0 else { throw StepFailure(.input, "`max_requests_per_second` must be above zero") }
    self.init(perSecond: limit, clock: clock)
  }

  /// Returns when the next request may leave.
  func pace() async {
    let now = clock.monotonic
    let pause = nextSlot.withLock { slot in
      let mine = max(slot, now)
      slot = mine + interval
      return mine - now
    }
    if pause > .zero { await clock.sleep(for: pause) }
  }
}

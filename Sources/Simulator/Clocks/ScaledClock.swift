public import Runbook

/// A clock that runs `speed` times as fast as the one below it, from the same first instant: what `--speed` and `run
/// --simulate` use, so that ten documented minutes pass while somebody watches.
public struct ScaledClock: EngineClock {
  /// 1 to 1 000 000.
  public let speed: Int
  private let base: any EngineClock
  private let start: Timestamp
  private let monotonicStart: Duration

  /// `speed` outside its range is clamped. `start`: the first instant; default: the base clock's now.
  public init(_ base: any EngineClock, speed: Int, start: Timestamp? = nil) {
    self.base = base
    self.speed = min(max(speed, 1), 1_000_000)
    self.start = start ?? base.now
    monotonicStart = base.monotonic
  }

  public var now: Timestamp { start + monotonic }
  public var monotonic: Duration { (base.monotonic - monotonicStart) * speed }
  public func sleep(for duration: Duration) async { await base.sleep(for: duration / speed) }
}

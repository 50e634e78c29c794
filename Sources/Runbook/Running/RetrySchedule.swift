/// How long to pause between two tries.
struct RetrySchedule: Sendable {
  var delay: Duration
  var backoff: Double
  var maxDelay: Duration
  /// Share of the pause by which it is shortened or lengthened at random, so that runs do not retry in step.
  var jitter: Double

  static let standard = RetrySchedule(delay: .seconds(2), backoff: 2, maxDelay: .seconds(60), jitter: 0.2)
  /// An undo is tried again patiently: five seconds, doubling to two minutes.
  static let undo = RetrySchedule(delay: .seconds(5), backoff: 2, maxDelay: .seconds(120), jitter: 0.2)
  /// Look-up, connect and TLS.
  static let connect = RetrySchedule(delay: .seconds(1), backoff: 2, maxDelay: .seconds(15), jitter: 0.2)

  init(delay: Duration, backoff: Double, maxDelay: Duration, jitter: Double) {
    self.delay = delay
    self.backoff = backoff
    self.maxDelay = maxDelay
    self.jitter = jitter
  }

  init(_ policy: RetryPolicy) {
    self.init(delay: policy.delay, backoff: policy.backoff, maxDelay: policy.maxDelay, jitter: policy.jitter)
  }

  /// Of a step's tries, by its author's `retry` or what holds without one.
  init(for step: ActionStep, _ purpose: Purpose) {
    self = purpose == .undo && !step.retry.isWritten ? .undo : RetrySchedule(step.retry)
  }

  /// - Parameters:
  ///   - tries: made so far, from 1.
  ///   - asked: what the other side asked for (`Retry-After`); never undercut.
  func delay(after tries: Int, asked: Duration?, random: any RandomSource) -> Duration {
    var pause = delay
    for _ in 1..<max(2, min(tries, 64)) where tries > 1 && pause < maxDelay { pause = pause * backoff }
    pause = min(pause, maxDelay)
    // 53 random bits: a share in 0..<1.
    let share = Double(random.next() >> 11) / 9_007_199_254_740_992
    pause = pause * (1 - jitter + 2 * jitter * share)
    return max(pause, asked ?? .zero)
  }
}

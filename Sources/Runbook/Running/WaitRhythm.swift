/// The pauses between the looks of one wait: short at first, growing by half, short again when the state changes and
/// about when such waits usually end.
struct WaitRhythm: Sendable {
  private let fastest: Duration
  private let slowest: Duration
  /// How long such a wait usually takes; nil if nobody knows.
  private let usual: Duration?
  private var current: Duration

  init(fastest: Duration, slowest: Duration, usual: Duration?) {
    self.fastest = fastest
    self.slowest = slowest
    self.usual = usual.flatMap { $0 > .zero ? $0 : nil }
    current = fastest
  }

  /// What is waited for has moved.
  mutating func quicken() { current = fastest }

  /// - Parameter elapsed: since the wait began.
  mutating func pause(after elapsed: Duration) -> Duration {
    let pause = current
    current = min(current * 1.5, slowest)
    guard let usual else { return pause }
    let left = usual - elapsed
    let margin = max(usual / 10, fastest * 3)
    // Not past the moment from which it is looked at often.
    if left > margin { return min(pause, max(left - margin, fastest)) }
    guard left > .zero - margin else { return pause }
    current = fastest
    return fastest
  }
}

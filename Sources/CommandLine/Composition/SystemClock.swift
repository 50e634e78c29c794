import Posix
import Runbook

/// The machine's own clocks.
struct SystemClock: EngineClock {
  var now: Timestamp {
    let (seconds, nanoseconds) = WallClock.now
    return Timestamp(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: nanoseconds))
  }
  var monotonic: Duration { Monotonic.now }
  var boot: BootTime { BootTime(id: Host.bootID, elapsed: BootClock.now) }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration, tolerance: .zero) }
}

/// The kernel's random bits.
struct SystemRandom: RandomSource {
  func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}

import Glibc
import Posix
import Runbook

/// The machine's own clocks.
struct SystemClock: EngineClock {
  var now: Timestamp {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(truncatingIfNeeded: time.tv_nsec))
  }
  var monotonic: Duration { Monotonic.now }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration, tolerance: .zero) }
}

/// The kernel's random bits.
struct SystemRandom: RandomSource {
  func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}

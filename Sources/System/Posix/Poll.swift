import CPosix

/// Waiting for several descriptors at once.
public enum Poll {
  public enum Event: Sendable { case readable, writable }

  public struct Interest: Sendable {
    public let descriptor: Int32
    public let event: Event
    public init(_ descriptor: Int32, _ event: Event) {
      self.descriptor = descriptor
      self.event = event
    }
  }

  /// - Parameter timeout: nil waits for ever.
  /// - Returns: for each interest whether it is ready; an error or a hang-up counts as ready, so that the read or
  ///   write tells.
  public static func wait(for interests: [Interest], timeout: Duration?) throws(PosixError) -> [Bool] {
    let deadline = timeout.map { Monotonic.now + $0 }
    var entries = interests.map {
      pollfd(fd: $0.descriptor, events: Int16($0.event == .readable ? POLLIN : POLLOUT), revents: 0)
    }
    while true {
      let milliseconds = deadline.map { Monotonic.milliseconds(until: $0) } ?? -1
      let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
      if count >= 0 { return entries.map { $0.revents != 0 } }
      let code = posix_errno()
      if code != EINTR { throw PosixError(code, in: "poll") }
    }
  }
}

/// The time of day, as the machine has it.
public enum WallClock {
  /// Since 1970-01-01T00:00:00Z.
  public static var now: (seconds: Int64, nanoseconds: Int64) {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec), Int64(time.tv_nsec))
  }
}

/// The clock that never goes back; counts from an arbitrary instant.
public enum Monotonic {
  public static var now: Duration {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }

  /// Rounded up, at least 0, at most about 24 days: what `poll` takes.
  static func milliseconds(until deadline: Duration) -> Int32 {
    let left = deadline - now
    if left <= .zero { return 0 }
    if left >= .seconds(2_000_000) { return 2_000_000_000 }
    let (seconds, attoseconds) = left.components
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

/// The clock that never goes back and also counts while the machine sleeps; since its boot.
public enum BootClock {
  public static var now: Duration {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }
}

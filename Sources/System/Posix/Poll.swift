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

/// The clock of the machine's uptime, suspended time included. The same for all processes of one boot, in whatever time
/// namespace they are.
public enum BootClock {
  /// A system call and not the C library's function: a preloaded library that fakes the time does not reach it.
  public static var now: Duration {
    var time = timespec()
    _ = unsafe posix_boot_time(&time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec)) - namespaceOffset
  }

  /// What this process's time namespace adds to the boot-time clock; zero without one.
  static let namespaceOffset: Duration = {
    let bytes = (try? FileReading.all(of: "/proc/self/timens_offsets", limit: 4096)) ?? []
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 3, fields[0] == "boottime", let seconds = Int64(fields[1]), let rest = Int64(fields[2])
      else { continue }
      return .seconds(seconds) + .nanoseconds(rest)
    }
    return .zero
  }()
}

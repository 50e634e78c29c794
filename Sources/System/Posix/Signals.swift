import CPosix
import Synchronization

/// Signals that a command takes as events.
public enum Signal: Int32, Sendable, CaseIterable {
  case interrupt = 2
  case terminate = 15
  case hangUp = 1
  /// The terminal has another size.
  case windowChange = 28
}

public enum Signals {
  /// Writing to a pipe without a reader becomes the error `EPIPE` instead of our end.
  public static func ignoreBrokenPipe() { posix_ignore(SIGPIPE) }

  private static let isDelivering = Atomic<Bool>(false)

  /// Hands signals to `handler`, one after the other, on a thread of their own, for the rest of the process's life. A
  /// signal that was ignored when we started (`nohup`, a background job) stays ignored. A
  /// second call is refused with `EBUSY`.
  public static func deliver(_ signals: [Signal] = Signal.allCases, to handler: @escaping @Sendable (Signal) -> Void)
    throws(PosixError)
  {
    if isDelivering.exchange(true, ordering: .relaxed) { throw PosixError(EBUSY, in: "sigaction") }
    let wanted = signals.map { $0.rawValue }.filter { posix_is_ignored($0) == 0 }
    guard !wanted.isEmpty else { return }
    let (reader, writer) = try Descriptor.pipe()
    // A handler must never wait: what does not fit into the pipe are repetitions.
    try writer.setNonblocking()
    if unsafe posix_catch_signals(writer.number, wanted, Int32(wanted.count)) < 0 { throw PosixError("sigaction") }
    try Thread.start {
      while let numbers = try? reader.read(limit: 64), !numbers.isEmpty {
        for number in numbers {
          if let signal = Signal(rawValue: Int32(number)) { handler(signal) }
        }
      }
      // The handler writes to it until the process ends.
      withExtendedLifetime(writer) {}
    }
  }

  /// Ignores the signals a terminal or an operator would send, for a process that ends by itself.
  public static func ignoreAll() {
    for signal in Signal.allCases { posix_ignore(signal.rawValue) }
    ignoreBrokenPipe()
  }

  /// Readable when a child has ended. Blocks SIGCHLD: call it before any other thread is started.
  public static func childEvents() throws(PosixError) -> Descriptor {
    var set = signalSet([SIGCHLD])
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let number = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    if number < 0 { throw PosixError("signalfd") }
    return Descriptor(adopting: number)
  }

  private static func signalSet(_ numbers: [Int32]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers { unsafe sigaddset(&set, number) }
    return set
  }
}

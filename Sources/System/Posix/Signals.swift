import CPosix

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

  /// Hands signals to `handler`, one after the other, on a thread of their own. A signal that was ignored when we
  /// started (`nohup`, a background job) stays ignored.
  ///
  /// Must be called before any other thread is started: only threads that are younger leave the signals to ours.
  public static func deliver(_ signals: [Signal] = Signal.allCases, to handler: @escaping @Sendable (Signal) -> Void)
    throws(PosixError)
  {
    let wanted = signals.filter { posix_is_ignored($0.rawValue) == 0 }
    guard !wanted.isEmpty else { return }
    var set = signalSet(wanted.map { $0.rawValue })
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    try Thread.start {
      var set = signalSet(wanted.map { $0.rawValue })
      while true {
        var number: Int32 = 0
        if unsafe sigwait(&set, &number) == 0, let signal = Signal(rawValue: number) { handler(signal) }
      }
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

import CPosix

/// An error number of the operating system, and the call that gave it.
public struct PosixError: Error, Sendable, Equatable, CustomStringConvertible {
  public let code: Int32
  /// `open`, `write`, `posix_spawn` …
  public let call: String

  public init(_ code: Int32, in call: String) {
    self.code = code
    self.call = call
  }

  /// Takes the calling thread's `errno`.
  init(_ call: String) { self.init(posix_errno(), in: call) }

  /// "No such file or directory".
  public var reason: String {
    guard let text = unsafe posix_error_text(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
  public var description: String { "\(call): \(reason)" }

  public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
  public var isExisting: Bool { code == EEXIST }
  /// Nobody reads the pipe or socket any more.
  public var isReaderGone: Bool { code == EPIPE }
  public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
  /// No more descriptors, processes or memory just now: worth another try later.
  public var isShortage: Bool { [EMFILE, ENFILE, EAGAIN, ENOMEM, ENOBUFS].contains(code) }
}

/// Repeats `body` while a signal interrupts it; a negative result is an error.
func retrying(_ call: String, _ body: () -> Int) throws(PosixError) -> Int {
  while true {
    let result = body()
    if result >= 0 { return result }
    let code = posix_errno()
    if code != EINTR { throw PosixError(code, in: call) }
  }
}

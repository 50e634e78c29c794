import Glibc
import Runbook
import Synchronization

/// The process's stdout and stderr. Results go to stdout, messages to stderr.
///
/// A reader that has left (`| head -1`) is no failure: what follows is dropped and the work goes on. Any other failure of
/// stdout (a full device) is remembered, said once on stderr, and makes the exit code non-zero.
final class Output: Sendable {
  private struct State {
    var readerHasLeft = false
    /// errno of the first write that failed for another reason.
    var failure: Int32?
  }
  private let state = Mutex(State())
  let stdout: Int32
  let stderr: Int32

  init(stdout: Int32 = STDOUT_FILENO, stderr: Int32 = STDERR_FILENO) {
    self.stdout = stdout
    self.stderr = stderr
  }

  /// Nobody reads stdout any more.
  var readerHasLeft: Bool { state.withLock { $0.readerHasLeft || $0.failure != nil } }
  var isTerminal: Bool { isatty(stdout) == 1 }

  /// One or more whole lines for stdout.
  func result(_ text: String) { result(bytes: Array(text.utf8)) }

  func result(bytes: [UInt8]) {
    state.withLock { state in
      guard !state.readerHasLeft, state.failure == nil else { return }
      switch Output.write(bytes, to: stdout) {
      case 0: break
      case EPIPE, EBADF: state.readerHasLeft = true
      case let failure: state.failure = failure
      }
    }
  }

  func result(json document: Value) { result(bytes: JSONWriter.bytes(document) + [0x0a]) }

  /// One line for stderr. If stderr cannot be written there is nobody left to tell.
  func message(_ line: String) { _ = Output.write(Array((line + "\n").utf8), to: stderr) }

  /// Whether a write now would not have to wait for the reader. Errors count as yes: the write will tell.
  func isWritable() -> Bool {
    var poll = pollfd(fd: stdout, events: Int16(POLLOUT), revents: 0)
    return unsafe Glibc.poll(&poll, 1, 0) != 0
  }

  /// The exit code, unless results were lost: then at least 1, and a word about it.
  func finish(_ code: ExitCode) -> ExitCode {
    guard let failure = state.withLock({ $0.failure }) else { return code }
    message("error: the results could not be written to stdout: \(Output.reason(failure))")
    return code == .succeeded ? .failed : code
  }

  static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  /// Writes everything; 0, or the errno that stopped it.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, -1)
      case let failure: return failure
      }
    }
    return 0
  }
}

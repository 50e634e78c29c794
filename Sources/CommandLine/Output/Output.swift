import Posix
import Runbook

/// The process's stdout and stderr. Results go to stdout, messages to stderr.
///
/// A reader that has left (`| head -1`) is no failure: what follows is dropped and the work goes on. Any other
/// failure of stdout (a full device) is said once on stderr at the end, and makes the exit code non-zero.
struct Output: Sendable {
  private let results = OutputWriter.standardOutput
  private let messages = OutputWriter.standardError

  var isTerminal: Bool { Terminal.isTerminal(1) }

  /// One or more whole lines for stdout.
  func result(_ text: String) { results.write(text) }
  func result(bytes: [UInt8]) { results.write(bytes) }
  func result(json document: Value) { results.write(JSONWriter.bytes(document) + [0x0a]) }

  /// One line for stderr. If stderr cannot be written there is nobody left to tell.
  func message(_ line: String) { messages.write(line + "\n") }

  /// Whether anybody still reads the results.
  var isOpen: Bool { results.state == .open }

  /// Writes while the reader keeps up, and otherwise waits without holding a thread: a pager that is not scrolled
  /// must not hold up the run.
  func stream(_ bytes: [UInt8]) async {
    var rest = bytes[...]
    while !rest.isEmpty, results.state == .open {
      // A pipe that is writable takes at least PIPE_BUF (4 KiB) at once.
      guard isWritable else {
        try? await Task.sleep(for: .milliseconds(20))
        continue
      }
      results.write(Array(rest.prefix(4096)))
      rest = rest.dropFirst(4096)
    }
  }

  /// Whether a write would go through now; errors count as yes, the write will tell.
  private var isWritable: Bool { (try? Poll.wait(for: [Poll.Interest(1, .writable)], timeout: .zero))?.first ?? true }

  /// The exit code, unless results were lost: then at least 1, and a word about it.
  func finish(_ code: Int32) -> Int32 {
    guard case .failed(let error) = results.state else { return code }
    message("error: the results could not be written to stdout: \(error.reason)")
    return code == 0 ? ExitCode.failed.rawValue : code
  }
}

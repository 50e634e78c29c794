import Runbook
import Synchronization

/// A short session: the other machine's `/bin/sh` carries out a text of ours and answers with lines. It hangs on its
/// connection, and keeps nothing there.
struct SSHExchange {
  let ssh: SSHCommand
  let call: ActionCall

  enum Outcome: Sendable {
    /// It came to its end: all the lines that it wrote.
    case answered([String])
    /// Something else than the text was run.
    case rejected(StepFailure)
    /// The connection was lost, or never made. `begun`: the lines that came until then; nil: it had not begun, as far
    /// as anybody can tell.
    case cut(StepFailure, begun: [String]?)
  }

  /// For login and answer, on top of `connect_timeout`.
  static let patience = Duration.seconds(20)
  /// Longest answer that is read, in bytes.
  static let longest = 1 << 20

  init(_ ssh: SSHCommand, _ call: ActionCall) {
    var ssh = ssh
    // A line that is dead is better given up early: what is asked can be asked again.
    ssh.silence = (interval: 5, count: 3)
    self.ssh = ssh
    self.call = call
  }

  var beginning: String { "runbook \(call.key) begin" }
  var ending: String { "runbook \(call.key) end" }

  /// One command in braces: a part of it does nothing.
  func text(_ script: String) -> String {
    "{ printf '\\n%s\\n' '\(beginning)'; ( eval \(ShellText.quoted(script)) ) </dev/null; "
      + "printf '\\n%s\\n' '\(ending)'; exit 0; }\n"
  }

  /// - Parameters:
  ///   - script: shell text that reads nothing and answers on stdout.
  ///   - share: how long it may work.
  /// - Throws: `cancelled`, and `input` if the client cannot be started.
  func ask(_ script: String, share: Duration = .zero) async throws(StepFailure) -> Outcome {
    try await run(["/bin/sh", "-s"], input: Secret(text(script), named: []), share: share)
  }

  /// The same for words and an input of another making, which write the same marks.
  func run(
    _ words: [String], input: Secret, share: Duration, wrapping: (([String]) -> [String])? = nil
  ) async throws(StepFailure) -> Outcome {
    let reading = Reading()
    let end: ScriptEnd
    do throws(StepFailure) {
      end = try await ssh.run(
        words, input: input, until: call.clock.now + share + ssh.connectTimeout + Self.patience, call,
        wrapping: wrapping, reading: { reading.take($0) })
    } catch {
      let begun = lines(of: reading.bytes)
      if let begun, begun.isWhole { return .answered(begun.lines) }
      switch error.kind {
      case .timeout:
        return .cut(
          StepFailure(.unreachable, "\(ssh.host) did not answer ssh in time", effect: .unknown), begun: begun?.lines)
      case .crashed, .limit: return .cut(error, begun: begun?.lines)
      default: throw error
      }
    }
    return outcome(of: end)
  }

  private func outcome(of end: ScriptEnd) -> Outcome {
    let begun = lines(of: end.stdout)
    if let begun, begun.isWhole { return .answered(begun.lines) }
    let log = SSHLog(end.stderr, mask: call.mask)
    if let begun {
      return .cut(
        StepFailure(.unreachable, "the connection to \(ssh.host) was lost", effect: .unknown, detail: log.detail),
        begun: begun.lines)
    }
    if let code = end.exitCode, code != 255 || log.isOrderlyEnd {
      return .rejected(log.rejection(at: ssh.host, stdout: end.stdout))
    }
    return .cut(log.failure(at: ssh.host), begun: nil)
  }

  /// What was written between the marks; nil: it has not begun.
  private func lines(of bytes: [UInt8]) -> (lines: [String], isWhole: Bool)? {
    guard let start = bytes.firstRange(of: Array("\n\(beginning)\n".utf8)) else { return nil }
    let rest = bytes[start.upperBound...]
    let end = rest.firstRange(of: Array("\n\(ending)\n".utf8))
    let text = String(decoding: rest[..<(end?.lowerBound ?? rest.endIndex)], as: UTF8.self)
    return (text.split(separator: "\n").map(String.init), end != nil)
  }

  private final class Reading: Sendable {
    private let state = Mutex<[UInt8]>([])
    func take(_ bytes: [UInt8]) {
      state.withLock { $0 += bytes.prefix(max(0, SSHExchange.longest - $0.count)) }
    }
    var bytes: [UInt8] { state.withLock { $0 } }
  }
}

extension StepFailure {
  /// The same of a session that only looked: nothing was changed, and a lost look is worth another.
  var ofLook: StepFailure {
    StepFailure(
      kind, message, retryable: kind == .unreachable || retryable, detail: detail, beforeFirstByte: beforeFirstByte)
  }
}

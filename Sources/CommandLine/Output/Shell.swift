import Glibc
import Posix
import Runbook

/// What a command has around it: the global options and the output.
struct Shell: Sendable {
  let globals: GlobalOptions
  let output: Output

  var wantsJSON: Bool { globals.format == .json }

  /// Colours need a terminal that understands them and a user who has not said no.
  var paint: Paint {
    let isRefused = globals.noColor || !(Environment["NO_COLOR"] ?? "").isEmpty
    return output.isTerminal && !isRefused && !isDumb ? .ansi : .plain
  }
  var isDumb: Bool { ["", "dumb"].contains(Environment["TERM"] ?? "") }

  func print(_ lines: [StyledText]) {
    let paint = paint
    output.result(lines.map { paint.line($0) + "\n" }.joined())
  }

  /// A refusal: one document on stdout for programs, one or two lines on stderr for people.
  func refuse(_ refusal: Refusal) -> ExitCode {
    if wantsJSON {
      output.result(json: ReportJSON.error(code: refusal.code, message: refusal.message, hint: refusal.hint))
    }
    output.message("error: \(refusal.message)")
    if let hint = refusal.hint { output.message("  \(hint)") }
    return refusal.exitCode
  }

  /// A word that is neither result nor error; `-q` drops it.
  func note(_ line: String) {
    if !globals.quiet { output.message(line) }
  }

  /// Asks a person at the terminal; nobody there is a no.
  func asks(_ question: String) -> Bool {
    guard Terminal.isTerminal(0), Terminal.isTerminal(2) else { return false }
    output.message(question)
    guard let answer = readLine() else { return false }
    return ["y", "yes"].contains(answer.lowercased())
  }

  /// Wall time as the clock on the wall shows it, in the operator's zone (`TZ`).
  static let localTime: @Sendable (Timestamp) -> String = { instant in
    var seconds = time_t(instant.seconds)
    var parts = unsafe tm()
    guard unsafe localtime_r(&seconds, &parts) != nil else { return EventText.utc(instant) }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : String(number) }
    return unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}

/// Why a command did nothing, before there was a run: what, and what to do now.
struct Refusal: Error, Equatable {
  var exitCode: ExitCode
  /// Stable: scripts read it.
  var code: String
  var message: String
  var hint: String?

  init(_ exitCode: ExitCode, _ code: String, _ message: String, hint: String? = nil) {
    self.exitCode = exitCode
    self.code = code
    self.message = message
    self.hint = hint
  }
  init(_ error: UsageError) { self.init(.usage, error.code, error.message, hint: error.hint) }
}

import Glibc
import Posix
import Runbook
import Synchronization

/// What a command has around it: the global options and the output.
struct Shell: Sendable {
  let globals: GlobalOptions
  let output: Output
  /// Where a run is told beside stdout; nil for commands without one.
  var channels: RunChannels?

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

  /// The owner of a run does not answer yet.
  func noteOwnerIsBusy() { note("waiting for the run's owner, which first finishes its current call") }

  /// Asks a person at the terminal; nobody there is a no.
  func asks(_ question: String) -> Bool {
    guard Terminal.isTerminal(0), Terminal.isTerminal(2) else { return false }
    output.message(question)
    guard let answer = readLine() else { return false }
    return ["y", "yes"].contains(answer.lowercased())
  }

  /// `--utc`: times are shown in UTC. The zone of scripts stays that of the environment.
  static let isUTC = Atomic(false)

  /// Wall time as the clock on the wall shows it, in the operator's zone (`TZ`).
  static let localTime: @Sendable (Timestamp) -> String = { instant in
    if isUTC.load(ordering: .relaxed) { return EventText.utc(instant) }
    var seconds = time_t(instant.seconds)
    var parts = unsafe tm()
    guard unsafe localtime_r(&seconds, &parts) != nil else { return EventText.utc(instant) }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : String(number) }
    return unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }

  /// Day and zone of what `localTime` says: `2026-12-01 UTC`, `2026-12-01 +01:00`.
  static let localDay: @Sendable (Timestamp) -> String = { instant in
    let (day, zone) = dayAndZone(of: instant)
    return "\(day) \(zone)"
  }

  /// `2026-12-01T03:20:31+01:00`, to the second, in the operator's zone.
  static let localInstant: @Sendable (Timestamp) -> String = { instant in
    let (day, zone) = dayAndZone(of: instant)
    return "\(day)T\(localTime(instant))\(zone == "UTC" ? "Z" : zone)"
  }

  private static func dayAndZone(of instant: Timestamp) -> (day: String, zone: String) {
    var seconds = time_t(instant.seconds)
    var parts = unsafe tm()
    guard !isUTC.load(ordering: .relaxed), unsafe localtime_r(&seconds, &parts) != nil else {
      return (String(instant.description.prefix(10)), "UTC")
    }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    let (year, offset) = unsafe (Int(parts.tm_year) + 1900, Int(parts.tm_gmtoff) / 60)
    let day = unsafe "\(year)-\(two(Int(parts.tm_mon) + 1))-\(two(Int(parts.tm_mday)))"
    guard offset != 0 else { return (day, "UTC") }
    return (day, (offset < 0 ? "-" : "+") + "\(two(abs(offset) / 60)):\(two(abs(offset) % 60))")
  }
}

/// Why a command did nothing, before there was a run: what, and what to do now.
struct Refusal: Error, Equatable {
  var exitCode: ExitCode
  /// Stable: scripts read it.
  var code: String
  var message: String
  var hint: String?

  init(_ exitCode: ExitCode, _ code: RefusalCode, _ message: String, hint: String? = nil) {
    self.init(exitCode, stated: code.rawValue, message, hint: hint)
  }

  /// With a code that was decided elsewhere: by another process, or by a mistake in an expression.
  init(_ exitCode: ExitCode, stated code: String, _ message: String, hint: String? = nil) {
    self.exitCode = exitCode
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// Whether it is refused for this reason.
  func has(_ code: RefusalCode) -> Bool { self.code == code.rawValue }

  init(_ error: UsageError) { self.init(.usage, error.code, error.message, hint: error.hint) }
}

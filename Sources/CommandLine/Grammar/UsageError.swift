import Runbook

/// The command line was not understood: exit 2, and nothing has been done.
struct UsageError: Error, Equatable {
  /// Stable: scripts read it from `--format json`.
  var code: RefusalCode
  /// Lower case, names in backticks.
  var message: String
  /// What to type instead.
  var hint: String

  init(_ message: String, code: RefusalCode = .usage, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// `runbook help run`, where there is a command to explain.
  static func help(_ command: String?) -> String { command.map { "see `runbook help \($0)`" } ?? "see `runbook help`" }
}

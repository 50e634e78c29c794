import Runbook

/// What stood on the command line after a verb, sorted and checked against its `CommandSpec`: options known, values
/// there, operands as many as they must be. Commands read it by name.
struct ParsedArguments: Sendable, Equatable {
  /// The verb, for hints.
  var command: String
  var flags: Set<String> = []
  var values: [String: [String]] = [:]
  /// By operand name, in order.
  var operands: [String: [String]] = [:]

  func flag(_ name: String) -> Bool { flags.contains(name) }
  func value(_ name: String) -> String? { values[name]?.last }
  func values(of name: String) -> [String] { values[name] ?? [] }
  func operand(_ name: String) -> String? { operands[name]?.first }
  func operands(_ name: String) -> [String] { operands[name] ?? [] }

  /// An operand that the spec says is there.
  func required(_ name: String) throws(UsageError) -> String {
    guard let text = operand(name) else {
      throw UsageError("`\(name)` is missing", hint: UsageError.help(command))
    }
    return text
  }

  func duration(_ name: String) throws(UsageError) -> Duration? {
    guard let text = value(name) else { return nil }
    guard let duration = Duration(text: text) else {
      throw UsageError(
        "`--\(name)` is `\(DisplayText.escaped(text, limit: 60))`, which is no duration",
        hint: "write `30s`, `10m` or `1h30m`")
    }
    return duration
  }

  /// A whole number within `range`.
  func number(_ name: String, in range: ClosedRange<Int64>) throws(UsageError) -> Int64? {
    guard let text = value(name) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      throw UsageError(
        "`--\(name)` is `\(DisplayText.escaped(text, limit: 60))`; it must be a whole number from \(range.lowerBound)"
          + " to \(range.upperBound)",
        hint: UsageError.help(command))
    }
    return number
  }
}

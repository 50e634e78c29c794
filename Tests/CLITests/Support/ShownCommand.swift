import TestSupport

/// A command and its output as a page shows them: a fenced block whose first line begins with `$ runbook`.
///
/// Instants, durations and ids are different each time; so is what a wait sees between two looks.
struct ShownCommand: Sendable {
  let page: String
  /// Behind `$ runbook `; a backslash at the end of a line goes on in the next.
  let arguments: [String]
  let output: [Substring]
  /// The lines of its output in the page.
  private let place: Range<Int>

  var description: String { "\(page): \(arguments.joined(separator: " "))" }

  /// All that a page shows, in order.
  static func all(in page: String) throws -> [ShownCommand] {
    let lines = try Repository.text(page).split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.filter { lines[$0].hasPrefix("$ runbook ") }.map { start in
      var words = ""
      var last = start
      while lines[last].hasSuffix("\\") {
        words += lines[last].dropLast()
        last += 1
      }
      words += lines[last]
      let end = lines[(last + 1)...].firstIndex { $0.hasPrefix("```") || $0.hasPrefix("$ ") } ?? lines.count
      return ShownCommand(
        page: page, arguments: words.split(separator: " ").dropFirst(2).map { String($0) },
        output: Array(lines[(last + 1)..<end]), place: (last + 1)..<end)
    }
  }

  /// Runs it where the page says it is typed: beside `runbooks`.
  func run() async throws -> Finished {
    let place = try Workplace()
    _ = try await place.shell("ln -s \(Repository.path("runbooks")) runbooks")
    return try await place.run(arguments + ["--speed", "600"])
  }

  /// Whether this was printed, as far as it is the same each time. `RECORD=1` writes it into the page if it was not.
  func isWhatWasPrinted(_ text: String) throws -> Bool {
    let printed = Array(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
    if Self.comparable(printed) == Self.comparable(output) { return true }
    guard Recording.isOn else { return false }
    var lines = try Repository.text(page).split(separator: "\n", omittingEmptySubsequences: false)
    lines.replaceSubrange(place, with: printed.map { Self.trimmed($0) })
    try Recording.write(lines.joined(separator: "\n"), to: page)
    return true
  }

  /// A page has no spaces at the ends of its lines.
  private static func trimmed(_ line: Substring) -> Substring {
    line.prefix(line.count - line.reversed().prefix { $0 == " " }.count)
  }

  static func comparable(_ lines: [Substring]) -> [String] {
    lines.map { line in
      var text = String(trimmed(line))
      text.replace(#/\d\d:\d\d:\d\d/#, with: "TIME")
      text.replace(#/\br[0-9a-z]{19}\b/#, with: "RUN")
      text.replace(#/\b(\d+h)?(\d+m)?\d+(\.\d)?s\b|\b\d+m\b/#, with: "LONG")
      return text
    }.filter { !$0.contains("waiting until") && !$0.contains("progress:") }
  }
}

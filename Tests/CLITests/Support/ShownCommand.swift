import TestSupport
import Testing

/// A command and its output as a page shows them: a fenced block with a line that begins with `$ runbook `, and behind
/// it the lines that the command prints. A first line `…` stands for the beginning that the page leaves out.
///
/// Instants, durations and ids are different each time; so are the states that a wait sees between two looks.
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

  /// The first that begins with these words.
  static func first(_ words: String, in page: String) throws -> ShownCommand {
    let wanted = words.split(separator: " ").map { String($0) }
    return try #require(try all(in: page).first { $0.arguments.starts(with: wanted) }, "\(page) has no \(words)")
  }

  /// A place in which the shipped runbooks lie where the pages say.
  static func place() async throws -> Workplace {
    let place = try Workplace()
    _ = try await place.shell("ln -s \(Repository.path("runbooks")) runbooks")
    return place
  }

  /// Runs it where the page says it is typed: beside `runbooks`.
  func run() async throws -> Finished { try await Self.place().run(arguments + ["--speed", "300"]) }

  /// Whether this was printed, as far as it is the same each time. `RECORD=1` writes it into the page if it was not.
  func isWhatWasPrinted(_ text: String) throws -> Bool {
    let printed = Array(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
    let leavesOut = output.first == "…"
    let shown = Self.comparable(leavesOut ? output.dropFirst() : output[...])
    let told = Self.comparable(printed)
    let isEnd = !shown.isEmpty && told.count >= shown.count && Array(told.suffix(shown.count)) == shown
    if leavesOut ? isEnd : told == shown { return true }
    guard Recording.isOn else { return false }
    var lines = try Repository.text(page).split(separator: "\n", omittingEmptySubsequences: false)
    let ending = printed.lastIndex { $0.hasPrefix("✗ ") || $0.hasPrefix("✓ ") } ?? printed.startIndex
    let kept = leavesOut ? ["…"] + printed[ending...] : printed
    lines.replaceSubrange(place, with: kept.map { Self.trimmed($0) })
    try Recording.write(lines.joined(separator: "\n"), to: page)
    return true
  }

  /// A page has no spaces at the ends of its lines.
  private static func trimmed(_ line: Substring) -> Substring {
    line.prefix(line.count - line.reversed().prefix { $0 == " " }.count)
  }

  /// The lines without the parts that differ from run to run.
  static func comparable(_ lines: some Sequence<Substring>) -> [String] {
    lines.map { line in
      var text = String(trimmed(line))
      text.replace(#/\d\d:\d\d:\d\d/#, with: "TIME")
      text.replace(#/\br[0-9a-z]{19}\b/#, with: "RUN")
      text.replace(#/\b[0-9a-f]{32}\b/#, with: "UUID")
      text.replace(#/\b(\d+h)?(\d+m)?\d+(\.\d)?s\b|\b(\d+h)?\d+m\b|\b\d+h\b/#, with: "LONG")
      return text
    }.filter { !$0.contains("waiting until") && !$0.contains("progress:") }
  }
}

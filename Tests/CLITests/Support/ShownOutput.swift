import TestSupport
import Testing

/// What a page shows of a command: the line behind `$ runbook `, and the lines that it prints. Instants, durations and
/// ids are different each time; so is what a wait sees between two looks.
struct ShownOutput {
  let arguments: [String]
  let output: [Substring]

  /// The first block of the page that shows a command which begins so.
  init(_ command: String, in page: String) throws {
    let text = try Repository.text(page)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("$ runbook \(command)") }, "\(page) has no \(command)")
    // A command may go on in the next line, behind a `\`.
    let end = try #require(lines[start...].firstIndex { !$0.hasSuffix("\\") })
    arguments = lines[start...end].joined(separator: " ").dropFirst("$ runbook ".count)
      .split(separator: " ").filter { $0 != "\\" }.map { String($0) }
    output = Array(lines[(end + 1)...].prefix { !$0.hasPrefix("```") && !$0.hasPrefix("$ ") })
  }

  /// The lines with what differs from run to run taken out.
  static func comparable(_ lines: some Sequence<Substring>) -> [String] {
    lines.map { line in
      var text = String(line)
      text.replace(#/\d\d:\d\d:\d\d/#, with: "TIME")
      text.replace(#/\br[0-9a-z]{19}\b/#, with: "RUN")
      text.replace(#/\b[0-9a-f]{32}\b/#, with: "UUID")
      text.replace(#/\b(\d+h)?(\d+m)?\d+(\.\d)?s\b|\b(\d+h)?\d+m\b|\b\d+h\b/#, with: "LONG")
      return text
    }.filter { !$0.contains("waiting until") && !$0.contains("progress:") }
  }

  static func comparable(_ printed: String) -> [String] {
    comparable(printed.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
  }

  /// A place in which the shipped runbooks lie where the pages say.
  static func place() async throws -> Workplace {
    let place = try Workplace()
    _ = try await place.shell("ln -s \(Repository.path("runbooks")) runbooks")
    return place
  }
}

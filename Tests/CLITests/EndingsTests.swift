import Runbook
import TestSupport
import Testing

/// How a run can end, what the last screen says of it, and what comes of typing what it says.
///
/// The table is `Tests/Endings.txt`: `=== NAME`, a runbook, commands that follow (`$ …`), `---`, and the closing words.
/// In each runbook the script of the step `x` writes `+x` into a ledger, and its undo `-x`. `RECORD=1` writes what is
/// said today into the table.
@Suite struct EndingsTests {
  static let path = "Tests/Endings.txt"

  struct Ending: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var said: String
    var testDescription: String { name }

    var runbook: String { lines.filter { !$0.hasPrefix("$ ") }.joined(separator: "\n") + "\n" }
    var commands: [String] { lines.filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) } }
    private var lines: [Substring] { text.split(separator: "\n") }
  }

  static let table: [Ending] = {
    let text = (try? Repository.text(path)) ?? ""
    return text.split(separator: "=== ").map { block in
      let parts = block.split(separator: "---\n", maxSplits: 1, omittingEmptySubsequences: false)
      let head = parts[0].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      return Ending(
        name: String(head[0]), text: head.count > 1 ? String(head[1]) : "",
        said: parts.count > 1 ? String(parts[1]) : "")
    }
  }()

  /// A place in which the run has come to this ending.
  private struct Ended {
    let place: Workplace
    let id: String
    /// Of the command that ended it.
    let last: Finished

    init(_ ending: Ending) async throws {
      place = try Workplace()
      try place.write("a.yaml", ending.runbook)
      var last = try await place.shell("echo $$ > pid; exec \"$R\" run a.yaml")
      id = try #require(last.runID ?? Finished(stdout: last.stderr, stderr: "").runID, "\(last)")
      for command in ending.commands { last = try await place.shell("\"$R\" \(command)") }
      self.last = last
    }

    var ledger: [String] { place.read("ledger").split(separator: "\n").map(String.init) }

    /// The closing words as `show` has them, with what differs from run to run taken out.
    func closing() async throws -> String {
      let shown = try await place.run("show", id).stdout
      return EndingsTests.stable(EndingsTests.closing(of: shown), id: id)
    }
  }

  /// From the headline on.
  private static func closing(of text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = lines.lastIndex { ["✓ ending", "✗ ending", "■ ending", "… ending"].contains(String($0.prefix(8))) }
    return lines[(start ?? lines.count)...].joined(separator: "\n")
  }

  private static func stable(_ text: String, id: String) -> String {
    text.replacing(id, with: "RUN").replacing(/after [0-9.]+s/, with: "after TIME")
      .replacing(/pid [0-9]+/, with: "pid PID").replacing(/\/tmp\/runbook-test-[A-Za-z0-9]+/, with: "FOLDER")
      .replacing(/at [0-9-]+T[0-9:]+Z/, with: "at TIME")
  }

  @Test func theClosingWordsOfEveryEndingAreThoseOfTheTable() async throws {
    #expect(Self.table.count >= 30)
    var written: [String] = []
    for ending in Self.table {
      let ended = try await Ended(ending)
      let said = try await ended.closing()
      written.append("=== \(ending.name)\n\(ending.text)---\n\(said)")
      if !Recording.isOn { #expect(said == ending.said, "\(ending.name): \(ended.last)") }
      Self.check(said, ended)
    }
    if Recording.isOn { try Recording.write(written.joined(), to: Self.path) }
  }

  /// What is called undone was undone, once; what is said to stand stands.
  private static func check(_ said: String, _ ended: Ended) {
    let ledger = ended.ledger
    func names(_ label: String) -> [String] {
      said.split(separator: "\n").filter { $0.hasPrefix("  \(label)  ") }.flatMap { line in
        line.dropFirst(label.count + 2).split(separator: ",").map {
          String($0.drop { $0 == " " }.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
        }
      }
    }
    for name in names("undone") {
      #expect(ledger.count { $0 == "+\(name)" } == 1 && ledger.count { $0 == "-\(name)" } == 1, "\(said)\n\(ledger)")
    }
    for name in names("stands") {
      #expect(ledger.contains("+\(name)") && !ledger.contains("-\(name)"), "\(said)\n\(ledger)")
    }
    for line in Set(ledger) { #expect(ledger.count { $0 == line } == 1, "\(said)\n\(ledger)") }
    let undone = Set(ledger.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
    #expect(undone == Set(names("undone")), "\(said)\n\(ledger)")
  }

  /// Each in a place of its own: none is refused, and none repeats an effect unless that is what it is for.
  @Test(arguments: table)
  func whatTheClosingWordsAdviseCanBeTyped(_ ending: Ending) async throws {
    for command in advised(in: ending.said) {
      let ended = try await Ended(ending)
      let line = command.replacing("RUN", with: ended.id)
      let typed = try await ended.place.shell("runbook() { \"$R\" \"$@\"; }; \(line)")
      #expect(typed.code != 2 && typed.code != 7, "\(line): \(typed)")
      let repeats = line.contains(" rerun ") || line.contains("--retry")
      for entry in Set(ended.ledger) where !repeats {
        #expect(ended.ledger.count { $0 == entry } == 1, "\(line): \(ended.ledger)")
      }
      // The screen is the ledger's then, too.
      if !repeats { Self.check(try await ended.closing(), ended) }
    }
  }

  private func advised(in said: String) -> [String] {
    said.split(separator: "\n").compactMap { line in
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("runbook ") else { return nil }
      return String(text[..<(text.firstRange(of: "  ")?.lowerBound ?? text.endIndex)])
    }
  }
}

import Runbook
import Testing

/// A mistake that no test is told to catch, or that is made nowhere, proves nothing.
@Suite struct PlantedMistakesTests {
  static let mistakes = PlantedMistake.allCases.map(\.rawValue)

  /// The words of each line of the table: mistake, file, test.
  private static var table: [[String]] {
    get throws {
      try ProjectFile("Tests/PlantedMistakes.txt").lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        .map { $0.split(separator: " ").map(String.init) }
    }
  }

  @Test func everyMistakeHasItsLine() throws {
    let table = try Self.table
    #expect(table.allSatisfy { $0.count == 3 })
    #expect(Set(table.compactMap(\.first)) == Set(Self.mistakes))
    #expect(Self.mistakes.count >= 25)
  }

  @Test func everyTestThatHasToCatchOneExists() throws {
    for line in try Self.table where line.count == 3 {
      let text = try? ProjectFile("Tests/\(line[1])").text
      #expect(text?.contains("func \(line[2])(") == true, "\(line[0]): \(line[2]) is not in Tests/\(line[1])")
    }
  }

  /// The page shows a line of the script: of a mistake and a test that are in the table, in the script's own form.
  @Test func theLineThatThePageShowsIsOneOfTheScript() throws {
    let page = try ProjectFile("docs/guarantees.md").lines
    let shown = try #require(page.first { $0.contains(" s  caught by ") })
    let words = shown.split(separator: " ").map(String.init)
    #expect(try Self.table.contains { $0.first == words.first && $0.last == words.last })
    let script = try ProjectFile(".ci/planted.sh").text
    let form = try #require(script.firstMatch(of: /printf '%-(\d+)s %(\d+)d s  %s\\n'/), "the form has changed")
    let width = try (name: #require(Int(form.1)), seconds: #require(Int(form.2)))
    func padding(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) }
    let seconds = padding(words[1], width.seconds) + words[1]
    let verdict = "caught by \(words[words.count - 1])"
    #expect(shown == words[0] + padding(words[0], width.name) + " \(seconds) s  \(verdict)")
    #expect(script.contains("verdict=\"caught by $test\""))
  }

  @Test(arguments: mistakes)
  func everyMistakeIsMadeSomewhere(_ mistake: String) {
    #expect(SourceTree.sources.contains { $0.text.contains("PlantedMistake.\(mistake).isMade") })
  }
}

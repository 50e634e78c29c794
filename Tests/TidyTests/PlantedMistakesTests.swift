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

  @Test(arguments: mistakes)
  func everyMistakeIsMadeSomewhere(_ mistake: String) {
    #expect(SourceTree.sources.contains { $0.text.contains("PlantedMistake.\(mistake).isMade") })
  }
}

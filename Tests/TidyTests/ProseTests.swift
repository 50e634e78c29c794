import Foundation
import TestSupport
import Testing

/// The documentation names only what is there.
@Suite struct ProseTests {
  @Test(arguments: SourceTree.prose)
  func everyLinkLeadsSomewhere(_ file: ProjectFile) {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    for match in file.text.matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) {
      let target = String(match.1)
      if target.contains("://") { continue }
      let path = Repository.path(folder.isEmpty ? target : "\(folder)/\(target)")
      #expect(FileManager.default.fileExists(atPath: path), "\(file.path) links to \(target)")
    }
  }

  /// A promise links the test that proves it by name; a renamed test must not leave it behind.
  @Test(arguments: SourceTree.prose)
  func everyLinkedTestExists(_ file: ProjectFile) throws {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    for match in file.text.matches(of: /\[`(\w+)`\]\(([^)]*Tests[^)]*\.swift)\)/) {
      let text = try? String(contentsOfFile: Repository.path("\(folder)/\(match.2)"), encoding: .utf8)
      #expect(text?.contains("func \(match.1)(") == true, "\(file.path): \(match.1) is not in \(match.2)")
    }
  }

  /// Promises without a test are not made.
  @Test func everyPromiseHasATest() throws {
    let guarantees = try ProjectFile("docs/guarantees.md")
    for line in guarantees.lines where line.hasPrefix("| **") {
      #expect(line.contains("Tests/"), "no test proves: \(line)")
    }
  }

  /// A glossary that is longer is not read; a word that no other page uses explains nothing.
  @Test func theGlossaryHasAtMostTwentyWordsAndOtherPagesUseEach() throws {
    let words = try ProjectFile("docs/glossary.md").lines.dropFirst(6).compactMap { line in
      line.firstMatch(of: /^\| ([a-z ]+) \|/).map { String($0.1) }
    }
    #expect(
      (10...20).contains(words.count) && words == words.sorted { $0.filter { $0 != " " } < $1.filter { $0 != " " } })
    let others = SourceTree.prose.filter { $0.path != "docs/glossary.md" }.map { $0.text.lowercased() }
    for word in words { #expect(others.contains { $0.contains(word) }, "no page uses `\(word)`") }
  }

  /// Whoever reads the stream finds every event in the table.
  @Test func everyEventIsInTheTable() throws {
    let coding = try ProjectFile("Sources/Runbook/Journal/FactCoding.swift")
    let table = try ProjectFile("docs/command.md")
    let kinds = Set(
      coding.text.matches(of: /"((?:run|step|attempt|request|undo|rollback|cancel|lock|clock|drill)\.[a-z_]+)"/)
        .map { String($0.1) })
    #expect(kinds.count > 20)
    for kind in kinds where kind != "run.pinned" {
      #expect(table.text.contains("`\(kind)`"), "docs/command.md does not tell of \(kind)")
    }
  }
}

import Foundation
import Providers
import Runbook
import Steps
import TestSupport
import Testing

/// `docs/reference/actions.md` and `codes.md`, and the exit codes in `docs/command.md`, are made from the declarations.
/// `RECORD=1 swift test --filter ReferencePagesTests` writes them anew.
@Suite struct ReferencePagesTests {
  static let path = "docs/reference/actions.md"
  static let pages = ActionPage.all(builtIn: standardActions.map { $0.declaration }, providers: standardProviders)

  static var text: String {
    var lines = [
      "# Actions", "",
      "All that a step can do, from the declarations that also check it. `runbook help ACTION` prints one of them.",
      "", "| action | |", "|---|---|",
    ]
    lines += pages.map { "| [`\($0.name)`](#\($0.name.filter { $0 != "." })) | \($0.summary) |" } + [""]
    return (lines + pages.flatMap { $0.markdown }).joined(separator: "\n")
  }

  @Test func theReferenceOfActionsSaysWhatTheirDeclarationsSay() throws {
    if Recording.isOn {
      try Self.text.write(toFile: Repository.path(Self.path), atomically: true, encoding: .utf8)
    }
    #expect(try ProjectFile(Self.path).text == Self.text, "\(Self.path) is out of date; RECORD=1 writes it anew")
  }

  @Test func theReferenceOfCodesSaysWhatTheirDeclarationsSay() throws {
    let path = "docs/reference/codes.md"
    let text = CodePage.markdown.joined(separator: "\n")
    if Recording.isOn {
      try text.write(toFile: Repository.path(path), atomically: true, encoding: .utf8)
    }
    #expect(try ProjectFile(path).text == text, "\(path) is out of date; RECORD=1 writes it anew")
  }

  /// The table of the page is made from the enumeration; the sentences below it are not.
  @Test func thePageOfTheCommandHasEveryExitCodeAsItIsDeclared() throws {
    let path = "docs/command.md"
    let rows = ExitCode.allCases.map { "| \($0.rawValue) | \($0.meaning) |" }
    var lines = try ProjectFile(path).text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let heading = try #require(lines.firstIndex(of: "## Exit codes"))
    let first = try #require(lines[heading...].firstIndex { $0.hasPrefix("|---") }) + 1
    let end = lines[first...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
    if Recording.isOn {
      lines.replaceSubrange(first..<end, with: rows)
      try lines.joined(separator: "\n").write(toFile: Repository.path(path), atomically: true, encoding: .utf8)
    }
    #expect(Array(lines[first..<min(end, lines.endIndex)]) == rows || Recording.isOn, "RECORD=1 writes \(path) anew")
  }

  /// What the page shows as a step is read as one: only names in capitals stand for something.
  @Test(arguments: pages.map { $0.name })
  func theExampleOfAnActionHasTheFieldsThatAreNeeded(_ name: String) throws {
    let page = try #require(Self.pages.first { $0.name == name })
    for row in page.fieldRows where row.kind.hasSuffix(", needed") {
      #expect(page.example.joined().contains("\(row.name): ") || page.example.joined().contains("- \(name): "))
    }
    #expect(!page.behaviour.isEmpty && !page.summary.isEmpty)
  }
}

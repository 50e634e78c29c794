import Foundation
import Providers
import Runbook
import Simulator
import Steps
import TestSupport
import Testing

/// Every runbook that somebody can copy from this project is valid, and says what it does about rollback.
@Suite struct ExampleTests {
  @Test(arguments: SourceTree.runbooks.filter { !$0.path.hasPrefix("runbooks/mocks/") })
  func aShippedRunbookIsValidWithoutAWarning(_ file: ProjectFile) throws {
    let runbook = try Self.validate(file.text, isStrict: true) { path in
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: Repository.path("runbooks/\(path)"))))
    }
    #expect(runbook.description?.isEmpty == false)
  }

  @Test(arguments: SourceTree.runbooks.filter { $0.path.hasPrefix("runbooks/mocks/") })
  func aShippedMockFileFitsTheRunbookItNames(_ file: ProjectFile) throws {
    let mocks = try MockFile(yaml: Array(file.text.utf8))
    let name = try #require(file.text.firstMatch(of: /runbooks\/(\w+)\.yaml \\/)).1
    let runbook = try Self.validate(try ProjectFile("runbooks/\(name).yaml").text) { path in
      // What a script holds is nobody's concern here.
      guard path.hasSuffix(".yaml") else { return Array("true".utf8) }
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: Repository.path("runbooks/\(path)"))))
    }
    let actions = standardActions.map { $0.declaration }
    #expect(mocks.mistakes(for: runbook, types: standardProviders.map { $0.type }, actions: actions) == [])
  }

  /// Code blocks that are whole documents: they begin with `runbook: v1`, `mock: v1` or `provider: v1`.
  @Test(arguments: SourceTree.prose)
  func aDocumentedExampleIsValid(_ file: ProjectFile) throws {
    for (line, block) in Self.blocks(of: file) {
      try Self.attempt("\(file.path):\(line)") {
        if block.hasPrefix("mock: v1") { _ = try MockFile(yaml: Array(block.utf8)) }
        if block.hasPrefix("provider: v1") { _ = try ProviderFile.read(Array(block.utf8)) }
        if block.hasPrefix("runbook: v1") { _ = try Self.validate(block) { _ in Array("true".utf8) } }
      }
    }
  }

  /// The example of every step kind is one step that can stand in a runbook.
  @Test(arguments: standardSteps.map { $0.keyword })
  func theExampleOfAStepKindIsValid(_ keyword: String) throws {
    let kind = try #require(standardSteps.first { $0.keyword == keyword })
    let text = """
      runbook: v1
      name: example
      inputs: {server: {type: string}}
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        \(kind.example)
      """
    try Self.attempt(keyword) { _ = try Self.validate(text) { _ in Array("true".utf8) } }
  }

  /// It is compiled among the tests of the steps.
  @Test func theExampleOfAnActionIsTheOneThatIsCompiled() throws {
    let page = try ProjectFile("docs/adding-a-step.md").text
    let code = try ProjectFile("Tests/StepsTests/DocumentedAction.swift").text
    let shown = code.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "   " + $0 }.joined(separator: "\n")
    #expect(page.contains("   ```swift\n" + shown.trimmingCharacters(in: .newlines) + "\n   ```"))
  }

  // MARK: How

  private static func attempt(_ place: String, _ body: () throws -> Void) throws {
    do { try body() } catch let mistakes as Diagnostics {
      for mistake in mistakes.items where mistake.severity == .error {
        Issue.record("\(place), line \(mistake.range.start.line) of it: \(mistake.code): \(mistake.message)")
      }
    }
  }

  private static func validate(
    _ text: String, isStrict: Bool = false, files: @escaping @Sendable (String) throws -> [UInt8]
  ) throws -> ValidatedRunbook {
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: standardProviders,
      isStrict: isStrict,
      readFile: { (path, _) throws(FileRefusal) in
        do { return try files(path) } catch { throw FileRefusal("it is not there") }
      })
    return try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
  }

  /// Fenced blocks of YAML with the line they begin on.
  private static func blocks(of file: ProjectFile) -> [(line: Int, text: String)] {
    var blocks: [(line: Int, text: String)] = []
    var open: (line: Int, lines: [Substring])?
    for (index, line) in file.lines.enumerated() {
      if let block = open, line.hasPrefix("```") {
        blocks.append((block.line, block.lines.joined(separator: "\n")))
        open = nil
      } else if open != nil {
        open?.lines.append(line)
      } else if line.hasPrefix("```yaml") {
        open = (index + 2, [])
      }
    }
    return blocks
  }
}

import Posix
import Runbook
import TestSupport
import Testing

/// Each code means what its page says: `validate` finds it in the wrong file and nothing in the right one.
@Suite struct CodeTests {
  private func codes(in example: CodeExample, _ place: Workplace) async throws -> [String] {
    for (name, text) in example.beside { try place.write(name, text) }
    try FileWriting.replace(place.path("example.yaml"), content: example.bytes, mode: 0o644)
    let ended = try await place.run("validate", "--format", "json", "example.yaml")
    let found = try JSONReader.read(ended.stdout)["diagnostics"]?.list
    return try #require(found, "\(ended)").compactMap { $0["code"]?.string }
  }

  @Test(arguments: DiagnosticCode.allCases)
  func theWrongFileOfACodeHasThatMistakeAndTheRightOneHasNone(_ code: DiagnosticCode) async throws {
    let place = try Workplace()
    #expect(try await codes(in: code.text.wrong, place) == [code.rawValue])
    #expect(try await codes(in: code.text.right, place) == [])
  }

  @Test func everyCodeIsListedInOneLineAndExplained() async throws {
    let place = try Workplace()
    let list = try await place.run("help", "codes")
    #expect(list.code == 0)
    for code in DiagnosticCode.allCases.map(\.rawValue) + RefusalCode.allCases.map(\.rawValue) {
      #expect(list.lines.contains { $0.hasPrefix("  \(code) ") }, "\(code)")
      let page = try await place.run("help", code.lowercased())
      #expect(page.code == 0 && page.stdout.hasPrefix("\(code): "), "\(code): \(page.stderr)")
    }
    for kind in StepFailure.Kind.allCases { #expect(list.stdout.contains("\n  \(kind.rawValue) ")) }
  }

  @Test func aCodeIsExplainedWithAWrongAndARightFile() async throws {
    let page = try await Workplace().run("help", "E-YAML-QUOTE")
    #expect(page.stdout.contains("\nWrong\n  runbook: v1\n") && page.stdout.contains("\nRight\n  runbook: v1\n"))
    let both = try await Workplace().run("help", "E-SECRET")
    #expect(both.stdout.contains("\nWhen a command is refused: a secret is missing"))
    let tab = try await Workplace().run("help", "E-YAML-TAB")
    #expect(tab.stdout.contains("\n  →- {sleep: 1s}\n"))
  }

  @Test func aCodeThatDoesNotExistIsRefusedWithTheNearest() async throws {
    let ended = try await Workplace().run("help", "E-YAML-QUOTES")
    #expect(ended.code == 2)
    #expect(ended.stderr == "error: there is no code `E-YAML-QUOTES`\n  did you mean `E-YAML-QUOTE`?\n")
  }

  @Test func theKindsOfErrorsAreListed() async throws {
    let kinds = try await Workplace().run("help", "error-kinds")
    #expect(kinds.code == 0 && kinds.stdout.contains("  rate_limited  "))
  }
}

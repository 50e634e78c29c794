import Foundation
import Providers
import Runbook
import TestSupport
import Testing

/// The page of each cloud says what its code says: tables and lists between `<!-- from code: … -->` and
/// `<!-- end -->`. `RECORD=1 swift test --filter ProviderPagesTests` writes them anew.
@Suite struct ProviderPagesTests {
  static let parts: [(name: String, lines: @Sendable (any ProviderKind) -> [String])] = [
    ("operations", { CapabilityTable.markdown(operationsOf: $0) }),
    ("states", { CapabilityTable.markdown(statesOf: $0) }),
    ("limits", { $0.facts.limits.map { "- \($0)" } }),
    ("hazards", { $0.facts.hazards.map { "- \($0)" } }),
    ("not documented", { CapabilityTable.markdown(gapsOf: $0) }),
  ]

  @Test(arguments: standardProviders.map { $0.type })
  func thePageOfACloudSaysWhatItsCodeSays(_ type: String) throws {
    let kind = try #require(standardProviders.first { $0.type == type })
    let path = "docs/providers/\(type).md"
    var text = try ProjectFile(path).text
    for (name, lines) in Self.parts {
      let begin = "<!-- from code: \(name) -->\n"
      let start = try #require(text.firstRange(of: begin), "\(path) has no `\(begin)`")
      let rest = text[start.upperBound...]
      let end = try #require(rest.firstRange(of: "<!-- end -->"), "\(path): `\(name)` does not end")
      let expected = lines(kind).map { $0 + "\n" }.joined()
      if Recording.isOn {
        text.replaceSubrange(start.upperBound..<end.lowerBound, with: expected)
      } else {
        #expect(String(rest[..<end.lowerBound]) == expected, "\(path): `\(name)`; RECORD=1 writes it anew")
      }
    }
    if Recording.isOn {
      try text.write(toFile: Repository.path(path), atomically: true, encoding: .utf8)
    }
  }

  /// Every action of every cloud says what is sent for it, and every change how a lost call is found again.
  @Test(arguments: standardProviders.map { $0.type })
  func everyActionHasItsRowOfTheTable(_ type: String) throws {
    let kind = try #require(standardProviders.first { $0.type == type })
    for action in kind.actions {
      let operation = try #require(action.operation, "\(type): \(action.name)")
      #expect(!operation.request.isEmpty, "\(type): \(action.name)")
      if action.effect != .none { #expect(!operation.recovery.isEmpty, "\(type): \(action.name)") }
    }
    #expect(!kind.facts.states.isEmpty && !kind.facts.limits.isEmpty && !kind.facts.hazards.isEmpty)
    #expect(!kind.facts.undocumented.isEmpty)
  }
}

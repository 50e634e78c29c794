import Runbook
import TestSupport
import Testing

/// What people write by mistake or out of habit (tabs, indentation, quotes, keys of Ansible, GitHub, Kubernetes), and
/// all that they are told then.
///
/// The table is `FamiliarMistakes.txt`: `=== NAME`, the file, `---`, and what is said of it. `RECORD=1` writes what is
/// said today into it.
@Suite struct FamiliarMistakesTests {
  private static let path = "Tests/FamiliarMistakes.txt"

  struct Mistake {
    var name: String
    var text: String
    var said: String
  }

  private static func table() throws -> [Mistake] {
    try Repository.text(path).split(separator: "=== ").map { block in
      let (name, rest) = cut(block, at: "\n")
      let (text, said) = cut(rest, at: "---\n")
      return Mistake(name: String(name), text: String(text), said: String(said))
    }
  }

  private static func cut(_ text: Substring, at mark: String) -> (Substring, Substring) {
    guard let range = text.firstRange(of: mark) else { return (text, "") }
    return (text[..<range.lowerBound], text[range.upperBound...])
  }

  private static func said(of text: String) -> String {
    let source = SourceText(showing: Array(text.utf8))
    return Refused.mistakes(text).map { mistake in
      (source.map { DiagnosticText.excerpt(mistake, file: "x.yaml", source: $0) } ?? mistake.message) + "\n"
    }.joined()
  }

  @Test func everyFamiliarMistakeIsToldAsTheTableSays() throws {
    let table = try Self.table()
    #expect(table.count >= 60)
    if Recording.isOn {
      let text = table.map { "=== \($0.name)\n\($0.text)---\n\(Self.said(of: $0.text))" }.joined()
      try Recording.write(text, to: Self.path)
    }
    for mistake in table {
      let said = Self.said(of: mistake.text)
      #expect(!said.isEmpty && said == mistake.said, "\(mistake.name)")
    }
  }
}

import Providers
import Runbook
import Steps
import Testing

/// A value of every kind that YAML has, in every field of every action that takes text: it keeps the text it was
/// written with, or is refused where it stands.
@Suite struct ScalarKindsTests {
  /// As written, and the text that a field of text gets; nil: it is no text.
  private static let values: [(written: String, text: String?)] = [
    ("12345", "12345"), ("007", "007"), ("3.10", "3.10"), ("1e5", "1e5"), ("0x1F", "0x1F"), ("true", "true"),
    ("no", "no"), ("2026-12-01", "2026-12-01"), ("12:30", "12:30"), (".inf", ".inf"), ("'5'", "5"),
    ("\"\\u00e9\"", "é"), ("null", nil), ("~", nil), ("[a]", nil), ("{a: b}", nil), ("", nil),
    ("18446744073709551616", "18446744073709551616"),
  ]

  private static let providers = """
    providers:
      vps_org: {type: vps_org, token: "${{ secrets.t }}"}
      zomro: {type: zomro, session: "${{ secrets.t }}"}
      zstack: {type: zstack, url: "https://z.example.com", session: "${{ secrets.t }}", backup_storage: b}
    """

  private struct Row {
    var action: ActionDeclaration
    var provider: String?
  }

  private static var rows: [Row] {
    let own = standardActions.map { Row(action: $0.declaration) }.filter { $0.action.isWritable }
    let clouds = standardProviders.filter { ["vps_org", "zomro", "zstack"].contains($0.type) }
    return own + clouds.flatMap { cloud in cloud.actions.map { Row(action: $0, provider: cloud.type) } }
  }

  @Test func everyKindOfScalarInEveryFieldOfTextKeepsItsTextOrIsRefused() {
    var kept = 0
    for row in Self.rows {
      for field in row.action.fields where field.kind == .string && !field.isPlanned {
        for value in Self.values {
          let place = row.provider.map { ", provider: \($0)" } ?? ""
          let text = """
            runbook: v1
            name: kinds
            secrets: {t: {source: env, key: T}}
            \(Self.providers)
            steps:
              - {action: \(row.action.name)\(place), rollback: none, with: {\(field.name): \(value.written)}}
            """
          let name: Comment = "\(row.action.name).\(field.name): \(value.written)"
          let line = text.split(separator: "\n").count
          // What must stand beside it is missing here, which is another mistake.
          let about = Refused.mistakes(text).filter {
            $0.message.contains("`\(field.name)`") && $0.severity == .error && $0.kind != .keyTogether
          }
          for mistake in about { #expect(mistake.range.start.line == line && !mistake.message.isEmpty, name) }
          if value.text == nil, field.required, !field.acceptsEmpty || value.written.first == "[" {
            #expect(!about.isEmpty, name)
          }
          if value.text != nil, field.pattern == nil { #expect(about.isEmpty, name) }
          if about.isEmpty { kept += 1 }
        }
      }
    }
    #expect(kept > 1000)
  }
}

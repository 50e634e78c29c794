import Runbook
import Testing

@Suite struct DiagnosticTextTests {
  @Test func theLineOfTheFileIsShownWithACaret() throws {
    let text = "runbook: v1\nname: x\nsteps:\n  - aktion: log.info\n"
    let document = try ParsedDocument(yaml: text)
    let found = try #require(Refused.mistakes(text).first)
    #expect(
      DiagnosticText.excerpt(found, file: "a.yaml", source: document.source) == """
        a.yaml:4:5: error E-STEP-KIND: unknown step kind `aktion`
        4 |   - aktion: log.info
          |     ^^^^^^ did you mean `action`?
        """)
  }

  @Test func theFirstOfTwoKeysIsShownToo() throws {
    let text = "runbook: v1\nname: x\nname: y\nsteps: [{sleep: 1s}]\n"
    let document = try ParsedDocument(yaml: text)
    let found = try #require(Refused.mistakes(text).first)
    #expect(
      DiagnosticText.excerpt(found, file: "a.yaml", source: document.source) == """
        a.yaml:3:1: error E-YAML-DUPLICATE: `name` is given twice
        3 | name: y
          | ^^^^ first on line 2, column 1; keep one of them
        2 | name: x
        """)
  }

  @Test func aFileCannotCommandTheTerminal() {
    let diagnostic = Diagnostic(.type, at: .beginning, "not `\u{1b}[2J\u{202e}`")
    #expect(DiagnosticText.line(diagnostic, file: "a\nb") == "a\\u{a}b:1:1: error E-TYPE: not `\\u{1b}[2J\\u{202e}`")
  }

  @Test func programsReadJSON() {
    let diagnostic = Diagnostic(.url, .warning, at: .beginning, "text", hint: "do this")
    #expect(
      JSONWriter.text(Diagnostics.json([("a.yaml", [diagnostic])]))
        == #"{"diagnostics":[{"code":"E-URL","column":1,"end_column":1,"end_line":1,"file":"a.yaml","hint":"do this","#
        + #""line":1,"message":"text","severity":"warning"}],"v":1}"#)
  }

  @Test(
    arguments: [
      ("aprove", "approve"), ("stpes", "steps"), ("mesage", "message"), ("serverr", "server"), ("Timeout", "timeout"),
      ("xyz", nil), ("", nil), (String(repeating: "a", count: 1000), nil),
    ] as [(String, String?)])
  func theNearestWordIsSuggested(_ word: String, nearest: String?) {
    #expect(Suggestion.nearest(to: word, among: ["approve", "steps", "message", "server", "timeout"]) == nearest)
  }
}

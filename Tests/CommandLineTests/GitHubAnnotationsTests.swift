import Runbook
import Testing

@testable import CommandLine

/// Workflow commands are escaped as GitHub reads them, so that no text of a run can end one or begin another.
@Suite struct GitHubAnnotationsTests {
  @Test func aMessageOfSeveralLinesIsOneCommand() {
    #expect(GitHubAnnotations.data("50%\r\n::error::x") == "50%25%0D%0A::error::x")
  }

  @Test func aPropertyCannotEndThePropertiesOrBeginAnother() {
    #expect(GitHubAnnotations.property("a: b, line=1%\n") == "a%3A b%2C line=1%25%0A")
    let command = GitHubAnnotations.command(.error, ["file": "a,b.yaml", "title": "step: x"], "text")
    #expect(command == "::error file=a%2Cb.yaml,title=step%3A x::text")
  }

  @Test func aMistakeInAFileNamesItsPlace() {
    let range = SourceRange(.init(line: 4, column: 7), .init(line: 4, column: 12))
    let mistake = Diagnostic(.stepKind, at: range, "unknown step kind `slep`", hint: "did you mean `sleep`?")
    #expect(
      GitHubAnnotations.command(for: mistake, in: "a.yaml")
        == "::error file=a.yaml,line=4,endLine=4,col=7,endColumn=11,title=E-STEP-KIND::unknown step kind `slep`%0A"
        + "did you mean `sleep`?")
  }
}

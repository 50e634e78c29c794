import Runbook
import TestSupport
import Testing

/// The closing report in Markdown: a table that no text of a run can break.
@Suite struct MarkdownReportTests {
  private func report(_ message: String) -> String {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.tell(
      5, "step.ended",
      ["step": "stop", "status": "failed", "error": ["kind": "server", "message": .string(message), "effect": "none"]])
    return MarkdownReport.text(for: RunReport(id: story.runID, events: story.events))
  }

  @Test func textFromOutsideIsShownAsItIs() {
    let text = report("<img src=x> | a *b* _c_ [d](e)\nf")
    #expect(
      text.contains(#"| failed | stop: server: &lt;img src=x&gt; \| a \*b\* \_c\_ \[d\](e)\\nf"#), "\(text)")
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasPrefix("f") })
  }

  @Test func whatStandsInBackticksStaysCode() {
    #expect(report("`snap_1` is *not* there").contains(#"server: `snap_1` is \*not\* there"#))
    #expect(report("`a|b` c").contains(#"`a\|b` c"#))
  }

  @Test func aBacktickThatOpensNothingIsNoCode() {
    #expect(report("it's `odd").contains("it's \\`odd"), "\(report("it's `odd"))")
  }
}

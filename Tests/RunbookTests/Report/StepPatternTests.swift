import Runbook
import Testing

/// Steps are named by patterns of their paths.
@Suite struct StepPatternTests {
  @Test(arguments: [
    ("wave[3].*", "wave[3].one", true), ("wave[3].*", "wave[3].one.undo[0]", true), ("wave[3].*", "wave[3]", false),
    ("wave[3].*", "wave[31].one", false), ("wave[*].one", "wave[12].one", true), ("wave[*].one", "wave[1].two", false),
    ("wave[*].one", "wave[1].x.one", false), ("outer.*", "outer.inner.deep", true), ("outer.*", "outermost.a", false),
    ("outer", "outer", true), ("outer", "outer.inner", false), ("*", "outer", true), ("*", "outer.inner", false),
    ("w*v*", "wave", true), ("*a*a*", "banana", true), ("*a*b", "banana", false), ("a", "", false),
  ])
  func matchesWordByWord(_ pattern: String, _ path: String, _ isMeant: Bool) {
    #expect(StepPattern(pattern)?.matches(path) == isMeant)
  }

  @Test func aPatternHasWords() {
    #expect(StepPattern("") == nil && StepPattern("a..b") == nil && StepPattern(".a") == nil)
  }

  @Test func anEventOfItsUndoIsMeantToo() {
    let event = RunEvent(
      event: "undo.started", runID: "r", sequence: 1, at: Timestamp(seconds: 0),
      fields: ["step": "wave[2].one", "entry": "wave[2].one.undo[0]"])
    #expect(StepPattern("wave[*].one")?.matches(event) == true)
    #expect(StepPattern("wave[*].two")?.matches(event) == false)
  }
}

import Runbook
import Testing
import TestSupport

@Suite struct ClosingWordsTests {
  private func words(_ story: RunStory) -> String {
    let report = RunReport(id: story.runID, plan: RunStory.undoPlan, events: story.events)
    return ClosingWords.lines(for: report).map(\.plain).joined(separator: "\n")
  }

  @Test func aFailedRunSaysWhatStandsAndWhatToTypeNext() {
    #expect(
      words(.failedAndRolledBack) == """
        ✗ pre_upgrade failed at `update` after 3m03s; it was rolled back (exit 3).

          failed  update: exit code: the script ended with 1
          undone  stop, update
          stands  snapshot

          runbook logs r0123456789abcdefghi   the events, line by line
          runbook rerun r0123456789abcdefghi  try again, once the cause is fixed, from the first step
        """)
  }

  @Test func aFailedRollbackNamesWhatIsNotUndoneAndTheThreeWaysOn() {
    #expect(
      words(.rollbackFailed) == """
        ✗ pre_upgrade failed at `update` after 1m41s, and its rollback FAILED: a person must look (exit 4).

          failed      update: exit code: the script ended with 1
          not undone  update.undo[0] snapshot.restore: server: 502 Bad Gateway
          not undone  stop.undo[0] server.start: not begun

          runbook rollback resume r0123456789abcdefghi                               go on with the rollback
          runbook rollback skip r0123456789abcdefghi 'update.undo[0]' --reason TEXT  undone by hand: leave it out
          runbook rollback abandon r0123456789abcdefghi --reason TEXT                leave things as they are
          runbook logs r0123456789abcdefghi                                          the events, line by line
        """)
  }

  @Test func aSuccessIsOneLineAndItsOutputs() {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.end(30, "stop")
    story.finish(31, "succeeded", "none", 0, outputs: ["id": "s-1", "size": 7])
    #expect(
      words(story) == """
        ✓ pre_upgrade succeeded after 31s.

          id    s-1
          size  7
        """)
  }

  @Test func aFailureBeforeAnyChangeSaysSo() {
    var story = RunStory()
    story.begin()
    story.start(0, "baseline", "http.get")
    story.end(60, "baseline", "failed", error: RunStory.error("timeout", "no answer in 1m", effect: "none"))
    story.finish(60, "failed", "not_needed", 1)
    #expect(
      words(story) == """
        ✗ pre_upgrade failed at `baseline` after 1m00s; it had changed nothing (exit 1).

          failed  baseline: timeout: no answer in 1m

          runbook logs r0123456789abcdefghi                   the events, line by line
          runbook rerun r0123456789abcdefghi --from baseline  try again, once the cause is fixed
        """)
  }

  @Test func aParkedRunListsTheFourAnswers() {
    var story = RunStory()
    story.begin()
    story.start(0, "update", "run", effect: "change")
    story.tell(9, "run.waiting", ["for": "resolve", "step": "update"])
    #expect(
      words(story) == """
        … pre_upgrade waits for an answer at `update` (exit 6).

          unknown  update

          runbook resolve r0123456789abcdefghi update --applied      it did take effect: go on after it
          runbook resolve r0123456789abcdefghi update --not-applied  it did not: the step has failed and changed nothing
          runbook resolve r0123456789abcdefghi update --retry        do it again in any case
          runbook resolve r0123456789abcdefghi update --fail         count it as failed: roll back
          runbook cancel r0123456789abcdefghi                        stop the run and undo its changes
          runbook show r0123456789abcdefghi                          look first
        """)
  }

  @Test func aRunThatWasLeftSaysHowToGoOn() {
    var story = RunStory()
    story.begin()
    story.tell(5, "run.left", ["reason": "SIGTERM", "exit_code": 9])
    #expect(
      words(story) == """
        … pre_upgrade has not ended: SIGTERM. It goes on where it stopped, as long as its store is kept.

          runbook resume r0123456789abcdefghi  go on
          runbook cancel r0123456789abcdefghi  stop it and undo its changes
          runbook logs r0123456789abcdefghi    the events, line by line
        """)
  }

  @Test func aSimulatedRunOffersNothingThatWasNotKept() {
    var story = RunStory()
    story.tell(0, "run.started", ["name": "demo", "simulated": true])
    story.finish(1, "failed", "not_needed", 1)
    #expect(words(story) == "✗ demo failed after 1.0s; it had changed nothing (exit 1) (simulated).")
  }

  @Test func aStepWhoseOutcomeWasLostIsNamedWithItsCause() {
    var story = RunStory()
    story.begin()
    story.start(0, "call", "run", effect: "change")
    let error = RunStory.error("crashed", "it is unknown whether it took effect", effect: "unknown")
    story.end(60, "call", "unknown", error: error)
    story.finish(61, "failed", "not_needed", 1)
    let told = words(story)
    #expect(told.contains("  failed   call: crashed: it is unknown whether it took effect\n"), "\(told)")
    #expect(told.contains("  unknown  call\n"), "\(told)")
  }

  @Test func aMessageThatMayHaveArrivedIsNotToldAsNothing() {
    var story = RunStory()
    story.begin()
    story.start(0, "tell", "notify.webhook")
    var error = RunStory.error("timeout", "no answer in 30s", effect: "none").map ?? [:]
    error["detail"] = ["arrival": "unknown"]
    story.end(60, "tell", "failed", error: .map(error))
    story.finish(61, "failed", "not_needed", 1)
    let told = words(story)
    #expect(told.contains("failed at `tell` after 1m01s; there was nothing to undo (exit 1)"), "\(told)")
    #expect(told.contains("  unknown  tell: whether its message has arrived\n"), "\(told)")
  }
}

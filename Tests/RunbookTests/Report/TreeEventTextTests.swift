import Runbook
import Testing
import TestSupport

/// The lines of a pipe about steps that hold others.
@Suite struct TreeEventTextTests {
  private func lines(_ story: RunStory) -> String {
    var text = EventText(actions: .standard)
    return story.events.compactMap { text.line(for: $0) }.joined(separator: "\n")
  }

  @Test func aLoopIsToldOneLineAnEvent() {
    #expect(
      lines(.wave(of: 2, failing: [1])) == """
        12:00:00 started patch as r0123456789abcdefghi (2026-01-16 UTC)
        12:00:00 prepare … http.get
        12:00:01 prepare … done in 1.0s
        12:00:01 wave … for_each: 2 items in 2 batches, at most 2 may fail
        12:00:01 wave[0] … block for `db-0`
        12:00:01 wave[0].stop … server.stop
        12:00:06 wave[0].stop … done in 5.0s
        12:00:06 wave[0].update … ssh.run
        12:00:11 wave[0].update … done in 5.0s
        12:00:11 wave[0] … done in 10s
        12:00:11 wave[1] … block for `db-1`
        12:00:11 wave[1].stop … server.stop
        12:00:16 wave[1].stop … done in 5.0s
        12:00:16 wave[1].update … ssh.run
        12:00:21 wave[1].update … failed after 5.0s: exit code: the script ended with 1
        12:00:21 wave[1] … failed after 10s: `wave[1].update` failed
        12:00:21 wave[1] … undoing this iteration: `wave[1].update` failed
        12:00:21 undo wave[1].update … snapshot.restore
        12:00:22 undo wave[1].update … snapshot.restore done in 1.0s
        12:00:22 undo wave[1].stop … server.start
        12:00:23 undo wave[1].stop … server.start done in 1.0s
        12:00:23 wave[1] … this iteration is undone
        12:00:23 wave … 1 of 2 succeeded, 1 failed and was undone, in 22s
        12:00:23 failed after 23s: 1 of 2 iterations of `wave` failed and was undone; the rest stands (exit 3)
        """)
  }

  @Test func otherStepsThatHoldStepsHaveTheirWords() {
    var story = RunStory()
    story.open(0, "both", "parallel", ["title": "Two at once"])
    story.open(0, "both.fetch", "call", ["inputs": ["server": "12"]])
    story.close(1, "both.fetch", "skipped")
    story.open(1, "both.part", "block")
    let error = RunStory.error("timeout", "no answer", of: "both.part.one")
    story.tell(2, "scope.rescuing", ["step": "both.part", "error": error])
    story.tell(
      3, "rollback.ended",
      ["scope": "wave[1]", "outcome": "failed", "failed_step": "wave[1].a.undo[0]", "error": error])
    #expect(
      lines(story) == """
        12:00:00 both … parallel (Two at once)
        12:00:00 both.fetch … call: server=12
        12:00:01 both.fetch … skipped, its `if` is false
        12:00:01 both.part … block
        12:00:02 both.part … `both.part.one` failed, and its `rescue` begins
        12:00:03 wave[1] … this iteration could not be undone at `wave[1].a.undo[0]`: timeout: no answer
        """)
  }
}

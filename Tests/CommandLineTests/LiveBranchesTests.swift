import Runbook
import Testing
import TestSupport

@testable import CommandLine

/// The live tree of a run whose steps hold others.
@Suite struct LiveBranchesTests {
  private func tree(_ story: RunStory, steps: [String]) -> LiveTree {
    var tree = LiveTree(runID: story.runID, plan: RunStory.wavePlan, steps: steps, glyphs: .unicode)
    for event in story.events { tree.handle(event) }
    return tree
  }

  private func live(_ tree: LiveTree, at seconds: Int64, rows: Int = 30) -> String {
    tree.live(at: RunStory.beginning + .seconds(seconds), frame: 0, rows: rows).map(\.plain).joined(separator: "\n")
  }

  /// Four of forty go on, one of them is being undone, 31 are done, of which two failed.
  private static var wave: RunStory {
    var story = RunStory()
    story.begin(name: "patch", inputs: [:])
    story.open(0, "wave", items: RunStory.names(40), atOnce: 4, mayFail: 5)
    for number in 0..<31 { story.iterate(0, number, fails: number == 3 || number == 7) }
    for number in 31..<34 {
      story.open(20, "wave[\(number)]", "block")
      story.start(20, "wave[\(number)].stop", "server.stop", effect: "change")
    }
    story.tell(21, "step.waiting", ["step": "wave[32].stop", "until": "stopped", "native_state": "stopping"])
    story.open(20, "wave[34]", "block")
    story.start(20, "wave[34].stop", "server.stop", effect: "change")
    let error = RunStory.error("timeout", "no answer", of: "wave[34].stop")
    story.end(22, "wave[34].stop", "failed", error: error)
    story.close(22, "wave[34]", "failed", error: error)
    story.tell(22, "rollback.started", ["scope": "wave[34]", "reason": "failure"])
    story.tell(
      22, "undo.started",
      ["step": "wave[34].stop", "entry": "wave[34].stop.undo[0]", "action": "server.start", "purpose": "undo"])
    return story
  }

  @Test func aLoopShowsItsCountsWhatGoesOnAndWhatFailed() {
    #expect(
      live(tree(LiveBranchesTests.wave, steps: ["wave", "after"]), at: 30)
        == """
          ⠋ wave         30s  32 of 40 done, 3 failed, 1 being undone, 3 running
            ⠋ wave[31] db-31     10s  stop
            ⠋ wave[32] db-32     10s  stop · until stopped · now stopping
            ⠋ wave[33] db-33     10s  stop
            ⠋ wave[34] db-34      2s  undoing it · server.start
            ✗ wave[3] db-3     10s  failed: `wave[3].update` failed; undone
            ✗ wave[7] db-7     10s  failed: `wave[7].update` failed; undone
          · after

          30s · 0 of 2 · Ctrl-C cancels and undoes
        """.split(separator: "\n", omittingEmptySubsequences: false).map { line in
          line.isEmpty ? "" : String(line)
        }.joined(separator: "\n"))
  }

  @Test(arguments: [4, 6, 8, 12, 24])
  func aLowTerminalShowsLess(_ rows: Int) {
    let lines = live(tree(LiveBranchesTests.wave, steps: ["wave"]), at: 30, rows: rows).split(separator: "\n")
    #expect(lines.count <= max(7, rows), "\(lines)")
    #expect(lines.contains { $0.contains("32 of 40 done") })
  }

  @Test func anIterationThatIsUndoneIsNoRollbackOfTheRun() {
    var tree = tree(LiveBranchesTests.wave, steps: ["wave"])
    #expect(!tree.takeFinished().contains { $0.plain.contains("rolling back") })
    #expect(live(tree, at: 30).contains("Ctrl-C cancels and undoes"))
  }

  @Test func aBlockShowsItsStepsWhileItRunsAndIsFoldedWhenItHasEndedWell() {
    var story = RunStory()
    story.begin(name: "nest", inputs: [:])
    story.open(0, "outer", "block")
    story.start(0, "outer.one", "server.stop")
    story.end(2, "outer.one")
    story.open(2, "outer.both", "parallel")
    story.start(2, "outer.both.a", "ssh.run")
    story.start(2, "outer.both.b", "ssh.run")
    var tree = tree(story, steps: ["outer"])
    _ = tree.takeFinished()
    #expect(
      live(tree, at: 5)
        == [
          "  ⠋ outer         5s  block", "    ✓ one       2.0s  done", "    ⠋ both        3s  parallel",
          "      ⠋ a         3s  ", "      ⠋ b         3s  ", "", "  5s · 0 of 1 · Ctrl-C cancels and undoes",
        ].joined(separator: "\n"))
    var more = RunStory()
    for step in ["outer.both.a", "outer.both.b"] { more.end(6, step) }
    more.close(6, "outer.both")
    more.close(6, "outer")
    for event in more.events { tree.handle(event) }
    #expect(tree.takeFinished().map(\.plain) == ["  ✓ outer       6.0s  done"])
  }

  @Test func aBlockThatFailedStaysUnfolded() {
    var story = RunStory()
    story.begin(name: "nest", inputs: [:])
    story.open(0, "outer", "block")
    story.start(0, "outer.one", "server.stop")
    let error = RunStory.error("timeout", "no answer", of: "outer.one")
    story.end(2, "outer.one", "failed", error: error)
    story.close(2, "outer", "failed", error: error)
    var tree = tree(story, steps: ["outer"])
    #expect(
      tree.takeFinished().suffix(2).map(\.plain) == [
        "  ✗ outer       2.0s  failed: `outer.one` failed", "    ✗ one       2.0s  timeout: no answer",
      ])
  }

  @Test func tenThousandIterationsAreDrawnFast() {
    let story = RunStory.wave(of: 10_000, failing: Set((0..<10_000).filter { $0 % 50 == 0 }), isEnded: false)
    var tree = LiveTree(runID: story.runID, plan: RunStory.wavePlan, steps: ["wave"], glyphs: .unicode)
    let took = ContinuousClock().measure {
      for (number, event) in story.events.enumerated() {
        tree.handle(event)
        // A hundred times in all; a frame costs what it shows, and not what has been.
        if number % 1000 == 0 { _ = tree.live(at: event.at, frame: number, rows: 24) }
      }
    }
    #expect(tree.live(at: RunStory.beginning, frame: 0, rows: 24).count < 20)
    #expect(took < .seconds(30), "\(took)")
  }
}

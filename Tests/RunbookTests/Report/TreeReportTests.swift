import Runbook
import Testing
import TestSupport

/// What is told of steps that hold others.
@Suite struct TreeReportTests {
  private func report(_ story: RunStory, _ plan: UndoPlan = RunStory.wavePlan) -> RunReport {
    RunReport(id: story.runID, plan: plan, actions: .standard, events: story.events)
  }

  @Test func aLoopCountsItsIterations() throws {
    let holds = try #require(report(.wave(of: 40, failing: [3, 7])).step("wave")?.holds)
    #expect(holds.total == 40)
    #expect(holds.succeeded == 38 && holds.failed == 2 && holds.undone == 2 && holds.running == 0)
    #expect(holds.ended == 40 && holds.undoing == 0 && holds.going.isEmpty)
  }

  @Test func anIterationThatIsUndoneDoesNotRollTheRunBack() {
    var story = RunStory()
    story.begin()
    story.open(0, "wave", items: RunStory.names(3), mayFail: 1)
    story.iterate(0, 0, fails: true)
    let report = report(story)
    #expect(report.status == .running)
    #expect(report.rollback == nil && report.rollbackReason == nil)
    #expect(report.step("wave[0]")?.unwinding == .ended(.known(.succeeded)))
    #expect(report.canCancel)
  }

  @Test func theDocumentHasEveryLeafAndEveryStepThatHoldsOthers() throws {
    let document = ReportJSON.document(report(.wave(of: 3, failing: [1])))
    let steps = try #require(document["steps"]?.list)
    #expect(
      steps.compactMap { $0["step"]?.string } == [
        "prepare", "wave", "wave[0]", "wave[0].stop", "wave[0].update", "wave[1]", "wave[1].stop", "wave[1].update",
        "wave[2]", "wave[2].stop", "wave[2].update",
      ])
    #expect(steps[1]["kind"] == "for_each" && steps[2]["kind"] == "block" && steps[3]["kind"] == nil)
    #expect(steps[1]["items"]?["total"] == 3 && steps[1]["items"]?["failed"] == 1 && steps[1]["items"]?["undone"] == 1)
    #expect(steps[5]["item"] == "db-1" && steps[5]["rollback"] == "succeeded")
    #expect(steps[3]["action"] == "server.stop" && steps[1]["action"] == nil)
  }

  @Test func borneFailuresAreToldByTheirLoop() {
    let words = ClosingWords.lines(for: report(.wave(of: 40, failing: [3, 7]))).map(\.plain).joined(separator: "\n")
    #expect(
      words == """
        ✗ patch failed after 7m05s: 2 of 40 iterations of `wave` failed and were undone; the rest stands (exit 3).

          failed  wave[3].update: exit code: the script ended with 1
          failed  wave[7].update: exit code: the script ended with 1
          undone  wave[3].stop, wave[3].update, wave[7].stop, wave[7].update
          stands  wave[*].stop (38 times), wave[*].update (38 times)

          runbook logs r0123456789abcdefghi   the events, line by line
          runbook rerun r0123456789abcdefghi  try again, once the cause is fixed, from the first step and for every item
        """)
  }

  @Test func borneFailuresThatChangedNothingHadNothingToUndo() {
    var story = RunStory()
    story.begin(name: "look", inputs: [:])
    story.open(0, "wave", items: RunStory.names(2), mayFail: 2)
    for number in 0..<2 {
      story.start(0, "wave[\(number)]", "http.get")
      let error = RunStory.error("timeout", "no answer", of: "wave[\(number)]")
      story.end(1, "wave[\(number)]", number == 0 ? "failed" : "succeeded", error: number == 0 ? error : nil)
    }
    story.close(1, "wave", "succeeded", error: nil, ["failures": 1])
    story.tell(1, "rollback.ended", ["outcome": "not_needed"])
    story.finish(1, "failed", "not_needed", 1)
    let headline = ClosingWords.lines(for: report(story, UndoPlan())).first?.plain
    #expect(
      headline
        == "✗ look failed after 1.0s: 1 of 2 iterations of `wave` failed and had nothing to undo (exit 1).")
  }

  @Test func theStepThatFailedIsNamedInsideTheStepsAroundIt() {
    var story = RunStory()
    story.begin()
    story.open(0, "outer", "block")
    story.start(0, "outer.one", "server.stop", effect: "change")
    story.end(1, "outer.one")
    story.open(1, "outer.both", "parallel")
    story.start(1, "outer.both.a", "ssh.run", effect: "change")
    story.start(1, "outer.both.b", "ssh.run", effect: "change")
    let error = RunStory.error("exit_code", "the script ended with 1", of: "outer.both.b")
    story.end(2, "outer.both.b", "failed", error: error)
    let reason = "stopped before its call, because `outer.both.b` failed"
    let stopped = RunStory.error("cancelled", reason, of: "outer.both.a")
    story.end(3, "outer.both.a", "cancelled", error: stopped)
    story.close(3, "outer.both", "failed", error: error)
    story.close(3, "outer", "failed", error: error)
    let report = report(story)
    #expect(report.failedStep?.path == "outer.both.b")
    #expect(report.rerunFrom == "outer")
    #expect(RunWords.end(of: report.step("outer") ?? report.steps[0]) == "failed after 3.0s: `outer.both.b` failed")
    #expect(
      RunWords.end(of: report.step("outer.both.a") ?? report.steps[0])
        == "stopped after 2.0s, because `outer.both.b` failed")
  }

  @Test func aFailureThatWasRescuedEndsNothing() {
    var story = RunStory()
    story.begin()
    story.open(0, "outer", "block")
    story.start(0, "outer.one", "ssh.run", effect: "change")
    let error = RunStory.error("exit_code", "the script ended with 1", of: "outer.one")
    story.end(1, "outer.one", "failed", error: error)
    story.tell(1, "scope.rescuing", ["step": "outer", "error": error])
    #expect(report(story).canCancel)
    story.start(1, "outer.mend", "ssh.run")
    story.end(2, "outer.mend")
    story.close(2, "outer")
    story.finish(2, "succeeded", "not_needed", 0)
    let report = report(story)
    #expect(report.failedStep == nil)
    #expect(
      RunWords.end(of: report.step("outer") ?? report.steps[0]) == "done in 2.0s, by its `rescue`: `outer.one` failed")
  }

  @Test func aCommitInAnIterationKeepsThatIterationOnly() {
    var story = RunStory()
    story.begin()
    story.open(0, "wave", items: RunStory.names(2))
    story.open(0, "wave[0]", "block")
    story.start(0, "wave[0].stop", "server.stop", effect: "change")
    story.end(1, "wave[0].stop")
    story.open(0, "wave[1]", "block")
    story.start(0, "wave[1].stop", "server.stop", effect: "change")
    story.end(1, "wave[1].stop")
    story.start(1, "wave[0].keep", "commit")
    story.end(1, "wave[0].keep")
    let report = report(story)
    #expect(report.step("wave[0].stop")?.closed == "committed")
    #expect(report.step("wave[1].stop")?.closed == nil)
    #expect(report.owed.map(\.path) == ["wave[1].stop"])
  }

  @Test func theUndoOfACallReplacesThatOfItsSteps() {
    var plan = UndoPlan()
    plan.entries = [
      "fetch": [UndoReport(entry: "fetch.undo[0]", step: "fetch", title: "drop", action: "server.delete")],
      "fetch.make": [UndoReport(entry: "fetch.make.undo[0]", step: "fetch.make", title: "x", action: "server.delete")],
    ]
    var story = RunStory()
    story.begin()
    story.open(0, "fetch", "call", ["inputs": ["server": "12"]])
    story.start(0, "fetch.make", "server.start", effect: "change")
    story.end(1, "fetch.make")
    #expect(report(story, plan).owed.map(\.path) == ["fetch.make", "fetch"])
    story.close(1, "fetch")
    #expect(report(story, plan).owed.map(\.path) == ["fetch"])
    story.start(1, "last", "ssh.run")
    story.end(2, "last", "failed", error: RunStory.error("exit_code", "ended with 1", of: "last"))
    story.tell(2, "rollback.started", ["reason": "failure"])
    story.undo(2, 1, "fetch", "server.delete")
    story.tell(3, "rollback.ended", ["outcome": "succeeded"])
    story.finish(3, "failed", "succeeded", 3)
    let standing = Standing(report(story, plan))
    #expect(standing.undone == ["fetch"] && standing.isClean)
  }

  @Test func severalQuestionsAreAllNamed() {
    var story = RunStory()
    story.begin()
    story.open(0, "both", "parallel")
    for name in ["a", "b"] {
      story.start(0, "both.\(name)", "approve")
      story.tell(
        1, "run.waiting",
        [
          "for": "approval", "step": .string("both.\(name)"), "prompt": .string("Go on with \(name)?"),
          "digest": .string("d\(name)"), "question": name == "a" ? 1 : 2,
        ])
    }
    let asking = report(story)
    #expect(asking.asked.compactMap(\.step) == ["both.a", "both.b"])
    let words = ClosingWords.lines(for: asking).map(\.plain).joined(separator: "\n")
    #expect(words.contains("waits for 2 answers at `both.a` and `both.b` (exit 6)."), "\(words)")
    #expect(words.contains("asked  both.a: Go on with a?"), "\(words)")
    #expect(words.contains("asked  both.b: Go on with b?"), "\(words)")
    #expect(words.contains("approve r0123456789abcdefghi both.a --seen da"), "\(words)")
    #expect(words.contains("reject r0123456789abcdefghi both.b"), "\(words)")
    story.end(2, "both.a")
    let one = report(story)
    #expect(one.status == .waiting && one.waitingStep == "both.b")
    story.end(3, "both.b")
    #expect(report(story).status == .running)
  }

  @Test func aPathWithBracketsIsQuotedForAShell() {
    let line = AdvisedCommands().line("resolve", "r1", "wave[2].one", "--retry")
    #expect(line == "runbook resolve r1 'wave[2].one' --retry")
  }
}

import Runbook
import Testing
import TestSupport

/// What state things are in, as the rollback's own entries tell it.
@Suite struct StandingTests {
  private func words(_ story: RunStory, _ plan: UndoPlan = RunStory.undoPlan) -> String {
    let report = RunReport(id: story.runID, plan: plan, actions: .standard, events: story.events)
    return ClosingWords.lines(for: report).map(\.plain).joined(separator: "\n")
  }

  private static func failing(_ effect: String = "applied") -> RunStory {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.end(1, "stop")
    story.start(1, "update", "ssh.run", effect: "change")
    story.end(2, "update", "failed", error: RunStory.error("exit_code", "ended with 1", effect: effect))
    return story
  }

  @Test func afterACommitAFailingRunSaysWhatStands() {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.end(1, "stop")
    story.start(1, "soft", "run", effect: "change")
    story.end(2, "soft", "failed", error: RunStory.error("exit_code", "ended with 1"))
    story.start(2, "keep", "commit")
    story.end(2, "keep")
    story.start(2, "give_up", "fail")
    story.end(3, "give_up", "failed", error: RunStory.error("rejected", "enough", effect: "none"))
    story.tell(3, "rollback.ended", ["outcome": "not_needed"])
    story.finish(3, "failed", "not_needed", 1)
    let text = words(story)
    #expect(
      text.hasPrefix("✗ pre_upgrade failed at `soft` after 3.0s; its committed changes stand (exit 1)."), "\(text)")
    #expect(text.contains("  failed  soft: exit code: ended with 1; its changes stand\n"), "\(text)")
    #expect(text.contains("  stands  stop\n"), "\(text)")
    #expect(!text.contains("had changed nothing"))
  }

  @Test func anEntryWhoseConditionsWereFalseIsNotUndone() {
    var story = StandingTests.failing("none")
    story.tell(2, "rollback.started", ["reason": "failure"])
    story.tell(2, "undo.closed", ["step": "update", "reason": "nothing happened"])
    story.tell(2, "undo.ended", ["step": "stop", "entry": "stop.undo[0]", "status": "skipped", "purpose": "undo"])
    story.tell(2, "undo.closed", ["step": "stop", "reason": "its condition was false"])
    story.tell(2, "rollback.ended", ["outcome": "not_needed"])
    story.finish(3, "failed", "not_needed", 1)
    let text = words(story)
    #expect(text.contains("; nothing was undone (exit 1)."), "\(text)")
    #expect(text.contains("  not undone  stop: its condition was false\n"), "\(text)")
    #expect(!text.contains("  undone"), "\(text)")
    #expect(text.contains("runbook rerun r0123456789abcdefghi --from update"), "\(text)")
  }

  @Test func whatAPersonLeftOutIsToldWithTheReason() {
    var story = RunStory.rollbackFailed
    story.tell(110, "undo.skipped", ["entry": "update.undo[0]", "by": "ops", "reason": "restored by hand"])
    story.tell(120, "rollback.resumed", ["by": "ops"])
    story.tell(120, "undo.closed", ["step": "update", "reason": "its condition was false"])
    story.undo(120, 5, "stop", "server.start")
    story.tell(125, "rollback.ended", ["outcome": "failed"])
    story.finish(125, "failed", "failed", 4)
    let text = words(story)
    #expect(text.contains("a part of its rollback was left out: a person must look (exit 4)."), "\(text)")
    #expect(text.contains("  left out  update.undo[0] by ops: restored by hand\n"), "\(text)")
    #expect(text.contains("  undone    stop\n"), "\(text)")
    #expect(!text.contains("runbook rollback"), "\(text)")
  }

  @Test func anAbandonedRollbackSaysByWhomAndWhyAndRecommendsNothingThatIsRefused() {
    var story = RunStory.rollbackFailed
    story.tell(110, "rollback.abandoned", ["by": "ops", "reason": "the server is replaced"])
    story.finish(110, "failed", "failed", 4)
    #expect(
      words(story) == """
        ✗ pre_upgrade failed at `update` after 1m50s, and its rollback was abandoned by ops (exit 4).

          failed      update: exit code: the script ended with 1
          not undone  update.undo[0] snapshot.restore: server: 502 Bad Gateway
          not undone  stop.undo[0] server.start: not begun
          abandoned   by ops: the server is replaced

          runbook logs r0123456789abcdefghi  the events, line by line
        """)
  }

  @Test func anUnknownEffectIsToldAsUnknown() {
    var story = RunStory()
    story.begin()
    story.start(0, "call", "http.post", effect: "change")
    story.end(1, "call", "failed", error: RunStory.error("timeout", "nobody answered", effect: "unknown"))
    story.finish(1, "failed", "not_needed", 1)
    let text = words(story)
    #expect(text.contains("; it is unknown whether all of it took effect (exit 1)."), "\(text)")
    #expect(text.contains("  unknown  call"), "\(text)")
  }

  @Test func whatStandsIsNamedSoThatItCanBeFound() {
    var story = RunStory()
    story.begin()
    story.start(0, "snapshot", "snapshot.create", effect: "change")
    story.tell(
      1, "step.ended",
      ["step": "snapshot", "status": "succeeded", "purpose": "do", "outputs": ["id": "802", "name": "pre-r0m"]])
    story.start(1, "check", "http.get")
    story.end(2, "check", "failed", error: RunStory.error("server", "500", effect: "none"))
    story.finish(2, "failed", "not_needed", 1)
    #expect(words(story).contains("  stands  snapshot (snapshot pre-r0m, id 802)\n"), "\(words(story))")
  }

  @Test func aParkedStepIsUnknownWithItsErrorInTheDocument() throws {
    var story = RunStory()
    story.begin()
    story.start(0, "call", "http.post", effect: "change")
    story.tell(
      1, "run.waiting",
      [
        "for": "resolve", "step": "call", "question": 3,
        "error": RunStory.error("crashed", "lost", effect: "unknown"),
      ])
    let document = ReportJSON.document(RunReport(id: story.runID, events: story.events))
    let step = try #require(document["steps"]?.list?.first)
    #expect(step["status"] == "unknown")
    #expect(step["error"]?["kind"] == "crashed")
    #expect(document["run"]?["waiting_for"] == ["step": "call", "for": "resolve", "question": 3])
    story.tell(2, "step.resolved", ["step": "call", "answer": "retry", "by": "ops"])
    let answered = ReportJSON.document(RunReport(id: story.runID, events: story.events))
    #expect(answered["steps"]?.list?.first?["status"] == "started")
    #expect(answered["run"]?["waiting_for"] == .null)
  }

  @Test func aRestoredRunSaysWhatToLookAtAndHowToAnswer() {
    var story = RunStory()
    story.begin()
    story.start(0, "stop", "server.stop", effect: "change")
    story.tell(5, "run.restored")
    #expect(
      words(story) == """
        … pre_upgrade may have done more than its journal says: its store was put back from an older copy (exit 6).

          look at  the servers of the run: the last step in its journal is `stop`; this step and later steps may \
        have been done since
          unknown  stop

          runbook show r0123456789abcdefghi                             look at the run
          runbook resume r0123456789abcdefghi --restored                it may go on from its journal
          runbook cancel r0123456789abcdefghi --restored                undo the changes in its journal, at the next `runbook \
        resume`
          runbook cancel r0123456789abcdefghi --no-rollback --restored  stop it and touch nothing more
        """)
  }

  /// A deletion that succeeded has no state to answer with, a look leaves nothing, and the state of a snapshot is not
  /// its server's.
  @Test func theStateOfAServerIsNotThatOfItsItemsAndOneThatIsGoneIsAbsent() {
    func event(_ name: String, _ fields: [String: Value]) -> RunEvent {
      RunEvent(event: name, runID: "r", sequence: 1, at: RunStory.beginning, fields: fields)
    }
    var report = RunReport(id: "r", actions: .standard)
    let look: [String: Value] = ["step": "look", "action": "server.status", "effect": "none", "with": ["server": "7"]]
    report.apply(event("step.started", look))
    report.apply(event("step.ended", ["step": "look", "status": "succeeded", "outputs": ["state": "running"]]))
    let item: [String: Value] = ["action": "snapshot.delete", "with": ["server": "7"], "effect": "destroy"]
    let gone: [String: Value] = ["action": "server.delete", "with": ["server": "8"], "effect": "destroy"]
    for (step, started) in [("item", item), ("gone", gone)] {
      report.apply(event("step.started", started.merging(["step": .string(step)]) { own, _ in own }))
      // It may be over before anybody looks.
      if step == "item" {
        report.apply(event("step.waiting", ["step": "item", "native_state": "Pending_delete", "until": "absent"]))
      }
      report.apply(event("step.ended", ["step": .string(step), "status": "succeeded"]))
    }
    #expect(
      report.servers.map { RunWords.state(of: $0) }
        == ["7 is running, as `look` saw it", "8 is absent, as `gone` left it"])
  }

  /// The last that is known, and by what.
  @Test func theStateOfEachServerIsTold() {
    func event(_ name: String, _ fields: [String: Value]) -> RunEvent {
      RunEvent(event: name, runID: "r", sequence: 1, at: RunStory.beginning, fields: fields)
    }
    var report = RunReport(id: "r", actions: .standard)
    report.apply(event("step.started", ["step": "stop", "action": "server.stop", "with": ["server": "42"]]))
    report.apply(event("step.ended", ["step": "stop", "status": "succeeded", "outputs": ["state": "stopped"]]))
    #expect(report.servers.map { RunWords.state(of: $0) } == ["42 is stopped, as `stop` left it"])
    let undo: [String: Value] = ["step": "stop", "entry": "stop.undo[0]", "action": "snapshot.restore"]
    report.apply(event("undo.started", undo.merging(["with": ["server": "42"]]) { own, _ in own }))
    report.apply(event("step.waiting", ["step": "stop.undo[0]", "native_state": "restoring"]))
    let failed: [String: Value] = ["status": "failed", "error": ["kind": "server", "effect": "applied"]]
    report.apply(event("undo.ended", undo.merging(failed) { own, _ in own }))
    #expect(
      report.servers.map { RunWords.state(of: $0) }
        == ["42 was last seen `restoring`, after `stop.undo[0]` did not succeed"])
    report.apply(event("step.started", ["step": "b", "action": "server.start", "with": ["server": "7"]]))
    let refused: Value = ["kind": "input", "effect": "none"]
    report.apply(event("step.ended", ["step": "b", "status": "failed", "error": refused]))
    #expect(report.servers.map(\.by) == ["stop.undo[0]", ""])
  }
}

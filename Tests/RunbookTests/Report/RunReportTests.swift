import Runbook
import Testing
import TestSupport

@Suite struct RunReportTests {
  @Test func theShowDocumentHasTheFieldsOfTheLanguage() throws {
    let story = RunStory.failedAndRolledBack
    let document = ReportJSON.document(RunReport(id: story.runID, plan: RunStory.undoPlan, events: story.events))
    let read = try JSONReader.read(JSONWriter.bytes(document))
    #expect(read["v"] == 1)
    let run = try #require(read["run"])
    #expect(run["id"] == "r0123456789abcdefghi")
    #expect(run["status"] == "ended")
    #expect(run["outcome"] == "failed")
    #expect(run["rollback"] == "succeeded")
    #expect(run["exit_code"] == 3)
    #expect(run["started_at"] == "2026-01-16T12:00:00Z")
    #expect(run["inputs"] == ["server": "12345"])
    let steps = try #require(read["steps"]?.list)
    #expect(steps.map { $0["step"] } == ["stop", "snapshot", "update"])
    #expect(steps.map { $0["status"] } == ["succeeded", "succeeded", "failed"])
    #expect(steps.last?["attempts"] == 2)
    #expect(steps.last?["error"]?["kind"] == "exit_code")
    #expect(steps.last?["class"] == "E3")
    let undo = try #require(read["undo"]?.list)
    #expect(undo.map { $0["step"] } == ["stop", "update"])
    #expect(undo.map { $0["status"] } == ["succeeded", "succeeded"])
  }

  @Test func undoStepsNotBegunArePendingAndComeNewestFirst() {
    let story = RunStory.rollbackFailed
    let report = RunReport(id: story.runID, plan: RunStory.undoPlan, events: story.events)
    #expect(report.undo("stop.undo[0]")?.status == .pending)
    #expect(Standing(report).notUndone.map(\.entry) == ["update.undo[0]", "stop.undo[0]"])
  }

  struct StatusCase: Sendable {
    var events: [(String, [String: Value])]
    var status: String
  }

  @Test(arguments: [
    (["run.started"], "running"), (["run.started", "run.waiting"], "waiting"),
    (["run.started", "run.waiting", "step.resolved"], "running"),
    (["run.started", "rollback.started"], "rolling_back"),
    (["run.started", "rollback.started", "rollback.ended"], "ending"), (["run.started", "run.ended"], "ended"),
    ([], "queued"),
  ])
  func aRunHasAStatus(_ events: [String], _ status: String) {
    var story = RunStory()
    for event in events { story.tell(0, event) }
    #expect(RunReport(id: story.runID, events: story.events).status.text == status)
  }

  @Test func hostileFieldsDoNotTrap() {
    let odd: [Value] = [.null, .int(.min), .double(.nan), .string(""), [], [:], ["x": []]]
    let names = [
      "step", "entry", "status", "error", "outputs", "attempt", "attempts", "problems", "deadline", "exit_code",
      "reason",
    ]
    var report = RunReport(id: "r")
    var text = EventText(verbose: true)
    let kinds = [
      "run.started", "run.checked", "step.started", "attempt.ended", "step.waiting", "step.ended", "undo.started",
      "undo.ended", "undo.closed", "rollback.started", "rollback.ended", "run.ended", "run.left", "run.waiting",
    ]
    for kind in kinds {
      for value in odd {
        let fields = Dictionary(uniqueKeysWithValues: names.map { ($0, value) })
        let event = RunEvent(event: kind, runID: "r", sequence: 1, at: RunStory.beginning, fields: fields)
        report.apply(event)
        _ = text.line(for: event)
        _ = ClosingWords.lines(for: report)
      }
    }
  }
}

@Suite struct DisplayTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("é ü 漢字 ✓", "é ü 漢字 ✓"), ("a\nb\tc\r", #"a\nb\tc\r"#), ("\u{1b}[31m", #"\x1b[31m"#),
    ("\u{7f}\u{9b}", #"\x7f\x9b"#), ("a\u{202e}b", #"a\u{202e}b"#), ("\u{200b}\u{feff}", #"\u{200b}\u{feff}"#),
    ("\u{2066}", #"\u{2066}"#), ("\u{e0041}", #"\u{e0041}"#), ("\u{0}", #"\x00"#), ("", ""),
  ])
  func whatActsOnATerminalIsShownAsAnEscape(_ text: String, _ shown: String) {
    #expect(DisplayText.escaped(text) == shown)
  }

  @Test func aLongTextIsCutWithAMark() {
    #expect(DisplayText.escaped("abcdef", limit: 4) == "abc…")
    #expect(DisplayText.escaped("abcd", limit: 4) == "abcd")
  }

  @Test(arguments: [
    (Int64(0), "0.0s"), (440, "0.4s"), (9940, "9.9s"), (9960, "10s"), (32_100, "32s"), (59_600, "1m00s"),
    (72_000, "1m12s"),
    (3_600_000, "1h00m"), (7_500_000, "2h05m"), (273_600_000, "3d04h"), (-5, "0.0s"),
  ])
  func elapsedTimeIsShort(_ milliseconds: Int64, _ text: String) {
    #expect(Duration.milliseconds(milliseconds).elapsedText == text)
  }
}

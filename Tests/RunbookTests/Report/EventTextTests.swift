import Runbook
import Testing
import TestSupport

@Suite struct EventTextTests {
  private func lines(_ story: RunStory, verbose: Bool = false) -> String {
    var text = EventText(verbose: verbose, actions: .standard)
    return story.events.compactMap { text.line(for: $0) }.joined(separator: "\n")
  }

  @Test func aRunIsToldOneLineAnEvent() {
    #expect(
      lines(.failedAndRolledBack) == """
        12:00:00 started pre_upgrade as r0123456789abcdefghi (2026-01-16 UTC): server=12345
        12:00:00 stop … server.stop
        12:00:00 stop … waiting until stopped, now `stopping`, at the latest 12:10:00
        12:00:32 stop … stopped after 32s
        12:00:32 snapshot … snapshot.create
        12:01:30 snapshot … done in 58s
        12:01:30 update … ssh.run
        12:01:40 update … attempt 1 failed: unreachable: connection refused; again at 12:01:42
        12:01:42 update … attempt 2
        12:01:52 update … failed after 22s: exit code: the script ended with 1
        12:01:52 rolling back: `update` failed
        12:01:52 undo update … snapshot.restore
        12:02:50 undo update … snapshot.restore done in 58s
        12:02:50 undo stop … server.start
        12:03:02 undo stop … server.start done in 12s
        12:03:02 rollback succeeded
        12:03:02 failed, rolled back after 3m03s (exit 3)
        """)
  }

  @Test func aScriptIsNotCalledARequest() {
    var story = RunStory()
    story.begin()
    story.start(0, "update", "run", effect: "change")
    story.tell(1, "request.found", ["step": "update"])
    story.tell(2, "request.cleared", ["step": "update"])
    #expect(
      lines(story).hasSuffix(
        """
        update … its script was started, and its end is known now
        12:00:02 update … its script was not started
        """))
  }

  struct Line: Sendable {
    var event: String
    var fields: [String: Value]
    var line: String?
    init(_ event: String, _ fields: [String: Value], _ line: String?) {
      self.event = event
      self.fields = fields
      self.line = line
    }
  }

  @Test(arguments: [
    Line("step.ended", ["step": "a", "status": "skipped"], "a … skipped, its `if` is false"),
    Line("step.ended", ["step": "a", "status": "not_applied"], "a … did not take effect"),
    Line("step.ended", ["step": "a", "status": "cancelled"], "a … cancelled"),
    Line("undo.closed", ["step": "a", "reason": "nothing happened"], "undo a … nothing happened"),
    Line("undo.closed", ["step": "a", "reason": "undone"], nil),
    Line("undo.settled", ["step": "a"], nil),
    Line("run.outputs", ["outputs": [:]], nil),
    Line("cancel.requested", ["by": "ops", "rollback": true], "cancel by ops: undoing the changes"),
    Line("cancel.requested", ["by": "ops", "rollback": false], "cancel by ops: its changes stay as they are"),
    Line(
      "run.resumed", ["epoch": 2, "host": "ci-1", "pid": 42], "resumed r1 on ci-1, process 42 (2026-01-16 UTC)"),
    Line("run.checked", ["problems": ["no such server"]], "not begun: no such server"),
    Line("run.left", ["reason": "SIGTERM"], "left, not ended: SIGTERM; `runbook resume r1` goes on"),
    Line("step.resolved", ["step": "a", "answer": "applied", "by": "ops"], "a … answered: applied by ops"),
    Line(
      "run.waiting", ["for": "resolve", "step": "a"],
      "a … waiting for an answer: `runbook resolve r1 a --applied`, `--not-applied`, `--retry` or `--fail`"),
    Line(
      "undo.closed", ["step": "a", "reason": "its condition was false"],
      "undo a … not undone: its condition was false"),
    Line("undo.closed", ["step": "a", "reason": "committed"], "undo a … committed"),
    Line("undo.skipped", ["entry": "a", "by": "ops", "reason": "by hand"], "undo a … left out by ops: by hand"),
    Line(
      "undo.skipped", ["entry": "a.undo[0]", "by": "ops", "reason": "by hand"],
      "undo a … a.undo[0] left out by ops: by hand"),
    Line(
      "undo.ended", ["step": "a", "entry": "a.undo[0]", "status": "skipped"],
      "undo a … a.undo[0] not undone: its condition was false"),
    Line(
      "run.resumed", ["epoch": 2, "host": "ci-1", "pid": 42, "without": ["token", "hook"]],
      "resumed r1 on ci-1, process 42, without secret token, hook (2026-01-16 UTC)"),
    Line(
      "request.ignored", ["reason": "the run has ended"], "a message to the run was ignored: the run has ended"),
    Line(
      "run.restored", [:],
      "the store was put back from an older copy: the run may have done more than is shown here"),
    Line("run.restored_accepted", ["by": "ops"], "ops says that the run may go on"),
    Line(
      "lock.freed", ["lock": "db", "reason": "gone", "by": "ops"], "the lock `db` was freed by ops: gone"),
    Line("clock.set", ["by": "1h"], "the machine's clock was set by 1h; the run's times go on without the jump"),
    Line("request.found", ["step": "a"], "a … a request without an answer has taken effect"),
    Line(
      "script.adopted", ["step": "a"],
      "a … its script is not started again: it was started before the store was put back, and its result "
        + "counts"),
    Line("request.cleared", ["step": "a"], "a … no request without an answer has taken effect"),
    Line("something.new", ["step": "a"], nil),
    Line("step.ended", [:], nil),
    Line("undo.ended", [:], nil),
  ])
  func anEventHasItsWords(_ line: Line) {
    var text = EventText()
    let event = RunEvent(event: line.event, runID: "r1", sequence: 1, at: RunStory.beginning, fields: line.fields)
    #expect(text.line(for: event) == line.line.map { "12:00:00 \($0)" })
  }

  @Test func whatAServerSaysCannotMoveTheCursor() {
    var story = RunStory()
    story.begin(name: "a\u{1b}[2Jb", inputs: ["x": "\u{202e}evil\u{200b}\n"])
    let begun = #"12:00:00 started a\x1b[2Jb as r0123456789abcdefghi (2026-01-16 UTC)"#
    #expect(lines(story) == begun + #": x=\u{202e}evil\u{200b}\n"#)
  }

  @Test func verboseTellsEveryEventAndTheOutputs() {
    var text = EventText(verbose: true)
    let event = RunEvent(
      event: "step.ended", runID: "r1", sequence: 1, at: RunStory.beginning,
      fields: ["step": "a", "status": "succeeded", "outputs": ["id": "7"]])
    #expect(text.line(for: event) == #"12:00:00 a … done {"id":"7"}"#)
  }

  @Test func progressIsMarkedAsSuch() {
    let news = RunProgress(step: "stop", message: "not undone yet: it is still changing")
    #expect(
      EventText().line(for: news, at: RunStory.beginning)
        == "12:00:00 stop … progress: not undone yet: it is still changing")
  }
}

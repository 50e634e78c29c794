import Runbook
import Testing

/// A journal may hold words of a later release.
@Suite struct WordTests {
  private static let error: Value = [
    "kind": "gremlins", "message": "they came at night", "effect": "half", "detail": ["moon": "full"], "later": 7,
  ]
  private static let events: [RunEvent] = [
    event(1, "run.started", ["name": "later"]),
    event(2, "step.started", ["step": "one", "purpose": "on_moonrise", "effect": "haunt", "action": "x.y"]),
    event(3, "step.ended", ["step": "one", "status": "evaporated", "error": error]),
    event(4, "run.ended", ["outcome": "teleported", "rollback": "sideways", "exit_code": 42]),
  ]

  private static func event(_ number: Int64, _ name: String, _ fields: [String: Value]) -> RunEvent {
    RunEvent(
      event: name, runID: "r0123456789abcdefghi", sequence: number, at: Timestamp(seconds: 1_768_564_800 + number),
      fields: fields)
  }

  @Test func wordsOfALaterReleaseReachProgramsAsTheyAreWritten() throws {
    let report = RunReport(id: "r0123456789abcdefghi", events: Self.events)
    let document = try JSONReader.read(JSONWriter.bytes(ReportJSON.document(report)))
    let run = try #require(document["run"])
    #expect(run["outcome"] == "teleported" && run["rollback"] == "sideways" && run["exit_code"] == 42)
    let step = try #require(document["steps"]?.list?.first)
    #expect(step["status"] == "evaporated" && step["purpose"] == "on_moonrise" && step["effect"] == "half")
    #expect(step["error"] == Self.error)
  }

  @Test func wordsOfALaterReleaseAreNoneThatThisOneKnows() throws {
    let report = RunReport(id: "r0123456789abcdefghi", events: Self.events)
    #expect(report.outcome?.known == nil && report.outcome?.text == "teleported")
    #expect(report.outcome != .succeeded && !report.isGoodEnd && !report.owesRollback)
    let step = try #require(report.step("one"))
    #expect(step.status == .other("evaporated") && !step.isMain)
    #expect(step.error?.kind == .other("gremlins") && step.error?.effect?.known == nil)
    #expect(RunWords.failure(step.error) == "gremlins: they came at night")
    #expect(RunWords.end(of: step) == "evaporated")
    #expect(RunWords.outcome(report.outcome, rollback: report.rollback) == "teleported")
  }

  @Test(arguments: ["queued", "running", "waiting", "rolling_back", "ending", "ended"])
  func aWordThatIsKnownIsWrittenAsItWasRead(_ text: String) {
    let word = Word<RunStatus>(text)
    #expect(word.known != nil && word.text == text)
  }
}

import Testing

@testable import Runbook

/// What is said of a drill's verdict.
@Suite struct DrillReportTests {
  @Test(arguments: [
    (Duration.milliseconds(400), "400ms"), (.seconds(59), "59s"), (.milliseconds(723_417), "12m3s"),
    (.seconds(3600), "1h"), (.seconds(93_600), "26h"), (.seconds(93_661), "26h1m1s"), (.seconds(259_200), "3d"),
    (.seconds(-90), "-1m30s"),
  ])
  func durationsAreAsPeopleSpeakOfThem(_ duration: Duration, _ text: String) {
    #expect(DrillReport.shown(duration) == text)
  }

  private func verdict(measured: Duration?, _ objective: Duration, reason: String? = nil) -> DrillVerdict {
    var verdict = DrillVerdict()
    verdict.rto = DrillVerdict.Objective(
      objective: objective, measured: measured, met: measured.map { $0 <= objective } ?? false, reason: reason)
    return verdict
  }

  /// A miss of less than a second is told as one.
  @Test func aMissIsToldWithByHowMuch() {
    #expect(
      DrillReport.sentence(verdict(measured: .milliseconds(600_400), .seconds(600)))
        == "RTO 10m, objective 10m: missed by 400ms")
    #expect(
      DrillReport.sentence(verdict(measured: nil, .seconds(600), reason: "`restored_at` is null"))
        == "RTO not measured, objective 10m: missed; `restored_at` is null")
    #expect(DrillReport.sentence(nil) == nil)
  }

  @Test func whatPeopleAndCloudsWroteIsShownAsText() {
    let told = DrillReport.sentence(verdict(measured: nil, .seconds(1), reason: "\u{1b}[31mred"))
    #expect(told?.contains("\u{1b}") == false)
  }

  /// The events of a run that was judged tell the same as the verdict itself, live and from the journal.
  @Test func theVerdictIsReadFromTheEvents() throws {
    let given = FactCodingTests.verdict
    let fact = Fact.run(.drillJudged(given))
    let entry = fact.entry(at: FactCodingTests.instant)
    let stored = JournalEntry(sequence: 1, at: entry.at, epoch: 1, kind: entry.kind, body: entry.body)
    let live = try #require(RunEvent(fact, runID: "r", sequence: 1, at: FactCodingTests.instant))
    for event in [try #require(RunEvent(stored, runID: "r")), live] {
      let report = RunReport(id: "r", events: [event])
      #expect(report.drill == given)
      #expect(ReportJSON.document(report)["run"]?["drill"]?["rpo"]?["measured"] == .null)
      #expect(ReportJSON.document(report)["run"]?["drill"]?["rpo"]?["objective"] == "1d2h250ms")
      #expect(ReportJSON.document(report)["run"]?["drill"]?["rto"]?["measured"] == "-1ms")
    }
  }
}

import Runbook
import Testing

/// What a plan says of a drill.
@Suite struct PlanDrillTests {
  private func plan(_ top: String = "") throws -> Plan {
    let text = """
      drill:
        objectives: {rto: 30m, rpo: 26h}
        measure:
          outage_at: run.started_at
          data_as_of: now()
          restored_at: steps.a.finished_at
        steady_state:
          - {id: fit, action: http.get, with: {url: "https://example.com/health"}}
      \(top)
      steps:
        - {id: a, run: ./a.sh, rollback: [{run: ./b.sh}]}
      """
    let document = try ParsedDocument(yaml: "runbook: v1\nname: drill\n\(text)\n")
    return Plan(try ValidatedRunbook(document, in: Framed.context()), inputs: [:], at: Timestamp(seconds: 0))
  }

  @Test func itNamesTheObjectivesAndWhatMeasuresThem() throws {
    let lines = PlanText.lines(try plan())
    #expect(
      lines.contains("  RTO at most 30m: from outage_at (`run.started_at`) to restored_at (`steps.a.finished_at`)"))
    #expect(lines.contains("  RPO at most 26h: from data_as_of (`now()`) to outage_at (`run.started_at`)"))
  }

  @Test func itNamesWhatIsLookedAtBeforeAndAfter() throws {
    let lines = PlanText.lines(try plan())
    let before = try #require(lines.firstIndex(of: "steady state, before the first step:"))
    let steps = try #require(lines.firstIndex(of: "steps:"))
    let after = try #require(lines.firstIndex(of: "steady state, again, after the last step: fit"))
    #expect(before < steps && steps < after)
    #expect(lines[before + 1] == "  - fit  http.get  (reads)")
    #expect(lines.contains("1 step: 1 changes."))
  }

  @Test func aSteadyStateAloneIsJudgedToo() throws {
    let text = """
      runbook: v1
      name: drill
      drill:
        steady_state: [{id: fit, run: ./look.sh, effect: none}]
      steps:
        - {id: a, run: ./a.sh, rollback: [{run: ./b.sh}]}
        - {id: b, run: ./look.sh, effect: none}

      """
    let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: Framed.context())
    let lines = PlanText.lines(Plan(runbook, inputs: [:], at: Timestamp(seconds: 0)))
    let drill = try #require(lines.firstIndex(of: "drill:"))
    #expect(
      lines[drill + 1] == "  judged after the last step, before anything is undone; a miss ends the run with exit 8")
    #expect(lines.contains("  - fit  run  (reads)") && lines.contains("  2. b  run  (reads)"), "\(lines)")
    #expect(lines.contains("2 steps: 1 changes, 1 reads."))
  }

  @Test func itSaysThatAMissIsCleanedUpLikeASuccess() throws {
    let cleaned = PlanText.lines(try plan("rollback_policy: {after: [success, failure]}"))
    #expect(
      cleaned.contains(
        "if a step fails or the drill has met or missed its objectives, started steps are undone, newest first:")
    )
    #expect(
      cleaned.contains("When the drill is over, its changes are undone, whether it met its objectives or missed them."))
    let kept = PlanText.lines(try plan())
    #expect(
      kept.contains(
        "When the drill is over nothing is undone, objectives met or missed: `rollback_policy.after` has no `success`.")
    )
  }

  @Test func itsJSONHoldsThem() throws {
    let drill = try #require(PlanText.json(try plan())["drill"])
    #expect(drill["objectives"] == ["rto": "30m", "rpo": "1d2h"])
    #expect(drill["measure"]?["restored_at"] == "steps.a.finished_at")
    #expect(drill["steady_state"]?.list?.first?["step"] == "drill.before.fit")
    let plain = try ValidatedRunbook(
      ParsedDocument(yaml: "runbook: v1\nname: x\nsteps: [{sleep: 1s}]\n"), in: Framed.context())
    #expect(PlanText.json(Plan(plain, inputs: [:], at: Timestamp(seconds: 0)))["drill"] == nil)
  }
}

import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// What the command tells of drills: exit 8, `show`, the closing event, annotations, and that one is repeated whole.
@Suite struct DrillCommandTests {
  /// - Parameter met: whether the objectives can be met.
  private static func runbook(met: Bool, last: String = "true") -> String {
    """
    runbook: v1
    name: rehearsal
    drill:
      objectives: {rto: \(met ? "1h" : "10m"), rpo: 1d}
      measure:
        outage_at: timestamp('2026-01-01T12:00:00Z')
        data_as_of: timestamp('2026-01-01T03:00:00Z')
        restored_at: timestamp('2026-01-01T12:12:03.250Z')
    rollback_policy: {after: [success, failure, cancel]}
    steps:
      - {id: a, run: touch copy, rollback: [{run: rm copy}]}
      - {id: b, run: "\(last)", effect: none}
    """
  }

  private func json(_ text: String) throws -> Value { try JSONReader.read(Array(text.utf8)) }

  @Test func aMissedObjectiveEndsWithEightAndIsShown() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: false))
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 8, "\(ended)")
    #expect(!place.exists("copy"))
    #expect(ended.stdout.contains("drill: RTO 12m3s, objective 10m: missed by 2m3s; RPO 9h, objective 24h: met"))
    #expect(ended.stdout.contains("✗ rehearsal missed its objective after "))
    let run = try #require(try json(try await place.run("show", "latest", "--format", "json").stdout)["run"])
    #expect(run["outcome"] == "objective_missed" && run["exit_code"] == 8 && run["rollback"] == "succeeded")
    #expect(run["drill"]?["rto"] == ["objective": "10m", "measured": "12m3s250ms", "met": false])
    #expect(run["drill"]?["rpo"] == ["objective": "1d", "measured": "9h", "met": true])
    #expect(try await place.run("show", "latest").stdout.contains("RTO     12m3s, objective 10m: missed by 2m3s"))
    let listed = try await place.run("list").stdout
    #expect(listed.contains("objective missed, rolled back"), "\(listed)")
    #expect(try await place.run("list", "--needs-me").code == 0)
  }

  @Test func theClosingEventHoldsTheVerdict() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: true))
    let ended = try await place.run("run", "a.yaml", "--format", "json")
    #expect(ended.code == 0, "\(ended)")
    let events = try ended.lines.map { try json($0) }
    let last = try #require(events.last)
    #expect(last["event"] == "run.ended" && last["outcome"] == "succeeded")
    #expect(last["drill"]?["rto"] == ["objective": "1h", "measured": "12m3s250ms", "met": true])
    #expect(events.count { $0["event"] == "drill.judged" } == 1)
  }

  @Test func onATerminalTheSteadyStateCountsAmongTheSteps() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: watched
      drill:
        steady_state: [{id: production, run: sleep 0.6, effect: none}]
      steps:
        - {id: a, run: "true", rollback: none}

      """)
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["run", "a.yaml"], in: place)
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(0), "\(text)")
    #expect(text.contains("0 of 3") && text.contains("2 of 3") && !text.contains(" of 1"), "\(text)")
    #expect(text.contains("· drill.after.production"), "\(text)")
  }

  @Test func aRunThatIsNoDrillSaysNothingOfOne() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.run("run", "a.yaml", "--format", "json")
    #expect(!ended.stdout.contains("drill"))
    #expect(try json(try await place.run("show", "latest", "--format", "json").stdout)["run"]?["drill"] == .null)
  }

  @Test func aMissIsAnErrorAmongTheAnnotationsAndInTheSummary() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: false))
    let ended = try await place.run(
      ["run", "a.yaml", "--annotations", "github"], ["GITHUB_STEP_SUMMARY": place.path("summary.md")])
    let commands = ended.stderr.split(separator: "\n").filter { $0.hasPrefix("::") }
    let miss =
      "::error title=rehearsal missed its objective::drill: RTO 12m3s, objective 10m: missed by 2m3s; "
      + "RPO 9h, objective 24h: met"
    #expect(commands.first.map { String($0) } == miss)
    #expect(commands.last?.hasPrefix("::error title=rehearsal::✗ rehearsal missed its objective after ") == true)
    let summary = place.read("summary.md")
    #expect(summary.contains("| RTO | 12m3s, objective 10m: missed by 2m3s |"), "\(summary)")
  }

  @Test func aDrillIsRepeatedWhole() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: true, last: "exit 3"))
    let failed = try await place.run("run", "a.yaml")
    #expect(failed.code == 3 && !failed.stdout.contains("--from"), "\(failed)")
    #expect(failed.stdout.contains("drill   not judged"))
    let refused = try await place.run("rerun", "latest", "--from", "b")
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.contains("what a drill measures begins at its first step"), "\(refused.stderr)")
    try place.write("a.yaml", Self.runbook(met: true))
    let again = try await place.run("rerun", "latest")
    #expect(again.code == 0 && again.stdout.contains("RTO 12m3s, objective 1h: met"), "\(again)")
  }

  @Test func aDrillThatIsKilledIsJudgedByWhoeverCarriesItOn() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: false, last: "while ! test -e go; do sleep 0.1; done"))
    let run = try place.start(["run", "a.yaml"])
    try await run.waitFor("b … run")
    run.send(SIGKILL)
    #expect(try await run.finish().signal == SIGKILL)
    #expect(place.exists("copy"))
    try place.write("go", "")
    let resumed = try await place.run("resume", "latest")
    #expect(resumed.code == 8, "\(resumed)")
    #expect(resumed.stdout.contains("drill: RTO 12m3s, objective 10m: missed by 2m3s"))
    #expect(!place.exists("copy"))
    let events = try await place.run("logs", "latest", "--format", "json").lines.map { try json($0) }
    #expect(events.count { $0["event"] == "drill.judged" } == 1)
  }

  @Test func aCancelledDrillIsNotJudged() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(met: true, last: "sleep 600"))
    let run = try place.start(["run", "a.yaml"])
    try await run.waitFor("b … run")
    #expect(try await place.run("cancel", "latest").code == 0)
    let ended = try await run.finish()
    #expect(ended.code == 5 && !ended.stdout.contains("drill: RTO"), "\(ended)")
    #expect(!place.exists("copy"))
  }
}

import Runbook
import Simulator
import TestSupport
import Testing

/// Drills of scripts, in virtual time: what is measured, and what counts as not measured.
@Suite struct DrillRunTests {
  private struct Ran {
    let end: RunEnded?
    let verdict: DrillVerdict?
    let events: [RunEvent]
    let story: String

    var begun: [String] {
      events.filter { $0.event == "step.started" }.compactMap { $0.fields["step"]?.string }
    }
    var isCleanedUp: Bool {
      events.contains { $0.event == "undo.ended" && $0.fields["status"] == "succeeded" } && end?.rollback == .succeeded
    }
  }

  private func run(_ text: String, scripts: [SimulatedScripts.Rule] = []) async throws -> Ran {
    let world = ScriptedWorld(scripts: scripts)
    let end = try await world.run(text)
    let report = RunReport(id: "r", events: world.observer.events)
    return Ran(
      end: end.ended, verdict: report.drill, events: world.observer.events, story: world.story)
  }

  private static func drill(_ measure: String, _ steps: String, rto: String = "10m") -> String {
    """
    drill:
      objectives: {rto: \(rto)}
      measure: {\(measure)}
    rollback_policy: {after: [success, failure]}
    steps:
    \(steps)
    """
  }

  private static let work = SimulatedScripts.Rule(matching: "restore", duration: .seconds(300))

  @Test func timesOfStepsAndOfTheRunAreMeasured() async throws {
    let ran = try await run(
      Self.drill(
        "outage_at: run.started_at, restored_at: steps.b.ended_at",
        "  - {sleep: 60s}\n  - {id: b, run: restore, rollback: [{run: clean}]}\n"), scripts: [Self.work])
    #expect(ran.verdict?.rto?.measured == .seconds(360), "\(ran.story)")
    #expect(ran.end?.exitCode == 0 && ran.isCleanedUp)
    let other = try await run(
      Self.drill(
        "outage_at: steps.b.started_at, restored_at: steps.b.finished_at",
        "  - {sleep: 60s}\n  - {id: b, run: restore, rollback: [{run: clean}]}\n", rto: "299s"), scripts: [Self.work])
    #expect(other.verdict?.rto?.measured == .seconds(300) && other.end?.exitCode == 8, "\(other.story)")
    #expect(other.isCleanedUp)
  }

  /// The clean-up takes time that is not measured: the verdict comes before it.
  @Test func aDrillIsJudgedBeforeItsCleanUp() async throws {
    let ran = try await run(
      Self.drill(
        "outage_at: run.started_at, restored_at: now()", "  - {id: b, run: restore, rollback: [{run: restore again}]}\n"
      ),
      scripts: [Self.work])
    #expect(ran.verdict?.rto?.measured == .seconds(300), "\(ran.story)")
    let names = ran.events.map(\.event)
    let judged = try #require(names.firstIndex(of: "drill.judged"))
    #expect(names.firstIndex(of: "rollback.started").map { judged < $0 } == true)
    #expect(names.count { $0 == "drill.judged" } == 1)
  }

  @Test(arguments: [
    ("steps.b.?finished_at", "`restored_at` has no value"),
    ("steps.b.status == 'skipped' ? null : now()", "`restored_at` is null"),
    ("timestamp(steps.a.outputs.text)", "`restored_at` could not be evaluated: "),
  ])
  func whatDidNotHappenIsNotMeasured(_ restored: String, _ reason: String) async throws {
    let ran = try await run(
      Self.drill(
        "outage_at: run.started_at, restored_at: \"\(restored)\"",
        "  - {id: a, run: say, rollback: none, outputs: {text: result.stdout}}\n"
          + "  - {id: b, if: 1 > 2, run: restore}\n"),
      scripts: [SimulatedScripts.Rule(matching: "say", stdout: "soon")])
    #expect(ran.end?.outcome == .objectiveMissed && ran.end?.exitCode == 8, "\(ran.story)")
    #expect(ran.verdict?.rto?.measured == nil && ran.verdict?.rto?.met == false)
    #expect(ran.verdict?.rto?.reason?.hasPrefix(reason) == true, "\(ran.verdict?.rto?.reason ?? "")")
  }

  /// When a step gave up is not when the service was back.
  @Test func theEndOfAStepThatFailedMeasuresNothing() async throws {
    let ran = try await run(
      Self.drill(
        "outage_at: run.started_at, restored_at: steps.b.?finished_at",
        "  - {id: b, run: restore, continue_on_error: true, rollback: none}\n"),
      scripts: [SimulatedScripts.Rule(matching: "restore", exitCode: 1)])
    #expect(ran.end?.exitCode == 8 && ran.verdict?.rto?.reason == "`restored_at` has no value", "\(ran.story)")
  }

  @Test func theOldestPartOfTheDataCounts() async throws {
    let ran = try await run(
      """
      drill:
        objectives: {rpo: 2h}
        measure:
          outage_at: run.started_at
          data_as_of: "[run.started_at - duration('1h'), run.started_at - duration('2h1s')]"
      steps: [{sleep: 1s}]
      """)
    #expect(ran.verdict?.rpo?.measured == .seconds(7201) && ran.end?.exitCode == 8, "\(ran.story)")
  }

  // MARK: Steady state

  private static let steady = """
    drill:
      steady_state:
        - {id: fit, run: ./look.sh, effect: none}
    rollback_policy: {after: [success, failure]}
    steps:
      - {id: a, run: change, rollback: [{run: clean}]}
    """

  @Test func theSteadyStateIsLookedAtTwiceUnderPathsOfItsOwn() async throws {
    let ran = try await run(Self.steady)
    #expect(ran.end?.exitCode == 0)
    #expect(ran.verdict?.steadyState?.regained == true)
    #expect(ran.begun == ["drill.before.fit", "a", "drill.after.fit"])
  }

  @Test func aStateThatIsNotSteadyChangesNothing() async throws {
    let ran = try await run(Self.steady, scripts: [SimulatedScripts.Rule(matching: "look", exitCode: 1)])
    #expect(ran.end?.exitCode == 1 && ran.end?.outcome == .failed && ran.verdict == nil)
    #expect(ran.begun == ["drill.before.fit"])
  }

  @Test func aStateThatIsNotRegainedIsAMissWithItsReason() async throws {
    let ran = try await run(
      Self.steady,
      scripts: [
        SimulatedScripts.Rule(matching: "look", times: 1), SimulatedScripts.Rule(matching: "look", exitCode: 7),
      ])
    #expect(ran.end?.exitCode == 8 && ran.end?.outcome == .objectiveMissed, "\(ran.story)")
    let state = try #require(ran.verdict?.steadyState)
    #expect(!state.regained && state.step == "drill.after.fit")
    #expect(state.reason == "exit code: the script ended with exit code 7")
    #expect(ran.isCleanedUp)
  }

  // MARK: What others see of it

  @Test func alwaysSeesThatAnObjectiveWasMissed() async throws {
    let ran = try await run(
      Self.drill(
        "outage_at: run.started_at, restored_at: steps.b.finished_at", "  - {id: b, run: restore}\n", rto: "1m")
        + "always: [{action: log.info, with: {message: \"it is ${{ run.outcome }}\"}}]\n"
        + "outputs: {took: steps.b.finished_at - steps.b.started_at}\n", scripts: [Self.work])
    #expect(ran.story.contains("it is objective_missed"))
    #expect(ran.end?.exitCode == 8 && ran.end?.outputs["took"] == .duration(.seconds(300)), "\(ran.story)")
    #expect(ran.events.last?.fields["drill"]?["rto"]?["met"] == false)
  }
}

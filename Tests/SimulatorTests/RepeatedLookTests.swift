import Runbook
import Simulator
import TestSupport
import Testing

/// What a wait repeats, how long, and what it makes of an answer that is not there yet.
@Suite struct RepeatedLookTests {
  private typealias Rule = SimulatedScripts.Rule

  @Test(arguments: [
    "{id: up, run: ready, effect: none, wait: {every: 1s, timeout: 1m}}",
    "{id: up, run: ready, effect: none, wait: {every: 1s, until: result.exit_code == 0}}",
  ])
  func aWaitOverAScriptRunsItAgainAtEachLook(_ step: String) async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "ready", exitCode: 1, times: 2)])
    let begun = world.clock.now
    #expect(try await world.run("steps: [\(step)]").exitCode == 0, "\(world.story)")
    #expect(world.scripts.ledger.count == 3 && world.clock.now - begun == .seconds(2), "\(world.story)")
    #expect(world.scripts.kept.isEmpty)
  }

  /// Of the last look, not of the first.
  @Test func whatTheLastLookWroteIsTheResult() async throws {
    let rules = [
      Rule(matching: "ready", stdout: "no", times: 2), Rule(matching: "ready", stdout: "yes, at last"),
    ]
    let world = ScriptedWorld(scripts: rules)
    let step = "{id: up, run: ready, effect: none, wait: {every: 1s, until: result.stdout.startsWith('yes')}, OUT}"
      .replacing("OUT", with: "outputs: {word: result.stdout}")
    #expect(try await world.run("steps: [\(step)]").exitCode == 0, "\(world.story)")
    #expect(world.observer.events.last { $0.event == "step.ended" }?.fields["outputs"]?["word"] == "yes, at last")
  }

  @Test(arguments: [
    "{id: up, run: slow, effect: none, wait: {every: 1s, timeout: 10s}}",
    "{id: up, run: slow, effect: none, wait: {every: 1s}, timeout: 10s}",
    "{id: up, run: slow, effect: none, retry: {attempt_timeout: 3s}, wait: {every: 1s, timeout: 10s}}",
  ])
  func aLookEndsWithItsWait(_ step: String) async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "slow", duration: .seconds(3600))])
    let begun = world.clock.now
    #expect(try await world.run("steps: [\(step)]").exitCode == 1, "\(world.story)")
    let took = world.clock.now - begun
    #expect(took >= .seconds(9) && took <= .seconds(12), "\(took)")
  }

  /// Each look has its `attempt_timeout`, not all together.
  @Test func everyLookHasItsOwnTime() async throws {
    let refusals = Array(repeating: ScriptedSystem.reply(500, "{}"), count: 5)
    let world = ScriptedWorld(ScriptedSystem(refusals + [ScriptedSystem.reply(200, "{}")]))
    let step = "{id: up, wait_for: http.get, with: {url: 'https://web.example.com/'}, RETRY, wait: {every: 1s}}"
      .replacing("RETRY", with: "retry: {attempt_timeout: 2s}")
    #expect(try await world.run("steps: [\(step)]").exitCode == 0, "\(world.story)")
    #expect(world.system.seen.count == 6)
  }

  private static let gradual = [
    "", "{}", "{\"job\":null}", "{\"job\":{}}", "{\"job\":{\"state\":null,\"steps\":null}}",
    "{\"job\":{\"state\":\"busy\",\"steps\":[]}}", "{\"job\":{\"state\":\"ready\",\"steps\":[{\"n\":1}]}}",
  ]

  @Test(arguments: [
    "result.json.job.state == 'ready'", "result.json.job.state.startsWith('ready')",
    "result.json.job.steps[0].n == 1", "size(result.json.job.steps) > 0",
    "result.json.job.steps.exists(s, s.n == 1)", "result.json['job']['state'] == 'ready'",
    "!(result.json.job.state != 'ready')",
  ])
  func whatIsNotThereYetDoesNotEndAWait(_ condition: String) async throws {
    let world = ScriptedWorld(ScriptedSystem(Self.gradual.map { ScriptedSystem.reply(200, $0) }))
    let wait = "wait: {until: \"\(condition)\", fail_if: result.json.job.failed == true, every: 1s, timeout: 1m}"
    let step = "{id: job, wait_for: http.get, with: {url: 'https://web.example.com/'}, \(wait)}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 0, "\(world.story)")
    #expect(world.system.seen.count == Self.gradual.count)
  }

  @Test func theLastLookIsToldWhenTheTimeIsOver() async throws {
    let world = ScriptedWorld(ScriptedSystem(200, "{\"ok\":true}"))
    let wait = "wait: {until: result.json.state == 'ready', every: 1s, timeout: 5s}"
    let step = "{id: job, wait_for: http.get, with: {url: 'https://web.example.com/'}, \(wait)}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    let unmet = "there is no `state`; there are `ok`, in `result.json.state`"
    #expect(world.message == "`until` does not hold after 5s; \(unmet)")
  }

  /// They can never get better.
  @Test(arguments: ["result.json.n + 'a' == 'b'", "inputs.what.no == 1", "result.status / 0 == 1"])
  func aMistakeInAConditionEndsAWaitAtOnce(_ condition: String) async throws {
    let world = ScriptedWorld(ScriptedSystem(200, "{\"n\":1}"))
    let step =
      "{id: job, wait_for: http.get, with: {url: 'https://web.example.com/'}, "
      + "wait: {until: \"\(condition)\", every: 1s, timeout: 5s}}"
    #expect(try await world.run("inputs: {what: {type: map, default: {}}}\nsteps: [\(step)]").exitCode == 1)
    #expect(world.system.seen.count == 1 && world.message.hasPrefix("`until`: "), "\(world.message)")
  }

  @Test(arguments: [
    ("{id: up, wait_for: http.get, with: {url: 'https://web.example.com/'}, wait: {fail_if: result.status == 404}}", 1),
    ("{id: up, run: ready, effect: none, wait: {every: 1s, fail_if: result.exit_code == 4}}", 0),
  ])
  func aConditionThatFailsAWaitSeesTheFailedLook(_ step: String, _ seen: Int) async throws {
    let world = ScriptedWorld(
      ScriptedSystem(404, "{}"), scripts: [Rule(matching: "ready", exitCode: 4)])
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    #expect(world.message.hasPrefix("`fail_if` holds: ") && world.system.seen.count == seen, "\(world.story)")
  }
}

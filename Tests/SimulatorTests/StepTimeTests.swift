import Runbook
import Simulator
import TestSupport
import Testing

/// A step's time bounds what it does, and what the other side asks for is not undercut within it.
@Suite struct StepTimeTests {
  @Test(
    arguments: [
      ("steps: [{id: nap, sleep: 6s, timeout: 1s}]", 1), ("timeout: 1s\nsteps: [{id: nap, sleep: 20s}]", 1),
    ] as [(String, Int64)])
  func aPauseEndsWithItsStepAndItsRun(_ text: String, _ seconds: Int64) async throws {
    let world = ScriptedWorld()
    let begun = world.clock.now
    #expect(try await world.run(text).exitCode == 1)
    #expect(world.clock.now - begun == .seconds(seconds))
    #expect(world.message.contains("longer than the step may take"))
  }

  /// Looks and attempts alike: the next request leaves when the pause is over, or never.
  @Test(arguments: [
    "{id: look, wait_for: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}",
    "{id: look, action: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}",
    "{id: look, action: http.put, with: {url: 'https://web.example.com/'}, timeout: 30m, rollback: none}",
  ])
  func aPauseThatOutlastsTheStepEndsItAndIsTold(_ step: String) async throws {
    let world = ScriptedWorld(ScriptedSystem(429, "{}", headers: [(name: "retry-after", value: "7200")]))
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    #expect(world.system.seen.count == 1)
    #expect(world.message.contains("it asks for a pause of 2h"), "\(world.message)")
  }

  @Test func aPauseWithinTheStepIsKept() async throws {
    let replies = [
      ScriptedSystem.reply(429, "{}", headers: [(name: "retry-after", value: "900")]), ScriptedSystem.reply(200, "{}"),
    ]
    let world = ScriptedWorld(ScriptedSystem(replies))
    let begun = world.clock.now
    let step = "{id: look, wait_for: http.get, with: {url: 'https://web.example.com/'}, timeout: 30m}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 0)
    #expect(world.system.seen.count == 2)
    #expect(world.clock.now - begun >= .seconds(900))
  }
}

import Runbook
import Simulator
import TestSupport
import Testing

/// The process is killed at every commit, every send, every receive and every start of a script, one after another: not
/// sampled, counted. Another process resumes; then the cloud's own ledger shows that nothing was lost and nothing
/// repeated. In each check every third place, others each day; all of them in a torture.
@Suite struct KillEnumerationTests {
  typealias World = PreUpgradeWorld

  /// What the cloud has seen when nobody is killed.
  private func undisturbed(_ scenario: World.Scenario) async throws -> (effects: [String], points: Int) {
    let world = try World(scenario)
    let life = KillSwitch()
    let end = try await world.start(life: life)
    #expect(end.exitCode == scenario.exitCode)
    #expect(world.updates == 1)
    #expect(world.notices == 1)
    return (world.effects, life.passed)
  }

  /// A killed run ends as the undisturbed one, or (when it cannot be known what the update did) as the failing one.
  private func check(
    _ world: World, _ end: RunEnd, _ scenario: World.Scenario, _ expected: [Int32: [String]], _ place: String
  ) {
    let code = end.exitCode
    guard let effects = expected[code] else {
      Issue.record("killed \(place): ended with exit \(code), \(end)")
      return
    }
    #expect(world.effects == effects, "killed \(place)")
    #expect(world.updates <= 1, "killed \(place)")
    // `always` is carried out again rather than lost; it is never left out.
    #expect((1...2).contains(world.notices), "killed \(place)")
  }

  private func expectations(_ scenario: World.Scenario) async throws -> [Int32: [String]] {
    var expected = [scenario.exitCode: try await undisturbed(scenario).effects]
    // The update's outcome was lost: its effect is unknown, so it is undone.
    if scenario == .succeeding { expected[3] = try await undisturbed(.failing).effects }
    return expected
  }

  @Test(arguments: World.Scenario.allCases)
  func aKillAtAnyPointLosesNothingAndRepeatsNothing(_ scenario: World.Scenario) async throws {
    let points = try await undisturbed(scenario).points
    let expected = try await expectations(scenario)
    #expect(points > 50)
    for point in Campaign.part(of: 1...points, every: 3) {
      let world = try World(scenario)
      let life = KillSwitch(at: point)
      _ = try await world.start(life: life)
      let place = try #require(life.place, "the kill at point \(point) never fired")
      let end = try await world.resume()
      check(world, end, scenario, expected, "at \(point), \(place)")
    }
  }

  /// The second process is killed too, while it recovers: in a torture at every fifth place after every third.
  @Test(arguments: World.Scenario.allCases)
  func aSecondKillDuringRecoveryLosesNothingAndRepeatsNothing(_ scenario: World.Scenario) async throws {
    let points = try await undisturbed(scenario).points
    let expected = try await expectations(scenario)
    var pairs = 0
    for first in Campaign.part(of: 1...points, every: 29, torture: 3) {
      var second = 1
      while true {
        let world = try World(scenario)
        _ = try await world.start(life: KillSwitch(at: first))
        let life = KillSwitch(at: second)
        let interrupted = try await world.resume(life: life)
        guard let place = life.place else {
          check(world, interrupted, scenario, expected, "once at \(first)")
          break
        }
        let end = try await world.resume()
        check(world, end, scenario, expected, "at \(first), then \(second), \(place)")
        pairs += 1
        second += Campaign.count(23, torture: 5)
      }
    }
    #expect(pairs > 20)
  }
}

import Runbook
import Simulator
import Stores
import Synchronization
import TestSupport
import Testing

/// An owner that is stopped just before something leaves, at every such point, and wakes after its lease has ended.
@Suite struct FrozenOwnerTests {
  typealias World = PreUpgradeWorld

  /// Freezes its owner at one of the moments at which something is about to leave.
  private final class Freeze: Tenure {
    private let state = Mutex((asked: 0, standing: TenureStanding.held, wakesAt: Duration.zero))
    private let point: Int?
    private let clock: VirtualClock
    /// What happens while it is frozen. - Returns: whether the run is still its own when it wakes.
    private let meanwhile: @Sendable () -> Bool

    init(at point: Int?, _ clock: VirtualClock, _ meanwhile: @escaping @Sendable () -> Bool) {
      self.point = point
      self.clock = clock
      self.meanwhile = meanwhile
    }

    var asked: Int { state.withLock { $0.asked } }
    var until: BootTime { BootTime(id: "", elapsed: .zero) }
    func end() {}

    func begin() -> Bool {
      let number = state.withLock { state in
        state.asked += 1
        return state.asked
      }
      guard number == point else { return standing == .held }
      let isMine = meanwhile()
      let now = clock.monotonic
      state.withLock {
        $0.standing = isMine ? .passed : .lost
        $0.wakesAt = now + .seconds(15)
      }
      return false
    }

    var standing: TenureStanding {
      let now = clock.monotonic
      return state.withLock { state in
        if state.standing == .passed, now >= state.wakesAt { state.standing = .held }
        return state.standing
      }
    }
  }

  /// How often something is about to leave when nobody is disturbed, and what the cloud has seen then.
  private func undisturbed(_ scenario: World.Scenario) async throws -> (points: Int, effects: [String]) {
    let world = try World(scenario)
    let tenure = Freeze(at: nil, world.clock) { true }
    var process = world.process
    process.tenure = tenure
    let end = try await process.start(World.runID, inputs: World.inputs)
    #expect(end.exitCode == scenario.exitCode)
    return (tenure.asked, world.effects)
  }

  @Test(arguments: World.Scenario.allCases)
  func nothingOfAnOwnerThatLostItsRunWhileItWasFrozenArrives(_ scenario: World.Scenario) async throws {
    let (points, effects) = try await undisturbed(scenario)
    var expected = [scenario.exitCode: effects]
    // The update's outcome was lost: its effect is unknown, so it is undone.
    if scenario == .succeeding { expected[3] = try await undisturbed(.failing).effects }
    #expect(points >= 5)
    for point in stride(from: 1, through: points, by: Campaign.count(2, torture: 1)) {
      let world = try World(scenario)
      let before = Mutex<[String]?>(nil)
      let tenure = Freeze(at: point, world.clock) {
        world.clock.advance(by: .seconds(11))
        before.withLock { $0 = world.everything }
        let other = Owner(host: "other", bootID: "other", pid: 2, processStart: 1)
        guard let lease = try? world.store.takeOver(World.runID, owner: other, leaseFor: .seconds(10)) else {
          return true
        }
        world.store.dropProof(of: lease)
        return false
      }
      var frozen = world.process
      frozen.tenure = tenure
      frozen.staysWhenItStops = true
      let end = try await frozen.start(World.runID, inputs: World.inputs)
      guard case .lost(.fenced) = end else {
        Issue.record("point \(point): the frozen owner was not taken over: \(end)")
        continue
      }
      #expect(world.everything == before.withLock { $0 }, "point \(point)")
      let resumed = try await world.resume()
      #expect(world.effects == expected[resumed.exitCode], "point \(point): \(resumed)")
      #expect(world.updates <= 1, "point \(point)")
    }
  }

  @Test func anOwnerWhoseLeaseHasPassedWaitsAndGoesOn() async throws {
    let (points, effects) = try await undisturbed(.succeeding)
    for point in stride(from: 1, through: points, by: Campaign.count(4, torture: 1)) {
      let world = try World(.succeeding)
      let tenure = Freeze(at: point, world.clock) { true }
      var process = world.process
      process.tenure = tenure
      let end = try await process.start(World.runID, inputs: World.inputs)
      #expect(end.exitCode == 0, "point \(point): \(end)")
      #expect(tenure.asked > points, "point \(point)")
      #expect(world.effects == effects, "point \(point)")
      #expect(world.updates == 1, "point \(point)")
      #expect(world.notices == 1, "point \(point)")
    }
  }

  /// Killed, frozen, or alive in another pid namespace: the three cases a simulated world can be in.
  @Test func whoLivesIsNotRobbedWhoIsFrozenLater() async throws {
    let world = try World(.succeeding)
    let life = KillSwitch(at: 20)
    var process = world.process
    process.staysWhenItStops = true
    _ = try await process.start(World.runID, inputs: World.inputs, life: life)
    #expect(life.place != nil)
    await #expect(throws: StoreFailure.self) { try await world.resume() }
    world.clock.advance(by: .seconds(11))
    let end = try await world.resume()
    #expect([0, 3].contains(end.exitCode), "\(end)")
  }
}

extension PreUpgradeWorld {
  /// Everything that anybody outside has seen of the run.
  fileprivate var everything: [String] {
    effects + web.ledger.map(\.subject) + scripts.ledger.map { "\($0.effect) \($0.detail)" }
  }
}

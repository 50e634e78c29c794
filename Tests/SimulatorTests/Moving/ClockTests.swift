import Runbook
import Simulator
import Stores
import Testing

/// Durations are durations: nobody's setting of the wall clock ends a wait early or makes a pause longer.
@Suite struct ClockTests {
  private static let jumps: [Duration] = [
    .seconds(3600), .seconds(-3600), .seconds(86_400 * 3650), .seconds(-86_400 * 365),
  ]

  /// Sets the clock while the run is going on, when a request to `name` is made for the `count`th time.
  private func run(_ world: MovingWorld, jump: Duration, at count: Int) async throws -> RunEnd {
    let (clock, web) = (world.clock, world.web)
    let process = world.process()
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: web)
    transport.interceptor = { point in
      if point.direction == .send, point.number == count { clock.stepWallClock(by: jump) }
      return .pass
    }
    return try await process.with(transport: transport).start(MovingWorld.runID, inputs: [:])
  }

  @Test(arguments: jumps)
  func aWaitLastsAsLongAsItShouldWhateverTheClockDoes(_ jump: Duration) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: waiting
      steps:
        - {id: change, run: echo change, rollback: [{run: echo undo}]}
        - {id: ready, wait_for: http.get, with: {url: "http://127.0.0.1:8099/do/503,503,503,503,503,503,200/x"}, wait: {every: 20s, timeout: 5m}}
      """)
    let end = try await run(world, jump: jump, at: 3)
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(world.events("clock.set").count == 1, "nobody was told that the clock was set")
  }

  @Test(arguments: jumps)
  func aWaitThatNeverHoldsEndsAfterItsTime(_ jump: Duration) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: waiting
      steps: [{id: ready, wait_for: http.get, with: {url: "http://127.0.0.1:8099/do/503/x"}, wait: {every: 20s, timeout: 5m}}]
      """)
    let end = try await run(world, jump: jump, at: 3)
    #expect(end.exitCode == 1)
    #expect(world.clock.monotonic >= .seconds(300) && world.clock.monotonic < .seconds(340), "\(world.clock.monotonic)")
  }

  @Test(arguments: jumps, [false, true])
  func aPauseGoesOnWhereItWasAfterATakeOver(_ jump: Duration, _ isRebooted: Bool) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: pausing
      steps:
        - {id: one, action: http.put, with: {url: "http://127.0.0.1:8099/do/429,200/x"}, retry: {attempts: 3, delay: 40s, jitter: 0}, timeout: 10m, rollback: none}
      """)
    try await world.start(killedAt: "after commit of attempt.ended")
    world.clock.advance(by: .seconds(10))
    world.clock.stepWallClock(by: jump)
    if isRebooted { world.clock.reboot() }
    let before = world.clock.monotonic
    let end = try await world.resume()
    let paused = world.clock.monotonic - before
    // After another boot only the wall clock can tell how much of it is over: never more than its whole length is left.
    #expect(paused <= (isRebooted ? .seconds(41) : .seconds(31)), "paused for \(paused.text)")
    if !isRebooted { #expect(paused >= .seconds(29), "paused for \(paused.text)") }
    #expect(end.exitCode == (isRebooted && jump > .seconds(600) ? 1 : 0), "\(world.story)")
  }

  @Test(arguments: jumps)
  func howLongARunHasTakenIsToldByItsOwnTime(_ jump: Duration) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: pausing
      steps: [{id: one, sleep: 10m}]
      """)
    try await world.start(killedAt: "after commit of step.started")
    world.clock.advance(by: .seconds(60))
    world.clock.stepWallClock(by: jump)
    let clock = try await RunClock(world.clock, of: MovingWorld.runID, in: world.store)
    let started = try #require(try world.store.firstEntry(of: MovingWorld.runID)).at
    let took = clock.now - started
    #expect(took >= .seconds(60) && took < .seconds(62), "\(took.text)")
  }

  @Test(arguments: jumps)
  func aQuestionIsOpenForADayWhateverTheClockDoes(_ jump: Duration) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: asking
      steps: [{id: publish, action: http.post, with: {url: "http://127.0.0.1:8099/do/503/x"}, rollback: none}]
      """)
    guard case .parked = try await world.start() else {
      Issue.record("\(world.story)")
      return
    }
    world.clock.stepWallClock(by: jump)
    world.clock.advance(by: .seconds(23 * 3600))
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    world.clock.advance(by: .seconds(2 * 3600))
    #expect(try await world.resume().exitCode == 1)
  }
}

extension SimulatedProcess {
  /// The same in a world with another network.
  func with(transport: any HTTPTransport) -> SimulatedProcess {
    var process = self
    process.world = RunWorld(
      clock: world.clock, random: world.random, transport: transport, scripts: world.scripts, files: world.files,
      builtIn: Array(world.builtIn.values), providerKinds: Array(world.providerKinds.values))
    return process
  }
}

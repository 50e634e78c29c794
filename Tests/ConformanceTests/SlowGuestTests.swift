import Runbook
import Simulator
import TestSupport
import Testing

/// A cloud that accepts a stop or a start, and shows the old state until the guest has done it.
@Suite struct SlowGuestTests {
  /// Shorter than a request may live, and longer.
  static let slowness: [Duration] = [.seconds(30), .seconds(240)]

  @Test(arguments: CloudUnderTest.all, slowness)
  func aStopIsAtRestOnceItHasShown(_ cloud: CloudUnderTest, _ slowness: Duration) async throws {
    let world = try CloudWorld(cloud, faults: ["guest_slow:server.stop:\(slowness.text)"])
    try await follow("server.stop", until: "stopped", world, slowness)
  }

  @Test(arguments: CloudUnderTest.all, slowness)
  func aStartIsAtRestOnceItHasShown(_ cloud: CloudUnderTest, _ slowness: Duration) async throws {
    let world = try CloudWorld(cloud)
    try await world.run("server.stop", key: "stopped")
    try world.twin.inject("guest_slow:server.start:\(slowness.text)")
    try await follow("server.start", until: "running", world, slowness)
  }

  private func follow(
    _ action: String, until wanted: String, _ world: CloudWorld, _ slowness: Duration
  ) async throws {
    let former = try await world.state
    let driver = try world.driver(action)
    let with = try world.fields(action, [:])
    let before = try await driver.action.capture(driver.call(with))
    let begun = world.clock.now
    let call = driver.call(with, before: before, intendedAt: begun)
    let result = try await driver.action.perform(call)
    #expect(try await world.state == former, "the guest is not slow")
    // A request may have been lost and arrive late: until then nothing is at rest.
    #expect(try await !driver.action.isSettled(call))
    var looks = 0
    while try await world.state != wanted {
      looks += 1
      try #require(looks < 1000, "it never became \(wanted)")
      let verdict = try await driver.action.observe(call, after: result).verdict
      #expect(verdict == .pending || verdict == .done)
      await world.clock.sleep(for: .seconds(5))
    }
    #expect(world.clock.now - begun >= slowness)
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
    #expect(try await driver.action.isSettled(call))
    #expect(world.twin.unfiredFaults == [])
  }

  @Test(arguments: CloudUnderTest.all)
  func aGuestThatNeverStopsIsWaitedForAndNotTakenForStopped(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud, faults: ["guest_slow:server.stop:30d"])
    let driver = try world.driver("server.stop")
    let with = try world.fields("server.stop", [:])
    let before = try await driver.action.capture(driver.call(with))
    let call = driver.call(with, before: before, intendedAt: world.clock.now)
    let result = try await driver.action.perform(call)
    for _ in 1...30 {
      await world.clock.sleep(for: .seconds(60))
      #expect(try await driver.action.observe(call, after: result).verdict == .pending)
    }
    #expect(world.twin.unfiredFaults == [])
  }

  /// A step that does not wait, and one that wants the contrary: the second is done when it will stay so.
  @Test(arguments: CloudUnderTest.all)
  func aStartAfterAStopThatHasNotShownLeavesTheServerRunning(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud, faults: ["guest_slow:server.stop:2m"])
    let driver = try world.driver("server.stop")
    let with = try world.fields("server.stop", [:])
    let before = try await driver.action.capture(driver.call(with))
    _ = try await driver.action.perform(driver.call(with, before: before, intendedAt: world.clock.now))
    #expect(try await world.run("server.start", key: "start")["state"] == "running")
    await world.clock.sleep(for: .seconds(3600))
    #expect(try await world.state == "running")
    #expect(world.effects("server.start") == 1)
    #expect(world.twin.unfiredFaults == [])
  }

  @Test(arguments: CloudUnderTest.all)
  func aStopAfterAStartThatHasNotShownLeavesTheServerStopped(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud)
    try await world.run("server.stop", key: "before")
    try world.twin.inject("guest_slow:server.start:2m")
    let driver = try world.driver("server.start")
    let with = try world.fields("server.start", [:])
    let before = try await driver.action.capture(driver.call(with))
    _ = try await driver.action.perform(driver.call(with, before: before, intendedAt: world.clock.now))
    #expect(try await world.run("server.stop", key: "stop")["state"] == "stopped")
    await world.clock.sleep(for: .seconds(3600))
    #expect(try await world.state == "stopped")
    #expect(world.effects("server.stop") == 2)
    #expect(world.twin.unfiredFaults == [])
  }

  /// "It is already so" says nothing while an earlier request may still change it.
  @Test(arguments: CloudUnderTest.all)
  func whatIsWantedIsAskedForEvenIfItShowsAlready(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud)
    for (action, state) in [("server.start", "running"), ("server.stop", "stopped")] {
      if state == "stopped" { try await world.run("server.stop", key: "first") }
      let earlier = world.twin.requests.count { $0 == action || $0 == action.replacing("server", with: "service") }
      #expect(try await world.run(action, key: "again")["state"] == .string(state))
      let later = world.twin.requests.count { $0 == action || $0 == action.replacing("server", with: "service") }
      #expect(later > earlier, "\(cloud.type): \(action) was not asked for")
    }
    #expect(world.effects("server.start") == 0)
    #expect(world.effects("server.stop") == 1)
  }
}

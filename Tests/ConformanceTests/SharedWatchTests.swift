import Runbook
import Simulator
import TestSupport
import Testing

/// Many waits on one account.
@Suite struct SharedWatchTests {
  static let count = 24

  /// Each run stops a server of its own and waits for it. Asked for one by one they would cost some three looks each.
  @Test(arguments: CloudUnderTest.all)
  func waitsOfOneAccountShareTheirLooks(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud)
    let driver = try world.driver("server.stop")
    var calls: [ActionCall] = []
    for index in 0..<Self.count {
      let server = Self.server(like: cloud.server, index)
      world.twin.ensureServer(server)
      let with = try world.fields("server.stop", ["server": .string(server)])
      var mine = driver
      mine.key = "shared-\(index)"
      let before = try await driver.action.capture(mine.call(with))
      let call = mine.call(with, before: before, intendedAt: world.clock.now)
      _ = try await driver.action.perform(call)
      calls.append(call)
    }
    let reads = Self.reads(world)
    let looks = try await withThrowingTaskGroup(of: Int.self) { group in
      for call in calls {
        group.addTask { try await Self.watch(driver.action, call) }
      }
      var looks = 0
      for try await more in group { looks += more }
      return looks
    }
    #expect(world.effects("server.stop") == Self.count)
    // The first look of each is its own; all others are answered from the list.
    let listReads = Self.reads(world) - reads - Self.count
    #expect(looks > Self.count)
    #expect(listReads <= 30, "\(listReads) list requests for \(looks) looks")
  }

  private static func watch(_ action: any Action, _ first: ActionCall) async throws -> Int {
    var call = first
    var looks = 0
    while looks < 1000 {
      looks += 1
      let seen = try await action.observe(call, after: ActionResult())
      if case .failed(let failure) = seen.verdict { throw failure }
      if seen.verdict == .done { return looks }
      call.asOf = await action.awaitNews(call, after: seen, atMost: .seconds(10))
    }
    throw StepFailure(.timeout, "the wait does not end")
  }

  private static func reads(_ world: CloudWorld) -> Int {
    world.twin.requests.count { $0 == "server.list" || $0 == "server.status" }
  }

  /// Of the same length and alphabet, so that every cloud takes it for an id.
  private static func server(like id: String, _ index: Int) -> String {
    let digits = String(index + 10)
    return String(id.dropLast(digits.utf8.count)) + digits
  }
}

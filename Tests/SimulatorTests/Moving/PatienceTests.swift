import VPSOrgCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// What is read on the way is as patient as the step it is read for, and it is told.
@Suite struct PatienceTests {
  private static let stop = """
    runbook: v1
    name: outage
    providers: {cloud: {type: vps_org, token: vps_x}}
    steps:
      - {id: stop, action: server.stop, with: {server: "12345"}, STOP rollback: [{action: server.start, with: {server: "12345"}}]}
      - {id: broken, fail: no luck}
    """

  /// From the first request after `broken` has failed, the cloud answers 503 for so long.
  private func run(outage: Duration, status: Int = 503, _ extra: String = "") async throws -> (RunEnd, PreUpgradeWorld)
  {
    let text = Self.stop.replacing("STOP", with: extra)
    let world = try PreUpgradeWorld(.succeeding) { _ in text }
    let (clock, observer) = (world.clock, world.observer)
    let began = Mutex<Duration?>(nil)
    world.transport.interceptor = { point in
      guard point.direction == .send, observer.events.contains(where: { $0.event == "rollback.started" }) else {
        return .pass
      }
      let since = began.withLock { began -> Duration in
        began = began ?? clock.monotonic
        return began ?? .zero
      }
      guard clock.monotonic - since < outage else { return .pass }
      return .fail(HTTPFailure(.timeout, "the cloud does not answer", beforeFirstByte: false))
    }
    return (try await world.start(), world)
  }

  @Test(arguments: [Duration.seconds(33), .seconds(600), .seconds(3600)])
  func anOutageOfTheCloudDoesNotEndARollback(_ outage: Duration) async throws {
    let (end, world) = try await run(outage: outage)
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.twin.status(ofServer: "12345") == "active")
  }

  @Test func looksBeforeTheIntentAreWithinTheStepsTime() async throws {
    let world = try PreUpgradeWorld(.succeeding) { _ in
      Self.stop.replacing("STOP", with: "timeout: 3s,")
    }
    world.transport.interceptor = { point in
      point.url.contains("/servers/12345") && point.direction == .send
        ? .fail(HTTPFailure(.timeout, "the cloud does not answer", beforeFirstByte: false)) : .pass
    }
    let end = try await world.start()
    #expect(end.exitCode == 1, "\(world.story)")
    #expect(world.twin.ledger.isEmpty)
  }
}

import Runbook
import Synchronization
import Testing

@testable import Operations

@Suite struct RunTenureTests {
  private final class Clock: EngineClock {
    private let elapsed = Mutex(Duration.zero)
    var now: Timestamp { Timestamp(seconds: 1_768_564_800) }
    var monotonic: Duration { elapsed.withLock { $0 } }
    var boot: BootTime { BootTime(id: "here", elapsed: monotonic) }
    func sleep(for duration: Duration) async { advance(duration) }
    func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
  }

  /// What the kernel's timer was set to, newest last; nil: nowhere.
  private final class Timer: Sendable {
    let settings = Mutex<[Duration?]>([])
    var fence: Fence { Fence { { moment in self.settings.withLock { $0.append(moment) } } } }
    var all: [Duration?] { settings.withLock { $0 } }
  }

  private let clock = Clock()
  private let timer = Timer()

  private func lease(_ id: String = "r1", until seconds: Int64) -> Lease {
    Lease(
      runID: id, epoch: 1, owner: Owner(host: "h", bootID: "here", pid: 1, processStart: 1), renewedAt: clock.now,
      expiresAt: clock.now, until: BootTime(id: "here", elapsed: .seconds(seconds)))
  }

  @Test func nothingIsBegunInTheLastSecondOfALease() {
    let tenure = RunTenure(lease(until: 10), clock: clock, fence: timer.fence)
    clock.advance(.milliseconds(8999))
    #expect(tenure.begin())
    tenure.end()
    clock.advance(.milliseconds(1))
    #expect(tenure.standing == .passed)
    #expect(!tenure.begin())
    tenure.extend(lease(until: 20))
    #expect(tenure.begin())
    tenure.end()
    tenure.lose()
    #expect(tenure.standing == .lost)
    #expect(!tenure.begin())
    tenure.extend(lease(until: 90))
    #expect(!tenure.begin())
  }

  @Test func theTimerStandsOnlyWhileSomethingLeavesAndMovesWithTheLease() {
    let tenure = RunTenure(lease(until: 10), clock: clock, fence: timer.fence)
    tenure.extend(lease(until: 12))
    #expect(timer.all == [])
    #expect(tenure.begin())
    #expect(tenure.begin())
    tenure.extend(lease(until: 20))
    tenure.end()
    tenure.end()
    tenure.end()
    #expect(timer.all == [.milliseconds(11_500), .milliseconds(19_500), nil])
  }

  @Test func theTimerStandsAtTheEarliestOfTheRunsThatSend() {
    let fence = timer.fence
    let one = RunTenure(lease("r1", until: 10), clock: clock, fence: fence)
    let other = RunTenure(lease("r2", until: 5), clock: clock, fence: fence)
    #expect(one.begin())
    #expect(other.begin())
    other.end()
    one.end()
    #expect(timer.all == [.milliseconds(9500), .milliseconds(4500), .milliseconds(9500), nil])
  }

  @Test func withoutATimerTheClockDecidesAlone() {
    let tenure = RunTenure(lease(until: 10), clock: clock, fence: Fence { nil })
    #expect(tenure.begin())
    tenure.end()
    clock.advance(.seconds(9))
    #expect(!tenure.begin())
  }
}

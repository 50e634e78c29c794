import Runbook
import Simulator
import Testing

struct VirtualClockTests {
  @Test func aSleepAdvancesTheTimeAtOnce() async {
    let clock = VirtualClock(start: Timestamp(seconds: 1000))
    await clock.sleep(for: .seconds(3600))
    await clock.sleep(for: .seconds(-5))
    #expect(clock.now == Timestamp(seconds: 4600))
    #expect(clock.monotonic == .seconds(3600))
  }

  @Test func theWallClockCanBeSetBackButNotTheMonotonicOne() async {
    let clock = VirtualClock(start: Timestamp(seconds: 1000))
    await clock.sleep(for: .seconds(10))
    clock.stepWallClock(by: .seconds(-500))
    #expect(clock.now == Timestamp(seconds: 510))
    #expect(clock.monotonic == .seconds(10))
  }

  @Test func aWatcherWakesWhenOthersHaveAdvancedTheTime() async {
    let clock = VirtualClock()
    let watcher = clock.passive
    async let woken: Duration = {
      await watcher.sleep(for: .seconds(30))
      return watcher.monotonic
    }()
    for _ in 1...7 { await clock.sleep(for: .seconds(10)) }
    // Should the watcher have begun only now, this ends its sleep all the same.
    while clock.monotonic < .seconds(10_000) { await clock.sleep(for: .seconds(10)) }
    #expect(await woken >= .seconds(30))
  }

  @Test func aCancelledWatcherWakesAtOnce() async {
    let clock = VirtualClock()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await clock.passive.sleep(for: .seconds(30)) }
      group.cancelAll()
    }
    #expect(clock.monotonic == .zero)
  }

  @Test func aCancelledSleeperDoesNotAdvanceTheTime() async {
    let clock = VirtualClock()
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()
      group.addTask { await clock.sleep(for: .seconds(30)) }
    }
    #expect(clock.monotonic == .zero)
  }

  @Test(arguments: [(1, 60), (60, 1), (120, 0), (0, 60)])
  func aScaledClockRunsAsManyTimesAsFast(speed: Int, seconds: Int64) async {
    let base = VirtualClock(start: Timestamp(seconds: 1000))
    let clock = ScaledClock(base, speed: speed, start: Timestamp(seconds: 0))
    await clock.sleep(for: .seconds(60))
    #expect(clock.now == Timestamp(seconds: 60))
    #expect(clock.monotonic == .seconds(60))
    #expect(base.monotonic.components.seconds == seconds)
  }

  @Test func oneSeedGivesOneSequence() {
    func sequence(_ seed: UInt64) -> [UInt64] {
      let random = SeededRandom(seed: seed)
      return (1...4).map { _ in random.next() }
    }
    #expect(sequence(7) == sequence(7))
    #expect(sequence(7) != sequence(8))
    #expect(Set(sequence(0)).count == 4)
  }
}

import Testing

@testable import Runbook

private struct Dice: RandomSource {
  let number: UInt64
  func next() -> UInt64 { number }
}

@Suite struct RetryScheduleTests {
  let plain = RetrySchedule(delay: .seconds(2), backoff: 2, maxDelay: .seconds(60), jitter: 0)

  @Test(arguments: [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (1000, 60)])
  func pausesDoubleUpToTheLongest(_ tries: Int, _ seconds: Int64) {
    #expect(plain.delay(after: tries, asked: nil, random: Dice(number: 0)) == .seconds(seconds))
  }

  @Test func jitterStaysWithinItsShare() {
    let jittered = RetrySchedule(delay: .seconds(10), backoff: 1, maxDelay: .seconds(60), jitter: 0.2)
    #expect(jittered.delay(after: 1, asked: nil, random: Dice(number: 0)) == .seconds(8))
    #expect(jittered.delay(after: 1, asked: nil, random: Dice(number: .max)) <= .seconds(12))
  }

  @Test func whatTheOtherSideAskedForIsNeverUndercut() {
    #expect(plain.delay(after: 1, asked: .seconds(90), random: Dice(number: 0)) == .seconds(90))
    #expect(plain.delay(after: 3, asked: .seconds(1), random: Dice(number: 0)) == .seconds(8))
  }
}

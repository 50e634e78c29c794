import Testing

@testable import Runbook

/// How often a wait looks.
@Suite struct WaitRhythmTests {
  /// The moments at which it looks, in seconds since its beginning.
  private static func looks(usual: Duration?, until end: Int64) -> [Int64] {
    var rhythm = WaitRhythm(fastest: .seconds(2), slowest: .seconds(15), usual: usual)
    var elapsed: Duration = .zero
    var looks: [Int64] = []
    while elapsed < .seconds(end) {
      elapsed += rhythm.pause(after: elapsed)
      looks.append(elapsed.components.seconds)
    }
    return looks
  }

  @Test func withoutExperienceItGrowsByHalf() {
    #expect(Self.looks(usual: nil, until: 60) == [2, 5, 9, 16, 26, 41, 56, 71])
    #expect(Self.looks(usual: .zero, until: 60) == [2, 5, 9, 16, 26, 41, 56, 71])
  }

  @Test func aboutTheUsualTimeItLooksOften() {
    let looks = Self.looks(usual: .seconds(300), until: 340)
    #expect(looks.count { (270...330).contains($0) } >= 28)
    #expect(looks.count { $0 < 260 } <= 24)
  }

  @Test func whatTakesLongerThanUsualIsLookedAtLessOftenAgain() {
    let looks = Self.looks(usual: .seconds(60), until: 400)
    #expect(looks.count { (100...400).contains($0) } <= 24)
  }

  @Test func aStateThatMovesIsLookedAtOften() {
    var rhythm = WaitRhythm(fastest: .seconds(2), slowest: .seconds(15), usual: nil)
    for _ in 0..<10 { _ = rhythm.pause(after: .zero) }
    #expect(rhythm.pause(after: .zero) == .seconds(15))
    rhythm.quicken()
    #expect(rhythm.pause(after: .zero) == .seconds(2))
  }
}

import Testing

@testable import Runbook

private typealias F = MachineFixture

@Suite struct RunOutlookTests {
  /// A machine whose wall clock somebody sets.
  private struct SetClock: EngineClock {
    var now: Timestamp
    var elapsed: Duration
    var monotonic: Duration { elapsed }
    var boot: BootTime { BootTime(id: "boot-1", elapsed: elapsed) }
    func sleep(for duration: Duration) async {}
  }

  private func outlook(_ facts: [Fact], _ runbook: ValidatedRunbook) throws -> RunOutlook {
    let entries = facts.enumerated().map { index, fact in
      let new = fact.entry(at: F.start)
      return JournalEntry(sequence: Int64(index + 1), at: new.at, epoch: 1, kind: new.kind, body: new.body)
    }
    return try RunOutlook(entries, runbook)
  }

  @Test func timesThatAreShownDoNotJumpWhenTheWallClockIsSet() throws {
    let started = RunStarted(
      name: "test", file: "test.yaml", inputs: [:], requester: "ops",
      boot: BootTime(id: "boot-1", elapsed: .seconds(100)))
    let outlook = try outlook([.run(.started(started))], F.runbook([F.step("one")]))
    for jump in [Int64(3600), -3600, 0] {
      let base = SetClock(now: F.start + .seconds(5 + jump), elapsed: .seconds(105))
      #expect(outlook.clock(base).now == F.start + .seconds(5), "the clock was set by \(jump) s")
    }
  }

  @Test func theOpenQuestionAndTheLastMessageAreReadFromTheJournal() throws {
    let runbook = F.runbook([F.step("one", class: .opaque), F.step("two")])
    var driver = Driver(runbook)
    driver.failures["one"] = StepFailure(.unreachable, "no reply", effect: .unknown)
    #expect(driver.carryOn() == nil)
    let parked = try outlook(driver.facts, runbook)
    #expect(parked.openQuestion?.step == "one")
    #expect(parked.openQuestion?.number == 1)
    #expect(parked.cancelRefusal == nil)
    driver.handle(.resolved("one", .applied, by: "ops", request: 7, question: 1))
    let answered = try outlook(driver.facts, runbook)
    #expect(answered.openQuestion == nil)
    #expect(answered.lastRequest == 7)
  }
}

import Testing

@testable import Runbook

/// What a drill's verdict does to the end of its run, decided without a clock.
@Suite struct DrillMachineTests {
  typealias F = MachineFixture

  private static let early = MachineFixture.start
  private static let late = MachineFixture.start + .seconds(600)

  /// A drill whose step has an undo step; what it finds when it is judged is given.
  private func driver(
    rto: Duration? = .seconds(600), rpo: Duration? = nil, after: Set<RollbackPolicy.Trigger> = [.success, .failure],
    always: [ActionStep] = [], steady: [String] = []
  ) -> Driver {
    var runbook = F.runbook(
      [F.undoable("one")], always: always, policy: RollbackPolicy(after: after, timeout: .seconds(60)))
    runbook.drill = DrillDefinition(
      rto: rto, rpo: rpo, measure: [:], before: Body(steady.map { F.step(.steadyState(0, $0), effect: .none) }),
      after: Body(
        steady.map { F.step(StepPath.steadyState(0, $0).again, effect: .none, continuesOnError: true) }))
    return Driver(runbook)
  }

  private static func moments(_ instants: [DrillMoment: Timestamp]) -> DrillMoments {
    DrillMoments(instants: instants)
  }

  private static let met = moments([.outageAt: early, .restoredAt: late, .dataAsOf: early])
  private static let missed = moments([.outageAt: early, .restoredAt: late + .milliseconds(1)])

  @Test func anObjectiveThatIsReachedToTheMillisecondIsMet() {
    var driver = driver()
    driver.moments = Self.met
    let end = driver.carryOn()
    #expect(end?.outcome == .succeeded && end?.exitCode == 0)
    #expect(end?.drill?.rto?.measured == .seconds(600))
    #expect(driver.calls == ["one", "one.undo[0]"])
  }

  @Test func aMissIsCleanedUpLikeASuccessAndEndsWithEight() {
    var driver = driver()
    driver.moments = Self.missed
    let end = driver.carryOn()
    #expect(end?.outcome == .objectiveMissed && end?.exitCode == 8 && end?.rollback == .succeeded)
    #expect(driver.calls == ["one", "one.undo[0]"])
  }

  @Test func aMissWithoutACleanUpLeavesThingsAsTheyAre() {
    var driver = driver(after: [.failure])
    driver.moments = Self.missed
    let end = driver.carryOn()
    #expect(end?.exitCode == 8 && end?.rollback == .notNeeded)
    #expect(driver.calls == ["one"])
  }

  /// 4 before 8: something is still standing.
  @Test func aCleanUpThatFailsWinsOverAMiss() {
    var driver = driver()
    driver.moments = Self.missed
    driver.failures["one.undo[0]"] = StepFailure(.server, "no", effect: .applied)
    let end = driver.carryOn()
    #expect(end?.exitCode == 4 && end?.outcome == .objectiveMissed && end?.rollback == .failed)
    // A person has the rest undone: then the miss is what is left.
    driver.handle(.measured(Self.met))
    driver.apply(.rollback(.resumed(by: "ops", request: 1)))
    driver.failures = [:]
    let second = driver.carryOn()
    #expect(second?.exitCode == 8 && second?.rollback == .succeeded)
  }

  @Test func aDrillWhoseStepsFailIsNotJudged() {
    var driver = driver()
    driver.moments = Self.met
    driver.failures["one"] = StepFailure(.server, "no", effect: .applied)
    let end = driver.carryOn()
    #expect(end?.outcome == .failed && end?.exitCode == 3 && end?.drill == nil)
    #expect(driver.machine.verdict == nil)
  }

  @Test func aCancelledDrillIsNotJudged() {
    var driver = driver()
    driver.begin()
    driver.handle(.cancelRequested(by: "ops", rollback: true, request: 1))
    driver.handle("one", .cancelled(StepFailure(.cancelled, "cancelled", effect: .none)))
    let end = driver.carryOn()
    #expect(end?.outcome == .cancelled && end?.exitCode == 5 && end?.drill == nil)
  }

  @Test func anAlwaysStepThatFailsFailsTheRunAndKeepsTheVerdict() {
    var driver = driver(always: [F.step("bell", effect: .none)])
    driver.moments = Self.missed
    driver.failures["bell"] = StepFailure(.server, "no")
    let end = driver.carryOn()
    #expect(end?.outcome == .failed && end?.drill?.isMissed == true)
  }

  @Test func whatIsNotSetIsMissedWithItsReason() {
    var driver = driver(rpo: .seconds(60))
    driver.moments = DrillMoments(instants: [.outageAt: Self.early], unset: [.restoredAt: "is null"])
    let end = driver.carryOn()
    #expect(end?.exitCode == 8)
    #expect(
      end?.drill?.rto == .init(objective: .seconds(600), measured: nil, met: false, reason: "`restored_at` is null"))
    #expect(end?.drill?.rpo?.reason == "`data_as_of` is not set")
  }

  /// A clock or an expression is wrong then, and nothing is proved.
  @Test func aTimeThatEndsBeforeItBeginsIsMissed() {
    var driver = driver(rpo: .seconds(60))
    driver.moments = Self.moments([.outageAt: Self.late, .restoredAt: Self.early, .dataAsOf: Self.late + .seconds(5)])
    let end = driver.carryOn()
    #expect(end?.drill?.rto?.met == false && end?.drill?.rto?.measured == .seconds(-600))
    #expect(end?.drill?.rto?.reason == "`restored_at` lies before `outage_at`")
    #expect(end?.drill?.rpo?.met == false && end?.drill?.rpo?.reason == "`outage_at` lies before `data_as_of`")
  }

  @Test func theSteadyStateIsDoneBeforeTheFirstStepAndAfterTheLast() {
    var driver = driver(steady: ["fit"])
    driver.moments = Self.met
    let end = driver.carryOn()
    #expect(driver.calls == ["drill.before.fit", "one", "drill.after.fit", "one.undo[0]"])
    #expect(end?.exitCode == 0 && end?.drill?.steadyState?.regained == true)
  }

  @Test func aStateThatIsNotSteadyEndsTheRunBeforeAnythingIsDone() {
    var driver = driver(steady: ["fit"])
    driver.failures["drill.before.fit"] = StepFailure(.expect, "no")
    let end = driver.carryOn()
    #expect(driver.calls == ["drill.before.fit"])
    #expect(end?.outcome == .failed && end?.exitCode == 1 && end?.rollback == .notNeeded)
  }

  @Test func aSteadyStateThatIsNotRegainedIsAMiss() {
    var driver = driver(steady: ["fit", "well"])
    driver.moments = Self.met
    driver.failures["drill.after.fit"] = StepFailure(.expect, "it limps")
    let end = driver.carryOn()
    #expect(end?.outcome == .objectiveMissed && end?.exitCode == 8)
    #expect(
      end?.drill?.steadyState == .init(regained: false, step: "drill.after.fit", reason: "expect: it limps"))
    // The others are looked at too, and what was done is undone.
    #expect(driver.calls.suffix(2) == ["drill.after.well", "one.undo[0]"])
  }

  @Test func aDrillIsRepeatedFromItsSteadyState() {
    var driver = driver(steady: ["fit"])
    driver = Driver(
      driver.machine.runbook, fromStep: "drill.before.fit")
    #expect(driver.machine.next == .begin("drill.before.fit", .do))
  }

  /// Judged once: whoever carries the run on finds the verdict, whatever would be measured now.
  @Test func aVerdictOfTheJournalIsNotGivenAgain() throws {
    var driver = driver()
    driver.moments = Self.missed
    let end = driver.carryOn()
    var machine = RunMachine(driver.machine.runbook)
    var judged = 0
    for (index, fact) in driver.facts.enumerated() {
      let entry = fact.entry(at: F.start)
      let stored = JournalEntry(sequence: Int64(index + 1), at: entry.at, epoch: 1, kind: entry.kind, body: entry.body)
      machine.apply(try Fact(stored), at: stored.at)
      if case .run(.drillJudged) = fact { judged += 1 }
      if judged > 0 { #expect(machine.next != .judge) }
      if let order = driver.orders[index + 1] { #expect(machine.next == order) }
    }
    #expect(judged == 1)
    #expect(machine.ended == end && machine.verdict == driver.machine.verdict)
  }
}

import Testing

@testable import Runbook

private typealias F = MachineFixture
private let applied = StepFailure(.exitCode, "exited with 1", effect: .applied)
private let lost = StepFailure(.unreachable, "no reply", effect: .unknown)

/// What a rollback says of a step is what has happened to it, also after people have decided about it.
@Suite struct RollbackTruthTests {
  /// `one` has two undo steps, and `two` fails.
  private func driver(_ undo: [ActionStep]) -> Driver {
    var driver = Driver(F.runbook([F.step("one", rollback: .steps(undo, undo: .started)), F.step("two")]))
    driver.failures["two"] = applied
    return driver
  }

  @Test func anUndoStepThatFailedIsTriedAgainWhenAnotherOneOfItsStepIsLeftOut() {
    var driver = driver([F.step("one.undo[0]"), F.step("one.undo[1]")])
    driver.failures["one.undo[0]"] = applied
    #expect(driver.carryOn()?.rollback == .failed)
    driver.failures["one.undo[0]"] = nil
    driver.apply(.rollback(.skipped(entry: "one.undo[1]", reason: "by hand", by: "ops", request: 1)))
    driver.apply(.rollback(.resumed(by: "ops", request: 2)))
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "one.undo[0]", "one.undo[0]"])
    #expect(end?.exitCode == 4)
    #expect(driver.machine.releasesLocks)
  }

  @Test func aRollbackWhoseUndoStepsAreAllTriedEndsAndIsNotAskedForAgain() {
    var driver = driver([F.step("one.undo[0]"), F.step("one.undo[1]")])
    driver.failures["one.undo[0]"] = applied
    _ = driver.carryOn()
    driver.apply(.rollback(.skipped(entry: "one.undo[1]", reason: "by hand", by: "ops", request: 1)))
    driver.apply(.rollback(.resumed(by: "ops", request: 2)))
    // It fails again.
    let end = driver.carryOn()
    #expect(end?.rollback == .failed)
    #expect(driver.machine.owesRollback)
  }

  @Test func noAnswerAboutTheLastAttemptSaysThatNothingHappenedInAnEarlierOne() {
    var driver = Driver(F.runbook([F.undoable("one", class: .opaque)]))
    driver.begin()
    driver.handle("one", .replyLost(lost))
    driver.handle("one", .failed(lost, retries: true, delay: .zero))
    driver.handle("one", .attemptDue(key: "k2"))
    driver.handle(.cancelRequested(by: "ops", rollback: true, request: 1))
    driver.handle("one", .cancelled(StepFailure(.cancelled, "cancelled", effect: .unknown)))
    #expect(driver.machine.next == .settle("one"))
    driver.handle("one", .settled(.notApplied))
    #expect(driver.machine.next == .begin("one.undo[0]", .undo))
    #expect(driver.machine.state(of: "one").effect == .unknown)
  }

  @Test func aStepWithOneAttemptThatWasNotAppliedIsNotUndone() {
    var driver = Driver(F.runbook([F.undoable("one", class: .opaque)]))
    driver.begin()
    driver.handle("one", .replyLost(lost))
    driver.handle("one", .unknowable(lost))
    driver.handle("one", .settled(.notApplied))
    #expect(driver.calls.isEmpty)
    #expect(driver.machine.stack.entries.first?.state == .closed(.neverHappened))
  }

  /// A key that was used before would be answered with what came of it then.
  @Test func eachAttemptOfAnUndoStepHasANumberThatNoOtherHasHad() {
    var driver = driver([F.step("one.undo[0]")])
    driver.failures["one.undo[0]"] = applied
    _ = driver.carryOn()
    var begun: [Int] = [driver.machine.state(of: "one.undo[0]").attempt]
    for request in 1...3 {
      driver.apply(.rollback(.resumed(by: "ops", request: Int64(request))))
      driver.begin()
      #expect(driver.machine.state(of: "one.undo[0]").tries == 1)
      driver.handle("one.undo[0]", .failed(applied, retries: true, delay: .zero))
      driver.handle("one.undo[0]", .attemptDue(key: "again"))
      #expect(driver.machine.state(of: "one.undo[0]").tries == 2)
      begun += [driver.machine.state(of: "one.undo[0]").attempt - 1, driver.machine.state(of: "one.undo[0]").attempt]
      driver.handle("one.undo[0]", .failed(applied, retries: false, delay: .zero))
    }
    #expect(begun == Array(1...7))
  }

  @Test func whatAPersonLeftOutToTheLastIsNoLongerPending() {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two")], always: [F.step("bell")]))
    driver.begin()
    driver.handle("one", .succeeded(outputs: [:]))
    driver.handle(.cancelRequested(by: "ops", rollback: false, request: 1))
    #expect(driver.machine.rollback == .pending)
    leaveOutDuringAlways(&driver)
  }

  @Test func whatAPersonLeftOutToTheLastIsNoLongerBlocked() {
    var driver = Driver(F.runbook([F.step("one", rollback: .irreversible)], always: [F.step("bell")]))
    driver.begin()
    driver.handle("one", .failed(applied, retries: false, delay: .zero))
    #expect(driver.machine.rollback == .blocked)
    leaveOutDuringAlways(&driver)
  }

  @Test func whatBlocksAndIsLeftOutBlocksNoLongerThoughOlderThingsAreOwed() {
    var driver = Driver(
      F.runbook([F.undoable("one"), F.step("two", rollback: .irreversible)], always: [F.step("bell")]))
    driver.begin()
    driver.handle("one", .succeeded(outputs: [:]))
    driver.begin()
    driver.handle("two", .failed(applied, retries: false, delay: .zero))
    #expect(driver.machine.rollback == .blocked)
    driver.begin()
    driver.apply(.rollback(.skipped(entry: "two", reason: "by hand", by: "ops", request: 1)))
    driver.handle("bell", .succeeded(outputs: [:]))
    #expect(driver.machine.ended?.rollback == .failed)
    #expect(driver.machine.owesRollback && !driver.machine.releasesLocks)
  }

  private func leaveOutDuringAlways(_ driver: inout Driver) {
    driver.begin()
    driver.apply(.rollback(.skipped(entry: "one", reason: "by hand", by: "ops", request: 2)))
    driver.handle("bell", .succeeded(outputs: [:]))
    #expect(driver.machine.ended?.rollback == .failed)
    #expect(driver.machine.ended?.exitCode == 4)
    #expect(driver.machine.releasesLocks)
  }

  @Test func whatCertainlyDidNothingIsNotAskedAboutWhenTheRollbackIsResumed() {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two")]))
    driver.begin()
    driver.handle(.cancelRequested(by: "ops", rollback: false, request: 1))
    driver.handle("one", .cancelled(StepFailure(.cancelled, "cancelled before its call", effect: .none)))
    #expect(driver.machine.ended?.rollback == .pending)
    driver.apply(.rollback(.resumed(by: "ops", request: 2)))
    let facts = driver.machine.followUp(at: F.start)
    #expect(facts.count > 1)
    #expect(driver.machine.ended?.rollback == .notNeeded)
    #expect(driver.machine.ended?.exitCode == 5)
  }

  @Test func aStepIsUndoneWhenOneOfItsUndoStepsSucceeded() {
    var driver = driver([F.step("one.undo[0]", undoContinuesOnError: true), F.step("one.undo[1]")])
    driver.failures["one.undo[0]"] = applied
    let end = driver.carryOn()
    #expect(end?.rollback == .succeeded)
    #expect(end?.exitCode == 3)
  }

  @Test func problemsOfTheLiveChecksDoNotOverrideACancel() {
    var runbook = F.runbook([F.undoable("one")])
    runbook.providers = [ProviderBlock(name: "cloud", type: "test", declared: nil, settings: [:])]
    var driver = Driver(runbook)
    #expect(driver.machine.next == .check)
    driver.handle(.cancelRequested(by: "ops", rollback: true, request: 1))
    driver.handle(.checked(problems: ["the token is not accepted"]))
    #expect(driver.machine.ended?.outcome == .cancelled)
    #expect(driver.machine.ended?.exitCode == 5)
  }

  @Test(
    arguments: [
      ("one", StepEvent.succeeded(outputs: [:])), ("two", .called(ActionResult())),
      ("one", .failed(applied, retries: false, delay: .zero)), ("one", .attemptDue(key: "k")),
      ("one", .settled(.unsure)),
      ("two", .skipped(.do)), ("one", .approvalTimedOut), ("one", .askTimedOut), ("nothing", .found),
    ] as [(StepPath, StepEvent)])
  func aReportThatFitsNoStateIsJournaledAndChangesNothing(_ path: StepPath, _ event: StepEvent) {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two")]))
    let facts = driver.machine.handle(path, event, at: F.start)
    #expect(facts.count == 1)
    guard case .run(.eventIgnored(_, path, let reason))? = facts.first else {
      Issue.record("it was heeded: \(facts)")
      return
    }
    #expect(!reason.isEmpty)
    #expect(driver.machine.next == .begin("one", .do))
    #expect(driver.machine.active.isEmpty)
  }
}

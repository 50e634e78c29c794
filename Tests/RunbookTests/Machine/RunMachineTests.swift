import Testing

@testable import Runbook

private typealias F = MachineFixture
private let applied = StepFailure(.exitCode, "exited with 1", effect: .applied)
private let nothing = StepFailure(.conflict, "refused", effect: .none)
private let lost = StepFailure(.unreachable, "no reply", effect: .unknown)

@Suite struct RunMachineTests {
  @Test func stepsRunInOrderAndEndWellWithNothingUndone() {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two")], always: [F.step("bell")]))
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "bell"])
    #expect(end?.exitCode == 0)
    #expect(end?.rollback == .notNeeded)
  }

  @Test func aFailureIsUndoneInReverseOrderOfStartBeforeAlways() {
    var driver = Driver(
      F.runbook(
        [F.undoable("one"), F.undoable("two"), F.undoable("three"), F.step("four")], onFailure: [F.step("look")],
        always: [F.step("bell")]))
    driver.failures["three"] = applied
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "three", "look", "three.undo[0]", "two.undo[0]", "one.undo[0]", "bell"])
    #expect(end?.outcome == .failed)
    #expect(end?.rollback == .succeeded)
    #expect(end?.exitCode == 3)
  }

  @Test func aStepThatCertainlyDidNothingIsNotUndone() {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two")]))
    driver.failures["two"] = nothing
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "one.undo[0]"])
    #expect(end?.exitCode == 3)
  }

  @Test func aFirstStepThatDidNothingLeavesNothingToUndo() {
    var driver = Driver(F.runbook([F.undoable("one")]))
    driver.failures["one"] = nothing
    let end = driver.carryOn()
    #expect(end?.exitCode == 1)
    #expect(end?.rollback == .notNeeded)
    #expect(driver.calls == ["one"])
  }

  /// How long the other side keeps a key counts from the key's first request, however often it is sent again.
  @Test func aResendDoesNotMakeItsKeyYounger() {
    var driver = Driver(F.runbook([F.step("one", class: .keyed)]))
    driver.begin()
    _ = driver.machine.handle("one", .replyLost(lost), at: F.start + .seconds(60))
    _ = driver.machine.handle("one", .resend(cleared: false), at: F.start + .seconds(120))
    #expect(driver.machine.state(of: "one").keySince == F.start)
    #expect(driver.machine.state(of: "one").intendedAt == F.start + .seconds(120))
    _ = driver.machine.handle("one", .failed(lost, retries: true, delay: .zero), at: F.start + .seconds(130))
    _ = driver.machine.handle("one", .attemptDue(key: "k2"), at: F.start + .seconds(140))
    #expect(driver.machine.state(of: "one").keySince == F.start + .seconds(140))
  }

  @Test func aLostOpaqueStepWithUndoFailsAndIsUndone() {
    var driver = Driver(F.runbook([F.undoable("one", class: .opaque)]))
    driver.failures["one"] = lost
    let end = driver.carryOn()
    #expect(driver.machine.state(of: "one").status == .unknown)
    #expect(driver.calls == ["one", "one.undo[0]"])
    #expect(end?.rollback == .succeeded)
  }

  @Test func aLostOpaqueStepWithoutUndoAsksAPerson() {
    var driver = Driver(F.runbook([F.step("one", class: .opaque), F.step("two")]))
    driver.failures["one"] = lost
    #expect(driver.carryOn() == nil)
    guard case .park("one", _) = driver.machine.next else {
      Issue.record("expected the run to be parked, not \(driver.machine.next)")
      return
    }
    #expect(driver.machine.status == "waiting")
    driver.handle(.resolved("one", .applied, by: "ops", request: 1, question: nil))
    #expect(driver.carryOn()?.exitCode == 0)
    #expect(driver.calls == ["one", "two"])
  }

  @Test(arguments: [
    (Resolution.applied, ["one", "two"], Int32(0)), (.retry, ["one", "one", "two"], 0), (.fail, ["one"], 1),
    (.notApplied, ["one"], 1),
  ])
  func theAnswerOfAPersonDecides(_ answer: Resolution, _ calls: [StepPath], _ exitCode: Int32) {
    var driver = Driver(F.runbook([F.step("one", class: .opaque), F.step("two")]))
    driver.failures["one"] = lost
    _ = driver.carryOn()
    driver.failures = [:]
    driver.handle(.resolved("one", answer, by: "ops", request: 1, question: nil))
    #expect(driver.carryOn()?.exitCode == exitCode)
    #expect(driver.calls == calls)
  }

  @Test func anUndoThatFailsStopsTheRollback() {
    var driver = Driver(
      F.runbook(
        [F.undoable("one"), F.undoable("two"), F.step("three")], onRollbackFailure: [F.step("page")],
        always: [F.step("bell")]))
    driver.failures = ["three": applied, "two.undo[0]": nothing]
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "three", "two.undo[0]", "page", "bell"])
    #expect(end?.rollback == .failed)
    #expect(end?.exitCode == 4)
    #expect(!driver.machine.releasesLocks)
  }

  @Test func aStoppedRollbackGoesOnWhereItStoppedAndEntersAlwaysOnce() {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two"), F.step("three")], always: [F.step("bell")]))
    driver.failures = ["three": applied, "two.undo[0]": nothing]
    _ = driver.carryOn()
    driver.failures = [:]
    driver.apply(.rollback(.resumed(by: "ops", request: 7)))
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "three", "two.undo[0]", "bell", "two.undo[0]", "one.undo[0]"])
    #expect(end?.rollback == .succeeded)
    #expect(end?.exitCode == 3)
  }

  @Test func aSkippedEntryIsPassedOver() {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two"), F.step("three")]))
    driver.failures = ["three": applied, "two.undo[0]": nothing]
    _ = driver.carryOn()
    driver.apply(.rollback(.skipped(entry: "two.undo[0]", reason: "done by hand", by: "ops", request: 1)))
    driver.apply(.rollback(.resumed(by: "ops", request: 2)))
    let end = driver.carryOn()
    #expect(driver.calls.last == "one.undo[0]")
    // A person left something out: a person must look.
    #expect(end?.rollback == .failed)
    #expect(end?.exitCode == 4)
  }

  @Test func onErrorContinueGoesOnToTheNextEntry() {
    let undo = F.step("two.undo[0]", undoContinuesOnError: true)
    var driver = Driver(
      F.runbook([F.undoable("one"), F.step("two", rollback: .steps([undo], undo: .started)), F.step("three")]))
    driver.failures = ["three": applied, "two.undo[0]": nothing]
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "three", "two.undo[0]", "one.undo[0]"])
    // The change of `two` was not undone: a person must look, and nothing is left that the engine could do.
    #expect(end?.rollback == .failed)
    #expect(end?.exitCode == 4)
    #expect(driver.machine.releasesLocks)
  }

  @Test func undoOnlyAfterSuccessLeavesAFailedStepAlone() {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two", scope: .succeeded)]))
    driver.failures["two"] = applied
    _ = driver.carryOn()
    #expect(driver.calls == ["one", "two", "one.undo[0]"])
  }

  @Test func anIrreversibleStepBlocksWhatIsOlder() {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two", rollback: .irreversible), F.step("three")]))
    driver.failures["three"] = applied
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "three"])
    #expect(end?.rollback == .blocked)
    #expect(end?.exitCode == 4)
  }

  @Test func anIrreversibleStepWithNothingOlderIsLeftStanding() {
    var driver = Driver(F.runbook([F.step("two", rollback: .irreversible), F.undoable("three"), F.step("four")]))
    driver.failures["four"] = applied
    let end = driver.carryOn()
    #expect(driver.calls == ["two", "three", "four", "three.undo[0]"])
    #expect(end?.rollback == .succeeded)
    #expect(driver.machine.stack.entries.first?.state == .leftStanding)
  }

  @Test func anIrreversibleStepThatDidNothingBlocksNothing() {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two", rollback: .irreversible)]))
    driver.failures["two"] = nothing
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two", "one.undo[0]"])
    #expect(end?.rollback == .succeeded)
  }

  @Test func aCommitClosesWhatIsOlder() {
    var driver = Driver(
      F.runbook([F.undoable("one"), F.step("keep", effect: .none, isCommit: true), F.undoable("two"), F.step("three")]))
    driver.failures["three"] = applied
    _ = driver.carryOn()
    #expect(driver.calls == ["one", "keep", "two", "three", "two.undo[0]"])
  }

  @Test func aBorneFailureLetsTheRunGoOn() {
    var driver = Driver(F.runbook([F.step("one", continuesOnError: true), F.step("two")]))
    driver.failures["one"] = applied
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "two"])
    #expect(end?.exitCode == 0)
  }

  @Test(arguments: [(true, RollbackOutcome.succeeded), (false, .pending)])
  func aCancelEndsWithFive(_ rollback: Bool, _ expected: RollbackOutcome) {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two")]))
    driver.begin()
    driver.handle("one", .succeeded(outputs: [:]))
    driver.handle(.cancelRequested(by: "ops", rollback: rollback, request: 1))
    let end = driver.carryOn()
    #expect(driver.calls == (rollback ? ["one.undo[0]"] : []))
    #expect(end?.outcome == .cancelled)
    #expect(end?.rollback == expected)
    #expect(end?.exitCode == 5)
  }

  @Test func aFailingAlwaysStepLetsTheOthersRunAndFailsTheRun() {
    var driver = Driver(F.runbook([F.step("one")], always: [F.step("bell"), F.step("book")]))
    driver.failures["bell"] = applied
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "bell", "book"])
    #expect(end?.outcome == .failed)
    #expect(end?.exitCode == 1)
  }

  /// Neither that it was done is known nor that it was not.
  @Test func anUndoOfUnknownOutcomeIsStillOwed() {
    var driver = Driver(F.runbook([F.undoable("one"), F.step("two")]))
    driver.failures = ["two": applied, "one.undo[0]": lost]
    let end = driver.carryOn()
    #expect(driver.machine.state(of: "one.undo[0]").status == .unknown)
    #expect(end?.rollback == .failed)
    #expect(end?.exitCode == 4)
    #expect(!driver.machine.releasesLocks)
  }

  @Test func anAlwaysStepOfUnknownOutcomeFailsTheRun() {
    var driver = Driver(F.runbook([F.step("one")], always: [F.step("bell")]))
    driver.failures["bell"] = lost
    let end = driver.carryOn()
    #expect(driver.machine.state(of: "bell").status == .unknown)
    #expect(end?.exitCode == 1)
  }

  @Test func rollbackAfterSuccessIsForDrills() {
    let policy = RollbackPolicy(after: [.success, .failure], timeout: .seconds(60))
    var driver = Driver(F.runbook([F.undoable("one")], policy: policy))
    let end = driver.carryOn()
    #expect(driver.calls == ["one", "one.undo[0]"])
    #expect(end?.exitCode == 0)
    #expect(end?.rollback == .succeeded)
  }

  /// The same facts give the same machine, at every prefix: what crash recovery stands on.
  /// Behind every transaction of the journal, because a process may have died there.
  @Test(arguments: [
    [:], ["three": applied], ["three": lost], ["two": nothing], ["three": applied, "two.undo[0]": lost],
  ])
  func replayOfEveryPrefixAsksForTheSameNextThing(_ failures: [StepPath: StepFailure]) throws {
    var driver = Driver(F.runbook([F.undoable("one"), F.undoable("two"), F.step("three")], always: [F.step("bell")]))
    driver.failures = failures
    let end = driver.carryOn()
    var machine = RunMachine(driver.machine.runbook)
    var compared = 0
    for (index, fact) in driver.facts.enumerated() {
      let entry = fact.entry(at: MachineFixture.start)
      let stored = JournalEntry(sequence: Int64(index + 1), at: entry.at, epoch: 1, kind: entry.kind, body: entry.body)
      machine.apply(try Fact(stored), at: stored.at)
      guard let order = driver.orders[index + 1] else { continue }
      compared += 1
      #expect(machine.next == order, "behind fact \(index + 1)")
    }
    #expect(compared > 5)
    #expect(machine.result.exitCode == (end ?? machine.result).exitCode)
  }
}

@testable import Runbook

/// Mistakes that a machine could have, made on what it journals, orders or says: each must be caught by the properties
/// that it breaks. A property that nothing breaks proves nothing.
enum Mutation: String, CaseIterable, Sendable {
  case forgetsQuestions, ignoresDecisions, undoesAtOnce, reopensEntries, freesLocks, forgetsEffects
  case callsEverythingUndone, callsFailedRollbackGood, endsWellAlways, entersAgain, undoesAgain, settlesWithoutEnd
  case journalsTooLittle, clearsWithEachAttempt, undoesOldestFirst, undoesPastCommit, ignoresCancel
  case undoesWithoutEffect, passesIrreversible, changesItsMind, makesNewKeys, heedsEveryWord, leavesFactsOut

  var breaks: Set<Property> {
    switch self {
    case .forgetsQuestions: [.somethingIsToBeDone]
    case .ignoresDecisions: [.aPersonCanEndIt]
    case .undoesAtOnce: [.restBeforeUndo]
    case .reopensEntries: [.closedStaysClosed]
    case .freesLocks: [.endedIsAtRest, .locksAreHeld]
    case .forgetsEffects: [.effectsAreTrue]
    case .callsEverythingUndone: [.closingWordsAreTrue]
    case .callsFailedRollbackGood: [.rollbackWordIsTrue]
    case .endsWellAlways: [.endIsTrue]
    case .entersAgain: [.everythingEnteredOnce]
    case .undoesAgain: [.doneIsNotDoneAgain]
    case .settlesWithoutEnd: [.answersHaveConsequences]
    case .journalsTooLittle: [.replayGivesTheSame, .reportIsTrue, .adviceIsAccepted]
    case .clearsWithEachAttempt: [.effectsJoin]
    case .undoesOldestFirst: [.undoneInReverse]
    case .undoesPastCommit: [.commitEndsRollback]
    case .ignoresCancel: [.cancelIsCarriedOut]
    case .undoesWithoutEffect: [.onlyEffectsAreUndone]
    case .passesIrreversible: [.irreversibleBlocks]
    case .changesItsMind: [.endedStaysEnded]
    case .makesNewKeys: [.keysAreKept]
    case .heedsEveryWord: [.foreignWordsChangeNothing]
    case .leavesFactsOut: [.nothingIsOverdue]
    }
  }

  /// The facts that are journaled instead of these, which follow from one event.
  func journaled(_ facts: [Fact], _ machine: RunMachine) -> [Fact] {
    if case .leavesFactsOut = self { return Array(facts.prefix(1)) }
    return facts.flatMap { journaled($0, machine) }
  }

  private func journaled(_ fact: Fact, _ machine: RunMachine) -> [Fact] {
    let entries = machine.stack.entries
    switch (self, fact) {
    case (.ignoresDecisions, .rollbackResumed), (.ignoresDecisions, .rollbackAbandoned),
      (.ignoresDecisions, .undoSkipped), (.settlesWithoutEnd, .undoSettled), (.ignoresCancel, .cancelRequested),
      (.undoesAgain, .undoClosed):
      return []
    case (.undoesAtOnce, .rollbackStarted):
      return [fact] + entries.filter(\.isOpen).map { .undoSettled(step: $0.step) }
    case (.reopensEntries, .runEnded):
      return [fact] + entries.filter { !$0.isOpen }.map { .undoSettled(step: $0.step) }
    case (.forgetsEffects, .stepEnded(var ended)):
      ended.effect = ended.effect.map { _ in .none }
      return [.stepEnded(ended)]
    case (.callsEverythingUndone, .undoClosed(let step, _)):
      return [.undoClosed(step: step, reason: RunMachine.Reason.undone)]
    case (.callsFailedRollbackGood, .rollbackEnded(.failed, _, _)):
      return [.rollbackEnded(outcome: .succeeded, failedStep: nil, error: nil)]
    case (.endsWellAlways, .runEnded(var end)):
      end.exitCode = 0
      return [.runEnded(end)]
    case (.entersAgain, .stepEnded(var ended)) where ended.purpose == .always,
      (.undoesAgain, .stepEnded(var ended)) where ended.purpose == .undo:
      ended.status = .pending
      return [.stepEnded(ended)]
    case (.clearsWithEachAttempt, .attemptStarted(let step, let attempt, let key, _)):
      return [.attemptStarted(step: step, attempt: attempt, key: key, cleared: true)]
    case (.passesIrreversible, .rollbackEnded(.blocked, _, _)):
      let newest = machine.stack.newestOpen.map(\.step) ?? ""
      return [.undoClosed(step: newest, reason: RunMachine.Reason.leftStanding)]
    case (.changesItsMind, .stepEnded(let ended)) where ended.purpose == .always:
      var first = ended
      first.step = machine.mainSteps.first?.path ?? ""
      first.status = .skipped
      return [fact, .stepEnded(first)]
    case (.makesNewKeys, .attemptStarted(let step, let attempt, let key, let cleared)):
      return [.attemptStarted(step: step, attempt: attempt, key: key + "x", cleared: cleared)]
    case (.heedsEveryWord, .requestIgnored(let request, _)):
      return [.cancelRequested(by: "ops", rollback: true, request: request)]
    default: return [fact]
    }
  }

  /// The facts of which others hear.
  func told(_ facts: [Fact]) -> [Fact] { self == .journalsTooLittle ? facts.dropLast() : facts }

  /// The order that is given instead.
  func ordered(_ order: SearchedOrder, _ picture: Picture, _ places: SearchedPlaces) -> SearchedOrder {
    switch (self, order) {
    case (.forgetsQuestions, .park): return .done
    case (.undoesOldestFirst, .begin(let place)) where places.all[place].purpose == .undo:
      let oldest = picture.entries.first { $0.isOpen && !places.all[Int($0.place)].undo.isEmpty }
      return .begin(oldest.map { places.all[Int($0.place)].undo[0] } ?? place)
    case (.undoesWithoutEffect, .begin(let place)) where places.all[place].purpose == .always:
      let idle = picture.entries.first { picture.leaves[Int($0.place)].effect == .none }
      return .begin(idle.flatMap { places.all[Int($0.place)].undo.first } ?? place)
    case (.undoesPastCommit, .begin(let place)) where places.all[place].purpose == .always:
      let kept = picture.entries.first { $0.state == .committed }
      return .begin(kept.flatMap { places.all[Int($0.place)].undo.first } ?? place)
    default: return order
    }
  }
}

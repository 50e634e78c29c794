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
    switch fact {
    case .run(let run): return journaled(run, machine).map { .run($0) } + added(after: fact, machine)
    case .step(let path, let step): return journaled(step).map { .step(path, $0) } + added(after: fact, machine)
    case .scope(_, .rollbackEnded(.failed, _, _)) where self == .callsFailedRollbackGood:
      return [.scope(.root, .rollbackEnded(outcome: .succeeded, failedStep: nil, error: nil))]
    case .scope(_, .rollbackEnded(.blocked, _, _)) where self == .passesIrreversible:
      return [.rollback(.closed(step: machine.stack.newestOpen?.step ?? .root, .leftStanding))]
    case .scope: return [fact] + added(after: fact, machine)
    case .rollback(let rollback): return journaled(rollback).map { .rollback($0) }
    }
  }

  private func journaled(_ fact: RunFact, _ machine: RunMachine) -> [RunFact] {
    switch (self, fact) {
    case (.ignoresCancel, .cancelRequested): return []
    case (.endsWellAlways, .ended(var end)):
      end.exitCode = 0
      return [.ended(end)]
    case (.heedsEveryWord, .requestIgnored(let request, _)):
      return [.cancelRequested(by: "ops", rollback: true, request: request)]
    default: return [fact]
    }
  }

  private func journaled(_ fact: StepFact) -> [StepFact] {
    switch (self, fact) {
    case (.forgetsEffects, .ended(var ended)):
      ended.effect = ended.effect.map { _ in .none }
      return [.ended(ended)]
    case (.entersAgain, .ended(var ended)) where ended.purpose == .always,
      (.undoesAgain, .ended(var ended)) where ended.purpose == .undo:
      ended.status = .pending
      return [.ended(ended)]
    case (.clearsWithEachAttempt, .attemptStarted(let attempt, let key, _)):
      return [.attemptStarted(attempt: attempt, key: key, cleared: true)]
    case (.makesNewKeys, .attemptStarted(let attempt, let key, let cleared)):
      return [.attemptStarted(attempt: attempt, key: key + "x", cleared: cleared)]
    default: return [fact]
    }
  }

  private func journaled(_ fact: RollbackFact) -> [RollbackFact] {
    switch (self, fact) {
    case (.ignoresDecisions, .resumed), (.ignoresDecisions, .abandoned), (.ignoresDecisions, .skipped),
      (.settlesWithoutEnd, .settled), (.undoesAgain, .closed):
      return []
    case (.callsEverythingUndone, .closed(let step, _)): return [.closed(step: step, .undone)]
    default: return [fact]
    }
  }

  /// Facts that follow a fact without a reason.
  private func added(after fact: Fact, _ machine: RunMachine) -> [Fact] {
    let entries = machine.stack.entries
    switch (self, fact) {
    case (.undoesAtOnce, .scope(_, .rollbackStarted)):
      return entries.filter(\.isOpen).map { .rollback(.settled(step: $0.step)) }
    case (.reopensEntries, .run(.ended)):
      return entries.filter { !$0.isOpen }.map { .rollback(.settled(step: $0.step)) }
    case (.changesItsMind, .step(_, .ended(var ended))) where ended.purpose == .always:
      ended.status = .skipped
      return [.step(machine.tree.root.steps.first?.path ?? .root, .ended(ended))]
    default: return []
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

@testable import Runbook

/// A sentence that holds in every state, or of every way from one state to the next.
enum Property: String, CaseIterable, Sendable {
  case somethingIsToBeDone = "some order or some question exists unless the run has ended"
  case aPersonCanEndIt = "whatever the world answers, people can bring the run to its end with its locks free"
  case restBeforeUndo = "a step has ended and is at rest before its undo begins"
  case closedStaysClosed = "a closed entry never opens again"
  case endedIsAtRest = "in a run that has ended nothing is under way, and it keeps its locks only if it owes something"
  case effectsAreTrue = "the effect that a step is said to have had is the one it had"
  case closingWordsAreTrue = "an entry is closed with the word that is true"
  case rollbackWordIsTrue = "the outcome of the rollback is what was done"
  case endIsTrue = "outcome and exit code are what happened"
  case everythingEnteredOnce = "each step of the sections is entered once, and `always` before the end of every run"
  case doneIsNotDoneAgain = "a step that has succeeded is never called again"
  case answersHaveConsequences = "an order that was answered is not the same again without a fact"
  case replayGivesTheSame = "the facts, read back from the journal, give the same state"
  case effectsJoin = "an effect falls only when its requests are known to have done nothing"
  case undoneInReverse = "undo goes in reverse order of start, and within an entry from top to bottom"
  case commitEndsRollback = "nothing that a commit closed is undone"
  case cancelIsCarriedOut = "an accepted cancel is carried out: nothing more of `steps` is called"
  case locksAreHeld = "nothing is called without the run's locks"
  case onlyEffectsAreUndone = "a step that certainly did nothing is not undone"
  case irreversibleBlocks = "nothing older is undone past a step that cannot be undone"
  case endedStaysEnded = "a step that has ended stays as it is, unless a person opens its rollback again"
  case keysAreKept = "a request is sent again with its key, and each attempt has its own"
  case reportIsTrue = "the closing words tell what stands, what was undone and what is not known"
  case adviceIsAccepted = "what the report advises would be accepted, and the other way round"
  case nothingIsOverdue = "every fact that follows from the state alone has been journaled with the facts before it"
  case foreignWordsChangeNothing = "an answer to another question, or about another step, changes nothing"
}

/// A property that does not hold, and what was seen instead of it.
struct Violation: Sendable {
  var property: Property
  var complaint: String

  init(_ property: Property, _ complaint: String) {
    self.property = property
    self.complaint = complaint
  }
}

extension [Violation] {
  mutating func note(_ property: Property, _ complaint: String?) {
    if let complaint { append(Violation(property, complaint)) }
  }
}

/// A way from one situation to the next.
struct Passage {
  let before: Situation
  let move: Move
  let after: Situation
  let facts: [Fact]

  var places: SearchedPlaces { before.places }

  /// The step that is called; nil: nothing is.
  var called: Int? {
    switch move {
    case .cancels, .decides: nil
    default: before.called
    }
  }

  /// The undo step that is begun or called.
  var undoing: Int? {
    let place: Int
    switch move {
    case .begins(let begun): place = begun
    default:
      guard let called else { return nil }
      place = called
    }
    return places.all[place].purpose == .undo ? place : nil
  }
}

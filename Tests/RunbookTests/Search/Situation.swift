@testable import Runbook

/// A state of the search: the machine, the world beside it, and the order that follows.
struct Situation: Sendable {
  let places: SearchedPlaces
  var machine: SearchedMachine
  var ledger: Ledger
  var picture: Picture
  var order: SearchedOrder

  init(_ runbook: SearchedRunbook, _ mutation: Mutation? = nil) {
    places = SearchedPlaces(runbook)
    machine = SearchedMachine(places, mutation)
    ledger = Ledger(places)
    picture = machine.picture
    order = machine.order
  }

  /// Lets something happen.
  /// - Returns: the facts that were journaled.
  mutating func play(_ move: Move) -> [Fact] {
    note(move)
    var facts: [Fact] = []
    if isByAnotherProcess(move) { facts += machine.resume() }
    if case .decides(let decision) = move {
      facts += machine.decide(decision)
      // The process that resumes a rollback goes on with it; after another decision a later process goes on.
      if order != .done || decision == .resumes { facts += machine.resume() }
    }
    for event in events(of: move) { facts += machine.handle(event) }
    picture = machine.picture
    order = machine.order
    noteAllowed(move)
    noteLocks(after: move)
    return facts
  }

  /// Nobody works on a parked run: a word about it is read by the next process.
  private func isByAnotherProcess(_ move: Move) -> Bool {
    if [.crashes, .isRestored, .acceptsRestored].contains(move) { return true }
    guard case .park = order else { return false }
    switch move {
    case .resolves, .runsOutOfTime, .cancels: return true
    default: return false
    }
  }

  /// The events that the interpreter, or a person, tells the machine.
  private func events(of move: Move) -> [SearchedEvent] {
    switch move {
    case .checks(let isGood): return [.checked(isGood: isGood)]
    case .begins(let place):
      return places.all[place].call.question == nil ? [.began(place)] : [.began(place), .asked(place)]
    case .skips(let place): return [.skipped(place)]
    case .refuses(let place): return [.refused(place)]
    case .succeeds(let place): return [.succeeded(place)]
    case .isAccepted(let place): return [.called(place)]
    case .fails(let place, let effect, let retries): return [.failed(place, effect, retries: retries)]
    case .losesReply(let place): return [.replyLost(place)]
    case .stopsAtCancel(let place, let effect): return [.cancelRequested(rollback: true), .cancelled(place, effect)]
    case .sendsAgain(let place, let cleared): return [.resend(place, cleared: cleared)]
    case .finds(let place, .done): return [.found(place), .succeeded(place)]
    case .finds(let place, .accepted): return [.found(place), .called(place)]
    case .finds(let place, let finding):
      return [.found(place), .failed(place, .applied, retries: finding == .failedAndIsRetried)]
    case .givesUp(let place, let cleared):
      let failed = SearchedEvent.failed(place, cleared ? .none : .unknown, retries: false)
      return cleared ? [.cleared(place), failed] : [failed]
    case .losesAttempt(let place, let retries): return [.failed(place, .unknown, retries: retries)]
    case .cannotTell(let place, let asks): return [.unknowable(place, asks: asks)]
    case .triesAgain(let place): return [.attemptDue(place)]
    case .comesToRest(let place, let rest):
      let settled = SearchedEvent.settled(place, didNothing: rest == .nothingHappened)
      return rest == .found ? [.found(place), settled] : [settled]
    case .neverRests(let place): return [.unsettled(place)]
    case .carriesOutCancel(let place, let effect, _): return [.cancelled(place, effect)]
    case .tells(let place): return [.told(place, question: Int(picture.leaves[place].question))]
    case .runsOutOfTime(let place):
      return places.all[place].call.question == nil ? [.askTimedOut(place)] : [.approvalTimedOut(place)]
    case .judges(let isMet): return [.measured(isMet: isMet)]
    case .evaluates: return [.outputs]
    case .cancels(let rollback): return [.cancelRequested(rollback: rollback)]
    case .resolves(let place, let answer):
      return [.resolved(place, answer, question: Int(picture.leaves[place].question))]
    case .approves(let place):
      return [.answered(place, question: Int(picture.leaves[place].question), .approves)]
    case .rejects(let place): return [.answered(place, question: Int(picture.leaves[place].question), .rejects)]
    case .isRestored: return [.restored]
    case .acceptsRestored: return [.restoredAccepted]
    case .decides, .crashes: return []
    }
  }
}

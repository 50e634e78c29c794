@testable import Runbook

/// Everything that the interpreter and people can tell the machine. Steps are numbers of `SearchedPlaces`.
enum SearchedEvent: Hashable, Sendable {
  case checked(isGood: Bool)
  case skipped(Int), refused(Int), began(Int), asked(Int), succeeded(Int), called(Int)
  case failed(Int, Effect, retries: Bool)
  case replyLost(Int), resend(Int, cleared: Bool), found(Int), cleared(Int), unknowable(Int, asks: Bool)
  case attemptDue(Int), observed(Int), cancelled(Int, Effect)
  case settled(Int, didNothing: Bool), unsettled(Int)
  case measured(isMet: Bool), outputs
  case cancelRequested(rollback: Bool)
  case resolved(Int, Resolution, question: Int)
  case answered(Int, question: Int, SearchedAnswer)
  case restored, restoredAccepted
  case approvalTimedOut(Int), askTimedOut(Int), told(Int, question: Int)
  /// Nothing has happened.
  case nothing
}

/// How a person answers the question whether a step may go on.
enum SearchedAnswer: Hashable, Sendable { case approves, rejects, byRequester, again, ofAnotherText, late }

/// A person's decision about a rollback that stopped.
enum SearchedDecision: Hashable, Sendable { case resumes, skips(Int), abandons }

/// The orders of the machine.
enum SearchedOrder: Hashable, Sendable {
  case check, awaitRestored, judge, evaluateOutputs, done
  /// No order, or more than one.
  case nothing
  case begin(Int), call(Int), reconcile(Int), retry(Int), watch(Int), tell(Int), ask(Int), park(Int), settle(Int)
}

extension SearchedOrder {
  /// The step that it is about.
  var place: Int? {
    switch self {
    case .begin(let place), .call(let place), .reconcile(let place), .retry(let place), .watch(let place),
      .tell(let place), .ask(let place), .park(let place), .settle(let place):
      place
    case .check, .awaitRestored, .judge, .evaluateOutputs, .done, .nothing: nil
    }
  }
}

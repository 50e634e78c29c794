@testable import Runbook

/// How often things may happen, so that there are finitely many states.
struct Bounds: Hashable, Sendable {
  var attempts: UInt8 = 2
  var sends: UInt8 = 2
  var questions: UInt8 = 2
  /// Things that do not go as they should, on one path.
  var surprises: UInt8 = 3
}

/// Everything that can happen in a situation: every answer to the order that the interpreter could report truthfully,
/// every word of a person, the end of the process.
struct Environment {
  /// Each with the surprises that it costs.
  private(set) var moves: [(move: Move, cost: UInt8)] = []
  let situation: Situation
  let bounds: Bounds

  init(_ situation: Situation, _ bounds: Bounds) {
    self.situation = situation
    self.bounds = bounds
    addAnswers()
    addWords()
    if situation.order != .done, isKillNews { add(.crashes, 1) }
    if situation.places.runbook.mayBeRestored, situation.order != .done, situation.order != .awaitRestored {
      add(.isRestored, 1)
    }
  }

  mutating func add(_ move: Move, _ cost: UInt8 = 0) { moves.append((move, cost)) }

  func leaf(_ place: Int) -> Picture.Leaf { situation.picture.leaves[place] }
  func deed(_ place: Int) -> Ledger.Deed { situation.ledger.deeds[place] }
  func call(_ place: Int) -> SearchedCall { situation.places.all[place].call }
  func isMain(_ place: Int) -> Bool { situation.places.all[place].purpose == .do }
  func mayBeRetried(_ place: Int) -> Bool { leaf(place).tries < bounds.attempts }
  func mayBeResent(_ place: Int) -> Bool { leaf(place).sends < bounds.sends }

  /// Nothing was done yet, so that a problem of the process (a secret that is missing) ends the run.
  private var isNew: Bool {
    situation.picture.stop == .nothing && situation.picture.leaves.allSatisfy { $0.status == .pending }
  }

  /// A second kill is like the first, unless it cuts off a call.
  private var isKillNews: Bool {
    situation.called != nil || !situation.remembersKill || !situation.picture.flags.contains(.wasResumed)
  }

  private mutating func addAnswers() {
    if let effect = situation.machine.cancelledEffect, let place = situation.order.place {
      add(.carriesOutCancel(place, effect, stillRuns: false))
      if call(place).isScript, effect == .unknown { add(.carriesOutCancel(place, effect, stillRuns: true), 1) }
      return
    }
    switch situation.order {
    case .check:
      add(.checks(isGood: true))
      add(.checks(isGood: false), 1)
    case .begin(let place):
      add(.begins(place))
      if isNew { add(.checks(isGood: false), 1) }
      add(.skips(place), 1)
      add(.refuses(place), 1)
    case .call(let place): addAnswersToCall(place)
    case .reconcile(let place): addFindings(place)
    case .retry(let place): add(.triesAgain(place))
    case .watch(let place): addLooks(place)
    case .tell(let place): add(.tells(place))
    case .ask(let place), .park(let place): add(.runsOutOfTime(place), 1)
    case .settle(let place): addRest(place)
    case .judge:
      add(.judges(isMet: true))
      add(.judges(isMet: false), 1)
    case .evaluateOutputs: add(.evaluates)
    case .awaitRestored, .done, .nothing: break
    }
  }

  private mutating func addFailures(_ place: Int, _ effect: Effect) {
    add(.fails(place, effect, retries: false), 1)
    if mayBeRetried(place) { add(.fails(place, effect, retries: true), 1) }
  }

  private mutating func addAnswersToCall(_ place: Int) {
    add(call(place).wait == .awaited ? .isAccepted(place) : .succeeds(place))
    addFailures(place, .none)
    guard situation.places.all[place].changes else { return }
    addFailures(place, .applied)
    if call(place).isIdempotent, !call(place).isScript, isMain(place) {
      addFailures(place, .unknown)
    } else {
      add(.losesReply(place), 1)
    }
    // A cancel reaches a script that runs.
    guard call(place).isScript, isMain(place), situation.picture.flags.contains(.isCancellable) else { return }
    for effect in [Effect.none, .applied, .unknown] { add(.stopsAtCancel(place, effect), 1) }
  }

  private mutating func addLooks(_ place: Int) {
    add(.succeeds(place))
    add(.fails(place, .none, retries: false), 1)
    guard situation.places.all[place].changes else { return }
    addFailures(place, .applied)
  }
}

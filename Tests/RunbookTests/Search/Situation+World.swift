@testable import Runbook

/// The consequences of a move in the simulated world.
extension Situation {
  private mutating func change(_ place: Int, _ body: (inout Ledger.Deed) -> Void) {
    guard places.all[place].changes else { return }
    body(&ledger.deeds[place])
  }

  mutating func note(_ move: Move) {
    switch move {
    case .begins(let place), .skips(let place), .refuses(let place):
      // An undo step that is tried again is a try of its own.
      ledger.deeds[place].begun = min(ledger.deeds[place].begun + 1, 7)
      (ledger.deeds[place].before, ledger.deeds[place].now) = (.no, .no)
    case .succeeds(let place):
      let isUnwatched = places.all[place].call.wait == .notAwaited
      if isCall { change(place) { $0.start(isMoving: isUnwatched) } } else { ledger.deeds[place].isMoving = false }
      ledger.deeds[place].isDone = true
    case .isAccepted(let place): change(place) { $0.start(isMoving: true) }
    case .fails(let place, let effect, _) where isCall: change(place) { $0.take(effect, isLate: true) }
    case .losesReply(let place): change(place) { $0.take(.unknown, isLate: true) }
    case .stopsAtCancel(let place, let effect):
      // A script that was stopped does nothing more.
      change(place) { $0.take(effect, isLate: false) }
      ledger.cancel = .cancel
    case .sendsAgain(let place, true), .givesUp(let place, true): change(place) { $0.clear() }
    case .finds(let place, let finding):
      let isUnwatched = places.all[place].call.wait == .notAwaited
      change(place) { $0.find(isMoving: finding == .accepted || isUnwatched) }
      if finding == .done { ledger.deeds[place].isDone = true }
    case .triesAgain(let place): change(place) { $0.beginAttempt() }
    case .losesAttempt(let place, _), .cannotTell(let place, _):
      // A local script that left no exit code is over.
      if places.all[place].call.isScript, !places.all[place].call.runsElsewhere { change(place) { $0.late = 0 } }
    case .comesToRest(let place, let rest): comeToRest(place, rest)
    case .carriesOutCancel(let place, _, let stillRuns):
      if places.all[place].call.isScript, !stillRuns { change(place) { $0.late = 0 } }
    case .cancels(let rollback): ledger.cancel = rollback ? .cancel : .cancelWithoutRollback
    case .resolves(let place, .applied): change(place) { $0.find() }
    case .resolves(let place, .notApplied) where places.all[place].purpose == .do: change(place) { $0.clear() }
    case .decides(.skips(let place)): ledger.deeds[place].isLeftOut = true
    case .decides(.abandons): ledger.isAbandoned = true
    case .crashes, .isRestored: if let place = called { change(place) { $0.take(.unknown, isLate: true) } }
    default: break
    }
  }

  private var isCall: Bool { called != nil }

  /// The step whose call the process makes now.
  var called: Int? {
    guard case .call(let place) = order, machine.cancelledEffect == nil else { return nil }
    return place
  }

  /// A step that asks has done its part once it is allowed.
  mutating func noteAllowed(_ move: Move) {
    switch move {
    case .approves(let place), .runsOutOfTime(let place):
      if picture.leaves[place].status == .succeeded { ledger.deeds[place].isDone = true }
    default: break
    }
  }

  /// That another process has carried the run on matters to a cancel, and to nothing else.
  var remembersKill: Bool {
    if picture.flags.contains(.isCancellable) { return true }
    return ledger.cancel != .nothing && picture.active >= 0 && places.all[Int(picture.active)].purpose == .do
  }

  /// It was waited for until nothing of it can arrive or run any more.
  private mutating func comeToRest(_ place: Int, _ rest: Move.Rest) {
    let isFoundInTheWorld = places.all[place].call.isFoundInTheWorld
    change(place) { deed in
      switch rest {
      case .found: deed.find()
      case .nothingHappened:
        deed.now = .no
        if isFoundInTheWorld { deed.before = .no }
      case .unsure: break
      }
      deed.late = 0
      deed.isMoving = false
    }
  }

  /// Locks are given back in the transaction that ends the run, unless something is owed; a person who leaves something
  /// out keeps them.
  mutating func noteLocks(after move: Move) {
    if case .decides(.skips) = move { return }
    if picture.end != nil, picture.flags.contains(.releasesLocks) { ledger.holdsLocks = false }
  }
}

extension Ledger.Deed {
  mutating func beginAttempt() {
    before = happened
    now = .no
  }

  /// - Parameter isLate: without an answer it may still arrive.
  mutating func take(_ effect: Effect, isLate: Bool) {
    switch effect {
    case .none: break
    case .applied: now = .yes
    case .unknown:
      now = max(now, .maybe)
      if isLate { late = min(late + 1, 3) }
    }
  }

  mutating func start(isMoving: Bool) {
    now = .yes
    self.isMoving = isMoving
  }

  /// A request without an answer has taken effect.
  mutating func find(isMoving: Bool = false) {
    if isMoving { self.isMoving = true }
    if now != .no { now = .yes } else { before = .yes }
    if late > 0 { late -= 1 }
  }

  /// None of the attempt has, and none can any more.
  mutating func clear() {
    now = .no
    late = 0
  }
}

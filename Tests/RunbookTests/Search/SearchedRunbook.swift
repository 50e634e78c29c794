@testable import Runbook

/// The call of a step, as far as machine and interpreter tell calls apart.
struct SearchedCall: Hashable, Sendable {
  /// The wait that follows the call.
  enum Wait: Hashable, Sendable {
    case nothing
    /// The change that the call started is waited for.
    case awaited
    /// `wait: false`: the change that the call started is not waited for.
    case notAwaited
    /// The call itself is repeated until it holds (`wait_for`).
    case polled
  }

  /// The answer that counts when nobody answers an `approve` in time.
  enum Question: Hashable, Sendable { case rejectedAfterItsTime, allowedAfterItsTime }

  var word: String
  var effect = ActionEffect.change
  var effectClass = EffectClass.convergent
  var isScript = false
  /// The script runs on another machine, so that its end may stay unseen.
  var runsElsewhere = false
  var isIdempotent = false
  var wait = Wait.nothing
  var question: Question?
  var isCommit = false

  /// Its changes are found by looking at the world, whichever request made them; a script is found by its attempt.
  var isFoundInTheWorld: Bool { effectClass == .convergent || effectClass == .findable || effectClass == .keyed }
}

/// A step of `steps` in a searched runbook.
struct SearchedStep: Hashable, Sendable {
  enum Rollback: Hashable, Sendable {
    case none, irreversible
    case steps([SearchedUndo], onlyAfterSuccess: Bool)
  }

  var call: SearchedCall
  var rollback = Rollback.none
  var continuesOnError = false
  var onCrash: OnCrash?
}

/// One undo step of a step.
struct SearchedUndo: Hashable, Sendable {
  var call: SearchedCall
  var continuesOnError = false
}

/// A runbook of the search: small, and one of each kind of thing.
struct SearchedRunbook: Hashable, Sendable {
  var steps: [SearchedStep]
  var onFailure = 0
  var onRollbackFailure = 0
  var always = 0
  var after: Set<RollbackPolicy.Trigger> = RollbackPolicy.standard.after
  /// The steps of `always` change something.
  var alwaysChanges = false
  /// `on_waiting` tells people of each question.
  var tells = false
  /// It has a provider, so live checks come first.
  var isChecked = false
  /// The store is put back from an older copy on the way.
  var mayBeRestored = false
  /// It is a drill, which is judged after its last step.
  var isDrill = false

  static let ids = ["one", "two", "three", "four"]
  /// Steps of the sections around the rollback: they read or tell, and change nothing.
  static let diagnostic = SearchedCall(word: "look", effect: .none)
  static let cleanUp = SearchedCall(word: "send", effectClass: .opaque)
}

/// Every step of a runbook by its number, in the order: steps, each before its undo steps, then the sections.
final class SearchedPlaces: Sendable {
  struct Place: Sendable {
    var path: String
    var purpose: Purpose
    var call: SearchedCall
    /// The step that an undo step belongs to.
    var owner: Int?
    /// A failure of it ends nothing.
    var continuesOnError = false
    /// Its undo steps, in their order.
    var undo: [Int] = []
    var rollback = SearchedStep.Rollback.none

    /// Its requests may change the world.
    var changes: Bool { call.effect != .none }
    var hasEntry: Bool { rollback != .none }
  }

  let runbook: SearchedRunbook
  let all: [Place]
  let main: [Int]
  let always: [Int]
  let sections: [Int]
  private let numbers: [String: Int]

  init(_ runbook: SearchedRunbook) {
    self.runbook = runbook
    var all: [Place] = []
    for (id, step) in zip(SearchedRunbook.ids, runbook.steps) {
      let owner = all.count
      all.append(
        Place(
          path: id, purpose: .do, call: step.call, continuesOnError: step.continuesOnError, rollback: step.rollback))
      guard case .steps(let undo, _) = step.rollback else { continue }
      for (index, undo) in undo.enumerated() {
        all[owner].undo.append(all.count)
        all.append(
          Place(
            path: "\(id).undo[\(index)]", purpose: .undo, call: undo.call, owner: owner,
            continuesOnError: undo.continuesOnError))
      }
    }
    let sections: [(Purpose, Int)] = [
      (.onFailure, runbook.onFailure), (.onRollbackFailure, runbook.onRollbackFailure), (.always, runbook.always),
    ]
    for (purpose, count) in sections {
      let changes = purpose == .always && runbook.alwaysChanges
      let call = changes ? SearchedRunbook.cleanUp : SearchedRunbook.diagnostic
      for index in 0..<count {
        all.append(Place(path: "\(purpose.rawValue)[\(index)]", purpose: purpose, call: call))
      }
    }
    self.all = all
    main = all.indices.filter { all[$0].purpose == .do }
    always = all.indices.filter { all[$0].purpose == .always }
    self.sections = all.indices.filter { all[$0].purpose != .do && all[$0].purpose != .undo }
    numbers = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.path, $0) })
  }

  func number(of path: String) -> Int { numbers[path] ?? -1 }
}

@testable import Runbook

/// One thing that can happen to a run: an answer of the world to the machine's order, a word of a person, or the end of
/// the process.
enum Move: Hashable, Sendable {
  /// How a lost request is found.
  enum Finding: UInt8, Sendable { case done, accepted, failed, failedAndIsRetried }
  /// How a step comes to rest before its undo.
  enum Rest: UInt8, Sendable { case found, nothingHappened, unsure }

  case checks(isGood: Bool)
  case begins(Int), skips(Int), refuses(Int)
  case succeeds(Int), isAccepted(Int), fails(Int, Effect, retries: Bool), losesReply(Int)
  case stopsAtCancel(Int, Effect)
  case sendsAgain(Int, cleared: Bool), finds(Int, Finding), givesUp(Int, cleared: Bool)
  case losesAttempt(Int, retries: Bool)
  case cannotTell(Int, asks: Bool)
  case triesAgain(Int)
  case comesToRest(Int, Rest), neverRests(Int)
  case carriesOutCancel(Int, Effect, stillRuns: Bool)
  case tells(Int), runsOutOfTime(Int)
  case judges(isMet: Bool), evaluates

  case cancels(rollback: Bool)
  case resolves(Int, Resolution), approves(Int), rejects(Int)
  case decides(SearchedDecision)

  case crashes
  /// The store is put back from a copy that holds as much, and a person says that the run may go on.
  case isRestored, acceptsRestored

  /// The maker of a move. The world may do its worst; people do the thing that helps.
  enum Maker: UInt8, Sendable { case world, person, process }
  var maker: Maker {
    switch self {
    case .cancels, .resolves, .approves, .rejects, .decides, .acceptsRestored: .person
    case .crashes, .isRestored: .process
    default: .world
    }
  }
}

extension Move {
  /// In words, for the path to a bad state.
  func words(_ places: SearchedPlaces) -> String {
    func name(_ place: Int) -> String { "`\(places.all[place].path)`" }
    switch self {
    case .checks(let isGood): return "the live checks \(isGood ? "find no problem" : "find a problem")"
    case .begins(let place): return "\(name(place)) is begun"
    case .skips(let place): return "the condition of \(name(place)) is false"
    case .refuses(let place): return "\(name(place)) fails before its intent"
    case .succeeds(let place): return "\(name(place)) succeeds"
    case .isAccepted(let place): return "the call of \(name(place)) succeeds, and what it started is waited for"
    case .fails(let place, let effect, let retries):
      return "\(name(place)) fails, effect \(effect.rawValue)\(retries ? ", and is retried" : "")"
    case .losesReply(let place): return "the reply of \(name(place)) is lost"
    case .stopsAtCancel(let place, let effect):
      return "a cancel stops the running \(name(place)), effect \(effect.rawValue)"
    case .sendsAgain(let place, let cleared):
      return
        "\(name(place)) is sent again, \(cleared ? "after nothing was found" : "though the first may still arrive")"
    case .finds(let place, let finding): return "the lost request of \(name(place)) is found: \(finding)"
    case .givesUp(let place, let cleared):
      return "\(name(place)) is not sent again\(cleared ? ": nothing was found" : ": nobody knows what it did")"
    case .losesAttempt(let place, let retries):
      return "the attempt of \(name(place)) counts as failed, effect unknown\(retries ? ", and is retried" : "")"
    case .cannotTell(let place, _): return "nothing tells what became of \(name(place))"
    case .triesAgain(let place): return "the next attempt of \(name(place)) begins"
    case .comesToRest(let place, let rest): return "\(name(place)) comes to rest before its undo: \(rest)"
    case .neverRests(let place): return "\(name(place)) does not come to rest before its undo"
    case .carriesOutCancel(let place, let effect, let stillRuns):
      return "the cancel ends \(name(place)), effect \(effect.rawValue)\(stillRuns ? "; it may still run" : "")"
    case .tells(let place): return "people are told of the question about \(name(place))"
    case .runsOutOfTime(let place): return "nobody answers the question about \(name(place)) in time"
    case .judges(let isMet): return "the drill \(isMet ? "meets" : "misses") its objective"
    case .evaluates: return "the outputs are evaluated"
    case .cancels(let rollback): return "a person cancels, \(rollback ? "with" : "without") rollback"
    case .resolves(let place, let answer): return "a person says about \(name(place)): \(answer.rawValue)"
    case .approves(let place): return "a person approves \(name(place))"
    case .rejects(let place): return "a person rejects \(name(place))"
    case .decides(.resumes): return "a person resumes the rollback"
    case .decides(.skips(let place)): return "a person leaves out \(name(place)) of the rollback"
    case .decides(.abandons): return "a person abandons the rollback"
    case .isRestored: return "the store is put back from a copy"
    case .acceptsRestored: return "a person says that the run may go on"
    case .crashes: return "the process is killed, and another carries the run on"
    }
  }
}

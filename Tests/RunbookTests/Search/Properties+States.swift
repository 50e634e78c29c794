@testable import Runbook

/// Properties of a state. Each returns a complaint; nil: it holds.
extension Situation {
  var violations: [Violation] {
    var list: [Violation] = []
    list.note(.somethingIsToBeDone, somethingIsToBeDone())
    list.note(.endedIsAtRest, endedIsAtRest())
    list.note(.effectsAreTrue, effectsAreTrue())
    list.note(.closingWordsAreTrue, closingWordsAreTrue())
    list.note(.rollbackWordIsTrue, rollbackWordIsTrue())
    list.note(.endIsTrue, endIsTrue())
    list.note(.everythingEnteredOnce, everythingEnteredOnce())
    list.note(.cancelIsCarriedOut, cancelIsCarriedOut())
    return list
  }

  func name(_ place: Int) -> String { "`\(places.all[place].path)`" }

  func somethingIsToBeDone() -> String? {
    if order == .awaitRestored, picture.flags.contains(.isRestored) { return nil }
    if (order == .done) != (picture.end != nil) { return "the order is \(order), and the end \(picture.end as Any)" }
    guard let place = order.place else { return nil }
    guard places.all.indices.contains(place) else { return "the order names no step" }
    let isAsking = [.parked, .asking].contains(picture.leaves[place].progress)
    switch order {
    case .ask, .park, .tell: return isAsking && Int(picture.active) == place ? nil : "there is no question"
    default: return nil
    }
  }

  func endedIsAtRest() -> String? {
    guard let end = picture.end else { return nil }
    if picture.active >= 0 { return "\(name(Int(picture.active))) is under way" }
    for (place, leaf) in picture.leaves.enumerated() where leaf.status == .started {
      return "\(name(place)) is under way"
    }
    let owes = picture.entries.contains(where: \.isOpen) && [.failed, .blocked, .pending].contains(end.rollback)
    if ledger.holdsLocks, !owes, !picture.flags.contains(.isDecidedSinceEnd) {
      return "it keeps its locks, and owes nothing"
    }
    return owes && !ledger.holdsLocks ? "its locks are free, and its rollback is owed" : nil
  }

  func effectsAreTrue() -> String? {
    for place in picture.leaves.indices {
      let leaf = picture.leaves[place]
      guard leaf.status.isEnded, places.all[place].changes else { continue }
      let deed = ledger.deeds[place]
      switch leaf.effect {
      case .none where deed.happened != .no: return "\(name(place)) is said to have done nothing: \(deed)"
      case .none where deed.late > 0 && places.all[place].purpose != .undo:
        return "\(name(place)) is said to have done nothing, and may still act"
      case .applied where deed.happened != .yes: return "\(name(place)) is said to have taken effect: \(deed)"
      default: break
      }
      if leaf.status == .succeeded, !deed.isDone { return "\(name(place)) is said to have succeeded" }
    }
    return nil
  }

  func cancelIsCarriedOut() -> String? {
    guard ledger.cancel != .nothing, let place = order.place, places.all[place].purpose == .do else { return nil }
    if case .settle = order { return nil }
    return machine.cancelledEffect == nil ? "the run is being cancelled, and the order is \(orderInWords)" : nil
  }

  func everythingEnteredOnce() -> String? {
    for place in places.main + places.sections where ledger.deeds[place].begun > 1 {
      return "\(name(place)) was entered \(ledger.deeds[place].begun) times"
    }
    guard picture.end != nil else { return nil }
    for place in places.always where ledger.deeds[place].begun != 1 { return "\(name(place)) was not entered" }
    return nil
  }
}

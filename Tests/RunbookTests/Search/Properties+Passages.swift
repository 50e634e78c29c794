@testable import Runbook

/// Properties of a way from one state to the next. Each returns a complaint; nil: it holds.
extension Passage {
  var violations: [Violation] {
    var list: [Violation] = []
    if undoing != nil {
      list.note(.restBeforeUndo, restBeforeUndo())
      list.note(.undoneInReverse, undoneInReverse())
      list.note(.commitEndsRollback, commitEndsRollback())
      list.note(.onlyEffectsAreUndone, onlyEffectsAreUndone())
      list.note(.irreversibleBlocks, irreversibleBlocks())
    }
    list.note(.closedStaysClosed, closedStaysClosed())
    list.note(.doneIsNotDoneAgain, doneIsNotDoneAgain())
    list.note(.answersHaveConsequences, answersHaveConsequences())
    list.note(.effectsJoin, effectsJoin())
    list.note(.cancelIsCarriedOut, cancelIsCarriedOut())
    list.note(.locksAreHeld, locksAreHeld())
    list.note(.endedStaysEnded, endedStaysEnded())
    list.note(.keysAreKept, keysAreKept())
    return list
  }

  private func name(_ place: Int) -> String { "`\(places.all[place].path)`" }

  private var owner: (undo: Int, step: Int)? {
    guard let undoing, let owner = places.all[undoing].owner else { return nil }
    return (undoing, owner)
  }

  func restBeforeUndo() -> String? {
    guard let (undo, step) = owner else { return nil }
    if !before.picture.leaves[step].status.isEnded { return "\(name(undo)) begins, and \(name(step)) has not ended" }
    if !before.ledger.deeds[step].isAtRest {
      return "\(name(undo)) begins while \(name(step)) may still act: \(before.ledger.deeds[step])"
    }
    guard let entry = before.picture.entry(of: step), entry.isOpen else {
      return "\(name(undo)) begins, and the entry of \(name(step)) is not open"
    }
    return nil
  }

  func closedStaysClosed() -> String? {
    for index in before.picture.entries.indices where index < after.picture.entries.count {
      let (old, new) = (before.picture.entries[index], after.picture.entries[index])
      guard !old.isOpen, new.isOpen else { continue }
      return "the entry of \(name(Int(old.place))) was `\(old.state)` and is `\(new.state)`"
    }
    return nil
  }

  func doneIsNotDoneAgain() -> String? {
    guard let called, before.ledger.deeds[called].isDone else { return nil }
    return "\(name(called)) has succeeded, and is called again"
  }

  func answersHaveConsequences() -> String? {
    guard move.maker == .world, facts.isEmpty || before.picture == after.picture else { return nil }
    return "the order \(before.order) was answered, and follows again"
  }

  func effectsJoin() -> String? {
    switch move {
    case .sendsAgain(_, true), .givesUp(_, true), .resolves(_, .notApplied): return nil
    default: break
    }
    for place in places.all.indices {
      let (old, new) = (before.picture.leaves[place].effect, after.picture.leaves[place].effect)
      guard new != old, new != new.joined(old), !isReopened(place) else { continue }
      return "the effect of \(name(place)) was \(old.rawValue) and is \(new.rawValue)"
    }
    return nil
  }

  /// A person has an undo step that failed tried again, or leaves it out.
  private func isReopened(_ place: Int) -> Bool {
    guard places.all[place].purpose == .undo, case .decides = move else { return false }
    return true
  }

  func undoneInReverse() -> String? {
    guard let (undo, step) = owner else { return nil }
    let entries = before.picture.entries
    if entries.map(\.place) != entries.map(\.place).sorted() { return "entries are not in the order of start" }
    if let newer = entries.last(where: \.isOpen), Int(newer.place) != step {
      return "\(name(undo)) begins, and \(name(Int(newer.place))), which started later, is still to be undone"
    }
    for earlier in places.all[step].undo where earlier < undo && !before.picture.leaves[earlier].status.isEnded {
      return "\(name(undo)) begins before \(name(earlier))"
    }
    return nil
  }

  func commitEndsRollback() -> String? {
    guard let (undo, step) = owner else { return nil }
    for main in places.main where main > step && places.all[main].call.isCommit {
      if before.ledger.deeds[main].isDone { return "\(name(undo)) begins, and \(name(main)) has closed it" }
    }
    return nil
  }

  func cancelIsCarriedOut() -> String? {
    if before.ledger.cancel == .nothing, after.ledger.cancel != .nothing, after.picture.stop != after.ledger.cancel {
      return "the cancel could be made, and the run is not being cancelled"
    }
    guard before.ledger.cancel != .nothing, let place = called ?? begun, places.all[place].purpose == .do else {
      return nil
    }
    return "\(name(place)) is begun or called after a cancel"
  }

  private var begun: Int? { if case .begins(let place) = move { place } else { nil } }

  func locksAreHeld() -> String? {
    guard let called, !before.ledger.holdsLocks else { return nil }
    return "\(name(called)) is called, and the locks are free"
  }

  func onlyEffectsAreUndone() -> String? {
    guard let (undo, step) = owner, before.picture.leaves[step].effect == .none else { return nil }
    return "\(name(undo)) begins, and \(name(step)) had no effect"
  }

  func irreversibleBlocks() -> String? {
    guard let (undo, step) = owner else { return nil }
    for entry in before.picture.entries where Int(entry.place) > step {
      let place = Int(entry.place)
      guard places.all[place].rollback == .irreversible, before.ledger.deeds[place].happened != .no else { continue }
      if entry.state == .leftStanding { return "\(name(undo)) begins, and \(name(place)) is left standing" }
    }
    return nil
  }

  func endedStaysEnded() -> String? {
    for place in places.all.indices {
      let (old, new) = (before.picture.leaves[place].status, after.picture.leaves[place].status)
      guard old != new, old.isEnded, !isReopened(place) else { continue }
      return "\(name(place)) was \(old.rawValue) and is \(new.rawValue)"
    }
    if before.picture.end != nil, before.picture.end != after.picture.end {
      if case .decides = move { return nil }
      return "the run had ended, and ends again"
    }
    return nil
  }

  func keysAreKept() -> String? {
    switch move {
    case .sendsAgain(let place, _):
      let (old, new) = (before.picture.leaves[place], after.picture.leaves[place])
      return old.key == new.key && old.attempt == new.attempt ? nil : "\(name(place)) has another key"
    case .triesAgain(let place), .begins(let place):
      let leaf = after.picture.leaves[place]
      return leaf.key == leaf.attempt ? nil : "\(name(place)) has the key of another attempt"
    default: return nil
    }
  }
}

@testable import Runbook

/// Properties of the words in which a rollback and a run end.
extension Situation {
  func closingWordsAreTrue() -> String? {
    for entry in picture.entries where !entry.isOpen {
      let place = Int(entry.place)
      if let wrong = wrongClosing(entry.state, place) { return "\(name(place)) is `\(entry.state)`: \(wrong)" }
    }
    return nil
  }

  private func wrongClosing(_ state: Picture.Entry.State, _ place: Int) -> String? {
    let deed = ledger.deeds[place]
    let undo = places.all[place].undo
    func isDone(_ undo: Int) -> Bool { ledger.deeds[undo].isDone }
    switch state {
    case .open, .settled, .failed: return nil
    case .undone:
      if let missing = undo.first(where: { !isDone($0) && !isExcused($0) }) { return "\(name(missing)) was not done" }
      if undo.contains(where: isDone) { return nil }
      return undo.allSatisfy { picture.leaves[$0].status == .skipped }
        ? "all its undo steps were skipped" : "its undo steps failed"
    case .leftStanding:
      return places.all[place].rollback == .irreversible ? nil : "it could be undone"
    case .neverHappened: return deed.happened == .no && deed.late == 0 ? nil : "\(deed)"
    case .committed:
      let commits = places.main.filter { $0 > place && places.all[$0].call.isCommit }
      return commits.contains(where: isDone) ? nil : "there was no commit"
    case .onlyAfterSuccess:
      guard case .steps(_, true) = places.all[place].rollback, !deed.isDone else { return "it succeeded" }
      return nil
    case .conditionFalse:
      return undo.allSatisfy { picture.leaves[$0].status == .skipped } ? nil : "an undo step was begun"
    case .leftOut: return undo.contains { ledger.deeds[$0].isLeftOut } ? nil : "nobody left anything out"
    case .undoFailed:
      if let owed = undo.first(where: { isDone($0) || !isExcused($0) }) { return "\(name(owed)) decides otherwise" }
      return undo.contains { picture.leaves[$0].status != .skipped } ? nil : "none of its undo steps was begun"
    case .skipped: return deed.isLeftOut ? nil : "nobody left it out"
    case .abandoned: return ledger.isAbandoned ? nil : "nobody gave it up"
    }
  }

  /// An undo step that need not be done.
  private func isExcused(_ undo: Int) -> Bool {
    ledger.deeds[undo].isLeftOut || picture.leaves[undo].status == .skipped || places.all[undo].continuesOnError
  }

  func rollbackWordIsTrue() -> String? {
    guard let end = picture.end, !picture.flags.contains(.isDecidedSinceEnd) else { return nil }
    let open = picture.entries.filter(\.isOpen)
    let wasUndone = places.all.indices.contains { places.all[$0].purpose == .undo && ledger.deeds[$0].isDone }
    switch end.rollback {
    case .succeeded:
      if let first = open.first { return "the rollback has succeeded, and \(name(Int(first.place))) is still owed" }
      let left = picture.entries.first { [.skipped, .leftOut, .abandoned].contains($0.state) }
      if let left { return "the rollback has succeeded, and \(name(Int(left.place))) was left out" }
      return wasUndone ? nil : "the rollback has succeeded, and nothing was undone"
    case .notNeeded:
      if wasUndone { return "no rollback was needed, and something was undone" }
      let isGood = picture.stop == .nothing || picture.stop == .refused
      return open.isEmpty || isGood ? nil : "no rollback was needed, and something is owed"
    case .failed:
      let isReason = !open.isEmpty || picture.flags.contains(.isLeftOut)
      return isReason || picture.entries.contains { $0.state == .undoFailed }
        ? nil : "nothing of the rollback has failed"
    case .blocked:
      guard let newest = open.last, places.all[Int(newest.place)].rollback == .irreversible else {
        return "nothing blocks the rollback"
      }
      return nil
    case .pending:
      return picture.stop == .cancelWithoutRollback && !open.isEmpty ? nil : "the rollback is pending without a reason"
    case .none: return wasUndone ? "no rollback was asked for, and something was undone" : nil
    }
  }

  func endIsTrue() -> String? {
    guard let end = picture.end else { return nil }
    let failed = places.main.first {
      picture.leaves[$0].status.isEnded && !picture.leaves[$0].status.isDone && !places.all[$0].continuesOnError
    }
    let missing = places.main.first { !picture.leaves[$0].status.isEnded }
    let isCancelled = ledger.cancel != .nothing
    switch end.outcome {
    case .succeeded, .objectiveMissed:
      if let failed { return "the run has succeeded, and \(name(failed)) has not" }
      if let missing { return "the run has succeeded, and \(name(missing)) was not run" }
      if isCancelled { return "the run has succeeded, and was cancelled" }
      let left = places.always.first { !picture.leaves[$0].status.isDone }
      if let left { return "the run has succeeded, and \(name(left)) has not" }
    case .failed:
      if isCancelled { return "the run has failed, and was cancelled" }
      let isStopped = failed != nil || picture.stop == .refused || picture.flags.contains(.alwaysFailed)
      if !isStopped { return "the run has failed, and no step has" }
    case .cancelled: if !isCancelled { return "nobody has cancelled the run" }
    }
    // A decision that a person makes afterwards shows when the run ends again.
    return picture.flags.contains(.isDecidedSinceEnd) ? nil : wrongCode(end)
  }

  private func wrongCode(_ end: Picture.End) -> String? {
    let isLeft = picture.flags.contains(.isLeftOut) || ledger.isAbandoned
    let needsPerson = end.rollback == .failed || end.rollback == .blocked || isLeft
    let expected: UInt8 =
      switch end.outcome {
      case _ where needsPerson: 4
      case .cancelled: 5
      case .failed: end.rollback == .succeeded ? 3 : 1
      case .objectiveMissed: 8
      case .succeeded: 0
      }
    return end.exitCode == expected ? nil : "the exit code is \(end.exitCode) and should be \(expected): \(end)"
  }
}

@testable import Runbook

/// A situation with the report that people read about it.
struct ToldSituation {
  let situation: Situation
  let report: SearchedReport

  private var places: SearchedPlaces { situation.places }
  private var ledger: Ledger { situation.ledger }
  private var picture: Picture { situation.picture }

  /// - Parameter facts: the whole journal.
  init(_ situation: Situation, _ facts: [Fact]) {
    self.situation = situation
    report = situation.machine.report(of: facts)
  }

  var violations: [Violation] {
    var list: [Violation] = []
    list.note(.reportIsTrue, wrongEnd() ?? wrongHeadline())
    list.note(.adviceIsAccepted, refusedAdvice())
    return list
  }

  /// The end, and the changes that are said to stand or to be undone, against the ledger.
  private func wrongEnd() -> String? {
    guard let end = picture.end else { return nil }
    if report.exitCode != Int64(end.exitCode) || report.rollback != end.rollback.rawValue {
      return "the report says exit \(report.exitCode as Any), rollback \(report.rollback as Any): \(end)"
    }
    for place in places.main where places.all[place].changes && ledger.deeds[place].begun > 0 {
      if let wrong = wrongState(of: place) { return "`\(places.all[place].path)` \(wrong): \(ledger.deeds[place])" }
    }
    return nil
  }

  private func wrongState(of place: Int) -> String? {
    let path = places.all[place].path
    let deed = ledger.deeds[place]
    let undo = places.all[place].undo
    let isUndone = undo.contains { ledger.deeds[$0].isDone }
    if report.undone.contains(path) {
      let isMissing = undo.contains { !ledger.deeds[$0].isDone && picture.leaves[$0].status != .skipped }
      return isUndone && !isMissing ? nil : "is told to be undone"
    }
    if report.undoneInPart.contains(path) { return isUndone ? nil : "is told to be undone in part" }
    if report.standing.contains(path) { return deed.happened == .yes ? nil : "is told to stand" }
    let others = [report.unknown, report.conditionFalse, report.notUndone, report.leftOut]
    if others.contains(where: { $0.contains(path) }) { return nil }
    return deed.happened == .no && deed.late == 0 ? nil : "is not told of"
  }

  /// "everything it changed was undone", "it had changed nothing"
  private func wrongHeadline() -> String? {
    guard picture.end != nil else { return nil }
    for place in places.main where ledger.deeds[place].happened != .no {
      let path = places.all[place].path
      let isUndone = picture.entry(of: place)?.state == .undone
      if report.headline.contains("everything it changed was undone"), !isUndone {
        return "\(report.headline) And `\(path)` was not"
      }
      if report.headline.contains("it had changed nothing") {
        return "\(report.headline) And `\(path)` had: \(ledger.deeds[place])"
      }
    }
    return nil
  }

  /// The commands that the report offers, against the commands that would be accepted.
  private func refusedAdvice() -> String? {
    let flags = picture.flags
    if report.hasEnded != (picture.end != nil) { return "the report says that the run has ended: \(report.hasEnded)" }
    if report.canResumeRollback != flags.contains(.canResumeRollback) {
      return "the report says of `rollback resume`: \(report.canResumeRollback)"
    }
    if flags.contains(.canResumeRollback) {
      let skippable = Set(situation.machine.skippable.map { places.all[$0].path })
      if report.skippable != skippable { return "the report offers to skip \(report.skippable), not \(skippable)" }
    }
    if !report.hasEnded, report.canCancel, !flags.contains(.isCancellable) {
      return "the report offers a cancel that would be refused"
    }
    let asked = [.parked, .asking].contains(activeProgress) ? places.all[Int(picture.active)].path : nil
    if report.waitingStep != asked { return "the report says that \(report.waitingStep as Any) waits" }
    if asked != nil, report.question != Int64(picture.questions) { return "the question has another number" }
    return nil
  }

  private var activeProgress: Picture.Progress {
    picture.active < 0 ? .calling : picture.leaves[Int(picture.active)].progress
  }
}

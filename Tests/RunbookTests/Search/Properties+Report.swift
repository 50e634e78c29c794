@testable import Runbook

/// A situation with the report that people read about it.
struct ToldSituation {
  let situation: Situation
  let report: RunReport

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
    list.note(.reportIsTrue, wrongStanding() ?? wrongHeadline())
    list.note(.adviceIsAccepted, refusedAdvice())
    return list
  }

  /// The changes that are said to stand or to be undone, against the ledger.
  private func wrongStanding() -> String? {
    guard let end = picture.end else { return nil }
    if report.exitCode != Int64(end.exitCode) || report.rollback != end.rollback.rawValue {
      return "the report says exit \(report.exitCode as Any), rollback \(report.rollback as Any): \(end)"
    }
    let standing = Standing(report)
    for place in places.main where places.all[place].changes && ledger.deeds[place].begun > 0 {
      let path = places.all[place].path
      let deed = ledger.deeds[place]
      let undo = places.all[place].undo
      let isUndone = undo.contains { ledger.deeds[$0].isDone }
      if standing.undone.contains(path) {
        let missing = undo.first { !ledger.deeds[$0].isDone && picture.leaves[$0].status != .skipped }
        if !isUndone || missing != nil { return "`\(path)` is told to be undone" }
      } else if standing.undoneInPart.contains(path) {
        if !isUndone { return "`\(path)` is told to be undone in part" }
      } else if standing.standing.contains(where: { $0.path == path }) {
        if deed.happened != .yes { return "`\(path)` is told to stand: \(deed)" }
      } else if !standing.unknown.contains(path), !standing.conditionFalse.contains(path),
        !standing.notUndone.contains(where: { $0.step == path }), !standing.leftOut.contains(where: { $0.step == path })
      {
        if deed.happened != .no || deed.late > 0 { return "nothing is told of `\(path)`: \(deed)" }
      }
    }
    return nil
  }

  /// "everything it changed was undone", "it had changed nothing"
  private func wrongHeadline() -> String? {
    guard picture.end != nil, let line = ClosingWords.lines(for: report).first else { return nil }
    let words = line.plain
    for place in places.main where ledger.deeds[place].happened != .no {
      let path = places.all[place].path
      let isUndone = picture.entry(of: place)?.state == .undone
      if words.contains("everything it changed was undone"), !isUndone { return "\(words) And `\(path)` was not" }
      if words.contains("it had changed nothing") { return "\(words) And `\(path)` had: \(ledger.deeds[place])" }
    }
    return nil
  }

  /// The commands that the report offers, against the commands that would be accepted.
  private func refusedAdvice() -> String? {
    let flags = picture.flags
    if (report.status == "ended") != (picture.end != nil) { return "the report says that the run is \(report.status)" }
    if report.canResumeRollback != flags.contains(.canResumeRollback) {
      return "the report says of `rollback resume`: \(report.canResumeRollback)"
    }
    if flags.contains(.canResumeRollback) {
      let skippable = Set(situation.machine.skippable.map { places.all[$0].path })
      if Set(report.skippable) != skippable { return "the report offers to skip \(report.skippable), not \(skippable)" }
    }
    if report.status != "ended", report.canCancel, !flags.contains(.isCancellable) {
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

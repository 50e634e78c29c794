// A run that counts as failed because iterations failed, and went on after them.
extension ClosingWords {
  /// `2 of 40 iterations of `wave` failed and were undone; the rest stands`
  static func borne(_ report: RunReport, _ standing: Standing) -> String {
    let loops = report.borneLoops
    var parts = loops.map { words(for: $0, report, standing) }
    let hasRest = loops.contains { ($0.holds?.succeeded ?? 0) > 0 }
    if hasRest, standing.standing.contains(where: { !report.isInFailedIteration($0.path) }) {
      parts.append("the rest stands")
    }
    return parts.joined(separator: "; ")
  }

  private static func words(for loop: StepReport, _ report: RunReport, _ standing: Standing) -> String {
    guard let holds = loop.holds else { return "" }
    let name = "`\(DisplayText.escaped(loop.path, limit: 100))`"
    let isAll = holds.failed == holds.items.count
    let who =
      isAll && holds.failed > 1
      ? "all \(holds.failed) iterations of \(name)"
      : "\(holds.failed) of \(RunWords.count(Int64(holds.items.count), "iteration", "iterations")) of \(name)"
    let verb = holds.failed == 1 ? "was" : "were"
    if holds.undone >= holds.failed { return "\(who) failed and \(verb) undone" }
    // What they did and nobody has undone: kept on purpose, or because the policy of the file says so.
    let prefix = loop.path + "["
    let stands = standing.standing.map(\.path) + standing.unknown + standing.notUndone.map(\.step)
    let isLeft = stands.contains { $0.hasPrefix(prefix) && report.isInFailedIteration($0) }
    if holds.undone > 0 {
      let others = holds.failed - holds.undone
      let rest =
        isLeft
        ? "the changes of \(others == 1 ? "one was" : "\(others) were") not"
        : "\(others == 1 ? "one" : String(others)) had nothing to undo"
      return "\(who) failed; \(holds.undone) \(holds.undone == 1 ? "was" : "were") undone, \(rest)"
    }
    let whose = holds.failed == 1 ? "its" : "their"
    return "\(who) failed" + (isLeft ? ", and \(whose) changes stand" : " and had nothing to undo")
  }
}

extension RunReport {
  /// It failed by itself, and not because of a step in it, which is told.
  public func isOwnFailure(_ step: StepReport) -> Bool {
    guard step.isHolder, let index = stepIndex[step.path] else { return true }
    return cause(of: index) == index
  }

  /// Its failure ends nothing, as far as the file tells: its author bears it, or that of something around it, or some
  /// iterations of a loop around it may fail.
  public func isBorne(_ step: StepReport) -> Bool {
    guard let index = stepIndex[step.path] else { return false }
    return ([index] + around(index)).contains { position in
      let around = steps[position]
      return plan.borne.contains(around.template)
        || around.holds.map { $0.isLoop && $0.maxFailures >= max(1, $0.failed) } ?? false
    }
  }
}

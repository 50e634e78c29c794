/// A step that needs a server in a state in which an earlier step has certainly not left it.
extension Validation {
  /// A file with steps that could not be read is not judged: one of them may be what is missing.
  func power(_ runbook: ValidatedRunbook) {
    guard !hasUnreadableSteps else { return }
    for finding in PowerFollowing(runbook).findings { report(finding) }
  }

  private func report(_ finding: PowerFollowing.Finding) {
    let action = finding.step.action
    let type = finding.act.server?.type ?? ""
    var message = "`\(action.name)` on \(type) needs a server that \(Validation.needed(finding.act, action)), but "
    message += Validation.causes(finding.known)
    if let doubt = finding.doubt { message += ", unless \(doubt.text) changes that" }
    let isCertain = finding.doubt == nil && !finding.isBearable
    sink.report(
      Diagnostic(
        isCertain ? .state : .warnState, isCertain || context.isStrict ? .error : .warning,
        at: actionPlaces[finding.step.path] ?? finding.step.range,
        message, hint: advice(finding, type),
        related: finding.known.makers.values.map { $0.range }.min { $0.start < $1.start }
          ?? finding.known.narrowedBy?.range))
  }

  private static func needed(_ act: PowerAct, _ action: ActionDeclaration) -> String {
    CapabilityTable.needsText(action).map { "is \($0)" } ?? "exists"
  }

  /// "`stop` (line 12) leaves it stopped"; for what no step has brought about: what could only be done so.
  private static func causes(_ known: PowerKnowledge) -> String {
    var causes = PowerState.allCases.compactMap { state in
      known.makers[state].map { mark in
        state == .absent ? "\(mark.text) has deleted it" : "\(mark.text) leaves it \(state.rawValue)"
      }
    }
    let rest = known.possible.subtracting(known.makers.keys)
    if !rest.isEmpty, let mark = known.narrowedBy {
      causes.append("\(mark.text) can only be done when it is \(CapabilityTable.stateText(rest))")
    }
    return causes.joined(separator: ", and ")
  }

  /// What an author can do: an action of the same cloud that brings the server where it has to be, or another order.
  private func advice(_ finding: PowerFollowing.Finding, _ type: String) -> String {
    let earlier = finding.known.makers.values.min { $0.range.start < $1.range.start } ?? finding.known.narrowedBy
    let name = earlier.map { "`\($0.name)`" } ?? "it"
    let way = CapabilityTable.way(
      to: finding.act.needs, from: finding.known.possible, among: catalog.providers[type]?.actions ?? [])
    guard let way else { return "move the step before \(name)" }
    return "put `action: \(way)` before it, or move the step before \(name)"
  }
}

/// A drill's verdict in words: what was measured, the objective beside it, and by how much it was missed.
struct DrillReport {
  struct Line: Equatable {
    var label: String
    var isGood: Bool
    var text: String
  }

  /// Lines for the closing words; empty for what is no drill.
  static func lines(_ report: RunReport) -> [Line] {
    guard let verdict = report.drill else {
      guard report.isDrill, report.status == .ended else { return [] }
      return [Line(label: "drill", isGood: false, text: "not judged: its steps did not come to their end")]
    }
    return lines(verdict)
  }

  /// `RTO 12m3s, objective 30m: met; RPO 27h, objective 26h: missed by 1h`, for a line of a log.
  static func sentence(_ verdict: DrillVerdict?) -> String? {
    guard let verdict else { return nil }
    return lines(verdict).map { "\($0.label) \($0.text)" }.joined(separator: "; ")
  }

  private static func lines(_ verdict: DrillVerdict) -> [Line] {
    var lines: [Line] = []
    if let rto = verdict.rto { lines.append(line("RTO", rto)) }
    if let rpo = verdict.rpo { lines.append(line("RPO", rpo)) }
    if let state = verdict.steadyState {
      let place = state.step.map { ": \(DisplayText.escaped($0, limit: 100))" } ?? ""
      let why = state.reason.map { ": \(DisplayText.escaped($0, limit: 300))" } ?? ""
      lines.append(
        Line(
          label: "steady state", isGood: state.regained,
          text: state.regained ? "regained" : "not regained\(place)\(why)"))
    }
    return lines
  }

  private static func line(_ label: String, _ judged: DrillVerdict.Objective) -> Line {
    let objective = "objective \(shown(judged.objective))"
    let why = judged.reason.map { "; \(DisplayText.escaped($0, limit: 300))" } ?? ""
    guard let measured = judged.measured else {
      return Line(label: label, isGood: false, text: "not measured, \(objective): missed\(why)")
    }
    if judged.met { return Line(label: label, isGood: true, text: "\(shown(measured)), \(objective): met") }
    let excess = measured - judged.objective
    let by = judged.reason == nil ? " by \(shown(excess))" : ""
    return Line(label: label, isGood: false, text: "\(shown(measured)), \(objective): missed\(by)\(why)")
  }

  /// Rounded to the second from a minute on; in hours up to three days, as people speak of it: `26h`.
  static func shown(_ duration: Duration) -> String {
    guard duration >= .seconds(60) else { return duration.exactText }
    let seconds = (duration.milliseconds + 500) / 1000
    guard (86_400..<3 * 86_400).contains(seconds) else { return Duration.seconds(seconds).text }
    let rest = seconds % 3600
    return "\(seconds / 3600)h" + (rest == 0 ? "" : Duration.seconds(rest).text)
  }
}

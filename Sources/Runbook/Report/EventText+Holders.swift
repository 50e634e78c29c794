// Lines about steps that hold others.
extension EventText {
  func holderWords(_ event: RunEvent) -> String? {
    guard let path = event.fields["step"]?.string, let step = report.step(path) else { return nil }
    let subject = DisplayText.escaped(path, limit: 100)
    switch event.event {
    case "scope.started": return "\(subject) … \(RunWords.beginning(of: step, item: report.item(of: step)))\(title(of: step))"
    case "scope.rescuing":
      let failed = step.holds?.rescuedFrom?.value["step"]?.string.map { "`\(DisplayText.escaped($0, limit: 100))`" }
      return "\(subject) … \(failed ?? "a step in it") failed, and its `rescue` begins"
    default:
      var text = "\(subject) … \(RunWords.end(of: step))"
      if isVerbose, let outputs = step.outputs.map, !outputs.isEmpty {
        text += " \(DisplayText.line(step.outputs, limit: 1000))"
      }
      return text
    }
  }

  /// The undoing of one iteration by itself.
  func iterationWords(_ path: String, _ event: RunEvent) -> String? {
    let subject = DisplayText.escaped(path, limit: 100)
    guard event.event == "rollback.ended" else {
      let failed = report.step(path)?.error?.value["step"]?.string ?? path
      return "\(subject) … undoing this iteration: `\(DisplayText.escaped(failed, limit: 100))` failed"
    }
    switch event.fields["outcome"]?.string {
    case "succeeded": return "\(subject) … this iteration is undone"
    case "not_needed": return isVerbose ? "\(subject) … this iteration had nothing to undo" : nil
    default:
      let why = RunWords.failure(event.fields["error"]).map { ": \($0)" } ?? ""
      let place = event.fields["failed_step"]?.string.map { " at `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
      return "\(subject) … this iteration could not be undone\(place)\(why)"
    }
  }
}

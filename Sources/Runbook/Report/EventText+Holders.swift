// Lines about steps that hold others.
extension EventText {
  func holderWords(_ event: RunEvent) -> String? {
    guard let path = event.fields["step"]?.string, let step = report.step(path) else { return nil }
    let subject = DisplayText.escaped(path, limit: 100)
    switch event.event {
    case "scope.started":
      return "\(subject) … \(RunWords.beginning(of: step, item: report.item(of: step)))\(title(of: step))"
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
}

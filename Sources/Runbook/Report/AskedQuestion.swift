/// What a run asks people, as it is shown.
public struct AskedQuestion: Sendable, Equatable {
  /// The step that waits for the answer; nil in journals that do not name it.
  public var step: String?
  public var number: Int64
  /// What is asked, if the step asks for an approval; nil for a question about a lost outcome.
  public var approval: ApprovalReport?
}

extension RunReport {
  mutating func park(_ fields: [String: Value]) {
    status = .known(.waiting)
    let path = fields["step"]?.string
    questions = max(questions < .max ? questions + 1 : questions, fields["question"]?.int ?? 0)
    asked.removeAll { $0.step == path }
    let question = AskedQuestion(step: path, number: questions, approval: ApprovalReport(fields))
    asked.append(question)
    guard question.approval == nil, let path, let index = stepIndex[path] else { return }
    steps[index].status = .known(.unknown)
    steps[index].error = ReportedError(fields["error"])
  }

  mutating func noteAnswer(_ event: RunEvent) {
    guard let path = event.fields["step"]?.string, let by = event.fields["by"]?.string,
      event.event == "step.approved"
    else { return }
    for index in asked.indices where asked[index].step == path { asked[index].approval?.approvedBy.append(by) }
    if let index = stepIndex[path] { steps[index].approvedBy.append(by) }
  }

  /// The question is answered.
  /// - Parameter path: nil in journals that do not name the step.
  mutating func unpark(_ path: String?) {
    forgetQuestion(about: path)
    guard let path, let index = stepIndex[path], steps[index].status == .unknown else { return }
    steps[index].status = .known(.started)
    steps[index].error = nil
  }

  /// It is asked no longer.
  mutating func forgetQuestion(about path: String?) {
    if let path { asked.removeAll { $0.step == path } } else { asked = [] }
    guard asked.isEmpty, status == .waiting else { return }
    status = .known(rollbackReason == nil ? .running : .rollingBack)
  }
}

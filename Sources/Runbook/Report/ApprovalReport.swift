/// A question whether a step may go on, as it is shown.
public struct ApprovalReport: Sendable, Equatable {
  public var step: String
  public var prompt: String
  /// Names what is shown; `runbook approve --seen` takes it.
  public var digest: String
  public var until: Timestamp?
  /// How many people must approve.
  public var minimum: Int64
  /// Who has approved it so far.
  public var approvedBy: [String] = []

  /// - Parameter fields: of `run.waiting`; nil for a run that waits for something else.
  init?(_ fields: [String: Value]) {
    guard fields["for"]?.string == ApprovalQuestion.waitsFor, let step = fields["step"]?.string else { return nil }
    self.step = step
    prompt = fields["prompt"]?.string ?? ""
    digest = fields["digest"]?.string ?? ""
    until = RunReport.instant(fields["until"])
    minimum = fields["min"]?.int ?? 1
  }

  /// The whole question, line by line.
  public var lines: [String] {
    var lines = prompt.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    while lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { DisplayText.escaped(String($0)) }
  }

  /// ` (1 of 2 have approved)`; nothing where one is enough.
  var progress: String {
    minimum > 1 ? " (\(approvedBy.count) of \(minimum) have approved)" : ""
  }

  var json: Value {
    [
      "step": .string(step), "for": "approval", "prompt": .string(prompt), "digest": .string(digest),
      "until": until.map { .timestamp($0) } ?? .null, "min": .int(minimum),
      "approved_by": .list(approvedBy.map { .string($0) }),
    ]
  }
}

extension RunEvent {
  /// The public event of a journal entry; nil for entries that are only the engine's.
  public init?(_ entry: JournalEntry, runID: String) {
    guard case .map(let body)? = try? JSONReader.read(entry.body) else { return nil }
    self.init(kind: entry.kind, body: body, runID: runID, sequence: entry.sequence, at: entry.at)
  }

  init?(_ fact: Fact, _ secrets: SecretCoder = .none, runID: String, sequence: Int64, at instant: Timestamp) {
    let (kind, fields) = fact.fields(secrets)
    self.init(kind: kind, body: fields, runID: runID, sequence: sequence, at: instant)
  }

  init?(kind: String, body: [String: Value], runID: String, sequence: Int64, at instant: Timestamp) {
    guard kind != "run.pinned" else { return nil }
    self.init(
      event: kind, runID: runID, sequence: sequence, at: instant, fields: body.filter { !$0.key.hasPrefix("_") })
  }
}

extension RunControl.Message {
  /// A request row of the store; nil for kinds this release does not know.
  public init?(_ request: RunRequest) {
    guard let body = try? JSONReader.read(request.body) else { return nil }
    switch request.kind {
    case "cancel":
      self = .cancel(
        by: request.requester, rollback: body["rollback"]?.bool ?? true, request: request.id,
        restored: body["restored"]?.bool ?? false)
    case "resolve":
      guard let step = (body["step"]?.string).map({ StepPath($0) }),
        let answer = body["answer"]?.string.flatMap({ Resolution(rawValue: $0) })
      else { return nil }
      let question = body["question"]?.int.flatMap { Int(exactly: $0) }
      self = .resolve(step: step, answer, by: request.requester, request: request.id, question: question)
    default:
      guard let answer = ApprovalAnswer(request, body) else { return nil }
      self = .answer(answer)
    }
  }
}

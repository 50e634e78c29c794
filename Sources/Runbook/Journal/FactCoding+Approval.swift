extension ApprovalQuestion {
  /// What a run waits for, in the field `for` of `run.waiting`.
  static let waitsFor = "approval"

  var coded: (kind: String, fields: [String: Value?]) {
    (
      "run.waiting",
      [
        "for": .string(ApprovalQuestion.waitsFor), "step": .string(step), "question": .int(Int64(number)),
        "prompt": .string(prompt), "digest": .string(digest), "until": .timestamp(until),
        "on_timeout": .string(onTimeout.rawValue), "allow_requester": .bool(allowsRequester),
        "approvers": approvers.isEmpty ? nil : .list(approvers.map { .string($0) }), "min": .int(Int64(minimum)),
      ]
    )
  }

  init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      step: try fields.text("step"), number: try fields.number("question"), prompt: try fields.text("prompt"),
      until: try fields.instant("until"), onTimeout: try fields.word("on_timeout", TimeoutAnswer.self),
      allowsRequester: fields.body["allow_requester"]?.bool ?? false,
      approvers: fields.body["approvers"]?.list?.compactMap { $0.string } ?? [], minimum: try fields.number("min"))
  }
}

extension ApprovalAnswer {
  var coded: (kind: String, fields: [String: Value?]) {
    (
      isApproval ? "step.approved" : "step.rejected",
      [
        "step": .string(step), "question": .int(Int64(question)), "digest": .string(digest), "by": .string(by),
        "comment": comment.isEmpty ? nil : .string(comment), "answered_at": .timestamp(at), "_request": .int(request),
      ]
    )
  }

  init(_ entry: JournalEntry, _ fields: Fields) throws(StoreFailure) {
    self.init(
      step: try fields.text("step"), question: try fields.number("question"), digest: try fields.text("digest"),
      isApproval: entry.kind == "step.approved", by: try fields.text("by"),
      comment: fields.optionalText("comment") ?? "", at: try fields.instant("answered_at"),
      request: try fields.int("_request"))
  }
}

extension Fields {
  fileprivate func number(_ name: String) throws(StoreFailure) -> Int {
    guard let number = Int(exactly: try int(name)) else { throw Fields.damage(entry, "`\(name)` is out of range") }
    return number
  }
}

extension StepFact {
  func coded(_ path: StepPath) -> CodedFact {
    let step = Value.string(path.text)
    switch self {
    case .started(let started): return started.coded(path)
    case .attemptStarted(let attempt, let key, let cleared):
      return (
        "attempt.started",
        ["step": step, "attempt": .int(Int64(attempt)), "_key": .string(key), "_cleared": cleared ? true : nil]
      )
    case .requestFound: return ("request.found", ["step": step])
    case .requestCleared: return ("request.cleared", ["step": step])
    case .scriptAdopted: return ("script.adopted", ["step": step])
    case .attemptEnded(let ended):
      return (
        "attempt.ended",
        [
          "step": step, "attempt": .int(Int64(ended.attempt)), "error": ended.error?.value,
          "retry_at": ended.retryAt.map { .timestamp($0) }, "_result": ended.result.coded,
        ]
      )
    case .waiting(let nativeState, let until, let deadline, let result):
      return (
        "step.waiting",
        [
          "step": step, "native_state": ifAny(nativeState), "until": .string(until),
          "deadline": .timestamp(deadline), "_result": result?.coded,
        ]
      )
    case .ended(let ended): return ended.coded(path)
    case .parked(let until, let error, let question):
      return (
        "run.waiting",
        [
          "for": "resolve", "step": step, "until": .timestamp(until), "error": error?.value,
          "question": .int(Int64(question)),
        ]
      )
    case .resolved(let answer, let by, let request):
      return (
        "step.resolved",
        ["step": step, "answer": .string(answer.rawValue), "by": .string(by), "_request": .int(request)]
      )
    case .approvalAsked(let question): return question.coded
    case .approvalAnswered(let answer): return answer.coded
    }
  }

  /// nil for an entry of another group.
  static func read(_ fields: Fields) throws(StoreFailure) -> (StepPath, StepFact)? {
    switch fields.entry.kind {
    case "step.started", "undo.started": (try fields.path(), .started(try StepStarted(fields)))
    case "attempt.started":
      (
        try fields.step(),
        .attemptStarted(
          attempt: fields.attempt, key: try fields.text("_key"), cleared: fields.body["_cleared"]?.bool ?? false)
      )
    case "request.found": (try fields.step(), .requestFound)
    case "request.cleared": (try fields.step(), .requestCleared)
    case "script.adopted": (try fields.step(), .scriptAdopted)
    case "attempt.ended":
      (
        try fields.step(),
        .attemptEnded(
          AttemptEnded(
            attempt: fields.attempt, error: fields.error, result: ActionResult(coded: fields.body["_result"]),
            retryAt: fields.optionalInstant("retry_at")))
      )
    case "step.waiting":
      (
        try fields.step(),
        .waiting(
          nativeState: fields.optionalText("native_state"), until: try fields.text("until"),
          deadline: try fields.instant("deadline"), result: fields.body["_result"].map { ActionResult(coded: $0) })
      )
    case "step.ended", "undo.ended": (try fields.path(), .ended(try StepEnded(fields)))
    case "run.waiting" where fields.optionalText("for") == ApprovalQuestion.waitsFor:
      (try fields.step(), .approvalAsked(try ApprovalQuestion(fields)))
    case "run.waiting":
      // An earlier release did not number its questions.
      (
        try fields.step(),
        .parked(
          until: try fields.instant("until"), error: fields.error,
          question: fields.body["question"]?.int.flatMap { Int(exactly: $0) } ?? 0)
      )
    case "step.resolved":
      (
        try fields.step(),
        .resolved(
          answer: try fields.word("answer", Resolution.self), by: try fields.text("by"),
          request: try fields.int("_request"))
      )
    case "step.approved", "step.rejected": (try fields.step(), .approvalAnswered(try ApprovalAnswer(fields)))
    default: nil
    }
  }
}

extension StepStarted {
  /// The name under which `with` holds a script's variables.
  static let environment = "_env"

  fileprivate func coded(_ path: StepPath) -> CodedFact {
    var arguments = with
    let environment = arguments.removeValue(forKey: StepStarted.environment)
    var fields: [String: Value?] = [
      "title": .string(title), "action": .string(action), "class": .string(effectClass.rawValue),
      "effect": .string(effect.rawValue), "purpose": .string(purpose.rawValue), "attempt": 1, "_key": .string(key),
      "_digest": digest.isEmpty ? nil : .string(digest), "with": arguments.isEmpty ? nil : .map(arguments),
      "_env": environment, "_once": keepsArguments ? true : nil, "_place": ifAny(scriptPlace),
      "_before": before.isEmpty ? nil : .map(before), "deadline": .timestamp(deadline), "_wait": isWait ? true : nil,
    ]
    return (write(path, purpose, to: &fields) ? "undo.started" : "step.started", fields)
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    var with = fields.map("with")
    with[StepStarted.environment] = fields.body["_env"]
    self.init(
      purpose: try fields.word("purpose", Purpose.self), title: try fields.text("title"),
      action: try fields.text("action"), effectClass: try fields.word("class", EffectClass.self),
      effect: try fields.word("effect", ActionEffect.self), key: try fields.text("_key"),
      digest: fields.optionalText("_digest") ?? "", with: with, keepsArguments: fields.body["_once"]?.bool ?? false,
      scriptPlace: fields.optionalText("_place"), before: fields.map("_before"),
      deadline: try fields.instant("deadline"), isWait: fields.body["_wait"]?.bool ?? false)
  }
}

extension StepEnded {
  fileprivate func coded(_ path: StepPath) -> CodedFact {
    var fields: [String: Value?] = [
      "purpose": .string(purpose.rawValue), "status": .string(status.rawValue), "attempts": .int(Int64(attempt)),
      "outputs": outputs.isEmpty ? nil : .map(outputs), "error": error?.value,
      "_effect": effect.map { .string($0.rawValue) },
    ]
    return (write(path, purpose, to: &fields) ? "undo.ended" : "step.ended", fields)
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      purpose: try fields.word("purpose", Purpose.self), status: try fields.word("status", StepStatus.self),
      attempt: fields.attempt, outputs: fields.map("outputs"), error: fields.error,
      effect: fields.optionalText("_effect").flatMap { StepFailure.Effect(rawValue: $0) })
  }
}

/// Writes the path: for an undo step the step it undoes as `step` and itself as `entry`.
/// - Returns: whether it is an undo step.
private func write(_ path: StepPath, _ purpose: Purpose, to fields: inout [String: Value?]) -> Bool {
  guard purpose == .undo else {
    fields["step"] = .string(path.text)
    return false
  }
  fields["step"] = .string(path.owner.text)
  fields["entry"] = .string(path.text)
  return true
}

extension ApprovalQuestion {
  /// What a run waits for, in the field `for` of `run.waiting`.
  static let waitsFor = "approval"

  fileprivate var coded: CodedFact {
    (
      "run.waiting",
      [
        "for": .string(ApprovalQuestion.waitsFor), "step": .string(step.text), "question": .int(Int64(number)),
        "prompt": .string(prompt), "digest": .string(digest), "until": .timestamp(until),
        "on_timeout": .string(onTimeout.rawValue), "allow_requester": .bool(allowsRequester),
        "approvers": ifAny(approvers), "min": .int(Int64(minimum)),
      ]
    )
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      step: try fields.step(), number: try fields.number("question"), prompt: try fields.text("prompt"),
      until: try fields.instant("until"), onTimeout: try fields.word("on_timeout", TimeoutAnswer.self),
      allowsRequester: fields.body["allow_requester"]?.bool ?? false, approvers: fields.texts("approvers"),
      minimum: try fields.number("min"))
  }
}

extension ApprovalAnswer {
  fileprivate var coded: CodedFact {
    (
      isApproval ? "step.approved" : "step.rejected",
      [
        "step": .string(step.text), "question": .int(Int64(question)), "digest": .string(digest), "by": .string(by),
        "comment": comment.isEmpty ? nil : .string(comment), "answered_at": .timestamp(at), "_request": .int(request),
      ]
    )
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      step: try fields.step(), question: try fields.number("question"), digest: try fields.text("digest"),
      isApproval: fields.entry.kind == "step.approved", by: try fields.text("by"),
      comment: fields.optionalText("comment") ?? "", at: try fields.instant("answered_at"),
      request: try fields.int("_request"))
  }
}

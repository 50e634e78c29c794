public import Runbook

/// Approves or rejects the step of a run that waits for an approval.
public struct DecideApproval: Sendable {
  public var run: RunSummary
  /// nil: the one step that asks.
  public var step: String?
  public var isApproval: Bool
  public var comment: String
  /// The digest of the question that the person was shown; nil: any question is answered.
  public var seen: String?
  private let context: OperationContext

  public init(
    _ run: RunSummary, step: String?, isApproval: Bool, comment: String, seen: String?, _ context: OperationContext
  ) {
    self.run = run
    self.step = step
    self.isApproval = isApproval
    self.comment = comment
    self.seen = seen
    self.context = context
  }

  public struct Outcome: Sendable, Equatable {
    public var question: ApprovalQuestion
    /// The owner of the run has read the answer, and acts on it.
    public var isHeeded: Bool
    /// A process works on the run.
    public var isLive: Bool
  }

  /// - Parameter isWaiting: called once, if the owner does not answer within three seconds.
  /// - Throws: `ended`, `unreadable`, `restored`, `noApproval`, `severalApprovals`, `notSeen`, `notAllowed`,
  ///   `answerTooLate`, `answered`, `answerIgnored`, `store`.
  public func give(isWaiting: () -> Void) async throws(OperationRefusal) -> Outcome {
    let outlook = try await context.openOutlook(of: run)
    if outlook.isRestored { throw .restored(run: run.id) }
    let question = try question(outlook)
    if let seen, seen != question.digest { throw .notSeen(shown: seen, question) }
    let answer = ApprovalAnswer(
      step: question.step, question: question.number, digest: question.digest, isApproval: isApproval,
      by: context.requester, comment: comment, at: outlook.clock(context.clock).now, request: 0)
    if let reason = outlook.refusal(of: answer) {
      throw answer.at > question.until ? .answerTooLate(run: run.id, reason: reason) : .notAllowed(reason: reason)
    }
    switch try await post(answer, to: question, outlook) {
    case .refused(let earlier): throw .answered(run: run.id, earlier, isLive: await context.isLive(run.id))
    case .posted(let number):
      let said = try await context.answer(to: number, of: run.id, after: outlook.lastSequence, isWaiting: isWaiting)
      try await check(said, question, number)
      return Outcome(question: question, isHeeded: said == .heeded, isLive: await context.isLive(run.id))
    }
  }

  private func post(
    _ answer: ApprovalAnswer, to question: ApprovalQuestion, _ outlook: RunOutlook
  ) async throws(OperationRefusal) -> PostedRequest {
    let kind = isApproval ? ApprovalAnswer.approval : ApprovalAnswer.rejection
    let (heeded, canBeCancelled) = (outlook.lastRequest, outlook.cancelRefusal == nil)
    return try await context.post(kind, answer.message, to: run.id) { earlier in
      guard earlier.id > heeded else { return false }
      if case .cancel? = RunControl.Message(earlier) { return canBeCancelled }
      return DecideApproval.isInTheWay(earlier, of: answer, question)
    }
  }

  /// One answer a question; where several people must approve, one a person, and none after a rejection.
  private static func isInTheWay(
    _ earlier: RunRequest, of answer: ApprovalAnswer, _ question: ApprovalQuestion
  ) -> Bool {
    guard earlier.answers(question: question.number) else { return false }
    return question.minimum <= 1 || earlier.requester == answer.by || earlier.kind == ApprovalAnswer.rejection
  }

  /// The step must be named if several ask, unless the digest says which of their questions is meant.
  private func question(_ outlook: RunOutlook) throws(OperationRefusal) -> ApprovalQuestion {
    let open = outlook.openApprovals
    if let step {
      guard let question = open.first(where: { $0.step.text == step }) else {
        throw .noApproval(run: run.id, step: step, open: outlook.open)
      }
      return question
    }
    let seen = open.filter { $0.digest == self.seen }
    guard let question = seen.count == 1 ? seen.first : open.first else {
      throw .noApproval(run: run.id, step: nil, open: outlook.open)
    }
    if open.count > 1, seen.count != 1 { throw .severalApprovals(run: run.id, steps: open.map(\.step.text)) }
    return question
  }

  private func check(
    _ said: OwnerAnswer, _ question: ApprovalQuestion, _ number: Int64
  ) async throws(OperationRefusal) {
    switch said {
    case .heeded: break
    case .ignored(let reason):
      throw .answerIgnored(run: run.id, about: .approval(step: question.step.text), reason: reason)
    case .silent:
      // The run asks no longer, and its owner has not read the answer: it never will.
      if let later = try await context.outlook(of: run.id), later.lastRequest < number,
        !later.openApprovals.contains(where: { $0.number == question.number })
      {
        throw .answerIgnored(
          run: run.id, about: .approval(step: question.step.text),
          reason: "`\(question.step)` had stopped waiting before it was read")
      }
    }
  }
}

extension RunOutlook {
  /// What people are asked, of every step that waits: first whether steps may go on.
  var open: [OpenQuestion] {
    openApprovals.map { .approval(step: $0.step.text) } + openQuestions.map { .outcome(step: $0.step) }
  }
}

public import Runbook

/// Says what became of a step whose outcome was lost.
public struct ResolveStep: Sendable {
  public var run: RunSummary
  public var step: String
  public var answer: Resolution
  private let context: OperationContext

  public init(_ run: RunSummary, step: String, _ answer: Resolution, _ context: OperationContext) {
    self.run = run
    self.step = step
    self.answer = answer
    self.context = context
  }

  /// - Parameter isWaiting: called once, if the owner does not answer within three seconds.
  /// - Returns: whether a process works on the run, and will act on the answer.
  /// - Throws: `ended`, `unreadable`, `noQuestion`, `answered`, `answerIgnored`, `store`.
  public func give(isWaiting: () -> Void) async throws(OperationRefusal) -> Bool {
    let outlook = try await context.openOutlook(of: run)
    guard let open = outlook.openQuestions.first(where: { $0.step == step }) else {
      throw .noQuestion(run: run.id, step: step, open: outlook.openQuestions.map { .outcome(step: $0.step) })
    }
    let (heeded, number) = (outlook.lastRequest, open.number)
    let body: Value = [
      "step": .string(step), "answer": .string(answer.rawValue), "question": .int(Int64(number)),
    ]
    // One answer a question: of two people who answer at once one is told of the other.
    switch try await context.post(
      "resolve", body, to: run.id, unless: { $0.id > heeded && $0.answers(question: number) })
    {
    case .refused(let earlier): throw .answered(run: run.id, earlier, isLive: await context.isLive(run.id))
    case .posted(let number):
      let answer = try await context.answer(
        to: number, of: run.id, after: outlook.lastSequence, isWaiting: isWaiting)
      if case .ignored(let reason) = answer {
        throw .answerIgnored(run: run.id, about: .outcome(step: step), reason: reason)
      }
      return await context.isLive(run.id)
    }
  }
}

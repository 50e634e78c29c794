extension StepRunner {
  /// Longest pause between two looks at the clock while a person is asked: a machine that slept has its deadlines kept.
  private static let longestPause = Duration.seconds(60)

  /// The question that a step asks; nil for one that asks nobody.
  func question(
    of step: ActionStep, _ with: [String: Value], begun instant: Timestamp
  ) throws(Refusal) -> ApprovalQuestion? {
    guard step.action.asksPeople else { return nil }
    do throws(StepFailure) {
      let limit = try Arguments(with).duration(ApprovalField.timeout) ?? step.timeout
      return try ApprovalQuestion(step: step.path, with, until: instant + limit) { masker.mask($0) }
    } catch {
      throw .step(error)
    }
  }

  /// Waits for a message, or for the deadline.
  @inline(never) func awaitAnswer(until: Timestamp) async throws(Interruption) {
    try await flushed()
    let pause = min(until - clock.now, StepRunner.longestPause)
    guard pause > .zero else { return }
    let clock = run.launch.world.clock
    await run.launch.control.untilMessage(path) { await clock.sleep(for: pause) }
  }

  /// No person can answer in a simulated run, so the action answers, as its mock says.
  func simulateAnswer() async throws(Interruption) {
    guard let step, let question = run.machine.openApproval(about: path) else { return }
    try await flushed()
    let action: any Action
    let call: ActionCall
    do throws(StepFailure) {
      action = try run.action(for: step)
      call = try run.callToMake(step)
    } catch {
      return record(.failed(masker.mask(error), retries: false, delay: .zero))
    }
    switch try await performOnce(action, call, step) {
    case .success:
      for number in 1...max(question.minimum, 1) {
        let name = question.approvers.count >= number ? question.approvers[number - 1] : "simulated person \(number)"
        answer(question, isApproval: true, by: name, "")
      }
    case .failure(let failure) where failure.kind == .timeout: record(.approvalTimedOut)
    case .failure(let failure):
      answer(question, isApproval: false, by: "simulated person 1", masker.mask(failure.message))
    }
  }

  private func answer(_ question: ApprovalQuestion, isApproval: Bool, by: String, _ comment: String) {
    record(
      .answered(
        ApprovalAnswer(
          step: question.step, question: question.number, digest: question.digest, isApproval: isApproval, by: by,
          comment: comment, at: min(clock.now, question.until), request: 0)))
  }
}

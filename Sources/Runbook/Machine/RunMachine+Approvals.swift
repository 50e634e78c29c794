/// Questions on whose answer a step depends, and who wins when answers, deadline and cancel come together: the first
/// that is journaled. Each of the others is journaled as ignored, with the reason.
extension RunMachine {
  /// The first question that waits for an answer; nil if none is open.
  public var openApproval: ApprovalQuestion? { openApprovals.first }

  /// Questions that wait for an answer, in the order in which their steps were begun.
  public var openApprovals: [ApprovalQuestion] { active.compactMap { openApproval(about: $0) } }

  /// The question that this step waits to have answered.
  public func openApproval(about path: StepPath) -> ApprovalQuestion? {
    guard active.contains(path), case .asking(let question) = state(of: path).progress else { return nil }
    return question
  }

  /// Who has approved the first open question so far.
  public var approvals: [ApprovalAnswer] { openApproval.map { state(of: $0.step).approvals } ?? [] }

  /// Why an answer would not count; nil if it would.
  public func refusal(of answer: ApprovalAnswer) -> String? {
    guard let question = openApproval(about: answer.step) else {
      return "`\(answer.step)` does not wait for an approval"
    }
    // The cancel was there first, and has not been carried out yet.
    if state(of: question.step).purpose == .do, let stop = stopping(question.step) {
      return stop.error.map { "the step is being stopped, because `\($0.step)` failed" } ?? "the run is being cancelled"
    }
    guard question.number == answer.question else { return "it answers an earlier question about `\(answer.step)`" }
    guard answer.at <= question.until else { return "it came after the deadline" }
    guard answer.isApproval else { return nil }
    guard question.digest == answer.digest || PlantedMistake.approvalNotBound.isMade else {
      return "the question is not the one that \(answer.by) was shown"
    }
    if answer.by == started?.requester, !question.allowsRequester, !PlantedMistake.requesterMayApprove.isMade {
      return "\(answer.by) started the run, and somebody else has to approve it"
    }
    if !question.approvers.isEmpty, !question.approvers.contains(answer.by) {
      return "\(answer.by) is not one of its `approvers`"
    }
    if state(of: answer.step).approvals.contains(where: { $0.by == answer.by }) {
      return "\(answer.by) has approved it already"
    }
    return nil
  }

  func asked(_ question: ApprovalQuestion) -> [Fact] {
    var question = question
    question.number = questions.next
    return [.step(question.step, .approvalAsked(question))]
  }

  func answered(_ answer: ApprovalAnswer) -> [Fact] {
    if let reason = refusal(of: answer) {
      return answer.request > 0 ? [.run(.requestIgnored(request: answer.request, reason: reason))] : []
    }
    let fact = Fact.step(answer.step, .approvalAnswered(answer))
    guard answer.isApproval else {
      let comment = answer.comment.isEmpty ? "" : ": \(answer.comment)"
      return [
        fact,
        end(
          answer.step, state(of: answer.step).purpose, .failed,
          failure: StepFailure(.rejected, "\(answer.by) did not allow it\(comment)", effect: .none, isFinal: true)),
      ]
    }
    let approvals = state(of: answer.step).approvals
    guard approvals.count + 1 >= openApproval(about: answer.step)?.minimum ?? 1 else { return [fact] }
    return [fact, allowed(answer.step, by: (approvals + [answer]).map(\.by), answer.comment, at: answer.at)]
  }

  /// The deadline has passed, and fewer people than needed have approved.
  func approvalTimedOut(_ path: StepPath) -> [Fact] {
    guard let question = openApproval(about: path) else { return [] }
    let approvals = state(of: path).approvals
    if question.onTimeout == .continue {
      return [
        allowed(
          path, by: [], "nobody answered until the deadline, and `on_timeout` says `continue`", at: question.until)
      ]
    }
    let who = approvals.isEmpty ? "nobody" : "only \(approvals.map(\.by).joined(separator: ", "))"
    return [
      end(
        path, state(of: path).purpose, .failed,
        failure: StepFailure(
          .timeout, "\(who) approved it until \(question.until.wholeSecond)", effect: .none, isFinal: true))
    ]
  }

  private func allowed(_ path: StepPath, by names: [String], _ comment: String, at instant: Timestamp) -> Fact {
    end(
      path, state(of: path).purpose, .succeeded,
      outputs: [
        "approved": .bool(!names.isEmpty), "by": .string(names.joined(separator: ", ")), "comment": .string(comment),
        "decided_at": .timestamp(instant),
      ])
  }

  /// Until when the steps may go on. The time in which a person was asked is not the run's.
  var runDeadline: Timestamp { startedAt + runbook.timeout + questions.askedTime }
}

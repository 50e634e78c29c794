@testable import Runbook

extension SearchedMachine {
  private func failure(_ effect: Effect) -> StepFailure { StepFailure(.server, "went wrong", effect: effect) }

  /// Messages of people have numbers, so that one that changes nothing is answered.
  private static let request: Int64 = 1

  func translated(_ event: SearchedEvent) -> MachineEvent {
    switch event {
    case .skipped(let place): return step(place, .skipped(places.all[place].purpose))
    case .refused(let place): return step(place, .refused(places.all[place].purpose, failure(.none)))
    case .began(let place): return step(place, .began(started(place)))
    case .asked(let place): return step(place, .asked(question(place, number: 0)))
    case .succeeded(let place): return step(place, .succeeded(outputs: [:]))
    case .called(let place): return step(place, .called(ActionResult()))
    case .failed(let place, let effect, let retries):
      return step(place, .failed(failure(effect), retries: retries, delay: .zero))
    case .replyLost(let place): return step(place, .replyLost(failure(.unknown)))
    case .resend(let place, let cleared): return step(place, .resend(cleared: cleared))
    case .found(let place): return step(place, .found)
    case .cleared(let place): return step(place, .cleared)
    case .unknowable(let place, let asks): return step(place, .unknowable(failure(.unknown), asks: asks))
    case .attemptDue(let place):
      return step(place, .attemptDue(key: Self.key(box.machine.state(of: path(place)).attempt + 1)))
    case .observed(let place):
      return step(place, .observed(nativeState: "busy", until: "ready", deadline: Self.until, ActionResult()))
    case .cancelled(let place, let effect): return step(place, .cancelled(failure(effect)))
    case .settled(let place, let didNothing): return step(place, .settled(didNothing ? .notApplied : .unsure))
    case .unsettled(let place): return step(place, .unsettled(failure(.unknown)))
    case .approvalTimedOut(let place): return step(place, .approvalTimedOut)
    case .askTimedOut(let place): return step(place, .askTimedOut)
    case .checked, .measured, .outputs, .cancelRequested, .resolved, .answered, .restored, .restoredAccepted, .nothing,
      .told:
      return .run(reported(event))
    }
  }

  private func reported(_ event: SearchedEvent) -> RunReported {
    switch event {
    case .checked(let isGood): return .checked(problems: isGood ? [] : ["no room"])
    case .measured(let isMet):
      return .measured(DrillMoments(instants: [.outageAt: Self.now, .restoredAt: isMet ? Self.now : Self.later]))
    case .outputs: return .outputs([:], nil)
    case .cancelRequested(let rollback):
      return .cancelRequested(by: "ops", rollback: rollback, request: Self.request)
    case .resolved(let place, let answer, let question):
      return .resolved(path(place), answer, by: "ops", request: Self.request, question: question)
    case .answered(let place, let question, let answer): return .answered(self.answer(place, question, answer))
    case .restored: return .restored
    case .told(let place, let question): return .told(WaitingTold(.resolve, step: path(place), question: question))
    case .restoredAccepted: return .restoredAccepted(by: "ops")
    // It changes nothing as things stand.
    default: return box.machine.isRestored ? .restored : .restoredAccepted(by: "ops")
    }
  }

  private func path(_ place: Int) -> StepPath { StepPath(places.all[place].path) }

  private func step(_ place: Int, _ event: StepEvent) -> MachineEvent { .step(path(place), event) }

  /// Its length tells the attempt.
  private static func key(_ attempt: Int) -> String { String(repeating: "k", count: attempt) }

  private func started(_ place: Int) -> StepStarted {
    let call = places.all[place].call
    return StepStarted(
      purpose: places.all[place].purpose, title: places.all[place].path, action: call.word,
      effectClass: call.effectClass,
      effect: call.effect, key: Self.key(box.machine.state(of: path(place)).attempt), digest: "", with: [:],
      scriptPlace: call.isScript ? "here" : nil, before: [:], deadline: Self.until, isWait: call.wait == .polled)
  }

  private func question(_ place: Int, number: Int) -> ApprovalQuestion {
    let isAllowed = places.all[place].call.question == .allowedAfterItsTime
    return ApprovalQuestion(
      step: path(place), number: number, prompt: "Go on?", until: Self.until,
      onTimeout: isAllowed ? .continue : .reject, minimum: isAllowed ? 2 : 1)
  }

  private func answer(_ place: Int, _ question: Int, _ answer: SearchedAnswer) -> ApprovalAnswer {
    let asked = self.question(place, number: question)
    let isFirst = box.machine.approvals.isEmpty
    var by = isFirst ? "ann" : "bob"
    if answer == .byRequester { by = Self.requester }
    if answer == .again { by = "ann" }
    return ApprovalAnswer(
      step: asked.step, question: question, digest: answer == .ofAnotherText ? "0" : asked.digest,
      isApproval: answer != .rejects, by: by, comment: "", at: answer == .late ? Self.later : Self.now,
      request: Self.request)
  }
}

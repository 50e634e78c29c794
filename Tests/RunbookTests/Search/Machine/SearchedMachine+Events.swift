@testable import Runbook

extension SearchedMachine {
  private func failure(_ effect: Effect) -> StepFailure { StepFailure(.server, "went wrong", effect: effect) }

  /// Messages of people have numbers, so that one that changes nothing is answered.
  private static let request: Int64 = 1

  func translated(_ event: SearchedEvent) -> StepEvent {
    func path(_ place: Int) -> String { places.all[place].path }
    switch event {
    case .checked(let isGood): return .checked(problems: isGood ? [] : ["no room"])
    case .skipped(let place): return .skipped(path(place), places.all[place].purpose)
    case .refused(let place): return .refused(path(place), places.all[place].purpose, failure(.none))
    case .began(let place): return .began(started(place))
    case .asked(let place): return .asked(question(place, number: 0))
    case .succeeded(let place): return .succeeded(path(place), outputs: [:])
    case .called(let place): return .called(path(place), ActionResult())
    case .failed(let place, let effect, let retries):
      return .failed(path(place), failure(effect), retries: retries, delay: .zero)
    case .replyLost(let place): return .replyLost(path(place), failure(.unknown))
    case .resend(let place, let cleared): return .resend(path(place), cleared: cleared)
    case .found(let place): return .found(path(place))
    case .cleared(let place): return .cleared(path(place))
    case .unknowable(let place, let asks): return .unknowable(path(place), failure(.unknown), asks: asks)
    case .attemptDue(let place):
      return .attemptDue(path(place), key: Self.key(box.machine.state(of: path(place)).attempt + 1))
    case .observed(let place):
      return .observed(path(place), nativeState: "busy", until: "ready", deadline: Self.until, ActionResult())
    case .cancelled(let place, let effect): return .cancelled(path(place), failure(effect))
    case .settled(let place, let didNothing): return .settled(path(place), didNothing ? .notApplied : .unsure)
    case .unsettled(let place): return .unsettled(path(place), failure(.unknown))
    case .measured(let isMet):
      return .measured(
        DrillMoments(instants: [.outageAt: Self.now, .restoredAt: isMet ? Self.now : Self.later]))
    case .outputs: return .outputs([:], nil)
    case .cancelRequested(let rollback):
      return .cancelRequested(by: "ops", rollback: rollback, request: Self.request)
    case .resolved(let place, let answer, let question):
      return .resolved(path(place), answer, by: "ops", request: Self.request, question: question)
    case .answered(let place, let question, let answer): return .answered(self.answer(place, question, answer))
    case .approvalTimedOut(let place): return .approvalTimedOut(path(place))
    case .askTimedOut(let place): return .askTimedOut(path(place))
    case .restored: return .restored
    case .restoredAccepted: return .restoredAccepted(by: "ops")
    case .nothing: return .restoredAccepted(by: "ops")
    case .told(let place, let question): return .told(WaitingTold(.resolve, step: path(place), question: question))
    }
  }

  /// Its length tells the attempt.
  private static func key(_ attempt: Int) -> String { String(repeating: "k", count: attempt) }

  private func started(_ place: Int) -> StepStarted {
    let call = places.all[place].call
    let path = places.all[place].path
    return StepStarted(
      step: path, purpose: places.all[place].purpose, title: path, action: call.word, effectClass: call.effectClass,
      effect: call.effect, key: Self.key(box.machine.state(of: path).attempt), digest: "", with: [:],
      scriptPlace: call.isScript ? "here" : nil, before: [:], deadline: Self.until, isWait: call.wait == .polled)
  }

  private func question(_ place: Int, number: Int) -> ApprovalQuestion {
    let isAllowed = places.all[place].call.question == .allowedAfterItsTime
    return ApprovalQuestion(
      step: places.all[place].path, number: number, prompt: "Go on?", until: Self.until,
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

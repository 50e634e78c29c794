/// What the interpreter saw when it carried out an order.
public enum StepEvent: Sendable {
  case checked(problems: [String])
  /// `if` was false, or a `rollback`'s condition.
  case skipped(String, Purpose)
  /// Failed before its intent: an expression, a missing field, a lock. Nothing was called.
  case refused(String, Purpose, StepFailure)
  case began(StepStarted)
  /// The call succeeded and nothing is left to wait for.
  case succeeded(String, outputs: [String: Value])
  /// The call succeeded; what it started is to be waited for.
  case called(String, ActionResult)
  /// `retries`: the retry condition held; `delay` before the next attempt.
  case failed(String, StepFailure, retries: Bool, delay: Duration)
  /// The call may have arrived; nobody knows what became of it.
  case replyLost(String, StepFailure)
  /// The same attempt is sent again. `cleared`: what was sent before had no effect and can no longer arrive.
  case resend(String, cleared: Bool)
  /// A request without an answer has taken effect.
  case found(String)
  /// No request without an answer had an effect, and none can arrive any more.
  case cleared(String)
  /// Its script was started before the store was put back; what came of it then is taken.
  case adopted(String)
  /// The effect cannot be known.
  case unknowable(String, StepFailure, asks: Bool = false)
  case attemptDue(String, key: String)
  case observed(String, nativeState: String?, until: String, deadline: Timestamp, ActionResult)
  /// Ended by a cancel; `effect` is what its call did.
  case cancelled(String, StepFailure)
  case settled(String, ProbeAnswer)
  /// It did not come to rest before the rollback's time was over.
  case unsettled(String, StepFailure)
  /// What the moments of a drill are.
  case measured(DrillMoments)
  case outputs([String: Value], StepFailure?)
  case cancelRequested(by: String, rollback: Bool, request: Int64)
  /// `question`: the one that is answered; nil in requests of an earlier release.
  case resolved(String, Resolution, by: String, request: Int64, question: Int?)
  case asked(ApprovalQuestion)
  case answered(ApprovalAnswer)
  case approvalTimedOut(String)
  case told(WaitingTold)
  case restored
  case restoredAccepted(by: String)
  case clockSet(by: Duration)
  case askTimedOut(String)
}

extension RunMachine {
  /// - Returns: the facts to journal, in this order; they are already applied.
  public mutating func handle(_ event: StepEvent, at instant: Timestamp) -> [Fact] {
    var facts = decide(event, at: instant)
    for fact in facts { apply(fact, at: instant) }
    while let fact = automaticFact(at: instant) {
      apply(fact, at: instant)
      facts.append(fact)
    }
    return facts
  }

  private func decide(_ event: StepEvent, at instant: Timestamp) -> [Fact] {
    switch event {
    case .checked(let problems): return [.runChecked(problems: problems)]
    case .skipped(let path, let purpose): return [end(path, purpose, .skipped)]
    case .refused(let path, let purpose, let failure): return [end(path, purpose, .failed, failure: failure)]
    case .began(let step): return [.stepStarted(step)]
    case .succeeded(let path, let outputs):
      return [end(path, state(of: path).purpose, .succeeded, outputs: outputs)]
    case .called(let path, let result):
      return [
        .attemptEnded(
          AttemptEnded(step: path, attempt: state(of: path).attempt, error: nil, result: result, retryAt: nil))
      ]
    case .failed(let path, let failure, let retries, let delay):
      return failed(path, failure, retries: retries, delay: delay, at: instant)
    case .replyLost(let path, let failure):
      let attempt = state(of: path).attempt
      return [
        .attemptEnded(
          AttemptEnded(
            step: path, attempt: attempt, error: StepError(failure, step: path, attempt: attempt),
            result: ActionResult(),
            retryAt: nil))
      ]
    case .resend(let path, let cleared):
      let state = state(of: path)
      let key = PlantedMistake.newKeyOnResend.isMade ? state.key + "x" : state.key
      return [.attemptStarted(step: path, attempt: state.attempt, key: key, cleared: cleared)]
    case .found(let path): return state(of: path).lostRequests > 0 ? [.requestFound(step: path)] : []
    case .cleared(let path): return [.requestCleared(step: path)]
    case .adopted(let path): return [.scriptAdopted(step: path)]
    case .unknowable(let path, let failure, let asks):
      return unknowable(path, failure, asks: asks, at: instant)
    case .attemptDue(let path, let key):
      return [.attemptStarted(step: path, attempt: state(of: path).attempt + 1, key: key, cleared: false)]
    case .observed(let path, let nativeState, let until, let deadline, let result):
      return [.stepWaiting(step: path, nativeState: nativeState, until: until, deadline: deadline, result: result)]
    case .cancelled(let path, let failure):
      return [end(path, state(of: path).purpose, .cancelled, failure: failure)]
    case .settled(let path, let answer):
      return [answer == .notApplied ? .undoClosed(step: path, reason: Reason.neverHappened) : .undoSettled(step: path)]
    case .unsettled(let path, let failure):
      return [
        .rollbackEnded(
          outcome: .failed, failedStep: path, error: StepError(failure, step: path, attempt: state(of: path).attempt))
      ]
    case .measured(let moments): return isToBeJudged ? [.drillJudged(judgement(of: moments))] : []
    case .outputs(let outputs, let failure):
      return [.outputsReady(outputs: outputs, error: failure.map { StepError($0, step: "outputs", attempt: 1) })]
    case .cancelRequested(let by, let rollback, let request):
      if let reason = cancelRefusal { return request > 0 ? [.requestIgnored(request: request, reason: reason)] : [] }
      return [.cancelRequested(by: by, rollback: rollback, request: request)]
    case .resolved(let path, let answer, let by, let request, let question):
      return resolved(path, answer, by: by, request: request, question: question)
    case .asked(let question): return asked(question)
    case .answered(let answer): return answered(answer)
    case .told(let told): return [.waitingTold(told)]
    case .approvalTimedOut(let path): return approvalTimedOut(path)
    case .restored: return isRestored ? [] : [.storeRestored]
    case .restoredAccepted(let by): return isRestored ? [.restoredAccepted(by: by)] : []
    case .clockSet(let by): return [.clockSet(by: by)]
    case .askTimedOut(let path):
      let failure = StepFailure(.timeout, "nobody said in time what happened to `\(path)`", effect: .unknown)
      return [end(path, state(of: path).purpose, .unknown, failure: failure)]
    }
  }

  func end(
    _ path: String, _ purpose: Purpose, _ status: StepStatus, outputs: [String: Value] = [:],
    failure: StepFailure? = nil
  ) -> Fact {
    let state = state(of: path)
    let changes = steps[path]?.effect != ActionEffect.none
    let effect = state.effect.joined(failure?.effect ?? (status == .succeeded && changes ? .applied : .none))
    var failure = failure
    if changes, !PlantedMistake.effectsOverwritten.isMade { failure?.effect = effect }
    return .stepEnded(
      StepEnded(
        step: path, purpose: purpose, status: status, attempt: state.attempt, outputs: outputs,
        error: failure.map { StepError($0, step: path, attempt: state.attempt) }, effect: changes ? effect : nil))
  }

  private func failed(
    _ path: String, _ failure: StepFailure, retries: Bool, delay: Duration, at instant: Timestamp
  ) -> [Fact] {
    let state = state(of: path)
    guard retries else { return [end(path, state.purpose, .failed, failure: failure)] }
    return [
      .attemptEnded(
        AttemptEnded(
          step: path, attempt: state.attempt, error: StepError(failure, step: path, attempt: state.attempt),
          result: ActionResult(), retryAt: instant + delay))
    ]
  }

  /// E4 after a lost outcome: undo steps can put it right, so fail; without them only a person can tell.
  /// - Parameter asks: undo steps cannot put it right, because it may still run.
  private func unknowable(
    _ path: String, _ failure: StepFailure, asks: Bool, at instant: Timestamp
  ) -> [Fact] {
    let state = state(of: path)
    let step = steps[path]
    let hasUndo = if case .steps = step?.rollback { true } else { false }
    let answer = step?.onCrash ?? (hasUndo && !asks || state.purpose != .do ? .fail : .ask)
    if answer == .fail || isCancelling { return [end(path, state.purpose, .unknown, failure: failure)] }
    let until = instant + RunMachine.askTimeout
    let error = StepError(failure, step: path, attempt: state.attempt)
    return [.runWaiting(step: path, until: until, error: error, question: questions + 1)]
  }

  /// How long a person has to say what became of a step.
  static let askTimeout = Duration.seconds(24 * 3600)

  /// An answer counts for the question it names, and for no other.
  private func resolved(
    _ path: String, _ answer: Resolution, by: String, request: Int64, question: Int?
  ) -> [Fact] {
    guard active == path, case .parked(_, let open) = state(of: path).progress else {
      return [.requestIgnored(request: request, reason: "`\(path)` does not wait for an answer")]
    }
    // An earlier release did not number its questions: its answer can only be meant for the first.
    guard (question ?? 1) == open || PlantedMistake.answerNotBound.isMade else {
      return [.requestIgnored(request: request, reason: "it answers an earlier question about `\(path)`")]
    }
    let fact = Fact.stepResolved(step: path, answer: answer, by: by, request: request)
    switch answer {
    case .applied, .retry: return [fact]
    // Clean-up that did not happen is still to be done.
    case .notApplied where state(of: path).purpose != .do:
      return [.stepResolved(step: path, answer: .retry, by: by, request: request)]
    case .notApplied:
      let failure = StepFailure(.crashed, "its outcome was lost; \(by) said that it was not applied", effect: .none)
      var cleared = self
      cleared.apply(.requestCleared(step: path), at: startedAt)
      return [
        fact, .requestCleared(step: path),
        cleared.end(path, state(of: path).purpose, .notApplied, failure: failure),
      ]
    case .fail:
      let failure = StepFailure(.crashed, "its outcome was lost; \(by) said to fail it", effect: .unknown)
      return [fact, end(path, state(of: path).purpose, .failed, failure: failure)]
    }
  }

  var isCancelling: Bool { if case .cancel? = stop { true } else { false } }

  /// Facts that follow from the state alone.
  private func automaticFact(at instant: Timestamp) -> Fact? {
    guard ended == nil, active == nil, isChecked else { return nil }
    switch stage {
    case .steps, .judging, .onFailure, .onRollbackFailure, .always, .outputs: return nil
    case .startingRollback(let reason):
      // What certainly did nothing is no reason to speak of a rollback.
      if let entry = stack.newestOpen, let fact = closingUnasked(entry) { return fact }
      return .rollbackStarted(reason: reason)
    case .endingRollback(let outcome):
      let failed = stack.entries.last { $0.state == .failed }
      let undo = failed.flatMap { failedUndo(of: $0) }
      return .rollbackEnded(
        outcome: outcome, failedStep: undo ?? failed?.step, error: undo.flatMap { state(of: $0).error })
    case .unwinding(let entry): return closing(entry)
    case .ending: return .runEnded(ending)
    }
  }

  private func failedUndo(of entry: RollbackStack.Entry) -> String? {
    guard case .steps(let paths, _) = entry.kind else { return nil }
    return paths.first { state(of: $0).status.isEnded && !state(of: $0).status.isDone }
  }

  /// A step that failed and certainly did nothing.
  private func closingUnasked(_ entry: RollbackStack.Entry) -> Fact? {
    let state = state(of: entry.step)
    guard state.status.isEnded, state.status != .succeeded, state.effect == .none else { return nil }
    return .undoClosed(step: entry.step, reason: Reason.neverHappened)
  }

  /// Closes an entry that needs no asking; nil if there is work to do for it.
  private func closing(_ entry: RollbackStack.Entry) -> Fact? {
    if let fact = closingUnasked(entry) { return fact }
    let state = state(of: entry.step)
    switch entry.kind {
    case .irreversible: return .undoClosed(step: entry.step, reason: Reason.leftStanding)
    case .steps(let paths, let scope):
      if scope == .succeeded, state.status != .succeeded {
        return .undoClosed(step: entry.step, reason: Reason.onlyAfterSuccess)
      }
      guard entry.state == .settled || needsNoProbe(entry) else { return nil }
      let isDone = paths.allSatisfy { path in
        let status = self.state(of: path).status
        if PlantedMistake.unknownUndoIsDone.isMade { return status.isEnded }
        return status.isDone || status.isEnded && steps[path]?.undoContinuesOnError == true
      }
      guard isDone else { return nil }
      // Without any undo step that was begun nothing was undone.
      let isUndone =
        paths.contains { self.state(of: $0).status != .skipped } || PlantedMistake.falseConditionIsUndone.isMade
      let notUndone = paths.contains { leftOutUndo.contains($0) } ? Reason.leftOut : Reason.conditionFalse
      return .undoClosed(step: entry.step, reason: isUndone ? Reason.undone : notUndone)
    }
  }
}

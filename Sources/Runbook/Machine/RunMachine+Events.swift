extension RunMachine {
  /// - Returns: the facts to journal, in this order; they are already applied.
  public mutating func handle(_ event: MachineEvent, at instant: Timestamp) -> [Fact] {
    let facts = decide(event, at: instant)
    for fact in facts { apply(fact, at: instant) }
    return facts + followUp(at: instant)
  }

  /// What follows from the state alone, after facts that were applied and not handled: those of an earlier process, and
  /// of people who decided about the rollback.
  mutating func followUp(at instant: Timestamp) -> [Fact] {
    var facts: [Fact] = []
    while let fact = automaticFact(at: instant) {
      apply(fact, at: instant)
      facts.append(fact)
    }
    return facts
  }

  private func decide(_ event: MachineEvent, at instant: Timestamp) -> [Fact] {
    switch event {
    case .run(let reported): return decide(reported)
    case .step(let path, let event):
      if let reason = misfit(of: event, path) {
        return [.run(.eventIgnored(event: event.name, step: path, reason: reason))]
      }
      return decide(event, path, at: instant)
    case .scope(let path, let event):
      if let reason = misfit(of: event, path) {
        return [.run(.eventIgnored(event: event.name, step: path, reason: reason))]
      }
      return decide(event, path)
    }
  }

  private func decide(_ event: ScopeEvent, _ path: StepPath) -> [Fact] {
    switch event {
    case .refused(let failure) where path.undone != nil: return [end(path, .undo, .failed, failure: failure)]
    case .skipped: return [.scope(path, .ended(ScopeEnded(.skipped)))]
    case .opened(let opened): return [.scope(path, .opened(opened))]
    case .refused(let failure):
      return [.scope(path, .ended(ScopeEnded(.failed, error: StepError(failure, step: path, attempt: 1))))]
    case .closed(let outputs, let failure):
      let status: StepStatus = failure == nil ? .succeeded : .failed
      return [
        .scope(path, .ended(scopeEnd(path, status, outputs, failure.map { StepError($0, step: path, attempt: 1) })))
      ]
    }
  }

  private func decide(_ reported: RunReported) -> [Fact] {
    switch reported {
    case .checked(let problems): return [.run(.checked(problems: problems))]
    case .measured(let moments): return isToBeJudged ? [.run(.drillJudged(judgement(of: moments)))] : []
    case .outputs(let outputs, let failure):
      let error = failure.map { StepError($0, step: "outputs", attempt: 1) }
      return [.run(.outputsReady(outputs: outputs, error: error))]
    case .cancelRequested(let by, let rollback, let request):
      if let reason = cancelRefusal {
        return request > 0 ? [.run(.requestIgnored(request: request, reason: reason))] : []
      }
      return [.run(.cancelRequested(by: by, rollback: rollback, request: request))]
    case .resolved(let path, let answer, let by, let request, let question):
      return resolved(path, answer, by: by, request: request, question: question)
    case .answered(let answer): return answered(answer)
    case .told(let told): return [.run(.told(told))]
    case .restored: return isRestored ? [] : [.run(.storeRestored)]
    case .restoredAccepted(let by): return isRestored ? [.run(.restoredAccepted(by: by))] : []
    case .clockSet(let by): return [.run(.clockSet(by: by))]
    }
  }

  private func decide(_ event: StepEvent, _ path: StepPath, at instant: Timestamp) -> [Fact] {
    let state = state(of: path)
    switch event {
    case .skipped(let purpose): return [end(path, purpose, .skipped)]
    case .refused(let purpose, let failure): return [end(path, purpose, .failed, failure: failure)]
    case .began(let step): return [.step(path, .started(step))]
    case .asked(let question): return asked(question)
    case .succeeded(let outputs): return [end(path, state.purpose, .succeeded, outputs: outputs)]
    case .called(let result): return [attemptEnded(path, error: nil, result)]
    case .failed(let failure, let retries, let delay):
      guard retries else { return [end(path, state.purpose, .failed, failure: failure)] }
      return [attemptEnded(path, error: failure, retryAt: instant + delay)]
    case .replyLost(let failure): return [attemptEnded(path, error: failure)]
    case .resend(let cleared):
      let key = PlantedMistake.newKeyOnResend.isMade ? state.key + "x" : state.key
      return [.step(path, .attemptStarted(attempt: state.attempt, key: key, cleared: cleared))]
    case .found: return state.lostRequests > 0 ? [.step(path, .requestFound)] : []
    case .cleared: return [.step(path, .requestCleared)]
    case .adopted: return [.step(path, .scriptAdopted)]
    case .unknowable(let failure, let asks): return unknowable(path, failure, asks: asks, at: instant)
    case .attemptDue(let key):
      return [.step(path, .attemptStarted(attempt: state.attempt + 1, key: key, cleared: false))]
    case .observed(let nativeState, let until, let deadline, let result):
      return [.step(path, .waiting(nativeState: nativeState, until: until, deadline: deadline, result: result))]
    case .cancelled(let failure): return [end(path, state.purpose, .cancelled, failure: failure)]
    case .settled(let answer):
      guard answer == .notApplied else { return [.rollback(.settled(step: path))] }
      // The answer is about the last attempt. One before it may have changed something.
      if state.effectBefore != .none, !PlantedMistake.lastAttemptSpeaksForAll.isMade {
        return [.step(path, .requestCleared), .rollback(.settled(step: path))]
      }
      return [.rollback(.closed(step: path, .neverHappened))]
    case .unsettled(let failure):
      let error = StepError(failure, step: path, attempt: state.attempt)
      return [.scope(unwindingScope(of: path), .rollbackEnded(outcome: .failed, failedStep: path, error: error))]
    case .approvalTimedOut: return approvalTimedOut(path)
    case .askTimedOut:
      let failure = StepFailure(.timeout, "nobody said in time what happened to `\(path)`", effect: .unknown)
      return [end(path, state.purpose, .unknown, failure: failure)]
    }
  }

  private func attemptEnded(
    _ path: StepPath, error: StepFailure?, _ result: ActionResult = ActionResult(), retryAt: Timestamp? = nil
  ) -> Fact {
    let attempt = state(of: path).attempt
    return .step(
      path,
      .attemptEnded(
        AttemptEnded(
          attempt: attempt, error: error.map { StepError($0, step: path, attempt: attempt) }, result: result,
          retryAt: retryAt)))
  }

  func end(
    _ path: StepPath, _ purpose: Purpose, _ status: StepStatus, outputs: [String: Value] = [:],
    failure: StepFailure? = nil
  ) -> Fact {
    let state = state(of: path)
    let changes = step(at: path)?.effect != ActionEffect.none
    let effect = state.effect.joined(failure?.effect ?? (status == .succeeded && changes ? .applied : .none))
    var failure = failure
    if changes, !PlantedMistake.effectsOverwritten.isMade { failure?.effect = effect }
    return .step(
      path,
      .ended(
        StepEnded(
          purpose: purpose, status: status, attempt: state.attempt, outputs: outputs,
          error: failure.map { StepError($0, step: path, attempt: state.attempt) }, effect: changes ? effect : nil)))
  }

  /// E4 after a lost outcome: undo steps can put it right, so fail; without them only a person can tell.
  /// - Parameter asks: undo steps cannot put it right, because it may still run.
  private func unknowable(
    _ path: StepPath, _ failure: StepFailure, asks: Bool, at instant: Timestamp
  ) -> [Fact] {
    let state = state(of: path)
    let step = step(at: path)
    let hasUndo = if case .steps = step?.rollback { true } else { false }
    let answer = step?.onCrash ?? (hasUndo && !asks || state.purpose != .do ? .fail : .ask)
    if answer == .fail || state.purpose == .do && isBeingStopped(path) {
      return [end(path, state.purpose, .unknown, failure: failure)]
    }
    let until = instant + RunMachine.askTimeout
    let error = StepError(failure, step: path, attempt: state.attempt)
    return [.step(path, .parked(until: until, error: error, question: questions.next))]
  }

  /// How long a person has to say what became of a step.
  static let askTimeout = Duration.seconds(24 * 3600)

  /// An answer counts for the question it names, and for no other.
  private func resolved(
    _ path: StepPath, _ answer: Resolution, by: String, request: Int64, question: Int?
  ) -> [Fact] {
    guard active.contains(path), case .parked(_, let open) = state(of: path).progress else {
      return [.run(.requestIgnored(request: request, reason: "`\(path)` does not wait for an answer"))]
    }
    // An earlier release did not number its questions: its answer can only be meant for the first.
    guard (question ?? 1) == open || PlantedMistake.answerNotBound.isMade else {
      return [.run(.requestIgnored(request: request, reason: "it answers an earlier question about `\(path)`"))]
    }
    let fact = Fact.step(path, .resolved(answer: answer, by: by, request: request))
    switch answer {
    case .applied, .retry: return [fact]
    // Clean-up that did not happen is still to be done.
    case .notApplied where state(of: path).purpose != .do:
      return [.step(path, .resolved(answer: .retry, by: by, request: request))]
    case .notApplied:
      let failure = StepFailure(.crashed, "its outcome was lost; \(by) said that it was not applied", effect: .none)
      var cleared = self
      cleared.apply(.step(path, .requestCleared), at: startedAt)
      return [
        fact, .step(path, .requestCleared),
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
    guard ended == nil, !isRestored, isChecked else { return nil }
    if let fact = scopeFact { return fact }
    guard active.isEmpty, root.isOver else { return nil }
    switch ending.stage(of: self) {
    case .judging, .onFailure, .onRollbackFailure, .always, .outputs: return nil
    case .startingRollback(let reason): return unwindingFact(of: .root, reason: reason)
    case .endingRollback(let outcome): return rollbackEnd(of: .root, outcome)
    case .unwinding: return unwindingFact(of: .root, reason: "")
    case .ending: return .run(.ended(ending.result(of: self)))
    }
  }
}

extension Interpreter {
  /// Nobody saw how a call went: a reply was lost, or this process took the run over. By the effect's class it is sent
  /// again, found, or left to a person. See `docs/guarantees.md`.
  func reconcile(_ path: String) async throws(Interruption) {
    guard let step = machine.steps[path], let action = action(of: step) else { return }
    let state = machine.state(of: path)
    if step.effect == .none || step.isIdempotent {
      record(.resend(path))
      return
    }
    let call: ActionCall
    do throws(StepFailure) { call = try currentCall(step) } catch {
      record(.unknowable(path, masker.mask(error)))
      return
    }
    try flushed()
    let lostAt = clock.now
    switch step.effectClass {
    case .keyed where isKeyGood(action, state) && clock.now < call.deadline:
      try await resend(path, before: call.deadline, effect: .unknown)
    case .keyed, .convergent, .findable, .opaque:
      switch try await seek(action, call, step, until: lostAt + action.maxRequestLife(of: call)) {
      case .applied(let result):
        release(step, call)
        succeed(step, result)
      case .failed(let failure):
        release(step, call)
        fail(step, failure)
      case .notApplied: try await resend(path, before: call.deadline, effect: .none)
      case .unsure where step.effectClass == .convergent || state.purpose.isRepeatedAfterCrash:
        try await resend(path, before: call.deadline, effect: .unknown)
      case .unsure: record(.unknowable(path, lostFailure(step)))
      }
    }
  }

  /// Sends again. Requests that get no answer leave further and further apart, up to a minute, and not for ever: when
  /// the step's time is over it has failed.
  private func resend(
    _ path: String, before deadline: Timestamp, effect: StepFailure.Effect
  ) async throws(Interruption) {
    let state = machine.state(of: path)
    guard let error = state.error else {
      record(.resend(path))
      return
    }
    guard clock.now < deadline else {
      let failure = StepFailure(
        .timeout, "no answer came before the step's time was over: \(error.message)", effect: effect)
      record(.failed(path, failure, retries: false, delay: .zero))
      return
    }
    var schedule = RetrySchedule.standard
    if let since = state.keySince { schedule.delay = max(schedule.delay, (clock.now - since) / 4) }
    try await pauseOrInterrupt(schedule.delay(after: 1, asked: nil, random: launch.world.random))
    record(.resend(path))
  }

  /// The other side still knows the key: the same request with it is answered and not carried out again.
  private func isKeyGood(_ action: any Action, _ state: StepState) -> Bool {
    guard let window = action.keyWindow else { return true }
    return clock.now < (state.keySince ?? clock.now) + window
  }

  private func lostFailure(_ step: ValidatedStep) -> StepFailure {
    let reason = machine.state(of: step.path).error?.message ?? "the engine stopped between its call and the outcome"
    return StepFailure(.crashed, "it cannot be known whether it took effect: \(reason)", effect: .unknown)
  }

  /// Asks the action's probe. A desired state that is not reached can be sent again at once; for the other classes "not
  /// there" counts only when a request still on its way can no longer arrive.
  private func seek(
    _ action: any Action, _ call: ActionCall, _ step: ValidatedStep, until lateBound: Timestamp
  ) async throws(Interruption) -> ProbeAnswer {
    var tries = 1
    while true {
      var answer = ProbeAnswer.unsure
      var asked: Duration?
      do throws(StepFailure) { answer = try await action.probe(call) } catch {
        let failure = masker.mask(error)
        launch.observer.progress(RunProgress(step: step.path, message: failure.message))
        guard failure.retryable, clock.now < call.deadline || clock.now < lateBound else { return .unsure }
        asked = failure.retryAfter ?? .zero
      }
      if answer.isDefinite { return answer }
      // A probe that did not answer is asked again, however long the request may live; one that did not know, until
      // then.
      if asked == nil {
        let isFinal =
          step.effectClass == .convergent || action.answersAtOnce || clock.now >= lateBound
          || step.effectClass == .opaque && answer == .unsure
        if isFinal { return answer }
      }
      launch.observer.progress(RunProgress(step: step.path, message: "looking for what became of the request"))
      var pause = RetrySchedule.standard.delay(after: min(tries, 4), asked: asked, random: launch.world.random)
      if clock.now < lateBound { pause = min(pause, max(lateBound - clock.now, .milliseconds(1))) }
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }

  /// Before a step that did not succeed is undone: did it happen, and is it at rest? Nothing is undone while it may
  /// still be happening.
  func settle(_ path: String) async throws(Interruption) {
    guard let step = machine.steps[path], let action = action(of: step) else {
      record(.settled(path, .unsure))
      return
    }
    let state = machine.state(of: path)
    let call: ActionCall
    do throws(StepFailure) { call = try currentCall(step) } catch {
      record(.settled(path, .unsure))
      return
    }
    try flushed()
    // One that was left running by another process is not awaited to its end: nobody wants that any more.
    if action.declaration.cancellable {
      do throws(StepFailure) { try await action.cancel(call) } catch {
        launch.observer.progress(RunProgress(step: path, message: masker.mask(error).message))
      }
    }
    var answer = ProbeAnswer.unsure
    if state.error?.effect == .unknown || state.error == nil {
      let lateBound = (state.endedAt ?? clock.now) + action.maxRequestLife(of: call)
      answer = try await seekForUndo(action, call, step, until: lateBound)
    }
    guard answer != .notApplied else {
      record(.settled(path, .notApplied))
      return
    }
    try await awaitRest(action, call, step)
  }

  /// As `seek`, but "not there" must always outlive the request: an undo may not race with what it undoes.
  private func seekForUndo(
    _ action: any Action, _ call: ActionCall, _ step: ValidatedStep, until lateBound: Timestamp
  ) async throws(Interruption) -> ProbeAnswer {
    let giveUp = machine.rollbackDeadline(default: lateBound)
    var tries = 1
    while true {
      var answer = ProbeAnswer.unsure
      var hasAnswered = true
      do throws(StepFailure) { answer = try await action.probe(call) } catch {
        hasAnswered = !error.retryable
      }
      if answer.isDefinite { return answer }
      if hasAnswered, clock.now >= lateBound || action.answersAtOnce { return answer }
      if clock.now >= giveUp { return .unsure }
      let pause = RetrySchedule.standard.delay(after: min(tries, 3), asked: nil, random: launch.world.random)
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }

  private func awaitRest(_ action: any Action, _ call: ActionCall, _ step: ValidatedStep) async throws(Interruption) {
    let giveUp = machine.rollbackDeadline(default: clock.now)
    var lastFailure: StepFailure?
    while true {
      do throws(StepFailure) {
        if try await action.isSettled(call) {
          record(.settled(step.path, .unsure))
          return
        }
      } catch {
        lastFailure = masker.mask(error)
        // The thing is gone or cannot be asked about: nothing moves that we could wait for.
        guard error.retryable else {
          record(.settled(step.path, .unsure))
          return
        }
      }
      guard clock.now < giveUp else {
        let message = lastFailure?.message ?? "it is still changing"
        let failure = StepFailure(.timeout, "cannot be undone: \(message)", effect: .unknown)
        record(.unsettled(step.path, failure))
        return
      }
      launch.observer.progress(RunProgress(step: step.path, message: "waiting for it to come to rest before undoing"))
      try await pauseOrInterrupt(.seconds(5))
    }
  }
}

extension ProbeAnswer {
  /// It took place, and what came of it is known.
  fileprivate var isDefinite: Bool {
    switch self {
    case .applied, .failed: true
    case .notApplied, .unsure: false
    }
  }
}

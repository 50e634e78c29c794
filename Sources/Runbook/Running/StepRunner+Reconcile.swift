extension StepRunner {
  /// Nobody saw how a call went: a reply was lost, or this process took the run over. By the effect's class it is sent
  /// again, found, or left to a person. See `docs/guarantees.md`.
  func reconcile() async throws(Interruption) {
    guard let step else { return }
    let state = run.machine.state(of: path)
    if step.effect == .none {
      record(.resend(cleared: false))
      return
    }
    let action: any Action
    let call: ActionCall
    do throws(StepFailure) {
      action = try run.action(for: step)
      call = try run.currentCall(step)
    } catch {
      var failure = masker.mask(error)
      failure.effect = .unknown
      record(.unknowable(failure))
      return
    }
    try await flushed()
    // A script is looked at first, whatever its author says: it may still run, or have ended.
    if step.isIdempotent, state.purpose == .do, !step.action.cancellable {
      if PlantedMistake.resendsNotCounted.isMade { return record(.resend(cleared: false)) }
      return repeatOrGiveUp(step)
    }
    let lateBound = action.lateBound(of: call, lostSince: state.lostSince ?? clock.now)
    switch step.effectClass {
    case .keyed where isKeyGood(action, state) && clock.now < call.deadline:
      try await resend(step, before: call.deadline, cleared: false)
    case .keyed, .convergent, .findable, .opaque:
      let (answer, isAnswered) = try await seek(action, call, step, until: lateBound)
      if answer.isDefinite, state.scriptPlace == RunMachine.placeBeforeRestore { record(.adopted) }
      switch answer {
      case .applied(let result):
        record(.found)
        succeed(step, result)
      case .failed(let failure):
        record(.found)
        fail(step, failure)
      case .notApplied:
        // Before its life is over, "not there" is only true so far.
        try await resend(step, before: call.deadline, cleared: action.answersAtOnce(call) || clock.now >= lateBound)
      case .unsure where step.action.runsElsewhere && mayGoOn(action, call, step, isAnswered): recordUnseen(step)
      case .unsure: try await resolveUnsure(step, before: call.deadline)
      }
    }
  }

  /// A copy of it is no repetition while the first may still run.
  private func mayGoOn(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep, _ isAnswered: Bool
  ) -> Bool {
    if PlantedMistake.unseenEndIsAnEnd.isMade { return false }
    if !isAnswered { return true }
    return step.isIdempotent && run.machine.state(of: step.path).purpose == .do && !action.answersAtOnce(call)
  }

  /// Nobody could look at what may still run on another machine: it is not begun a second time, and unless an undo puts
  /// that machine back from outside, a person is asked.
  private func recordUnseen(_ step: ActionStep) {
    let path = step.path
    if run.machine.state(of: path).purpose == .do {
      record(.unknowable(lostFailure(step), asks: !isUndoneFromOutside(step)))
    } else {
      record(.failed(lostFailure(step), retries: false, delay: .zero))
    }
  }

  /// Whether an undo of the step ends what runs on a machine without its help: a provider puts its disk back, or stops
  /// it.
  func isUndoneFromOutside(_ step: ActionStep) -> Bool {
    step.undoSteps.contains { step in
      switch step.action.operation?.leaves {
      case .asAsked, .becomes(.stopped), .becomes(.rescue), .becomes(.absent): step.provider != nil
      case .becomes, .unchanged, .unknown, nil: false
      }
    }
  }

  /// Nobody and nothing can tell what became of the call.
  private func resolveUnsure(_ step: ActionStep, before deadline: Timestamp) async throws(Interruption) {
    let state = run.machine.state(of: step.path)
    if PlantedMistake.cleanUpInTheSameFolder.isMade { return record(.resend(cleared: false)) }
    if step.action.cancellable, state.purpose.isRepeatedAfterCrash || step.isIdempotent {
      // A script that left no exit code is started again in a folder of its own.
      repeatOrGiveUp(step)
    } else if step.effectClass == .convergent || state.purpose.isRepeatedAfterCrash {
      try await resend(step, before: deadline, cleared: false)
    } else {
      record(.unknowable(lostFailure(step)))
    }
  }

  /// One more attempt, counted; after the last of them the step has failed, with an effect that is not known.
  private func repeatOrGiveUp(_ step: ActionStep) {
    let state = run.machine.state(of: step.path)
    let failure = lostFailure(step)
    let attempts = state.purpose == .undo && step.retry.isWritten || state.purpose == .do ? step.retry.attempts : 3
    let limit = step.isIdempotent ? max(attempts, step.retry.countsSends ? 1 : 3) : attempts
    guard state.tries < limit, state.purpose != .do || clock.now < run.currentDeadline(step) else {
      record(.failed(failure, retries: false, delay: .zero))
      return
    }
    let schedule = RetrySchedule(for: step, state.purpose)
    let pause = schedule.delay(after: state.tries, asked: nil, random: run.launch.world.random)
    record(.failed(failure, retries: true, delay: pause))
  }

  /// Sends again. Requests that get no answer leave further and further apart, up to a minute, and not for ever: when
  /// the step's time is over, or as many were sent as its author wrote, it has failed.
  private func resend(_ step: ActionStep, before deadline: Timestamp, cleared: Bool) async throws(Interruption) {
    let path = step.path
    let state = run.machine.state(of: path)
    guard let error = state.error else {
      record(.resend(cleared: cleared))
      return
    }
    guard let reason = whyNoMore(step, state, before: deadline) else {
      var schedule = RetrySchedule.standard
      if let since = state.keySince { schedule.delay = max(schedule.delay, (clock.now - since) / 4) }
      try await pauseOrInterrupt(schedule.delay(after: 1, asked: nil, random: run.launch.world.random))
      record(.resend(cleared: cleared))
      return
    }
    let failure = StepFailure(.timeout, "\(reason): \(error.message)", effect: cleared ? .none : .unknown)
    if cleared { record(.cleared) }
    record(.failed(failure, retries: false, delay: .zero))
  }

  /// Why a request is not sent once more; nil: it is. Each sending of a clean-up has its whole time, so it is bounded
  /// by the rollback's time, or by their number.
  private func whyNoMore(_ step: ActionStep, _ state: StepMachine, before deadline: Timestamp) -> String? {
    let limit: Int?
    let end: Timestamp
    switch state.purpose {
    // A cloud's action looks before it sends again; a bare request does not, so its attempts are all its sendings.
    case .do:
      let isCounted = step.retry.countsSends || step.provider == nil
      (limit, end) = (isCounted ? step.retry.attempts : nil, deadline)
    case .undo:
      (limit, end) = (
        step.retry.countsSends ? step.retry.attempts : nil, run.machine.rollbackDeadline(of: path, default: deadline)
      )
    case .always, .onFailure, .onRollbackFailure, .stopIf: (limit, end) = (3, Timestamp(seconds: .max))
    }
    if let limit, state.sends >= limit { return "none of \(state.sends) requests had a certain answer" }
    return clock.now < end ? nil : "no certain answer came before its time was over"
  }

  /// The other side still knows the key: the same request with it is answered and not carried out again.
  private func isKeyGood(_ action: any Action, _ state: StepMachine) -> Bool {
    guard let window = action.keyWindow else { return true }
    return clock.now < (state.keySince ?? clock.now) + window
  }

  private func lostFailure(_ step: ActionStep) -> StepFailure {
    let reason =
      run.machine.state(of: step.path).error?.message ?? "the engine stopped between its call and the outcome"
    return StepFailure(.crashed, "it is unknown whether it took effect: \(reason)", effect: .unknown)
  }

  /// Asks the action's probe; `isAnswered` is false if it failed until nobody wanted to wait for it any longer.
  ///
  /// A desired state that is not reached can be sent again at once; for the other classes "not
  /// there" counts only when a request still on its way can no longer arrive. Clean-up asks as patiently as it acts.
  private func seek(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep, until lateBound: Timestamp
  ) async throws(Interruption) -> (answer: ProbeAnswer, isAnswered: Bool) {
    let isCleanUp = run.machine.state(of: step.path).purpose == .undo
    let giveUp =
      isCleanUp ? run.machine.rollbackDeadline(of: path, default: call.deadline) : max(call.deadline, lateBound)
    var tries = 1
    while true {
      var answer = ProbeAnswer.unsure
      var asked: Duration?
      do throws(StepFailure) { answer = try await action.probe(call) } catch {
        let failure = masker.mask(error)
        run.launch.observer.progress(RunProgress(step: step.path, message: failure.message))
        let isRepeated = failure.retryable || isCleanUp && tries < 3 && !failure.isFinal
        guard isRepeated, clock.now < giveUp else { return (.unsure, false) }
        asked = failure.retryAfter ?? .zero
      }
      if answer.isDefinite { return (answer, true) }
      // A probe that did not answer is asked again, however long the request may live; one that did not know, until
      // then.
      if asked == nil {
        let isFinal =
          step.effectClass == .convergent || action.answersAtOnce(call) || clock.now >= lateBound
          || step.effectClass == .opaque && answer == .unsure
        if isFinal { return (answer, true) }
      }
      let what =
        step.action.runsElsewhere
        ? "looking for the script; its time there is over by"
        : "finding out whether the request took effect; it may arrive until"
      run.launch.observer.progress(RunProgress(step: step.path, message: "\(what) \(lateBound.wholeSecond)"))
      var pause = RetrySchedule.standard.delay(after: min(tries, 4), asked: asked, random: run.launch.world.random)
      if clock.now < lateBound { pause = min(pause, max(lateBound - clock.now, .milliseconds(1))) }
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }
}

extension ProbeAnswer {
  /// It took place, and what came of it is known.
  var isDefinite: Bool {
    switch self {
    case .applied, .failed: true
    case .notApplied, .unsure: false
    }
  }
}

// Nothing is undone while it may still happen: before the undo of a step begins, the step comes to rest.
extension StepRunner {
  /// At rest means: nothing of it runs, every request without an answer was found or can no longer arrive, what was
  /// accepted has shown, and the thing acted on does not change any more. A step that cannot be brought to rest is not
  /// undone; the rollback then stops at it.
  func comeToRest() async throws(Interruption) {
    guard let step else { return }
    if PlantedMistake.restNotAwaited.isMade { return record(.settled(.unsure)) }
    let action: any Action
    let call: ActionCall
    do throws(StepFailure) {
      action = try run.action(for: step)
      call = try run.currentCall(step)
    } catch {
      let failure = masker.mask(error)
      record(
        .unsettled(
          StepFailure(
            failure.kind, "whether `\(path)` is at rest cannot be asked: \(failure.message)", effect: .unknown)))
      return
    }
    try await flushed()
    // It was seen to end, and its machine need not be asked again: it may be what has to be put back.
    if action.declaration.runsElsewhere, hasSeenEnd(step) { return record(.settled(.unsure)) }
    // One that was left running by another process is not awaited to its end: nobody wants that any more.
    if action.declaration.cancellable, try await !stopped(action, call, step) { return }
    let state = run.machine.state(of: path)
    if state.effect == .unknown || state.error == nil && state.status != .succeeded {
      switch try await seekForUndo(action, call, step) {
      case .applied, .failed: record(.found)
      case .notApplied:
        record(.settled(.notApplied))
        return
      case .unsure: break
      }
    }
    try await awaitLateRequests(action, call, step)
    guard try await awaitShowing(action, call, step) else { return }
    try await awaitSettled(action, call, step)
  }

  /// Waits for the rest of the time of what may run on another machine, if the rollback has so much time.
  private func isOver(by instant: Timestamp) async throws(Interruption) -> Bool {
    guard instant <= run.machine.rollbackDeadline(of: path, default: clock.now) else { return false }
    if instant > clock.now { try await pauseOrInterrupt(instant - clock.now) }
    return true
  }

  private func hasSeenEnd(_ step: ActionStep) -> Bool {
    let state = run.machine.state(of: step.path)
    return state.effect != .unknown && state.lostSince == nil && (state.status == .succeeded || state.error != nil)
  }

  /// Ends what still runs of a script. A failure to do so is repeated: undoing beside it is no way out.
  private func stopped(_ action: any Action, _ call: ActionCall, _ step: ActionStep) async throws(Interruption)
    -> Bool
  {
    var giveUp = run.machine.rollbackDeadline(of: path, default: clock.now)
    // An undo that puts the machine back from outside needs no word from it: it is enough that the time of what runs
    // there is over.
    let isPutBack = action.declaration.runsElsewhere && isUndoneFromOutside(step)
    let late = action.lateBound(of: call, lostSince: run.machine.state(of: step.path).lostSince ?? clock.now)
    if isPutBack { giveUp = min(giveUp, late) }
    var tries = 1
    while true {
      do throws(StepFailure) {
        try await action.cancel(call)
        return true
      } catch {
        let failure = masker.mask(error)
        run.launch.observer.progress(RunProgress(step: step.path, message: failure.message))
        let pause = RetrySchedule.undo.delay(after: tries, asked: nil, random: run.launch.world.random)
        let isRepeated = failure.retryable || tries < 3 && !failure.isFinal
        guard isRepeated || isPutBack, clock.now + pause < giveUp else {
          if isPutBack, try await isOver(by: late) {
            record(.settled(.unsure))
            return false
          }
          let message = "`\(step.path)` may still run: \(failure.message)"
          record(.unsettled(StepFailure(failure.kind, message, effect: .unknown)))
          return false
        }
        try await pauseOrInterrupt(pause)
        tries += 1
      }
    }
  }

  /// As `seek`, but "not there" must always outlive the request: an undo may not race with what it undoes.
  private func seekForUndo(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep
  ) async throws(Interruption) -> ProbeAnswer {
    let lateBound = action.lateBound(of: call, lostSince: run.machine.state(of: step.path).lostSince ?? clock.now)
    let giveUp = run.machine.rollbackDeadline(of: path, default: lateBound)
    var tries = 1
    while true {
      var answer = ProbeAnswer.unsure
      var hasAnswered = true
      do throws(StepFailure) { answer = try await action.probe(call) } catch {
        hasAnswered = !error.retryable
      }
      if answer.isDefinite { return answer }
      if hasAnswered, clock.now >= lateBound || action.answersAtOnce(call) { return answer }
      if clock.now >= giveUp { return .unsure }
      tellWaiting(step, "its request, which got no answer, may still arrive", until: lateBound)
      var pause = RetrySchedule.standard.delay(after: min(tries, 3), asked: nil, random: run.launch.world.random)
      if clock.now < lateBound { pause = min(pause, max(lateBound - clock.now, .milliseconds(1))) }
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }

  /// A request without an answer may arrive after one that was answered.
  func awaitLateRequests(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep
  ) async throws(Interruption) {
    guard !action.answersAtOnce(call), let lostSince = run.machine.state(of: step.path).lostSince else { return }
    let lateBound = action.lateBound(of: call, lostSince: lostSince)
    let left = lateBound - clock.now
    guard left > .zero else { return }
    tellWaiting(step, "a request of it, which got no answer, may still arrive", until: lateBound)
    try await pauseOrInterrupt(left)
  }

  /// What was accepted and not waited for to its end shows first: what is read before that is the state before the
  /// change, and an undo that finds it "as it should be" would do nothing.
  /// - Returns: false if it cannot be told, which is recorded.
  private func awaitShowing(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep
  ) async throws(Interruption) -> Bool {
    let state = run.machine.state(of: step.path)
    guard run.machine.startsUnwatched(step.path), state.effect == .applied, let wait = step.action.wait,
      !PlantedMistake.undoBeforeItShows.isMade
    else { return true }
    // Longer than this nothing that was accepted takes to show.
    let bound = max((state.intendedAt ?? clock.now) + wait.timeout, clock.now)
    let giveUp = min(bound, run.machine.rollbackDeadline(of: path, default: bound))
    var tries = 1
    while true {
      do throws(StepFailure) {
        switch try await action.observe(call, after: state.result).verdict {
        case .done, .failed: return true
        case .pending: break
        }
      } catch {
        // The thing is gone or cannot be asked about: nothing can be seen of it.
        if !error.retryable { return true }
      }
      guard clock.now < giveUp else { return true }
      tellWaiting(step, "the change that it started cannot be seen yet", until: giveUp)
      let pause = RetrySchedule.standard.delay(after: min(tries, 3), asked: nil, random: run.launch.world.random)
      try await pauseOrInterrupt(min(pause, max(giveUp - clock.now, .milliseconds(1))))
      tries += 1
    }
  }

  /// Whether a cancelled step may be a script that an earlier process left running.
  func mayStillRun(_ event: StepEvent) -> Bool {
    guard case .cancelled(let failure) = event, let step else { return false }
    return failure.effect == .unknown && step.action.cancellable && !PlantedMistake.cancelLeavesItRunning.isMade
  }

  /// Ends what an earlier process left running of a cancelled step, also of one that nothing undoes. A failure to do so
  /// is told; where something undoes the step, it is brought to rest before that, more patiently.
  func stop(_ event: StepEvent) async throws(Interruption) {
    guard case .cancelled(var failure) = event, let step else { return record(event) }
    try await flushed()
    do throws(StepFailure) { try await run.action(for: step).cancel(try run.currentCall(step)) } catch {
      failure.message += ", and it may still run: \(masker.mask(error).message)"
    }
    record(.cancelled(failure))
  }

  private func awaitSettled(_ action: any Action, _ call: ActionCall, _ step: ActionStep) async throws(Interruption) {
    let giveUp = run.machine.rollbackDeadline(of: path, default: clock.now)
    var lastFailure: StepFailure?
    while true {
      do throws(StepFailure) {
        if try await action.isSettled(call) {
          record(.settled(.unsure))
          return
        }
      } catch {
        lastFailure = masker.mask(error)
        // The thing is gone or cannot be asked about: nothing moves that we could wait for.
        guard error.retryable else {
          record(.settled(.unsure))
          return
        }
      }
      guard clock.now < giveUp else {
        let message = lastFailure?.message ?? "it is still changing"
        let failure = StepFailure(.timeout, "cannot be undone: \(message)", effect: .unknown)
        record(.unsettled(failure))
        return
      }
      tellWaiting(step, lastFailure?.message ?? "it is still changing", until: giveUp)
      try await pauseOrInterrupt(.seconds(5))
    }
  }

  private func tellWaiting(_ step: ActionStep, _ reason: String, until instant: Timestamp) {
    run.launch.observer.progress(
      RunProgress(
        step: step.path, message: "not undone yet: \(reason); waiting at the longest until \(instant.wholeSecond)"))
  }
}

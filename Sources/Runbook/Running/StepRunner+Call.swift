extension StepRunner {
  /// The intent is recorded: makes it durable, calls, and records how it went.
  func call() async throws(Interruption) {
    guard let step else { return }
    let action: any Action
    var call: ActionCall
    do throws(StepFailure) {
      action = try run.action(for: step)
      call = try run.callToMake(step)
    } catch {
      record(.failed(masker.mask(error), retries: false, delay: .zero))
      return
    }
    await tellOfEarlierScript(step, call)
    if !PlantedMistake.callBeforeCommit.isMade { try await flushed() }
    if step.action.runsElsewhere { run.addFinishedCalls(to: &call) }
    switch try await perform(action, call, step) {
    case .success(let result):
      // What is undone next must not meet an earlier request of this undo step.
      if run.machine.state(of: path).purpose == .undo, !PlantedMistake.lateRequestForgotten.isMade {
        try await awaitLateRequests(action, call, step)
      }
      succeed(step, result)
    case .failure(let failure):
      // It was stopped by a cancel that the machine has not heard of yet.
      if failure.kind == .cancelled { run.takeMessages() }
      fail(step, failure)
    }
  }

  /// Keys are the same in every life of a store: a script that one which was put back has started is not started again.
  /// Nothing that this life knows of it is wrong, but a person must be told where it comes from.
  private func tellOfEarlierScript(_ step: ActionStep, _ call: ActionCall) async {
    let state = run.machine.state(of: step.path)
    // Not when it is sent again: then this life may have started it.
    guard run.machine.wasRestored, step.action.cancellable, state.keySince == state.intendedAt,
      let found = try? await run.launch.world.scripts.state(of: call.key), found != .absent
    else { return }
    record(.adopted)
  }

  /// Calls, and repeats for `connect_timeout` while not a byte has left.
  func perform(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep
  ) async throws(Interruption) -> Result<ActionResult, StepFailure> {
    let start = clock.now
    var tries = 1
    while true {
      let result = try await performOnce(action, call, step)
      guard case .failure(let failure) = result, failure.beforeFirstByte, failure.retryable, !run.machine.isToEnd(path)
      else { return result }
      let pause = RetrySchedule.connect.delay(after: tries, asked: failure.retryAfter, random: run.launch.world.random)
      guard clock.now + pause < min(start + step.retry.connectTimeout, call.deadline) else { return result }
      run.launch.observer.progress(RunProgress(step: step.path, message: masker.mask(failure.message)))
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }

  /// Reads are cut short by a cancel; scripts get their cancel and are awaited; a changing call that cannot be
  /// cancelled is awaited to its own deadline, which is the only way to know what it did.
  func performOnce(
    _ action: any Action, _ call: ActionCall, _ step: ActionStep
  ) async throws(Interruption) -> Result<ActionResult, StepFailure> {
    if action.declaration.isInstant || (step.effect != .none && !action.declaration.cancellable) {
      return await StepRunner.result { () async throws(StepFailure) in try await action.perform(call) }
    }
    let control = run.launch.control
    let heeded = heeded
    let path = path
    let outcome = await withTaskGroup(of: Raced.self) { group in
      // Two tasks, of which the first to end decides: the call, and the message that may cut it short. Neither outlives
      // the group. They run beside the engine's queue, which a call that blocks would hold up for all runs.
      group.addTask { @concurrent in
        .finished(await StepRunner.result { () async throws(StepFailure) in try await action.perform(call) })
      }
      group.addTask { @concurrent in
        await control.wait(for: heeded, path)
        return .arrival
      }
      var outcome = await group.next() ?? .arrival
      if case .arrival = outcome, control.leaveReason == nil, action.declaration.cancellable {
        // One stops the call; the other lets a person leave who need not wait for a machine that cannot be reached.
        group.addTask { @concurrent in
          await StepRunner.stop(action, call)
          return .stopped
        }
        group.addTask { @concurrent in
          await control.wait(for: .leave, path)
          return .arrival
        }
        repeat {
          outcome = await group.next()?.asCancelled ?? .arrival
          if case .stopped = outcome, step.effect == .none { group.cancelAll() }
        } while outcome.isStopped
      }
      group.cancelAll()
      if case .arrival = outcome {
        // The call may have come to its end in the same moment.
        while let last = await group.next() {
          if case .finished(.success(let result)) = last { outcome = .finished(.success(result)) }
        }
      }
      return outcome
    }
    switch outcome {
    case .finished(let result): return result
    case .arrival, .stopped: throw .arrival
    }
  }

  /// Has a running call stopped. A machine that cannot be reached is asked again and again.
  nonisolated private static func stop(_ action: any Action, _ call: ActionCall) async {
    var pause = Duration.seconds(1)
    while !Task.isCancelled {
      do throws(StepFailure) { return try await action.cancel(call) } catch {
        call.report(error.message)
        guard error.retryable else { return }
        await call.clock.sleep(for: pause)
        pause = min(pause * 2, .seconds(30))
      }
    }
  }

  private enum Raced: Sendable {
    case finished(Result<ActionResult, StepFailure>)
    case arrival
    /// It was told to stop, and nothing of it runs.
    case stopped

    var isStopped: Bool { if case .stopped = self { true } else { false } }

    /// A script that was told to stop failed because of that, not of itself.
    var asCancelled: Raced {
      guard case .finished(.failure(var failure)) = self else { return self }
      failure.kind = .cancelled
      failure.retryable = false
      return .finished(.failure(failure))
    }
  }

  nonisolated private static func result(
    _ body: () async throws(StepFailure) -> ActionResult
  ) async -> Result<ActionResult, StepFailure> {
    do throws(StepFailure) { return .success(try await body()) } catch { return .failure(error) }
  }

  // MARK: What followed

  /// The call is done: wait for what it started, or evaluate the outputs and end.
  func succeed(_ step: ActionStep, _ raw: ActionResult) {
    let result = withheld(run.referring(raw, of: step), of: step)
    let waits = step.action.wait != nil || step.wait.until != nil
    if waits, !step.wait.isSkipped, step.effect != .none {
      record(.called(result))
    } else {
      finish(step, result)
    }
  }

  /// What a step wrote that had a secret which this process does not know is lost: nobody could mask it.
  private func withheld(_ result: ActionResult, of step: ActionStep) -> ActionResult {
    let secrets = run.unmaskableSecrets(of: step)
    guard !secrets.isEmpty else { return result }
    func lost(_ values: [String: Value]) -> [String: Value] {
      values.mapValues { value in
        switch value {
        case .string, .stored, .list, .map: .lost(secrets)
        default: value
        }
      }
    }
    return ActionResult(outputs: lost(result.outputs), result: lost(result.result))
  }

  /// An attempt is: call, then `outputs`, then `expect`.
  func finish(_ step: ActionStep, _ result: ActionResult) {
    do throws(StepFailure) {
      let outputs = try outputs(of: step, result)
      record(.succeeded(outputs: outputs))
    } catch {
      fail(step, error)
    }
  }

  private func outputs(of step: ActionStep, _ result: ActionResult) throws(StepFailure) -> [String: Value] {
    guard !step.outputs.isEmpty || step.expect != nil else { return result.outputs }
    var outputs = result.outputs
    for (name, expression) in step.outputs {
      let scope = run.scope(for: step.path, attempt: attemptRoots(result, outputs: outputs))
      do throws(ExpressionFailure) {
        outputs[name] = try run.evaluate(expression, in: scope, keepsStored: true)
        if PlantedMistake.maskedTextIsTheValue.isMade { outputs[name] = outputs[name].map { masker.mask($0) } }
      } catch {
        throw StepFailure(.expression, "output `\(name)`: \(error.message)", effect: .applied)
      }
      if case .stored(let text)? = outputs[name], text.key.isEmpty { throw Interpreter.notKept(name) }
    }
    guard let expect = step.expect else { return outputs }
    let scope = run.scope(for: step.path, attempt: attemptRoots(result, outputs: outputs))
    let holds: Bool
    do throws(ExpressionFailure) { holds = try run.evaluate(expect, in: scope).bool == true } catch {
      throw StepFailure(.expression, "`expect`: \(error.message)", effect: .applied)
    }
    guard holds else {
      let words = masker.mask(expect.explanation(in: scope))
      throw StepFailure(.expect, "`expect` does not hold: \(words)", effect: .applied)
    }
    return outputs
  }

  /// What `result`, `error` and `self.outputs` are while an attempt is judged.
  func attemptRoots(
    _ result: ActionResult, outputs: [String: Value]? = nil, error: StepError? = nil
  ) -> [String: Value] {
    [
      "result": .map(
        result.result.isEmpty ? result.outputs : result.result.merging(result.outputs) { first, _ in first }),
      "outputs": .map(outputs ?? result.outputs), "error": error?.value ?? .null,
    ]
  }

  /// A failed attempt: its effect unknown, it is found out; certain, it is retried or ends the step.
  func fail(_ step: ActionStep, _ raw: StepFailure) {
    var failure = masker.mask(raw)
    if step.effect == .none { failure.effect = .none }
    if !run.unmaskableSecrets(of: step).isEmpty { failure.detail = failure.detail.filter { $0.value.string == nil } }
    if failure.kind == .cancelled, run.machine.isCancellable || run.machine.isToEnd(path) {
      record(.cancelled(failure))
    } else if failure.effect == .unknown, !repeatsUnasked(step) {
      record(.replyLost(failure))
    } else {
      failAttempt(step, failure)
    }
  }

  /// Its author says that it may be repeated, so a lost reply is one more failed attempt. A script is looked at first:
  /// a second one beside the first would be no repetition.
  private func repeatsUnasked(_ step: ActionStep) -> Bool {
    step.isIdempotent && !step.action.cancellable && run.machine.state(of: step.path).purpose == .do
      && !PlantedMistake.resendsNotCounted.isMade
  }

  /// The attempt is over: the next one follows, or the step has failed.
  func failAttempt(_ step: ActionStep, _ failure: StepFailure) {
    let state = run.machine.state(of: step.path)
    let schedule = RetrySchedule(for: step, state.purpose)
    let pause = schedule.delay(after: state.tries, asked: failure.retryAfter, random: run.launch.world.random)
    let isRepeated = repeats(
      step, state.purpose, failure, tries: state.tries, until: run.currentDeadline(step), after: pause)
    record(.failed(failure, retries: isRepeated, delay: pause))
  }

  /// Whether a failed try is followed by another. An undo repeats retryable errors as long as the rollback may take,
  /// and others three times, unless its author wrote a `retry`.
  func repeats(
    _ step: ActionStep, _ purpose: Purpose, _ failure: StepFailure, tries: Int, until deadline: Timestamp,
    after pause: Duration
  ) -> Bool {
    if failure.isFinal { return false }
    let end = clock.now + pause
    if purpose == .undo {
      guard end < run.machine.rollbackDeadline(of: path, default: clock.now) else { return false }
      if PlantedMistake.undoGivesUpInAnOutage.isMade, tries >= 5 { return false }
      if !step.retry.isWritten || PlantedMistake.undoRetryIgnored.isMade { return failure.retryable || tries < 3 }
    } else {
      guard !run.machine.isToEnd(path), end < deadline else { return false }
      if failure.isMisshapen, !step.retry.isWritten { return false }
    }
    let isWaitedFor = failure.passes && failure.retryable && failure.effect == .none && !step.retry.isWritten
    guard isWaitedFor || tries < step.retry.attempts else { return false }
    guard let condition = step.retry.condition else {
      return failure.retryable || step.retry.countsSends && failure.kind.mayBeRepeatedOnDemand
    }
    let error = StepError(failure, step: step.path, attempt: tries)
    let scope = run.scope(for: step.path, attempt: attemptRoots(ActionResult(), error: error))
    return (try? condition.evaluate(in: scope))?.bool ?? false
  }

  /// Pauses until the next attempt is due, and records its intent.
  @inline(never) func retry(at instant: Timestamp) async throws(Interruption) {
    try await flushed()
    let pause = instant - clock.now
    if pause > .zero { try await pauseOrInterrupt(pause) }
    recordAttempt()
  }

  @inline(never) private func recordAttempt() {
    let state = run.machine.state(of: path)
    record(.attemptDue(key: StepKey.make(runID, path, state.purpose, state.attempt + 1)))
  }

  /// The arrivals that interrupt the current work.
  private var heeded: RunControl.Arrival {
    if heedsAnswers { return .message }
    return run.machine.isCancellable || run.machine.isToEnd(path) ? .cancel : .leave
  }

  /// Sleeps on the run's clock; an arrival (cancel, leave) ends it by throwing.
  func pauseOrInterrupt(_ pause: Duration) async throws(Interruption) {
    let clock = run.launch.world.clock
    try await untilInterrupted { await clock.sleep(for: pause) }
  }

  /// Does something that ends early when its task is cancelled; an arrival ends it by throwing.
  @inline(never) func untilInterrupted<Outcome: Sendable>(
    _ body: @escaping @Sendable () async -> Outcome
  ) async throws(Interruption) -> Outcome {
    let heeded = heeded
    guard !run.launch.control.isInterrupted(by: heeded, path),
      let outcome = await run.launch.control.untilArrival(of: heeded, path, body)
    else { throw .arrival }
    return outcome
  }
}

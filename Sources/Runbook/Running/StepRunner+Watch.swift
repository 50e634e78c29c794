extension StepRunner {
  /// Polls until the step's wait is over: after a changing call by the action's own look, for `wait_for` and reads by
  /// the call itself.
  @inline(never) func watch() async throws(Interruption) {
    watched = await beginWatch()
    defer { watched = nil }
    try await flushed()
    while watched != nil {
      try await onOwnStack { runner throws(Interruption) in try await runner.look() }
      guard let pause = try await pauseAfterLook() else { return }
      if isUnheardTooLong { try await onOwnStack { runner throws(Interruption) in try await runner.tellOfState() } }
      if let news = news(atMost: pause) {
        note(asOf: try await untilInterrupted(news))
      } else {
        try await pauseOrInterrupt(pause)
        note(asOf: nil)
      }
    }
  }

  /// nil: there is nothing to watch, or its fields can no longer be evaluated, which is recorded.
  @inline(never) private func beginWatch() async -> Watch? {
    guard let step else { return nil }
    let action: any Action
    var call: ActionCall
    do throws(StepFailure) {
      action = try run.action(for: step)
      call = if step.isPolled { try run.callToMake(step) } else { try run.currentCall(step) }
    } catch {
      endWatch(step, masker.mask(error))
      return nil
    }
    let state = run.machine.state(of: path)
    let since = state.waitingSince ?? clock.now
    let limit = step.wait.timeout ?? (step.effect == .none ? nil : step.action.wait?.timeout)
    var deadline = run.currentDeadline(step)
    if let limit { deadline = min(deadline, max(since, run.machine.resumedAtForCleanUp(state) ?? since) + limit) }
    if let key = durationsKey(of: step) { call.usual = await run.launch.store.usualDuration(of: key) }
    let watch = Watch(step: step, action: action, call: call, since: since, deadline: deadline, result: state.result)
    watch.hasTimeAfterDeadline = run.currentDeadline(step) - deadline >= Watch.lastLook
    return watch
  }

  /// How long to wait for the next look; nil: the wait is over.
  @inline(never) private func pauseAfterLook() async throws(Interruption) -> Duration? {
    guard let watch = watched else { return nil }
    if let end = judge(watch.look, watch) {
      await endWatch(watch, end)
      return nil
    }
    try await noteState(watch)
    let pause = watch.pause(at: clock.now)
    guard clock.now + pause > watch.deadline else { return pause }
    let remaining = watch.deadline - clock.now
    // A last look at the deadline, unless the other side asked for more than that. If the step's time is over then, a
    // moment earlier: a look takes time.
    if remaining > .zero, !watch.isLast, (watch.lastFailure?.retryAfter ?? .zero) <= remaining {
      watch.isLast = true
      return watch.hasTimeAfterDeadline ? remaining : max(remaining - Watch.lastLook, remaining / 2)
    }
    await endWatch(watch, .failed(watch.timedOut(at: clock.now)))
    return nil
  }

  /// The pause of an action that may end it early, when there is news. nil: somebody else said how long the pause is.
  @inline(never) private func news(atMost pause: Duration) -> (@Sendable () async -> Duration?)? {
    guard let watch = watched, !watch.isLast, !watch.step.isPolled, watch.step.wait.every == nil,
      watch.lastFailure?.retryAfter == nil
    else { return nil }
    let (action, call, observation) = (watch.action, watch.call, watch.observation)
    return { await action.awaitNews(call.value, after: observation?.value, atMost: pause) }
  }

  @inline(never) private func note(asOf: Duration?) { watched?.call.asOf = asOf }

  @inline(never) private func endWatch(_ watch: Watch, _ end: WatchEnd) async {
    switch end {
    case .held(let result):
      if let key = durationsKey(of: watch.step) {
        await run.launch.store.noteDuration(clock.now - watch.since, of: key)
      }
      finish(watch.step, result)
    case .failed(let failure): endWatch(watch.step, failure)
    }
  }

  /// What the durations of this step's waits are kept by; nil for what is no provider's.
  @inline(never) private func durationsKey(of step: ActionStep) -> String? {
    let file = run.file(of: step.path)
    guard let name = step.provider, let provider = file.providers[name], step.effect != .none,
      let type = file.runbook.providers.first(where: { $0.name == name })?.type
    else { return nil }
    return "\(type) \(provider.account) \(step.action.name)"
  }

  /// One probe. Only reads, so a failure of it says nothing about the effect.
  private func look() async throws(Interruption) {
    guard let watch = watched else { return }
    if watch.step.isPolled { return try await repeatCall(watch) }
    do throws(StepFailure) {
      var observation = try await watch.action.observe(watch.call.value, after: watch.result)
      observation.nativeState = observation.nativeState.map { masker.mask($0) }
      if case .failed(let failure) = observation.verdict { observation.verdict = .failed(masker.mask(failure)) }
      watch.look = .seen(observation)
    } catch {
      watch.look = .failed(masker.mask(error))
    }
  }

  /// The call itself is the look: made anew each time, with what is left of the step's time.
  private func repeatCall(_ watch: Watch) async throws(Interruption) {
    watch.looks += 1
    let step = watch.step
    var call = watch.call.value
    let least = clock.now + Watch.lastLook
    call.deadline = min(run.currentDeadline(step), max(watch.deadline, least))
    if let limit = step.retry.attemptTimeout { call.deadline = min(call.deadline, clock.now + limit) }
    // A script is known by its key: with that of an earlier look, the earlier one would be found again.
    let isScript = step.action.runsScript
    if isScript {
      call.key = StepKey.look(watch.looks, of: call.key, epoch: run.launch.lease.epoch)
      call.output = run.freshOutput(of: step, key: call.key)
    }
    let outcome = try await performOnce(watch.action, call, step)
    if isScript, !step.action.runsElsewhere { await run.launch.scripts.forget(call.key) }
    switch outcome {
    case .success(let result): watch.look = .seen(Observation(.done, result: run.referring(result, of: step)))
    case .failure(let failure):
      watch.look = .failed(masker.mask(failure))
      // Of numbers only: texts in it are masked, and shortened.
      watch.failedResult = failure.detail.filter { $0.value.int != nil }
    }
  }

  private enum WatchEnd {
    case held(ActionResult)
    case failed(StepFailure)
  }

  /// nil: not yet.
  @inline(never) private func judge(_ look: Watch.Look, _ watch: Watch) -> WatchEnd? {
    let step = watch.step
    var error: StepError?
    var verdict = Observation.Verdict.pending
    switch look {
    case .seen(let observation):
      watch.saw(observation, at: clock.now)
      verdict = observation.verdict
    case .failed(let failure):
      if let end = watch.ends(on: failure, at: clock.now) { return .failed(end) }
      watch.lastFailure = failure
      run.launch.observer.progress(RunProgress(step: step.path, message: failure.message))
      error = StepError(failure, step: step.path, attempt: run.machine.state(of: step.path).attempt)
    }
    let seen = error == nil ? watch.result : ActionResult(result: watch.failedResult)
    let scope = run.scope(for: step.path, attempt: attemptRoots(seen, error: error))
    switch holds(step.wait.failIf, "fail_if", in: scope, watch) {
    case .success(true):
      let words = masker.mask(step.wait.failIf?.explanation(in: scope) ?? "")
      return .failed(StepFailure(.stopCondition, "`fail_if` holds: \(words)", effect: .applied))
    case .success(false): break
    case .failure(let failure): if error == nil { return .failed(failure) }
    }
    if case .failed(let failure) = verdict { return .failed(failure) }
    var isMet = verdict == .done
    if let until = step.wait.until {
      switch holds(until, "until", in: scope, watch) {
      case .success(let holds): isMet = holds
      // What is wrong with an expression that is given nothing but a failed look shows with the next answer.
      case .failure(let failure): if error == nil { return .failed(failure) } else { isMet = false }
      }
    }
    watch.successes = isMet ? watch.successes + 1 : 0
    return watch.successes >= step.wait.stable ? .held(watch.result) : nil
  }

  /// Whether a condition of a wait holds. Something that is not there, or null, may still come: it does not hold yet.
  @inline(never) private func holds(
    _ condition: Expression?, _ name: String, in scope: RunScope, _ watch: Watch
  ) -> Result<Bool, StepFailure> {
    guard let condition else { return .success(false) }
    do throws(ExpressionFailure) {
      let holds = try run.evaluate(condition, in: scope).bool == true
      if !holds, name == "until" { watch.unmet = masker.mask(condition.explanation(in: scope)) }
      return .success(holds)
    } catch {
      guard error.isNotYet else {
        return .failure(StepFailure(.expression, "`\(name)`: \(error.message)", effect: .applied))
      }
      if name == "until" { watch.unmet = masker.mask(error.message) }
      return .success(false)
    }
  }

  /// Tells of a changed native state, and journals it: what the thing went through is part of the record.
  @inline(never) private func noteState(_ watch: Watch) async throws(Interruption) {
    run.launch.observer.progress(RunProgress(step: watch.step.path, nativeState: watch.nativeState))
    guard watch.nativeState != watch.journaledState || !watch.isJournaled, watch.journalings < 50 else { return }
    watch.isJournaled = true
    watch.journaledState = watch.nativeState
    watch.journalings += 1
    record(.observed(nativeState: watch.nativeState, until: watch.until, deadline: watch.deadline, watch.result))
    try await flushed()
  }

  @inline(never) private func endWatch(_ step: ActionStep, _ failure: StepFailure) {
    let state = run.machine.state(of: step.path)
    // A clean-up is called again as a whole; the main steps only poll, they never repeat the call.
    if state.purpose == .undo {
      fail(step, failure)
    } else {
      var failure = failure
      if step.effect == .none { failure.effect = .none }
      record(.failed(failure, retries: false, delay: .zero))
    }
  }
}

extension ActionStepDefinition {
  /// The call itself is the probe.
  var isPolled: Bool { mode == .waitFor || effect == .none }
}

/// What one wait has seen so far. An object that the interpreter holds, and the helpers around it are not inlined: a
/// process with thousands of waiting runs consists of the frames of suspended functions, and whatever one of these
/// touches lies in its frame.
final class Watch {
  indirect enum Look: Sendable {
    case seen(Observation)
    case failed(StepFailure)
  }

  let step: ActionStep
  let action: any Action
  /// With what has been read lately (`asOf`).
  var call: Boxed<ActionCall>
  let since: Timestamp
  let deadline: Timestamp
  var result: ActionResult
  var nativeState: String?
  var journaledState: String?
  var isJournaled = false
  var journalings = 0
  var successes = 0
  var unmet: String?
  var lastFailure: StepFailure?
  var isLast = false
  /// Since when it has shown words that the client has never heard of.
  var unheardSince: Timestamp?
  /// How many times the call was made.
  var looks = 0
  /// What is known of the answer to a look that failed.
  var failedResult: [String: Value] = [:]
  /// The step has time left when the wait is over.
  var hasTimeAfterDeadline = true
  /// So much time the last look is given at least.
  static let lastLook = Duration.seconds(1)
  /// How the last look went.
  var look = Look.seen(Observation(.pending))
  /// What was seen last.
  private(set) var observation: Boxed<Observation>?
  private var rhythm: WaitRhythm

  init(
    step: ActionStep, action: any Action, call: ActionCall, since: Timestamp, deadline: Timestamp,
    result: ActionResult
  ) {
    self.action = action
    self.call = Boxed(call)
    self.step = step
    self.since = since
    self.deadline = deadline
    self.result = result
    rhythm = WaitRhythm(
      fastest: step.action.wait?.fastest ?? .seconds(1), slowest: step.action.wait?.slowest ?? .seconds(10),
      usual: call.usual)
  }

  /// In words.
  var until: String { step.wait.until?.source ?? step.action.wait?.until ?? "it succeeds" }

  func saw(_ observation: Observation, at instant: Timestamp) {
    unheardSince = observation.isUnheard ? unheardSince ?? instant : nil
    self.observation = Boxed(observation)
    lastFailure = nil
    if observation.nativeState != nativeState {
      nativeState = observation.nativeState
      rhythm.quicken()
    }
    result.outputs.merge(observation.result.outputs) { _, new in new }
    result.result.merge(observation.result.result) { _, new in new }
  }

  /// The author's `every` is constant.
  func pause(at now: Timestamp) -> Duration {
    max(step.wait.every ?? rhythm.pause(after: now - since), lastFailure?.retryAfter ?? .zero)
  }

  /// Whether a failed probe ends the wait: what cannot get better does, what may does not.
  func ends(on failure: StepFailure, at instant: Timestamp) -> StepFailure? {
    switch failure.kind {
    case .auth, .input, .expression: return failure.duringWait
    case .notFound: return step.isPolled || instant - since < step.wait.settle ? nil : failure.duringWait
    default: return step.isPolled || failure.retryable ? nil : failure.duringWait
    }
  }

  func timedOut(at instant: Timestamp) -> StepFailure {
    let after = "after \((instant - since).rounded.text)"
    var message =
      if step.wait.until != nil { "`until` does not hold \(after)" } else if let goal = step.action.wait?.until {
        "it is not `\(goal)` \(after)"
      } else { "it has not succeeded \(after)" }
    if let nativeState { message += "; it is `\(nativeState)`" }
    if let unmet { message += "; \(unmet)" }
    if let lastFailure { message += "; the last look failed: \(lastFailure.message)" }
    return StepFailure(.timeout, message, effect: .applied)
  }
}

extension StepFailure {
  /// The call had succeeded; what failed is only the looking.
  fileprivate var duringWait: StepFailure {
    var failure = self
    failure.effect = .applied
    return failure
  }
}

extension Duration {
  /// To whole seconds, above a second.
  var rounded: Duration { self < .seconds(1) ? self : .seconds(components.seconds) }
}

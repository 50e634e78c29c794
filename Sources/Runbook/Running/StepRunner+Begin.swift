extension StepRunner {
  /// Evaluates a step's condition and fields, captures what must be known before, and records the intent.
  func begin(_ purpose: Purpose) async throws(Interruption) {
    guard let step else { return }
    let instant = clock.now
    do throws(Refusal) {
      guard run.machine.isDue(path, purpose) else { return }
      guard try holds(step.condition) else {
        record(.skipped(purpose))
        return
      }
      let action: any Action
      do throws(StepFailure) { action = try run.action(for: step) } catch { throw .step(error) }
      if purpose == .do, let deadline = run.machine.deadline(around: path), instant >= deadline.at {
        throw .step(StepFailure(.timeout, deadline.words))
      }
      let with = try arguments(step)
      try await lockServer(of: step, purpose, with)
      try await intend(step, purpose, action, with, at: instant)
    } catch {
      switch error {
      case .step(let failure):
        // It was stopped meanwhile: it does not begin, and nothing of it is told.
        guard run.machine.isDue(path, purpose) else { return }
        record(.refused(purpose, masker.mask(failure)))
      case .interruption(let interruption): throw interruption
      }
    }
  }

  enum Refusal: Error {
    case step(StepFailure)
    case interruption(Interruption)
  }

  private func holds(_ condition: Expression?) throws(Refusal) -> Bool {
    guard let condition else { return true }
    do throws(ExpressionFailure) {
      return try run.evaluate(condition, in: run.scope(for: path)).bool ?? false
    } catch {
      throw .step(StepFailure(.expression, "`if`: \(error.message)"))
    }
  }

  private func arguments(_ step: ActionStep) throws(Refusal) -> [String: Value] {
    do throws(StepFailure) { return try run.evaluatedFields(step, in: run.scope(for: step.path)) } catch {
      throw .step(error)
    }
  }

  /// The server a step changes is locked before its intent, for the whole run; inside the run it is one branch's at a
  /// time.
  private func lockServer(
    of step: ActionStep, _ purpose: Purpose, _ with: [String: Value]
  ) async throws(Refusal) {
    guard let lock = run.serverLock(of: step, with) else { return }
    if purpose == .do {
      if let other = run.lockClaims[lock], run.isGoingOn(other, beside: path) {
        throw .step(
          StepFailure(
            .lock, "`\(lock)` is needed by `\(other)`, which is not at its end: one branch at a time changes a server",
            detail: ["held_by": .string(other.text)]))
      }
      run.lockClaims[lock] = path
    }
    guard !run.heldLocks.contains(lock) else { return }
    do throws(StoreFailure) {
      try await run.flush()
      _ = try await run.launch.committer.commit(
        JournalBatch([], of: runID, epoch: run.launch.lease.epoch, locks: [lock]))
      run.heldLocks.insert(lock)
    } catch {
      guard case .lockHeld(_, let holder) = error else { throw .interruption(.store(error)) }
      throw .step(StepFailure(.lock, "`\(lock)` is held by \(holder)", detail: ["held_by": .string(holder)]))
    }
  }

  private func intend(
    _ step: ActionStep, _ purpose: Purpose, _ action: any Action, _ with: [String: Value], at instant: Timestamp
  ) async throws(Refusal) {
    let key = StepKey.make(runID, step.path, purpose, run.machine.state(of: step.path).attempt)
    let isWait = step.isWait
    let question = try question(of: step, with, begun: instant)
    let deadline = question?.until ?? deadline(of: step, purpose, begun: instant)
    var before: [String: Value] = [:]
    if step.effect != .none, !isWait, step.provider != nil || !step.action.before.isEmpty {
      // Reading takes time; what has happened so far must not wait for it.
      do throws(Interruption) { try await flushed() } catch { throw .interruption(error) }
      var call = run.actionCall(step, key: key, with: with, deadline: deadline)
      call.neededBefore = step.neededBefore
      before = try await captured(step, purpose, action, call)
    }
    let place = try await scriptPlace(of: step)
    guard run.machine.isDue(path, purpose) else { return }
    run.record(
      .step(
        path,
        .began(
          StepStarted(
            purpose: purpose, title: step.title, action: step.action.name,
            effectClass: step.effectClass, effect: step.effect, key: key, digest: "",
            with: with.filter { !$0.key.hasPrefix("_") || $0.key == StepStarted.environment },
            scriptPlace: place, before: before, deadline: deadline, isWait: isWait))),
      at: instant)
    if let question { run.record(.step(path, .asked(question)), at: instant) }
  }

  /// Which folder of folders keeps the script: without it a missing script says nothing.
  private func scriptPlace(of step: ActionStep) async throws(Refusal) -> String? {
    guard step.action.cancellable else { return nil }
    if step.action.runsElsewhere { return "elsewhere" }
    do throws(StepFailure) { return try await run.launch.world.scripts.place() } catch { throw .step(error) }
  }

  /// What must be known before the call. Within the step's time and by the author's `retry`; an undo, whose step is
  /// owed, is as patient as its own attempts are.
  private func captured(
    _ step: ActionStep, _ purpose: Purpose, _ action: any Action, _ call: ActionCall
  ) async throws(Refusal) -> [String: Value] {
    var tries = 1
    while true {
      do throws(StepFailure) { return try await action.capture(call) } catch {
        let failure = masker.mask(error)
        let schedule = RetrySchedule(for: step, purpose)
        let pause = schedule.delay(after: tries, asked: error.retryAfter, random: run.launch.world.random)
        guard repeats(step, purpose, failure, tries: tries, until: call.deadline, after: pause) else {
          throw .step(failure)
        }
        run.launch.observer.progress(
          RunProgress(step: step.path, message: "reading the state before the change: \(failure.message)"))
        do throws(Interruption) { try await pauseOrInterrupt(pause) } catch { throw .interruption(error) }
        tries += 1
      }
    }
  }

  /// The step's own, within the run's for the main steps, within two minutes in all for diagnostics.
  /// - Parameter instant: when the step was begun: what is read before its intent counts.
  private func deadline(of step: ActionStep, _ purpose: Purpose, begun instant: Timestamp) -> Timestamp {
    let own = instant + step.timeout
    switch purpose {
    case .do: return min(own, run.machine.deadline(around: path)?.at ?? own)
    case .onFailure: return min(own, run.machine.stoppedAt(default: instant) + .seconds(120))
    case .stopIf: return run.machine.runDeadline
    case .undo, .always, .onRollbackFailure: return own
    }
  }
}

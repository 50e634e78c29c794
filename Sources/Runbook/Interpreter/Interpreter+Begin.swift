extension Interpreter {
  /// Evaluates a step's condition and fields, captures what must be known before, and records the intent.
  func begin(_ path: String, _ purpose: Purpose) async throws(Interruption) {
    guard let step = machine.steps[path] else { return }
    let instant = clock.now
    do throws(Refusal) {
      guard try holds(step.condition, path) else {
        record(.skipped(path, purpose))
        return
      }
      guard let action = action(of: step) else {
        throw .step(StepFailure(.input, "provider `\(step.provider ?? "")` has no action `\(step.action.name)`"))
      }
      if purpose == .do, instant >= machine.startedAt + launch.runbook.timeout {
        throw .step(StepFailure(.timeout, "the run's timeout of \(launch.runbook.timeout.text) is over"))
      }
      let with = try arguments(step, at: instant)
      try lockServer(of: step, with)
      try await intend(step, purpose, action, with, at: instant)
    } catch {
      switch error {
      case .step(let failure): record(.refused(path, purpose, masker.mask(failure)))
      case .interruption(let interruption): throw interruption
      }
    }
  }

  private enum Refusal: Error {
    case step(StepFailure)
    case interruption(Interruption)
  }

  private func holds(_ condition: Expression?, _ path: String) throws(Refusal) -> Bool {
    guard let condition else { return true }
    do throws(ExpressionFailure) {
      return try condition.evaluate(in: scope(for: path)).bool ?? false
    } catch {
      throw .step(StepFailure(.expression, "`if`: \(error.message)"))
    }
  }

  private func arguments(_ step: ValidatedStep, at instant: Timestamp) throws(Refusal) -> [String: Value] {
    do throws(StepFailure) { return try evaluatedFields(step, at: instant) } catch { throw .step(error) }
  }

  /// The fields of a step, with what the engine adds for scripts and HTTP (names that begin with `_`).
  ///
  /// - Parameter instant: when the step was begun; what `now()` answers, then and in every later process.
  func evaluatedFields(_ step: ValidatedStep, at instant: Timestamp) throws(StepFailure) -> [String: Value] {
    var scope = scope(for: step.path)
    scope.now = instant
    var with = try FieldValues.evaluate(step.with, fields: step.action.fields, in: scope)
    switch step.action.name {
    case "run", "ssh.run":
      with["_env"] = .map(try environment(of: step, in: scope))
      with["_cwd"] = .string(launch.source.folder)
      if let file = with["script_file"]?.string, let content = launch.source.files[file] {
        with["_script"] = .string(String(decoding: content, as: UTF8.self))
      }
    case "file.write": with["_cwd"] = .string(launch.source.folder)
    case "notify.webhook": with["_cwd"] = .string(launch.source.folder)
    case let name where name.hasPrefix("http."):
      with["_cwd"] = .string(launch.source.folder)
      if [step.expect, step.wait.until].contains(where: { $0?.source.contains("status") == true }) {
        with["_accept_any_status"] = true
      }
    default: break
    }
    return with
  }

  private func environment(of step: ValidatedStep, in scope: RunScope) throws(StepFailure) -> [String: Value] {
    var environment: [String: Value] = [:]
    if step.action.name == "run" { environment = launch.world.scriptEnvironment.mapValues { .string($0) } }
    for (name, template) in step.env {
      do throws(ExpressionFailure) {
        let value = try template.evaluate(in: scope)
        switch value {
        case .string, .secret: environment[name] = value
        case .null, .optional: throw ExpressionFailure("is null")
        case .int, .double, .bool, .list, .map, .duration, .timestamp, .unknown:
          environment[name] = .string(value.scalarText ?? JSONWriter.text(value))
        }
      } catch {
        throw StepFailure(.expression, "`env.\(name)`: \(error.message)")
      }
    }
    return environment
  }

  /// The server a step changes is locked before its intent, for the whole run.
  private func lockServer(of step: ValidatedStep, _ with: [String: Value]) throws(Refusal) {
    guard step.action.effect != .none, let provider = step.provider, let field = step.action.serverField,
      let server = with[field]?.string, let account = providers[provider]?.account,
      let type = launch.runbook.providers.first(where: { $0.name == provider })?.type
    else { return }
    let lock = "\(type)/\(account)/server/\(server)"
    guard !heldLocks.contains(lock) else { return }
    do throws(StoreFailure) {
      try flush()
      try launch.store.append(
        [], to: runID, epoch: launch.lease.epoch, summary: nil, locks: [lock], releasingLocks: false)
      heldLocks.insert(lock)
    } catch {
      guard case .lockHeld(_, let holder) = error else { throw .interruption(.store(error)) }
      throw .step(StepFailure(.lock, "`\(lock)` is held by \(holder)", detail: ["held_by": .string(holder)]))
    }
  }

  private func intend(
    _ step: ValidatedStep, _ purpose: Purpose, _ action: any Action, _ with: [String: Value], at instant: Timestamp
  ) async throws(Refusal) {
    let key = StepKey.make(runID, step.path, purpose, machine.state(of: step.path).attempt)
    let isWait = step.mode == .waitFor || (step.effect == .none && step.wait.until != nil)
    var before: [String: Value] = [:]
    if step.effect != .none, !isWait, step.provider != nil || !step.action.before.isEmpty {
      // Reading takes time; what has happened so far must not wait for it.
      do throws(Interruption) { try flushed() } catch { throw .interruption(error) }
      let call = actionCall(step, key: key, with: with, deadline: deadline(of: step, purpose))
      before = masker.mask(try await captured(step, action, call))
    }
    record(
      .began(
        StepStarted(
          step: step.path, purpose: purpose, title: step.title, action: step.action.name,
          effectClass: step.effectClass, effect: step.effect, key: key,
          digest: step.effect == .none ? "" : FieldValues.digest(with, key: launch.store.digestKey),
          with: masker.mask(with.filter { !$0.key.hasPrefix("_") }), before: before,
          deadline: deadline(of: step, purpose), isWait: isWait)), at: instant)
  }

  private func captured(
    _ step: ValidatedStep, _ action: any Action, _ call: ActionCall
  ) async throws(Refusal) -> [String: Value] {
    var tries = 1
    while true {
      do throws(StepFailure) { return try await action.capture(call) } catch {
        guard error.retryable, tries < 5, clock.now < call.deadline else { throw .step(error) }
        let pause = RetrySchedule.standard.delay(after: tries, asked: error.retryAfter, random: launch.world.random)
        do throws(Interruption) { try await pauseOrInterrupt(pause) } catch { throw .interruption(error) }
        tries += 1
      }
    }
  }

  /// The step's own, within the run's for the main steps, within two minutes in all for diagnostics.
  func deadline(of step: ValidatedStep, _ purpose: Purpose) -> Timestamp {
    let own = clock.now + step.timeout
    switch purpose {
    case .do: return min(own, machine.startedAt + launch.runbook.timeout)
    case .onFailure: return min(own, machine.stoppedAt(default: clock.now) + .seconds(120))
    case .undo, .always, .onRollbackFailure: return own
    }
  }
}

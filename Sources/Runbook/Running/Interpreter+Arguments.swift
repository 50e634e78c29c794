// A step's fields are evaluated once, when it is begun. The intent keeps them, so every later attempt, wait, probe,
// undo and process uses the same.
extension Interpreter {
  /// The author's fields, and `_env`.
  func evaluatedFields(_ step: ActionStep, in scope: RunScope) throws(StepFailure) -> [String: Value] {
    var with = try FieldValues.evaluate(step.with, fields: step.action.fields, in: scope)
    let lost = Value.map(with).lostSecrets
    guard lost.isEmpty else { throw StepFailure(.input, "a field cannot be evaluated: \(Value.lostWords(lost))") }
    if step.action.context.contains(.environment) {
      with[StepStarted.environment] = .map(try environment(of: step, in: scope))
    }
    return with
  }

  private func environment(of step: ActionStep, in scope: RunScope) throws(StepFailure) -> [String: Value] {
    var environment: [String: Value] = [:]
    if !step.action.runsElsewhere { environment = launch.world.scriptEnvironment.mapValues { .string($0) } }
    for (name, template) in step.env {
      do throws(ExpressionFailure) {
        let value = try template.evaluate(in: scope)
        switch value {
        case .string, .secret: environment[name] = value
        case .null, .optional: throw ExpressionFailure("is null")
        case .lost(let names): throw ExpressionFailure(Value.lostWords(names))
        case .int, .double, .bool, .list, .map, .duration, .timestamp, .unknown, .stored:
          environment[name] = .string(value.scalarText ?? JSONWriter.text(value))
        }
      } catch {
        throw StepFailure(.expression, "`env.\(name)`: \(error.message)")
      }
    }
    return environment
  }

  /// What the engine adds to the author's fields (names that begin with `_`): the same in every process, because it
  /// comes from the pinned runbook.
  private func engineFields(_ step: ActionStep, _ with: [String: Value]) -> [String: Value] {
    let context = step.action.context
    var fields: [String: Value] = [:]
    let folder = file(of: step.path).folder
    if context.contains(.folder) {
      fields["_cwd"] = .string(folder.isEmpty ? launch.source.folder : "\(launch.source.folder)/\(folder)")
    }
    if context.contains(.scriptFile), let file = with["script_file"]?.string,
      let content = launch.source.files[folder + file]
    {
      fields["_script"] = .string(String(decoding: content, as: UTF8.self))
    }
    if context.contains(.rescuedServers) { addRescued(to: &fields, with) }
    if let member = step.action.judgedMember,
      [step.expect, step.wait.until].contains(where: { $0?.references.result.contains(member) == true })
    {
      fields["_accept_any_" + member] = true
    }
    return fields
  }

  /// The servers that this run has put into rescue, for a step that accepts their other host key. They alone depend on
  /// how far the run is, which the journal tells every process.
  private func addRescued(to fields: inout [String: Value], _ with: [String: Value]) {
    guard with["host_key"]?.string == "rescue" else { return }
    fields["_rescued"] = .map(machine.rescuedServers.mapValues { .timestamp($0) })
    fields["_run"] = .string(runID)
  }

  /// A call with these fields.
  func actionCall(
    _ step: ActionStep, key: String, with: [String: Value], deadline: Timestamp, before: [String: Value] = [:],
    intendedAt: Timestamp? = nil
  ) -> ActionCall {
    let observer = launch.observer
    let masker = masker
    let path = step.path
    let with = with.merging(engineFields(step, with)) { own, _ in own }
    var call = ActionCall(
      with: Arguments(with), key: key, runID: runID, clock: clock, transport: launch.transport,
      scripts: launch.scripts, files: launch.files, deadline: deadline, before: before,
      intendedAt: intendedAt, step: path.text,
      report: { observer.progress(RunProgress(step: path, message: masker.mask($0))) })
    call.mask = { masker.mask($0) }
    call.mail = launch.mail
    call.began = began
    call.epoch = launch.lease.epoch
    call.isRead = step.effect == .none
    call.output = output(of: step, key: key)
    if step.action.context.contains(.createdServers) { call.createdServers = machine.createdServers }
    if step.action.effect == .destroy, !PlantedMistake.wayBackPruned.isMade { call.neededIDs = neededIDs(by: path) }
    return call
  }

  /// When the run began, or the one that it repeats.
  var began: Timestamp {
    guard let earlier = machine.started?.rerunOf.flatMap({ RunID.instant(of: $0) }) else { return machine.startedAt }
    return min(earlier, machine.startedAt)
  }

  /// Ids of what the undo steps of open entries put back, as far as they are known: the run's way back, which the run
  /// does not destroy itself. An entry that is being undone needs its own no more.
  private func neededIDs(by path: StepPath) -> Set<String> {
    var ids: Set<String> = []
    for entry in machine.stack.entries where entry.isOpen && entry.step != path.owner {
      guard case .steps(let undo, _) = entry.kind else { continue }
      for undo in undo {
        guard let step = machine.step(at: undo) else { continue }
        for field in step.action.neededItems {
          guard let template = step.with[field] else { continue }
          if let id = (try? template.evaluate(in: scope(for: undo)))?.scalarText { ids.insert(id) }
        }
      }
    }
    return ids
  }

  /// The call of the step's current attempt, with the arguments of its intent. Those that were made of a secret which
  /// has changed or is gone since are lost: reading how it went does not need them, making the call does.
  ///
  /// - Parameter limit: `attempt_timeout`, for the call itself; nil: only the step's own deadline.
  func currentCall(_ step: ActionStep, within limit: Duration? = nil) throws(StepFailure) -> ActionCall {
    let state = machine.state(of: step.path)
    let with = if let kept = state.arguments { kept } else { try argumentsOfEarlierRelease(step, state) }
    var deadline = currentDeadline(step)
    if let limit { deadline = min(deadline, clock.now + limit) }
    var call = actionCall(
      step, key: state.key, with: with, deadline: deadline, before: state.before, intendedAt: state.intendedAt)
    call.keySince = state.keySince
    call.scriptPlace = state.scriptPlace
    return call
  }

  /// Clean-up gets its whole time again when another process carries it on; the main steps keep theirs.
  func currentDeadline(_ step: ActionStep) -> Timestamp {
    let state = machine.state(of: step.path)
    guard state.purpose != .do, let resumedAt = machine.resumedAt else { return state.deadline }
    return max(state.deadline, resumedAt + step.timeout)
  }

  /// The call that is about to be made.
  func callToMake(_ step: ActionStep) throws(StepFailure) -> ActionCall {
    let call = try currentCall(step, within: step.retry.attemptTimeout)
    let lost = Value.map(call.with.values).lostSecrets
    guard lost.isEmpty else { throw StepFailure(.input, "it cannot be called: \(Value.lostWords(lost))") }
    return call
  }

  /// Earlier releases kept a keyed digest of the request and evaluated its fields again.
  private func argumentsOfEarlierRelease(
    _ step: ActionStep, _ state: StepMachine
  ) throws(StepFailure) -> [String: Value] {
    var scope = scope(for: step.path)
    scope.now = state.startedAt ?? clock.now
    let with = try evaluatedFields(step, in: scope)
    let whole = with.merging(engineFields(step, with)) { own, _ in own }
    if !state.requestDigest.isEmpty, FieldValues.digest(whole, key: launch.store.digestKey) != state.requestDigest {
      // What is made of a secret is lost; reading how the call went does not need it.
      if Value.map(with).isTainted { return with.mapValues { $0.withoutSecrets } }
      throw StepFailure(
        .conflict, "its request differs from the one that may have been sent: a secret or a file has changed",
        effect: .unknown)
    }
    return with
  }

  /// Secrets that the step was given and that this process does not know: what the step writes may hold them, and
  /// nobody could mask it.
  func unmaskableSecrets(of step: ActionStep) -> [String] {
    Value.map(machine.state(of: step.path).arguments ?? [:]).lostSecrets
  }
}

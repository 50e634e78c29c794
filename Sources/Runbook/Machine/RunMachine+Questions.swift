/// What the interpreter asks the machine about the run as a whole.
extension RunMachine {
  /// The run has begun its work: a problem of this process must not fail it.
  var isReady: Bool {
    isChecked
      && (root.cursor > 0 || !root.live.isEmpty || stop != nil || runbook.providers.isEmpty && !leaves.isEmpty)
  }

  /// A cancel still has something to cancel.
  public var isCancellable: Bool { cancelRefusal == nil }

  /// Why a cancel comes too late; nil while something can still be stopped.
  public var cancelRefusal: String? {
    if PlantedMistake.cancelTooLateAccepted.isMade, ended == nil, stop == nil { return nil }
    if ended != nil { return "the run has ended" }
    switch stop {
    case .cancel: return "the run is being cancelled already"
    case .refused: return "the run was refused before its first step, and is ending"
    case .failure:
      if rollback == nil {
        return "a step has failed, and the run is being undone; a cancel would change nothing"
      }
    case nil: if !root.isThrough { return nil }
    }
    if rollback == nil, root.rollbackStartedAt != nil { return "the run is being undone already" }
    return "all steps are done; only `always` and the outputs are left, and a cancel would undo nothing"
  }

  /// What was done is being undone, or will be next: a step has failed, somebody has cancelled, or `rollback_policy`
  /// says so after success.
  public var isUndoing: Bool {
    guard ended == nil else { return false }
    return switch phase {
    case .going, .ended: false
    case .stopping(let stop): !stop.isRefusal
    case .unwinding: true
    }
  }

  /// The open question about a step; nil if none is open.
  public var openQuestion: (step: StepPath, number: Int)? {
    for path in active { if let number = openQuestion(about: path) { return (path, number) } }
    return nil
  }

  /// The number of the open question about this step; nil if there is none.
  public func openQuestion(about path: StepPath) -> Int? {
    guard active.contains(path), case .parked(_, let number) = state(of: path).progress else { return nil }
    return number
  }

  /// The step had an effect, and it, or a part of it, was undone.
  func wasUndone(_ path: StepPath) -> Bool {
    guard !PlantedMistake.undoneIsInherited.isMade, let entry = stack.entry(of: path),
      case .steps(let undo, _) = entry.kind
    else { return false }
    return entry.state == .undone || undo.contains { ![.pending, .skipped].contains(state(of: $0).status) }
  }

  /// The rollback stopped, or waits for a person, or a person has decided about it since: it can be gone on with.
  public var canResumeRollback: Bool { owesRollback || ended != nil && ending.isDecidedSinceEnd }

  /// What the rollback has still to do.
  public var owesRollback: Bool {
    stack.hasOpen && (rollback == .failed || rollback == .blocked || rollback == .pending)
  }

  /// Ids of the servers that steps of this run have created, those whose wait failed included.
  var createdServers: Set<String> {
    var ids: Set<String> = []
    for (path, state) in leaves where step(at: path)?.action.createsServer == true {
      if let id = (state.outputs["id"] ?? state.result.outputs["id"])?.string { ids.insert(id) }
    }
    return ids
  }

  /// Ids of the servers that a step of this run has put into rescue, with the instant at which they were there, unless
  /// a step has begun to bring them out of it since.
  var rescuedServers: [String: Timestamp] {
    var entered: [String: Timestamp] = [:]
    var left: [String: Timestamp] = [:]
    for (path, state) in leaves {
      guard let step = step(at: path), let field = step.action.serverField, let begun = state.startedAt,
        let server = state.arguments?[field]?.scalarText
      else { continue }
      switch step.action.operation?.leaves {
      case .becomes(.rescue):
        guard state.status == .succeeded, let end = state.endedAt else { continue }
        entered[server] = max(end, entered[server] ?? end)
      case .becomes, .asAsked: left[server] = max(begun, left[server] ?? begun)
      case .unchanged, .unknown, nil: continue
      }
    }
    return entered.filter { entry in left[entry.key].map { $0 < entry.value } ?? true }
  }

  /// Locks are kept while a rollback is owed.
  var releasesLocks: Bool {
    !owesRollback || PlantedMistake.locksGivenBackWhilePending.isMade && rollback == .pending
  }

  /// When the steps ended before their end.
  func stoppedAt(default instant: Timestamp) -> Timestamp {
    guard case .failure(let error)? = stop else { return instant }
    return state(of: StepPath(error.step)).endedAt ?? instant
  }

  /// When the rollback gives up. Time in which a person was asked does not count. Nor does time in which no process
  /// worked on the run: a rollback that was cut off by a crash gets its whole time again.
  /// - Parameter path: an undo step, or a step that is brought to rest.
  func rollbackDeadline(of path: StepPath, default instant: Timestamp) -> Timestamp {
    let begin = scope(at: unwindingScope(of: path.owner))?.rollbackStartedAt ?? instant
    return max(begin, resumedAt ?? begin) + runbook.rollbackPolicy.timeout + questions.askedTimeOfRollback
  }

  /// Clean-up waits count from the take-over.
  func resumedAtForCleanUp(_ state: StepMachine) -> Timestamp? { state.purpose == .do ? nil : resumedAt }

  /// What was stopped does not carry on with a main step: how the step at this order ends; nil for what goes on.
  func cancelled(_ order: Order) -> StepEvent? {
    if isAskedInVain(order.path) {
      return .cancelled(StepFailure(.cancelled, "the steps have come to their end", effect: .none))
    }
    guard isMain(order.path), let stop = stopping(order.path) else { return nil }
    func end(_ moment: String, _ effect: StepFailure.Effect) -> StepEvent {
      .cancelled(StepFailure(.cancelled, stop.words(for: moment), effect: effect))
    }
    switch order {
    case .call(let path): return end("before its call", wasSent(path) ? .unknown : .none)
    case .watch: return end("while it was waited for", .applied)
    case .retry(let path, _): return end("between two attempts", state(of: path).error?.effect ?? .unknown)
    case .reconcile: return end("before its outcome was known", .unknown)
    case .ask: return end("while a person was asked", .none)
    case .tell(let path) where openApproval(about: path) != nil: return end("while a person was asked", .none)
    case .tell: return end("while a person was asked about it", .unknown)
    case .park:
      if PlantedMistake.cancelNotForParked.isMade { return nil }
      return end("while a person was asked about it", .unknown)
    case .check, .begin, .open, .close, .awaitRestored, .settle, .judge, .evaluateOutputs, .done: return nil
    }
  }

  /// An earlier attempt, or an earlier process, may have sent it already. A call in progress never comes back to the
  /// loop.
  private func wasSent(_ path: StepPath) -> Bool {
    let state = state(of: path)
    return state.attempt > 1 || state.error != nil || resumedAt != nil
  }

  /// It is one of the steps that a cancel ends.
  private func isMain(_ path: StepPath) -> Bool { active.contains(path) && state(of: path).purpose == .do }
}

/// What the interpreter asks the machine about the run as a whole.
extension RunMachine {
  /// The run has begun its work: a problem of this process must not fail it.
  var isReady: Bool {
    isChecked && (cursor > 0 || active != nil || stop != nil || runbook.providers.isEmpty && !states.isEmpty)
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
    case nil: if cursor < mainSteps.count { return nil }
    }
    if rollback == nil, rollbackStartedAt != nil { return "the run is being undone already" }
    return "all steps are done; only `always` and the outputs are left, and a cancel would undo nothing"
  }

  /// What was done is being undone, or will be next: a step has failed, somebody has cancelled, or `rollback_policy`
  /// says so after success.
  public var isUndoing: Bool {
    guard ended == nil, rollback == nil else { return false }
    return switch stop {
    case .cancel, .failure: true
    case .refused: false
    case nil: rollbackStartedAt != nil
    }
  }

  /// The open question about a step; nil if none is open.
  public var openQuestion: (step: String, number: Int)? {
    guard let active, case .parked(_, let number) = state(of: active).progress else { return nil }
    return (active, number)
  }

  /// The step had an effect, and it, or a part of it, was undone.
  func wasUndone(_ path: String) -> Bool {
    guard !PlantedMistake.undoneIsInherited.isMade, let entry = stack.entries.first(where: { $0.step == path }),
      case .steps(let undo, _) = entry.kind
    else { return false }
    return entry.state == .undone || undo.contains { ![.pending, .skipped].contains(state(of: $0).status) }
  }

  /// The rollback stopped, or waits for a person, or a person has decided about it since: it can be gone on with.
  public var canResumeRollback: Bool { owesRollback || ended != nil && isDecidedSinceEnd }

  /// What the rollback has still to do.
  public var owesRollback: Bool {
    stack.hasOpen && (rollback == .failed || rollback == .blocked || rollback == .pending)
  }

  /// Ids of the servers that steps of this run have created, those whose wait failed included.
  var createdServers: Set<String> {
    var ids: Set<String> = []
    for (path, state) in states where steps[path]?.action.createsServer == true {
      if let id = (state.outputs["id"] ?? state.result.outputs["id"])?.string { ids.insert(id) }
    }
    return ids
  }

  /// Ids of the servers that a step of this run has put into rescue, with the instant at which they were there, unless
  /// a step has begun to bring them out of it since.
  var rescuedServers: [String: Timestamp] {
    var entered: [String: Timestamp] = [:]
    var left: [String: Timestamp] = [:]
    for (path, state) in states {
      guard let step = steps[path], let field = step.action.serverField, let begun = state.startedAt,
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
    return state(of: error.step).endedAt ?? instant
  }

  /// When the rollback gives up. Time in which a person was asked does not count. Nor does time in which no process
  /// worked on the run: a rollback that was cut off by a crash gets its whole time again.
  func rollbackDeadline(default instant: Timestamp) -> Timestamp {
    let begin = rollbackStartedAt ?? instant
    return max(begin, resumedAt ?? begin) + runbook.rollbackPolicy.timeout + askedTimeOfRollback
  }

  /// Clean-up waits count from the take-over.
  func resumedAtForCleanUp(_ state: StepState) -> Timestamp? { state.purpose == .do ? nil : resumedAt }

  /// A cancelled run does not carry on with a main step: how the step at this order ends.
  func cancelled(_ order: Order) -> StepEvent? {
    switch order {
    case .call(let path) where isMain(path):
      .cancelled(path, StepFailure(.cancelled, "cancelled before its call", effect: wasSent(path) ? .unknown : .none))
    case .watch(let path) where isMain(path):
      .cancelled(path, StepFailure(.cancelled, "cancelled while it was waited for", effect: .applied))
    case .retry(let path, _) where isMain(path):
      .cancelled(
        path,
        StepFailure(.cancelled, "cancelled between two attempts", effect: state(of: path).error?.effect ?? .unknown))
    case .reconcile(let path) where isMain(path):
      .cancelled(path, StepFailure(.cancelled, "cancelled before its outcome was known", effect: .unknown))
    case .ask(let path, _) where isMain(path), .tell(let path) where isMain(path) && openApproval != nil:
      .cancelled(path, StepFailure(.cancelled, "cancelled while a person was asked", effect: .none))
    case .tell(let path) where isMain(path):
      .cancelled(path, StepFailure(.cancelled, "cancelled while a person was asked about it", effect: .unknown))
    case .park(let path, _) where isMain(path) && !PlantedMistake.cancelNotForParked.isMade:
      .cancelled(path, StepFailure(.cancelled, "cancelled while a person was asked about it", effect: .unknown))
    default: nil
    }
  }

  /// An earlier attempt, or an earlier process, may have sent it already. A call in progress never comes back to the
  /// loop.
  private func wasSent(_ path: String) -> Bool {
    let state = state(of: path)
    return state.attempt > 1 || state.error != nil || resumedAt != nil
  }

  private func isMain(_ path: String) -> Bool { state(of: path).purpose == .do }
}

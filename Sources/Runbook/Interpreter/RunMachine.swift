/// What a run is and what comes next, decided without clock, disk, task or await: facts in, orders out. A run carried
/// on after a crash is the same machine fed the journal.
///
/// `handle` turns what happened into facts, `apply` turns facts into state (and is all that replay does), `next` says
/// what to do now. Evaluating, calling and waiting are the interpreter's.
public struct RunMachine: Sendable {
  let runbook: ValidatedRunbook
  /// Every step by its path, undo steps included.
  let steps: [String: ValidatedStep]
  private(set) var states: [String: StepState] = [:]
  private(set) var stack = RollbackStack()
  private(set) var started: RunStarted?
  private(set) var startedAt = Timestamp(seconds: 0)
  /// The step that is started and has not ended; there is at most one.
  private(set) var active: String?
  /// Index of the next step of `runbook.steps`.
  private(set) var cursor = 0
  private(set) var stop: Stop?
  private(set) var isChecked = false
  private(set) var rollbackStartedAt: Timestamp?
  private(set) var resumedAt: Timestamp?
  private(set) var rollback: RollbackOutcome?
  private(set) var rollbackFailure: (step: String?, error: StepError?)?
  private(set) var outputs: [String: Value]?
  private(set) var outputsError: StepError?
  private(set) var ended: RunEnded?
  /// A failing `always` step makes the run failed.
  private(set) var alwaysFailed = false
  private(set) var lastRequest: Int64 = 0

  /// Why the steps ended before their end.
  public enum Stop: Sendable {
    case failure(StepError)
    case cancel(by: String, rollback: Bool)
    /// The live checks found problems before anything was changed.
    case refused([String])
  }

  public init(_ runbook: ValidatedRunbook) {
    self.runbook = runbook
    var steps: [String: ValidatedStep] = [:]
    for step in runbook.steps + runbook.onFailure + runbook.onRollbackFailure + runbook.always {
      steps[step.path] = step
      if case .steps(let undo, _) = step.rollback {
        for step in undo { steps[step.path] = step }
      }
    }
    self.steps = steps
    isChecked = runbook.providers.isEmpty
  }

  func state(of path: String) -> StepState { states[path] ?? StepState() }

  /// A step that was ended by the run it was inherited from counts as done.
  private mutating func inherit(_ run: RunStarted) {
    guard let from = run.fromStep, let index = runbook.steps.firstIndex(where: { $0.path == from }) else { return }
    cursor = index
    for (path, earlier) in run.inherited {
      var state = StepState()
      state.status = earlier["status"]?.string.flatMap(StepStatus.init(rawValue:)) ?? .succeeded
      state.outputs = earlier["outputs"]?.map ?? [:]
      states[path] = state
    }
  }
}

// MARK: - Facts to state

extension RunMachine {
  /// The only way the state changes.
  public mutating func apply(_ fact: Fact, at instant: Timestamp) {
    switch fact {
    case .runStarted(let run):
      started = run
      startedAt = instant
      inherit(run)
    case .runPinned, .runLeft, .requestIgnored, .storeRestored, .restoredAccepted, .lockFreed, .clockSet: break
    case .runResumed:
      resumedAt = instant
      if let active, state(of: active).progress == .calling { states[active]?.progress = .lost }
    case .runChecked(let problems):
      isChecked = true
      if !problems.isEmpty { stop = .refused(problems) }
    case .stepStarted(let step): begin(step, at: instant)
    case .attemptStarted(let path, let attempt, let key):
      states[path]?.attempt = attempt
      if state(of: path).key != key { states[path]?.keySince = instant }
      states[path]?.key = key
      states[path]?.progress = .calling
      states[path]?.intendedAt = instant
      // Each try of a clean-up has its whole time.
      if let step = steps[path], state(of: path).purpose != .do { states[path]?.deadline = instant + step.timeout }
    case .attemptEnded(let ended):
      states[ended.step]?.error = ended.error
      states[ended.step]?.result = ended.result
      if let retryAt = ended.retryAt {
        states[ended.step]?.progress = .retrying(at: retryAt)
      } else if ended.error == nil {
        states[ended.step]?.progress = .waiting
        states[ended.step]?.waitingSince = instant
      } else {
        states[ended.step]?.progress = .lost
      }
    case .stepWaiting(let path, _, _, _, let result):
      if state(of: path).progress != .waiting { states[path]?.waitingSince = instant }
      states[path]?.progress = .waiting
      if let result { states[path]?.result = result }
    case .stepEnded(let ended): end(ended, at: instant)
    case .runWaiting(let path, let until, let error):
      states[path]?.progress = .parked(until: until)
      states[path]?.error = error
    case .stepResolved(let path, let answer, _, let request):
      lastRequest = max(lastRequest, request)
      resolve(path, answer, at: instant)
    case .cancelRequested(let by, let rollback, let request):
      lastRequest = max(lastRequest, request)
      if stop == nil, cursor < runbook.steps.count { stop = .cancel(by: by, rollback: rollback) }
    default: applyRollback(fact, at: instant)
    }
  }

  private mutating func applyRollback(_ fact: Fact, at instant: Timestamp) {
    switch fact {
    case .rollbackStarted: rollbackStartedAt = instant
    case .undoSettled(let step): stack.set(step, .settled)
    case .undoClosed(let step, let reason):
      switch reason {
      case Reason.undone: stack.set(step, .undone)
      case Reason.leftStanding: stack.set(step, .leftStanding)
      default: stack.set(step, .closed(reason))
      }
    case .rollbackEnded(let outcome, let failedStep, let error):
      rollback = outcome
      rollbackFailure = (failedStep, error)
    case .rollbackResumed(_, let request):
      lastRequest = max(lastRequest, request)
      rollback = nil
      rollbackFailure = nil
      ended = nil
      rollbackStartedAt = instant
      reopenFailedUndo()
    case .undoSkipped(let entry, let reason, let by, let request):
      lastRequest = max(lastRequest, request)
      stack.set(UndoPath.owner(of: entry), .closed("skipped by \(by): \(reason)"))
    case .rollbackAbandoned(let reason, let by, let request):
      lastRequest = max(lastRequest, request)
      stack.closeAll("abandoned by \(by): \(reason)")
      rollback = .failed
    case .outputsReady(let values, let error):
      outputs = values
      outputsError = error
    case .runEnded(let end): ended = end
    default: break
    }
  }

  private mutating func begin(_ step: StepStarted, at instant: Timestamp) {
    var state = StepState()
    state.status = .started
    state.purpose = step.purpose
    state.progress = step.isWait ? .waiting : .calling
    state.key = step.key
    state.requestDigest = step.digest
    state.before = step.before
    state.startedAt = instant
    state.intendedAt = instant
    state.keySince = instant
    state.waitingSince = step.isWait ? instant : nil
    state.deadline = step.deadline
    states[step.step] = state
    active = step.step
    guard step.purpose == .do else { return }
    switch steps[step.step]?.rollback {
    case .steps(let undo, let scope): stack.register(step.step, .steps(undo.map(\.path), scope: scope))
    case .irreversible: stack.register(step.step, .irreversible)
    default: break
    }
  }

  private mutating func end(_ ended: StepEnded, at instant: Timestamp) {
    var state = state(of: ended.step)
    state.status = ended.status
    state.purpose = ended.purpose
    state.attempt = ended.attempt
    state.outputs = ended.outputs
    state.error = ended.error
    state.endedAt = instant
    states[ended.step] = state
    if active == ended.step { active = nil }
    let step = steps[ended.step]
    switch ended.purpose {
    case .do:
      if cursor < runbook.steps.count, runbook.steps[cursor].path == ended.step { cursor += 1 }
      if step?.isCommit == true, ended.status == .succeeded { stack.closeAll(Reason.committed) }
      if stop == nil, let error = ended.error, ended.status != .succeeded, step?.continuesOnError != true {
        stop = .failure(error)
      }
    case .undo:
      let owner = UndoPath.owner(of: ended.step)
      if ended.status == .failed, step?.undoContinuesOnError != true { stack.set(owner, .failed) }
    case .always: if ended.status == .failed { alwaysFailed = true }
    case .onFailure, .onRollbackFailure: break
    }
  }

  /// `applied` leaves the started step to be waited for; the others are carried out by `decide`, which knows the
  /// instant.
  private mutating func resolve(_ path: String, _ answer: Resolution, at instant: Timestamp) {
    switch answer {
    case .applied:
      states[path]?.progress = .waiting
      states[path]?.waitingSince = instant
    case .retry: states[path]?.progress = .retrying(at: instant)
    case .notApplied, .fail: break
    }
  }

  /// A rollback that stopped goes on at the undo step that failed.
  private mutating func reopenFailedUndo() {
    for entry in stack.entries where entry.state == .failed {
      stack.set(entry.step, .settled)
      guard case .steps(let paths, _) = entry.kind else { continue }
      for path in paths where state(of: path).status == .failed {
        var fresh = StepState()
        fresh.purpose = .undo
        fresh.attempt = state(of: path).attempt + 1
        states[path] = fresh
      }
    }
  }

  enum Reason {
    static let committed = "committed"
    static let neverHappened = "nothing happened"
    static let onlyAfterSuccess = "undone only after success"
    static let leftStanding = "left standing"
    static let undone = "undone"
  }
}

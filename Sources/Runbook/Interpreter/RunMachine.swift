/// What a run is and what comes next, decided without clock, disk, task or await: facts in, orders out. A run carried
/// on after a crash is the same machine fed the journal.
///
/// `handle` turns what happened into facts, `apply` turns facts into state (and is all that replay does), `next` says
/// what to do now. Evaluating, calling and waiting are the interpreter's.
public struct RunMachine: Sendable {
  let runbook: ValidatedRunbook
  /// `runbook.mainSteps`.
  let mainSteps: [ValidatedStep]
  /// Every step by its path, undo steps included.
  let steps: [String: ValidatedStep]
  private(set) var states: [String: StepState] = [:]
  private(set) var stack = RollbackStack()
  private(set) var started: RunStarted?
  private(set) var startedAt = Timestamp(seconds: 0)
  /// The step that is started and has not ended; there is at most one.
  private(set) var active: String?
  /// Index of the next step of `mainSteps`.
  private(set) var cursor = 0
  private(set) var stop: Stop?
  private(set) var isChecked = false
  /// How the drill was judged; nil before, and for what is no drill.
  private(set) var verdict: DrillVerdict?
  private(set) var rollbackStartedAt: Timestamp?
  private(set) var resumedAt: Timestamp?
  private(set) var rollback: RollbackOutcome?
  private(set) var rollbackFailure: (step: String?, error: StepError?)?
  private(set) var outputs: [String: Value]?
  private(set) var outputsError: StepError?
  private(set) var ended: RunEnded?
  /// A failing `always` step makes the run failed.
  private(set) var alwaysFailed = false
  /// A person left out something that was owed: the run needs a person, however its rollback ended.
  private(set) var isLeftOut = false
  /// Undo steps that a person left out, by their paths.
  private(set) var leftOutUndo: Set<String> = []
  /// A person has decided about the rollback since the run ended.
  private(set) var isDecidedSinceEnd = false
  private(set) var lastRequest: Int64 = 0
  /// Questions asked so far.
  private(set) var questions = 0
  /// Of what people were told by `on_waiting`: numbers of questions, and steps whose state nobody knows.
  private(set) var toldQuestions: Set<Int> = []
  private(set) var toldStates: Set<String> = []
  /// For how long people were asked on the way through the steps, and since the rollback was begun or resumed.
  private(set) var askedTime = Duration.zero
  private(set) var askedTimeOfRollback = Duration.zero
  /// The store was put back from an older copy, and nobody has said that the run may go on.
  private(set) var isRestored = false
  /// A person has said that a run of a restored store may go on: scripts may be found that were started before.
  private(set) var wasRestored = false
  /// By how much the wall clock was known to be ahead of the run's time line.
  private(set) var wallAhead = Duration.zero
  /// A text that lies in the store is among the outputs and results.
  private(set) var holdsStored = false
  /// Where the run's time line was tied to the machine's boot-time clock last.
  private(set) var anchor: RunClock.Anchor?

  /// Why the steps ended before their end.
  public enum Stop: Sendable {
    case failure(StepError)
    case cancel(by: String, rollback: Bool)
    /// The live checks found problems before anything was changed.
    case refused([String])
  }

  public init(_ runbook: ValidatedRunbook) {
    self.runbook = runbook
    mainSteps = runbook.mainSteps
    var steps: [String: ValidatedStep] = [:]
    for step in mainSteps + runbook.onFailure + runbook.onRollbackFailure + runbook.always {
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
    guard let from = run.fromStep, let index = mainSteps.firstIndex(where: { $0.path == from }) else { return }
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
    if !holdsStored { holdsStored = fact.holdsStored }
    switch fact {
    case .runStarted(let run):
      started = run
      startedAt = instant
      anchor = run.boot.map { RunClock.Anchor(at: instant, boot: $0) }
      inherit(run)
    case .runPinned, .runLeft, .lockFreed, .scriptAdopted: break
    case .clockSet(let by): wallAhead += by
    case .requestIgnored(let request, _): lastRequest = max(lastRequest, request)
    case .storeRestored: isRestored = true
    case .restoredAccepted: acceptRestored()
    case .runResumed(let resumed):
      resumedAt = instant
      // After another boot the time line goes on at the wall clock.
      if resumed.boot == nil || resumed.boot?.id != anchor?.boot.id { wallAhead = .zero }
      anchor = resumed.boot.map { RunClock.Anchor(at: instant, boot: $0) }
      if let active { lose(active, at: instant) }
    case .runChecked(let problems):
      isChecked = true
      if !problems.isEmpty { stop = .refused(problems) }
    case .stepStarted(let step): begin(step, at: instant)
    case .attemptStarted(let path, let attempt, let key, let cleared):
      if cleared { states[path]?.clear() }
      beginAttempt(path, attempt, key: key, at: instant)
    case .requestFound(let path): states[path]?.find()
    case .requestCleared(let path): states[path]?.clear()
    case .attemptEnded(let ended):
      states[ended.step]?.error = ended.error
      states[ended.step]?.result = ended.result
      joinEffect(of: ended, at: instant)
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
    case .runWaiting(let path, let until, let error, let question):
      questions = max(question, questions + 1)
      states[path]?.progress = .parked(until: until, question: questions)
      states[path]?.error = error
    case .stepResolved(let path, let answer, _, let request):
      lastRequest = max(lastRequest, request)
      resolve(path, answer, at: instant)
    case .approvalAsked(let question):
      questions = max(questions, question.number)
      states[question.step]?.progress = .asking(question)
    case .approvalAnswered(let answer):
      lastRequest = max(lastRequest, answer.request)
      if answer.isApproval { states[answer.step]?.approvals.append(answer) }
    case .waitingTold(let told):
      if told.cause == .state { toldStates.insert(told.step) } else { toldQuestions.insert(told.question) }
    case .cancelRequested(let by, let rollback, let request):
      lastRequest = max(lastRequest, request)
      if stop == nil, cursor < mainSteps.count { stop = .cancel(by: by, rollback: rollback) }
    case .drillJudged(let judged): verdict = judged
    default: applyRollback(fact, at: instant)
    }
  }

  private mutating func beginAttempt(_ path: String, _ attempt: Int, key: String, at instant: Timestamp) {
    let earlier = state(of: path)
    if attempt > earlier.attempt { states[path]?.effectBefore = earlier.effect }
    states[path]?.sends += 1
    states[path]?.attempt = attempt
    if state(of: path).key != key { states[path]?.keySince = instant }
    states[path]?.key = key
    states[path]?.progress = .calling
    states[path]?.intendedAt = instant
    // Each try of a clean-up has its whole time.
    if let step = steps[path], state(of: path).purpose != .do { states[path]?.deadline = instant + step.timeout }
  }

  /// Scripts that ended in the life that was put back may have been swept: a missing folder says nothing.
  private mutating func acceptRestored() {
    isRestored = false
    wasRestored = true
    if let active, states[active]?.scriptPlace != nil { states[active]?.scriptPlace = RunMachine.placeBeforeRestore }
  }

  /// No place of a script: it was started, if it was, before the store was put back.
  static let placeBeforeRestore = "before the store was put back"

  /// The process that made a call is gone: nobody saw how it went.
  private mutating func lose(_ path: String, at instant: Timestamp) {
    guard state(of: path).progress == .calling else { return }
    states[path]?.progress = .lost
    if steps[path]?.effect != ActionEffect.none { states[path]?.lose(at: instant) }
  }

  private mutating func joinEffect(of ended: AttemptEnded, at instant: Timestamp) {
    guard steps[ended.step]?.effect != ActionEffect.none else { return }
    switch ended.error?.effect {
    case nil, .applied: states[ended.step]?.effect = .applied
    case .unknown: states[ended.step]?.lose(at: instant)
    case .some(.none): break
    }
  }

  private mutating func applyRollback(_ fact: Fact, at instant: Timestamp) {
    switch fact {
    case .rollbackStarted:
      rollbackStartedAt = instant
      askedTimeOfRollback = .zero
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
      askedTimeOfRollback = .zero
      reopenFailedUndo()
    case .undoSkipped(let entry, let reason, let by, let request):
      lastRequest = max(lastRequest, request)
      leaveOut(entry, "skipped by \(by): \(reason)")
    case .rollbackAbandoned(let reason, let by, let request):
      lastRequest = max(lastRequest, request)
      stack.closeAll("abandoned by \(by): \(reason)")
      rollback = .failed
      isLeftOut = true
    case .outputsReady(let values, let error):
      outputs = values
      outputsError = error
    case .runEnded(let end):
      ended = end
      isDecidedSinceEnd = false
    default: break
    }
  }

  /// A person says that an undo step, or the whole entry of a step, is not to be done.
  private mutating func leaveOut(_ entry: String, _ reason: String) {
    isLeftOut = true
    isDecidedSinceEnd = true
    let owner = UndoPath.owner(of: entry)
    guard owner != entry, steps[entry] != nil, !PlantedMistake.skipClosesEntry.isMade else {
      stack.set(owner, .closed(reason))
      return
    }
    var state = state(of: entry)
    state.purpose = .undo
    state.status = .skipped
    states[entry] = state
    leftOutUndo.insert(entry)
    if stack.entries.contains(where: { $0.step == owner && $0.state == .failed }) { stack.set(owner, .settled) }
  }

  private mutating func begin(_ step: StepStarted, at instant: Timestamp) {
    var state = StepState()
    state.status = .started
    state.purpose = step.purpose
    state.progress = step.isWait ? .waiting : .calling
    state.key = step.key
    state.requestDigest = step.digest
    state.arguments = step.keepsArguments ? step.with : nil
    state.scriptPlace = step.scriptPlace
    state.sends = step.isWait ? 0 : 1
    state.before = step.before
    state.startedAt = instant
    state.intendedAt = instant
    state.keySince = instant
    state.waitingSince = step.isWait ? instant : nil
    state.deadline = step.deadline
    states[step.step] = state
    toldStates.remove(step.step)
    active = step.step
    guard step.purpose == .do else { return }
    switch steps[step.step]?.rollback {
    case .steps(let undo, let scope): stack.register(step.step, .steps(undo.map(\.path), scope: scope))
    case .irreversible: stack.register(step.step, .irreversible)
    default: break
    }
  }

  private mutating func end(_ ended: StepEnded, at instant: Timestamp) {
    let step = steps[ended.step]
    var state = state(of: ended.step)
    state.status = ended.status
    state.purpose = ended.purpose
    state.attempt = ended.attempt
    state.outputs = ended.outputs
    state.error = ended.error
    state.endedAt = instant
    if step?.effect != ActionEffect.none {
      if ended.error?.effect == .unknown, state.lostSince == nil { state.lose(at: instant) }
      let own = ended.error?.effect ?? (ended.status == .succeeded ? .applied : .none)
      state.effect = ended.effect ?? state.effect.joined(own)
      if PlantedMistake.effectsOverwritten.isMade { state.effect = own }
    }
    states[ended.step] = state
    if active == ended.step { active = nil }
    if case .asking = state.progress, let begun = state.startedAt { noteAsked(instant - begun, for: ended.purpose) }
    switch ended.purpose {
    case .do:
      if cursor < mainSteps.count, mainSteps[cursor].path == ended.step { cursor += 1 }
      if step?.isCommit == true, ended.status == .succeeded { stack.closeAll(Reason.committed) }
      if stop == nil, let error = ended.error, ended.status != .succeeded, step?.continuesOnError != true {
        stop = .failure(error)
      }
    case .undo:
      let owner = UndoPath.owner(of: ended.step)
      let isDone = PlantedMistake.unknownUndoIsDone.isMade ? ended.status != .failed : ended.status.isDone
      if !isDone, step?.undoContinuesOnError != true { stack.set(owner, .failed) }
    case .always:
      let isDone = PlantedMistake.unknownAlwaysIsGood.isMade ? ended.status != .failed : ended.status.isDone
      if !isDone, step?.continuesOnError != true { alwaysFailed = true }
    case .onFailure, .onRollbackFailure: break
    }
  }

  private mutating func noteAsked(_ duration: Duration, for purpose: Purpose) {
    if purpose == .undo { askedTimeOfRollback += duration } else { askedTime += duration }
  }

  /// `applied` leaves the started step to be waited for; the others are carried out by `decide`, which knows the
  /// instant.
  private mutating func resolve(_ path: String, _ answer: Resolution, at instant: Timestamp) {
    switch answer {
    case .applied:
      states[path]?.find()
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
      for path in paths where state(of: path).status.isEnded && !state(of: path).status.isDone {
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
    static let conditionFalse = "its condition was false"
    static let leftOut = "left out"
    static let undone = "undone"
  }
}

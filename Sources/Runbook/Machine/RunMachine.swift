/// What a run is and what comes next, decided without clock, disk, task or await: facts in, orders out. A run carried
/// on after a crash is the same machine fed the journal.
///
/// `handle` turns what happened into facts, `apply` turns facts into state (and is all that replay does), `orders` says
/// what to do now. Evaluating, calling and waiting are the interpreter's.
///
/// The machine itself only routes. A step's life is in `StepMachine`, a list of steps and its rollback in `Scope`, the
/// end of the run in `EndingMachine`, what people were asked in `Questions`.
public struct RunMachine: Sendable {
  let runbook: ValidatedRunbook
  /// Every step by its path, undo steps included.
  let steps: [StepPath: ActionStep]
  private(set) var leaves: [StepPath: StepMachine] = [:]
  /// Steps that are started and have not ended, in the order of their start. There is at most one as long as every
  /// runbook is one list.
  private(set) var active: [StepPath] = []
  private(set) var root: Scope
  private(set) var ending = EndingMachine()
  private(set) var questions = Questions()
  private(set) var started: RunStarted?
  private(set) var startedAt = Timestamp(seconds: 0)
  private(set) var isChecked = false
  private(set) var resumedAt: Timestamp?
  /// Undo steps that a person left out, by their paths.
  private(set) var leftOutUndo: Set<StepPath> = []
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

  public init(_ runbook: ValidatedRunbook) {
    self.runbook = runbook
    var steps: [StepPath: ActionStep] = [:]
    runbook.value.walk { step, place in if place.section != .onWaiting { steps[step.path] = step } }
    self.steps = steps
    root = Scope(.root, runbook.mainSteps)
    isChecked = runbook.providers.isEmpty
  }

  func state(of path: StepPath) -> StepMachine { leaves[path] ?? StepMachine() }

  var stop: Scope.Stop? { root.stop }
  var stack: RollbackStack { root.stack }
  public var rollback: RollbackOutcome? { root.rollback }
  public var ended: RunEnded? { ending.ended }
  var verdict: DrillVerdict? { ending.verdict }
  /// How the run would end now.
  var result: RunEnded { ending.result(of: root) }
  /// The number of the newest message that the run has read.
  public var lastRequest: Int64 { questions.lastRequest }

  /// A step that was ended by the run it was inherited from counts as done.
  private mutating func inherit(_ run: RunStarted) {
    guard let from = run.fromStep, root.begin(at: StepPath(from)) else { return }
    for (path, earlier) in run.inherited {
      var state = StepMachine()
      state.status = earlier["status"]?.string.flatMap(StepStatus.init(rawValue:)) ?? .succeeded
      state.outputs = earlier["outputs"]?.map ?? [:]
      leaves[StepPath(path)] = state
    }
  }
}

// MARK: - Facts to state

extension RunMachine {
  /// The only way the state changes.
  public mutating func apply(_ fact: Fact, at instant: Timestamp) {
    if !holdsStored { holdsStored = fact.holdsStored }
    switch fact {
    case .run(let fact): apply(fact, at: instant)
    case .step(let path, let fact): apply(fact, of: path, at: instant)
    case .scope(_, let fact):
      if case .rollbackStarted = fact { questions.rollbackBegins() }
      root.apply(fact, at: instant)
    case .rollback(let fact): apply(fact, at: instant)
    }
  }

  private mutating func apply(_ fact: RunFact, at instant: Timestamp) {
    switch fact {
    case .started(let run):
      started = run
      startedAt = instant
      anchor = run.boot.map { RunClock.Anchor(at: instant, boot: $0) }
      inherit(run)
    case .pinned, .left, .lockFreed, .eventIgnored: break
    case .resumed(let resumed):
      resumedAt = instant
      // After another boot the time line goes on at the wall clock.
      if resumed.boot == nil || resumed.boot?.id != anchor?.boot.id { wallAhead = .zero }
      anchor = resumed.boot.map { RunClock.Anchor(at: instant, boot: $0) }
      for path in active { leaves[path]?.loseCall(of: steps[path], at: instant) }
    case .checked(let problems):
      isChecked = true
      if !problems.isEmpty { root.stop(.refused(problems)) }
    case .cancelRequested(let by, let rollback, let request):
      questions.read(request)
      if !root.isThrough { root.stop(.cancel(by: by, rollback: rollback)) }
    case .requestIgnored(let request, _): questions.read(request)
    case .storeRestored: isRestored = true
    case .restoredAccepted: acceptRestored()
    case .clockSet(let by): wallAhead += by
    case .told(let told): questions.note(told)
    case .drillJudged(let verdict): ending.judge(verdict)
    case .outputsReady(let values, let error): ending.take(values, error)
    case .ended(let end): ending.end(end)
    }
  }

  /// Scripts that ended in the life that was put back may have been swept: a missing folder says nothing.
  private mutating func acceptRestored() {
    isRestored = false
    wasRestored = true
    for path in active where leaves[path]?.scriptPlace != nil {
      leaves[path]?.scriptPlace = RunMachine.placeBeforeRestore
    }
  }

  /// No place of a script: it was started, if it was, before the store was put back.
  static let placeBeforeRestore = "before the store was put back"

  private mutating func apply(_ fact: StepFact, of path: StepPath, at instant: Timestamp) {
    let step = steps[path]
    switch fact {
    case .started(let started):
      leaves[path, default: StepMachine()].apply(fact, of: step, at: instant)
      questions.forgetState(of: path)
      if !active.contains(path) { active.append(path) }
      if started.purpose == .do, let step { root.register(step) }
      return
    case .ended(let ended):
      leaves[path, default: StepMachine()].apply(fact, of: step, at: instant)
      noteEnd(of: path, ended, step, at: instant)
      return
    case .parked(let until, let error, let question):
      questions.noteQuestion(question)
      // An earlier release did not number its questions.
      leaves[path]?.apply(.parked(until: until, error: error, question: questions.count), of: step, at: instant)
      return
    case .resolved(_, _, let request): questions.read(request)
    case .approvalAsked(let question): questions.noteQuestion(question.number)
    case .approvalAnswered(let answer): questions.read(answer.request)
    case .attemptStarted, .requestFound, .requestCleared, .scriptAdopted, .attemptEnded, .waiting: break
    }
    leaves[path]?.apply(fact, of: step, at: instant)
  }

  private mutating func noteEnd(of path: StepPath, _ ended: StepEnded, _ step: ActionStep?, at instant: Timestamp) {
    active.removeAll { $0 == path }
    let state = state(of: path)
    if case .asking = state.progress, let begun = state.startedAt {
      questions.noteAsked(instant - begun, for: ended.purpose)
    }
    switch ended.purpose {
    case .do: root.noteEnd(of: path, ended, step)
    case .undo:
      let isDone = PlantedMistake.unknownUndoIsDone.isMade ? ended.status != .failed : ended.status.isDone
      if !isDone, step?.undoContinuesOnError != true { root.fail(path.owner) }
    case .always: ending.noteAlways(ended, step)
    case .onFailure, .onRollbackFailure: break
    }
  }

  private mutating func apply(_ fact: RollbackFact, at instant: Timestamp) {
    switch fact {
    case .settled, .closed: break
    case .resumed(_, let request):
      questions.read(request)
      questions.rollbackBegins()
      reopenFailedUndo()
    case .skipped(let entry, _, _, let request):
      questions.read(request)
      if entry.undone != nil, steps[entry] != nil, !PlantedMistake.skipClosesEntry.isMade { leaveOut(entry) }
    case .abandoned(_, _, let request): questions.read(request)
    }
    ending.apply(fact)
    root.apply(fact, at: instant)
  }

  /// A person says that this undo step is not to be done.
  private mutating func leaveOut(_ undo: StepPath) {
    leaves[undo, default: StepMachine()].purpose = .undo
    leaves[undo]?.status = .skipped
    leftOutUndo.insert(undo)
  }

  /// A rollback that stopped goes on at the undo step that failed.
  private mutating func reopenFailedUndo() {
    for entry in stack.entries where entry.isOpen {
      guard case .steps(let paths, _) = entry.kind else { continue }
      for path in paths where state(of: path).status.isEnded && !state(of: path).status.isDone {
        var fresh = StepMachine()
        fresh.purpose = .undo
        fresh.attempt = state(of: path).attempt + 1
        leaves[path] = fresh
      }
    }
  }
}

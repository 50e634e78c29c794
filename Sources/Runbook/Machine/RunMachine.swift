/// What a run is and what comes next, decided without clock, disk, task or await: facts in, orders out. A run carried
/// on after a crash is the same machine fed the journal.
///
/// `handle` turns what happened into facts, `apply` turns facts into state (and is all that replay does), `orders` says
/// what to do now. Evaluating, calling and waiting are the interpreter's.
///
/// The machine itself only routes. The life of a step that has something called is in `StepMachine`, that of a step
/// that holds others in `Scope`, what must be undone in `RollbackStack`, the end of the run in `EndingMachine`, what
/// people were asked in `Questions`.
public struct RunMachine: Sendable {
  let runbook: ValidatedRunbook
  /// Where every step stands.
  let tree: RunbookTree
  private(set) var leaves: [StepPath: StepMachine] = [:]
  /// Steps that are started and have not ended, in the order of their start.
  private(set) var active: [StepPath] = []
  /// The list of the run.
  private(set) var root: Scope
  /// Steps that hold others, once they are begun; and iterations that are undone.
  private(set) var scopes: [StepPath: Scope] = [:]
  /// Those that have not come to their end, in the order of their beginning.
  private(set) var openScopes: [StepPath] = []
  private(set) var stack = RollbackStack()
  /// A person left out something that was owed: the run needs a person, however its rollback ended.
  private(set) var isLeftOut = false
  /// Why the run counts as failed although all its steps came to their end: iterations failed, and were borne.
  private(set) var borne: StepError?
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
    tree = RunbookTree(runbook)
    root = Scope(.root, .oneByOne, count: tree.root.steps.count)
    isChecked = runbook.providers.isEmpty && runbook.value.calls.allSatisfy { $0.runbook.providers.isEmpty }
  }

  /// The step that has something called at this place; nil if the runbook has none there.
  func step(at path: StepPath) -> ActionStep? { tree.action(at: path) }

  /// Steps of it go on at the same time.
  var hasBranches: Bool { scopes.values.contains { $0.order != .oneByOne } }

  /// The step that holds others at this place, or the run.
  func scope(at path: StepPath) -> Scope? { path == .root ? root : scopes[path] }

  func state(of path: StepPath) -> StepMachine { leaves[path] ?? StepMachine() }

  var stop: Scope.Stop? { root.stop }
  /// How the rollback of the run ended; nil while it has not. Once a person has left out the last of what was owed,
  /// nothing of it is pending any more, and once the step that blocks was left out, nothing blocks: it has failed.
  public var rollback: RollbackOutcome? {
    guard isLeftOut, let ended = root.endedWith else { return root.endedWith }
    guard let newest = stack.newestOpen else { return .failed }
    return ended == .blocked && newest.kind != .irreversible ? .failed : ended
  }

  var phase: Scope.Phase {
    if let rollback { return .ended(rollback) }
    if root.rollbackStartedAt != nil { return .unwinding }
    return root.stop.map { .stopping($0) } ?? .going
  }

  public var ended: RunEnded? { ending.ended }
  var verdict: DrillVerdict? { ending.verdict }
  /// How the run would end now.
  var result: RunEnded { ending.result(of: self) }
  /// The number of the newest message that the run has read.
  public var lastRequest: Int64 { questions.lastRequest }

  /// A step that was ended by the run it was inherited from counts as done.
  private mutating func inherit(_ run: RunStarted) {
    guard let from = run.fromStep, let place = tree.place(at: StepPath(from)), place.parent == .root,
      case .body(let position) = place.slot
    else { return }
    root.begin(at: position)
    for (path, earlier) in run.inherited {
      guard tree.action(at: StepPath(path)) != nil else {
        inheritScope(StepPath(path), earlier)
        continue
      }
      var state = StepMachine()
      state.status = earlier["status"]?.string.flatMap(StepStatus.init(rawValue:)) ?? .succeeded
      state.outputs = earlier["outputs"]?.map ?? [:]
      leaves[StepPath(path)] = state
    }
  }

  private mutating func inheritScope(_ path: StepPath, _ earlier: Value) {
    guard let node = tree.place(at: path)?.here.node else { return }
    let items = earlier["items"]?.list
    var opened: ScopeOpened?
    if let items {
      opened = ScopeOpened(title: "", kind: "for_each")
      opened?.items = items
    }
    var scope = Scope(path, node.order, count: items?.count ?? 0, opened: opened)
    let status = earlier["status"]?.string.flatMap(StepStatus.init(rawValue:)) ?? .succeeded
    scope.end(ScopeEnded(status, outputs: earlier["outputs"]?.map ?? [:]), at: startedAt)
    scopes[path] = scope
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
    case .scope(let path, let fact): apply(fact, of: path, at: instant)
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
      for path in active {
        let step = step(at: path)
        leaves[path]?.loseCall(of: step, at: instant)
      }
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
    let step = step(at: path)
    switch fact {
    case .started(let started):
      leaves[path, default: StepMachine()].apply(fact, of: step, at: instant)
      questions.forgetState(of: path)
      if !active.contains(path) { active.append(path) }
      if started.purpose == .do {
        noteBeginning(of: path)
        if let step { register(step) }
      }
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

  /// Registers what is owed from the step's intent on.
  private mutating func register(_ step: ActionStep) {
    switch step.rollback {
    case .steps(_, let scope): stack.register(step.path, .steps(step.undoSteps.map(\.path), scope: scope))
    case .irreversible: stack.register(step.path, .irreversible)
    case .absent, .none: break
    }
  }

  private mutating func noteEnd(of path: StepPath, _ ended: StepEnded, _ step: ActionStep?, at instant: Timestamp) {
    active.removeAll { $0 == path }
    let state = state(of: path)
    if case .asking = state.progress, let begun = state.startedAt {
      questions.noteAsked(instant - begun, for: ended.purpose)
    }
    switch ended.purpose {
    case .do:
      if step?.isCommit == true, ended.status == .succeeded {
        stack.closeAll(.committed, within: tree.place(at: path)?.commitScope ?? .root)
      }
      noteEnd(of: path, ended.status, ended.error)
    case .undo:
      let isDone = PlantedMistake.unknownUndoIsDone.isMade ? ended.status != .failed : ended.status.isDone
      // An undo step that did not end well: what is older must not be undone without it.
      if !isDone, step?.undoContinuesOnError != true { stack.set(path.owner, .failed) }
    case .always: ending.noteAlways(ended, step)
    case .onFailure, .onRollbackFailure: break
    case .stopIf: if let stop = stop(by: path, ended) { root.stop(stop) }
    }
  }

  private mutating func apply(_ fact: RollbackFact, at instant: Timestamp) {
    switch fact {
    case .settled(let step): stack.set(step, .settled)
    case .closed(let step, let closure): stack.close(step, closure)
    case .resumed(_, let request):
      questions.read(request)
      questions.rollbackBegins()
      reopenFailedUndo()
      stack.reopenFailed()
      root.resumeRollback(at: instant)
    case .skipped(let entry, let reason, let by, let request):
      questions.read(request)
      isLeftOut = true
      if entry.undone != nil, step(at: entry) != nil, !PlantedMistake.skipClosesEntry.isMade { leaveOut(entry) }
      // An entry of which one undo step is left out stays as it is: the others are still owed.
      if entry.undone == nil || PlantedMistake.skipClosesEntry.isMade {
        stack.set(entry.owner, .closed(.other("skipped by \(by): \(reason)")))
      }
    case .abandoned(let reason, let by, let request):
      questions.read(request)
      stack.closeAll(.other("abandoned by \(by): \(reason)"))
      root.abandonRollback()
      isLeftOut = true
    }
    ending.apply(fact)
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
      for path in undoPaths(of: entry) where state(of: path).status.isEnded && !state(of: path).status.isDone {
        var fresh = StepMachine()
        fresh.purpose = .undo
        fresh.attempt = state(of: path).attempt + 1
        leaves[path] = fresh
      }
    }
  }
}

// MARK: - Steps that hold others

extension RunMachine {
  private mutating func change(_ path: StepPath, _ body: (inout Scope) -> Void) {
    if path == .root { body(&root) } else if scopes[path] != nil { body(&scopes[path]!) }
  }

  private mutating func apply(_ fact: ScopeFact, of path: StepPath, at instant: Timestamp) {
    switch fact {
    case .opened(let opened): open(path, opened, at: instant)
    case .rescuing(let error):
      guard case .block(let block)? = tree.place(at: path)?.step else { return }
      change(path) { $0.rescue(from: error, count: block.rescue?.steps.count ?? 0) }
    case .ended(let ended): end(path, ended, at: instant)
    case .rollbackStarted:
      if path == .root { questions.rollbackBegins() }
      // An iteration that is one step has no scope before it is undone.
      if scope(at: path) == nil { scopes[path] = Scope(path, .oneByOne, count: 0) }
      change(path) { $0.apply(rollback: fact, at: instant) }
    case .rollbackEnded(let outcome, _, let error):
      if path != .root { unwound(path, outcome, error) }
      change(path) { $0.apply(rollback: fact, at: instant) }
    }
  }

  private mutating func open(_ path: StepPath, _ opened: ScopeOpened, at instant: Timestamp) {
    if path.undone != nil {
      scopes[path] = Scope(path, .loop, count: opened.items?.count ?? 0, opened: opened, at: instant)
      return
    }
    guard let place = tree.place(at: path) else { return }
    noteBeginning(of: path)
    let node = place.here.node
    scopes[path] = Scope(
      path, node.order, count: opened.items?.count ?? node.steps.count, opened: opened, hasGate: node.gate != nil,
      at: instant)
    openScopes.append(path)
    if case .call(let call)? = place.step, !call.undo.isEmpty {
      stack.register(path, .steps(call.undo.indices.map { path.undo($0) }, scope: .succeeded))
    }
  }

  private mutating func end(_ path: StepPath, _ ended: ScopeEnded, at instant: Timestamp) {
    openScopes.removeAll { $0 == path }
    if scopes[path] == nil, let node = tree.place(at: path)?.here.node {
      scopes[path] = Scope(path, node.order, count: 0)
    }
    change(path) { $0.end(ended, at: instant) }
    let place = tree.place(at: path)
    if case .call(let call)? = place?.step, !call.undo.isEmpty, ended.status == .succeeded {
      stack.closeReplaced(by: path)
    }
    if ended.failures > 0, place?.step?.continuesOnError != true, let error = scopes[path]?.firstFailure {
      borne = borne ?? error
    }
    noteEnd(of: path, ended.status, ended.error)
  }

  /// A step of the list, of a branch, of an iteration is begun.
  private mutating func noteBeginning(of path: StepPath) {
    guard let place = tree.place(at: path) else { return }
    change(place.parent) { $0.begin(path, at: place.position) }
  }

  /// It has come to its end: the step around it goes on, or is stopped.
  private mutating func noteEnd(of path: StepPath, _ status: StepStatus, _ error: StepError?) {
    guard let place = tree.place(at: path) else { return }
    let failure = status == .succeeded || place.step?.continuesOnError == true ? nil : error
    guard let failure, case .iteration(let position) = place.slot, !isBeingStopped(path) else {
      change(place.parent) { $0.end(path, at: place.position, error: failure) }
      return
    }
    let isUndone = runbook.rollbackPolicy.after.contains(.failure) && stack.newestOpen(within: path) != nil
    change(place.parent) { $0.fail(path, at: position, failure, isUndone: isUndone) }
  }

  /// An iteration was undone, or could not be: then nothing goes on.
  private mutating func unwound(_ path: StepPath, _ outcome: RollbackOutcome, _ error: StepError?) {
    guard let place = tree.place(at: path) else { return }
    change(place.parent) { $0.unwound(path, outcome) }
    guard outcome != .succeeded, outcome != .notNeeded else { return }
    let reason = scope(at: place.parent)?.firstFailure ?? error
    root.stop(.failure(reason ?? StepError(StepFailure(.crashed, "its rollback failed"), step: path, attempt: 1)))
  }

  /// Something around the step was stopped: a sibling has failed, or the run is being cancelled.
  func isBeingStopped(_ path: StepPath) -> Bool { stopping(path) != nil }

  /// The run, or a step that holds others, was stopped and has not ended.
  var isAnythingStopped: Bool { root.stop != nil || root.isOver || openScopes.contains { scopes[$0]?.stop != nil } }

  /// Until when the steps there may go on: the nearest of the run's timeout and those of the steps around it.
  func deadline(around path: StepPath) -> (at: Timestamp, words: String)? {
    var found = (at: runDeadline, words: "the run's timeout of \(runbook.timeout.text) is over")
    for around in tree.place(at: path)?.around ?? [] {
      guard let deadline = scopes[around.path]?.opened?.deadline, deadline < found.at else { continue }
      found = (deadline, "the timeout of `\(around.path)` is over")
    }
    return found
  }

  /// Why the step failed that has something called, or holds others.
  func error(of path: StepPath) -> StepError? { leaves[path]?.error ?? scopes[path]?.ended?.error }

  /// When the step was begun that has something called, or holds others.
  func startedAt(of path: StepPath) -> Timestamp? { leaves[path]?.startedAt ?? scopes[path]?.startedAt }

  /// The branch in which the other step stands, if the two stand in different branches of something whose steps go on
  /// at the same time; and whether that branch is going on.
  func branch(of other: StepPath, beside path: StepPath) -> (path: StepPath, isLive: Bool)? {
    guard let place = tree.place(at: path), let otherPlace = tree.place(at: other) else { return nil }
    let chain = place.around.map(\.path) + [path]
    let otherChain = otherPlace.around.map(\.path) + [other]
    for (index, (one, two)) in zip(chain, otherChain).enumerated() where one != two {
      guard index > 0, let around = scope(at: chain[index - 1]), around.order != .oneByOne,
        !PlantedMistake.branchesShareALock.isMade
      else { return nil }
      return (two, around.live.contains(two))
    }
    return nil
  }

  /// What is in flight for this step is to be ended, because something around it was stopped.
  func isToEnd(_ path: StepPath) -> Bool {
    if isAskedInVain(path) { return true }
    let state = state(of: path)
    return state.purpose == .do && !state.status.isEnded && isBeingStopped(path)
  }

  /// What stops it; nil if nothing does.
  func stopping(_ path: StepPath) -> Scope.Stop? {
    guard let place = tree.place(at: path), place.slot != .ending else { return nil }
    if PlantedMistake.siblingsGoOn.isMade { return root.stop }
    for around in place.around { if let stop = scope(at: around.path)?.stop { return stop } }
    return nil
  }
}

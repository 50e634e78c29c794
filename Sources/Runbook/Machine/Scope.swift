/// A list of steps that is carried out in order and undone as a whole, with its part of the rollback. The run is one;
/// its undoing stands between its last step and its ending.
struct Scope: Sendable {
  /// Why the steps ended before their end.
  enum Stop: Sendable {
    case failure(StepError)
    case cancel(by: String, rollback: Bool)
    /// The live checks found problems before anything was changed.
    case refused([String])

    var isRefusal: Bool { if case .refused = self { true } else { false } }
  }

  enum Phase: Sendable {
    /// The next step is begun, or one is carried out.
    case going
    /// No further step is begun; what is in flight comes to its end.
    case stopping(Stop)
    /// Entries are undone, newest first.
    case unwinding
    /// Nothing is done about its entries any more, unless a person resumes the rollback.
    case ended(RollbackOutcome)
  }

  let path: StepPath
  let steps: [ActionStep]
  /// Index of the next step of `steps`.
  private(set) var cursor = 0
  private(set) var stop: Stop?
  var stack = RollbackStack()
  private(set) var rollbackStartedAt: Timestamp?
  /// How the rollback ended, as it was journaled.
  private var endedWith: RollbackOutcome?
  private(set) var rollbackFailure: (step: StepPath?, error: StepError?)?
  /// A person left out something that was owed: the run needs a person, however its rollback ended.
  private(set) var isLeftOut = false

  init(_ path: StepPath, _ steps: [ActionStep]) {
    self.path = path
    self.steps = steps
  }

  /// How the rollback ended; nil while it has not. Once a person has left out the last of what was owed, nothing of it
  /// is pending any more, and once the step that blocks was left out, nothing blocks: it has failed.
  var rollback: RollbackOutcome? {
    guard isLeftOut, let endedWith else { return endedWith }
    guard let newest = stack.newestOpen else { return .failed }
    return endedWith == .blocked && newest.kind != .irreversible ? .failed : endedWith
  }

  var phase: Phase {
    if let rollback { return .ended(rollback) }
    if rollbackStartedAt != nil { return .unwinding }
    return stop.map { .stopping($0) } ?? .going
  }

  /// All its steps have come to their end, well or not.
  var isThrough: Bool { cursor >= steps.count }

  /// The step to begin next; nil if the scope has been stopped or is through.
  var nextStep: ActionStep? { stop == nil && !isThrough ? steps[cursor] : nil }

  /// Steps that were not begun yet.
  var comingSteps: ArraySlice<ActionStep> { steps.dropFirst(cursor) }

  /// The steps before this one were done by an earlier run.
  mutating func begin(at path: StepPath) -> Bool {
    guard let index = steps.firstIndex(where: { $0.path == path }) else { return false }
    cursor = index
    return true
  }

  mutating func stop(_ reason: Stop) { if stop == nil { stop = reason } }

  /// Registers what is owed from the step's intent on.
  mutating func register(_ step: ActionStep) {
    switch step.rollback {
    case .steps(let undo, let scope): stack.register(step.path, .steps(undo.map(\.path), scope: scope))
    case .irreversible: stack.register(step.path, .irreversible)
    case .absent, .none: break
    }
  }

  /// One of its steps has come to its end.
  mutating func noteEnd(of path: StepPath, _ ended: StepEnded, _ step: ActionStep?) {
    if !isThrough, steps[cursor].path == path { cursor += 1 }
    if step?.isCommit == true, ended.status == .succeeded { stack.closeAll(.committed) }
    if let error = ended.error, ended.status != .succeeded, step?.continuesOnError != true { stop(.failure(error)) }
  }

  mutating func apply(_ fact: ScopeFact, at instant: Timestamp) {
    switch fact {
    case .opened, .rescuing, .ended: break
    case .rollbackStarted: rollbackStartedAt = instant
    case .rollbackEnded(let outcome, let failedStep, let error):
      endedWith = outcome
      rollbackFailure = (failedStep, error)
    }
  }

  mutating func apply(_ fact: RollbackFact, at instant: Timestamp) {
    switch fact {
    case .settled(let step): stack.set(step, .settled)
    case .closed(let step, let closure): stack.close(step, closure)
    case .resumed:
      endedWith = nil
      rollbackFailure = nil
      rollbackStartedAt = instant
      for entry in stack.entries where entry.state == .failed { stack.set(entry.step, .settled) }
    case .skipped(let entry, let reason, let by, _): leaveOut(entry, .other("skipped by \(by): \(reason)"))
    case .abandoned(let reason, let by, _):
      stack.closeAll(.other("abandoned by \(by): \(reason)"))
      endedWith = .failed
      isLeftOut = true
    }
  }

  /// A person says that an undo step, or the whole entry of a step, is not to be done.
  private mutating func leaveOut(_ path: StepPath, _ closure: UndoClosure) {
    isLeftOut = true
    // An entry of which one undo step is left out stays as it is: the others are still owed.
    if path.undone == nil || PlantedMistake.skipClosesEntry.isMade { stack.set(path.owner, .closed(closure)) }
  }

  /// An undo step did not end well, and what is older must not be undone without it.
  mutating func fail(_ step: StepPath) { stack.set(step, .failed) }
}

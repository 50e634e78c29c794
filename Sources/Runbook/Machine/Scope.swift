/// A step that holds others, while it is carried out and after it has ended: which of its steps are begun, why it was
/// stopped, and how its rollback went. The run is one; its undoing stands between its last step and its ending.
struct Scope: Sendable {
  /// Why the steps ended before their end.
  enum Stop: Sendable {
    case failure(StepError)
    case cancel(by: String, rollback: Bool)
    /// The live checks found problems before anything was changed.
    case refused([String])

    var isRefusal: Bool { if case .refused = self { true } else { false } }
    var error: StepError? { if case .failure(let error) = self { error } else { nil } }
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

  /// How its steps follow each other.
  enum Order: Sendable {
    case oneByOne, allAtOnce
    /// One step for each item.
    case loop
  }

  let path: StepPath
  let order: Order
  /// What was found when it was begun; nil for the run, and for what was never begun.
  private(set) var opened: ScopeOpened?
  /// How many steps it has; of a loop, how many items.
  private(set) var count: Int
  /// The position of the first step that is not begun.
  private(set) var cursor = 0
  /// Positions behind the cursor that are begun.
  private var ahead: Set<Int> = []
  /// Steps that are begun and have not come to their end, in the order of their beginning.
  private(set) var live: [StepPath] = []
  private(set) var stop: Stop?
  /// Why its `rescue` is carried out; nil: it is not.
  private(set) var rescued: StepError?
  private(set) var ended: ScopeEnded?
  private(set) var startedAt: Timestamp?
  private(set) var endedAt: Timestamp?

  /// Of a loop: iterations that failed and are being undone. They are live until then.
  private(set) var unwinding: [StepPath] = []
  /// Of a loop: how many iterations have failed, and how many of these had something that was undone.
  private(set) var failures = 0
  private(set) var firstFailure: StepError?
  private(set) var undone = 0
  /// Of a loop: the batch whose iterations may be begun, and where it ends.
  private(set) var batch = 0
  private var batchEnd = 0
  private let hasGate: Bool

  private(set) var rollbackStartedAt: Timestamp?
  /// How the rollback ended, as it was journaled.
  private(set) var endedWith: RollbackOutcome?
  private(set) var rollbackFailure: (step: StepPath?, error: StepError?)?

  /// - Parameter count: how many steps it has. Of a loop, its items are in `opened`.
  init(
    _ path: StepPath, _ order: Order, count: Int, opened: ScopeOpened? = nil, hasGate: Bool = false,
    at instant: Timestamp? = nil
  ) {
    self.path = path
    self.order = order
    self.opened = opened
    self.count = count
    self.hasGate = hasGate
    startedAt = instant
    batchEnd = opened?.batches.first ?? count
  }

  /// All its steps are begun and have come to their end, well or not.
  var isThrough: Bool { cursor >= count && live.isEmpty }

  /// Nothing of it is carried out, and nothing further is begun.
  var isOver: Bool { live.isEmpty && (stop != nil || cursor >= count) }

  /// Whether the step at this position was begun.
  func isBegun(_ position: Int) -> Bool { position < cursor || ahead.contains(position) }

  /// Positions that may be begun now, at most so many; none once it has been stopped.
  func next(atMost limit: Int) -> [Int] {
    guard stop == nil, limit > 0 else { return [] }
    switch order {
    case .oneByOne: return live.isEmpty && cursor < count ? [cursor] : []
    case .allAtOnce: return positions(before: count, atMost: limit)
    case .loop:
      let room = min(limit, max(opened?.maxParallel ?? 1, 1) - live.count)
      let end = PlantedMistake.batchesRunTogether.isMade ? count : min(batchEnd, count)
      return room > 0 ? positions(before: end, atMost: room) : []
    }
  }

  private func positions(before end: Int, atMost limit: Int) -> [Int] {
    var found: [Int] = []
    var position = cursor
    while position < end, found.count < limit {
      if !ahead.contains(position) { found.append(position) }
      position += 1
    }
    return found
  }

  /// Of a loop: all iterations of a batch have come to their end, more follow, and the steps between come first.
  var isGateDue: Bool { hasGate && stop == nil && live.isEmpty && cursor >= batchEnd && cursor < count }
}

// MARK: - What happens to its steps

extension Scope {
  mutating func stop(_ reason: Stop) { if stop == nil { stop = reason } }

  /// The steps before this one were done by an earlier run.
  mutating func begin(at position: Int) { cursor = position }

  /// One of its steps is begun.
  /// - Parameter position: nil for the steps between two batches.
  mutating func begin(_ step: StepPath, at position: Int?) {
    if let position { note(position) }
    if !live.contains(step) { live.append(step) }
  }

  private mutating func note(_ position: Int) {
    guard !isBegun(position) else { return }
    ahead.insert(position)
    while ahead.remove(cursor) != nil { cursor += 1 }
  }

  /// One of its steps has come to its end.
  /// - Parameters:
  ///   - position: nil for the steps between two batches.
  ///   - error: nil unless it failed and its author did not bear that.
  mutating func end(_ step: StepPath, at position: Int?, error: StepError?) {
    if let position { note(position) } else if error == nil { goOn() }
    live.removeAll { $0 == step }
    if let error { stop(.failure(error)) }
    if !hasGate { skipFinishedBatches() }
  }

  /// One of a loop's iterations has failed.
  /// - Parameter isUndone: it has something to undo, and stays live until that is done.
  mutating func fail(_ iteration: StepPath, at position: Int, _ error: StepError, isUndone: Bool) {
    note(position)
    failures += 1
    firstFailure = firstFailure ?? error
    if failures > (opened?.maxFailures ?? 0) { stop(.failure(error)) }
    if isUndone {
      if !live.contains(iteration) { live.append(iteration) }
      unwinding.append(iteration)
    } else {
      live.removeAll { $0 == iteration }
      if !hasGate { skipFinishedBatches() }
    }
  }

  /// One of a loop's iterations was undone, or could not be.
  mutating func unwound(_ iteration: StepPath, _ outcome: RollbackOutcome) {
    unwinding.removeAll { $0 == iteration }
    live.removeAll { $0 == iteration }
    if outcome == .succeeded { undone += 1 }
    if !hasGate { skipFinishedBatches() }
  }

  private mutating func skipFinishedBatches() {
    guard order == .loop else { return }
    while live.isEmpty, cursor >= batchEnd, cursor < count { goOn() }
  }

  /// The next batch may be begun. Without sizes everything is one.
  private mutating func goOn() {
    batch += 1
    let sizes = opened?.batches ?? []
    let size = batch < sizes.count ? sizes[batch] : count - batchEnd
    batchEnd = min(count, batchEnd + max(size, 1))
  }

  /// - Parameter count: how many steps its `rescue` has.
  mutating func rescue(from error: StepError, count: Int) {
    rescued = error
    stop = nil
    cursor = 0
    ahead = []
    self.count = count
  }

  mutating func end(_ ended: ScopeEnded, at instant: Timestamp) {
    self.ended = ended
    endedAt = instant
    live = []
    ahead = []
  }
}

// MARK: - Its rollback

extension Scope {
  mutating func apply(rollback fact: ScopeFact, at instant: Timestamp) {
    switch fact {
    case .opened, .rescuing, .ended: break
    case .rollbackStarted: rollbackStartedAt = instant
    case .rollbackEnded(let outcome, let failedStep, let error):
      endedWith = outcome
      rollbackFailure = (failedStep, error)
    }
  }

  /// A person has the rollback carried on.
  mutating func resumeRollback(at instant: Timestamp) {
    endedWith = nil
    rollbackFailure = nil
    rollbackStartedAt = instant
  }

  /// A person has given up what is owed.
  mutating func abandonRollback() { endedWith = .failed }
}

/// How entries of the rollback are done with: those of the whole run at its end, those of an iteration as soon as it
/// has failed. Both go the same way: the newest first, one at a time, and no further than one that cannot be undone.
extension RunMachine {
  enum Unwinding: Equatable {
    /// The entry to undo next.
    case entry(RollbackStack.Entry)
    case ended(RollbackOutcome)
  }

  /// Where the undoing of a scope stands, once it has begun.
  func unwinding(of scope: StepPath) -> Unwinding {
    guard let entry = stack.newestOpen(within: scope) else {
      if scope == .root && isLeftOut || stack.hasUndoneInVain(within: scope) { return .ended(.failed) }
      return .ended(stack.hasUndone(within: scope) ? .succeeded : .notNeeded)
    }
    if entry.state == .failed { return .ended(.failed) }
    if entry.kind == .irreversible, blocks(entry, within: scope) { return .ended(.blocked) }
    return isExhausted(entry) ? .ended(.failed) : .entry(entry)
  }

  /// An irreversible step blocks when older steps still need undoing, or when its own effect is what must be undone.
  private func blocks(_ entry: RollbackStack.Entry, within scope: StepPath) -> Bool {
    let state = state(of: entry.step)
    if state.status != .succeeded { return state.effect != .none }
    return stack.hasUndoable(below: entry.step, within: scope)
  }

  /// What follows from the state alone about the undoing of this scope; nil while there is work to do for it.
  func unwindingFact(of scope: StepPath, reason: String) -> Fact? {
    switch unwinding(of: scope) {
    case .entry(let entry):
      guard self.scope(at: scope)?.rollbackStartedAt == nil else { return closing(entry) }
      // What certainly did nothing is no reason to speak of a rollback.
      return closingUnasked(entry) ?? .scope(scope, .rollbackStarted(reason: reason))
    case .ended(let outcome): return rollbackEnd(of: scope, outcome)
    }
  }

  func rollbackEnd(of scope: StepPath, _ outcome: RollbackOutcome) -> Fact {
    let failed = stack.entries.last { $0.state == .failed && $0.step.isWithin(scope) }
    let undo = failed.flatMap { failedUndo(of: $0) }
    let error = undo.flatMap { state(of: $0).error }
    return .scope(scope, .rollbackEnded(outcome: outcome, failedStep: undo ?? failed?.step, error: error))
  }

  private func failedUndo(of entry: RollbackStack.Entry) -> StepPath? {
    undoPaths(of: entry).first { state(of: $0).status.isEnded && !state(of: $0).status.isDone }
  }

  /// The scope whose undoing the entry of this step belongs to now: an iteration that is being undone, or the run.
  func unwindingScope(of path: StepPath) -> StepPath {
    for scope in openScopes {
      if let iteration = scopes[scope]?.unwinding.first(where: { path.isWithin($0) }) { return iteration }
    }
    return .root
  }

  /// A step that failed and certainly did nothing.
  func closingUnasked(_ entry: RollbackStack.Entry) -> Fact? {
    let state = state(of: entry.step)
    guard state.status.isEnded, state.status != .succeeded, state.effect == .none else { return nil }
    return .rollback(.closed(step: entry.step, .neverHappened))
  }

  /// Closes an entry that needs no asking; nil if there is work to do for it.
  private func closing(_ entry: RollbackStack.Entry) -> Fact? {
    if let fact = closingUnasked(entry) { return fact }
    switch entry.kind {
    case .irreversible: return .rollback(.closed(step: entry.step, .leftStanding))
    case .steps(_, let scope):
      let paths = undoPaths(of: entry)
      if scope == .succeeded, status(of: entry.step) != .succeeded {
        return .rollback(.closed(step: entry.step, .onlyAfterSuccess))
      }
      guard entry.state == .settled || needsNoProbe(entry) else { return nil }
      let isDone = paths.allSatisfy { path in
        let status = self.state(of: path).status
        if PlantedMistake.unknownUndoIsDone.isMade { return status.isEnded }
        return status.isDone || status.isEnded && step(at: path)?.undoContinuesOnError == true
      }
      guard isDone else { return nil }
      return .rollback(.closed(step: entry.step, closure(of: paths)))
    }
  }

  /// Of a step that has something called, or of one that holds others.
  func status(of path: StepPath) -> StepStatus {
    guard let scope = scopes[path], leaves[path] == nil else { return state(of: path).status }
    return scope.ended?.status ?? (scope.opened == nil ? .pending : .started)
  }

  /// The undo steps of an entry as they are carried out: one with a `for_each` once for each item, as soon as the items
  /// are known.
  func undoPaths(of entry: RollbackStack.Entry) -> [StepPath] {
    guard case .steps(let paths, _) = entry.kind else { return [] }
    return paths.flatMap { path -> [StepPath] in
      guard let items = scopes[path]?.opened?.items, !leftOutUndo.contains(path) else { return [path] }
      return items.indices.map { path.iteration($0) }
    }
  }

  /// It is done for each item, and the items are not known yet.
  func needsItems(_ undo: StepPath) -> Bool {
    undo.undone != nil && step(at: undo)?.each != nil && scopes[undo]?.opened == nil && !state(of: undo).status.isEnded
  }

  /// What the `for_each` of an undo step binds; nil for another name.
  func undoItem(at path: StepPath, _ name: String) -> Value? {
    guard let undo = path.iterated, let position = path.position, let each = step(at: undo)?.each,
      let items = scopes[undo]?.opened?.items, items.indices.contains(position)
    else { return nil }
    if name == "index" { return .int(Int64(position)) }
    return each.name == name ? items[position] : nil
  }

  /// Why an entry is done with whose undo steps have all ended.
  private func closure(of paths: [StepPath]) -> UndoClosure {
    let statuses = paths.map { state(of: $0).status }
    if statuses.contains(.succeeded) || PlantedMistake.falseConditionIsUndone.isMade { return .undone }
    if statuses.contains(where: { $0 != .skipped }) {
      return PlantedMistake.failedUndoIsUndone.isMade ? .undone : .undoFailed
    }
    return paths.contains { leftOutUndo.contains($0) } ? .leftOut : .conditionFalse
  }

  /// Its undo steps have all been tried, and something of it is still owed: only a person can go on.
  private func isExhausted(_ entry: RollbackStack.Entry) -> Bool {
    guard entry.kind != .irreversible, entry.state == .settled || needsNoProbe(entry) else { return false }
    let paths = undoPaths(of: entry)
    let isOwed = paths.contains { !state(of: $0).status.isDone && step(at: $0)?.undoContinuesOnError != true }
    return isOwed && paths.allSatisfy { state(of: $0).status.isEnded }
  }
}

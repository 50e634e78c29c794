@testable import Runbook

/// Everything that the search reads of a machine: as members of the machine, so that nothing is copied.
extension RunMachine {
  func order(_ places: SearchedPlaces) -> SearchedOrder {
    // Runbooks of the search are one list: at most one order at a time.
    guard orders.count <= 1, let order = orders.first else { return .nothing }
    func number(_ path: StepPath) -> Int { places.number(of: path.text) }
    switch order {
    case .check: return .check
    case .begin(let path, _): return .begin(number(path))
    case .call(let path): return .call(number(path))
    case .reconcile(let path): return .reconcile(number(path))
    case .retry(let path, _): return .retry(number(path))
    case .watch(let path): return .watch(number(path))
    case .tell(let path): return .tell(number(path))
    case .ask(let path, _): return .ask(number(path))
    case .park(let path, _): return .park(number(path))
    case .awaitRestored: return .awaitRestored
    case .open, .close: preconditionFailure("no step of a searched runbook holds others")
    case .settle(let path): return .settle(number(path))
    case .judge: return .judge
    case .evaluateOutputs: return .evaluateOutputs
    case .done: return .done
    }
  }

  var cancelledEffect: Effect? {
    guard isCancelling, let order = orders.first, case .cancelled(let failure)? = cancelled(order) else { return nil }
    return failure.effect
  }

  func skippable(_ places: SearchedPlaces) -> [Int] {
    stack.entries.filter(\.isOpen).flatMap { entry -> [Int] in
      guard case .steps(let undo, _) = entry.kind else { return [places.number(of: entry.step.text)] }
      return undo.filter { !state(of: $0).status.isDone }.map { places.number(of: $0.text) }
        + [places.number(of: entry.step.text)]
    }
  }

  func picture(_ places: SearchedPlaces) -> Picture {
    var picture = Picture()
    picture.leaves = Array(repeating: Picture.Leaf(), count: places.all.count)
    for (path, state) in leaves { picture.leaves[places.number(of: path.text)] = leaf(state) }
    for entry in stack.entries {
      picture.entries.append(
        Picture.Entry(place: UInt8(places.number(of: entry.step.text)), state: .init(entry.state), isOpen: entry.isOpen)
      )
    }
    for path in leftOutUndo { picture.leaves[places.number(of: path.text)].isLeftOut = true }
    if let active = active.first { picture.active = Int8(places.number(of: active.text)) }
    picture.cursor = UInt8(root.cursor - root.live.count)
    switch stop {
    case nil: picture.stop = .nothing
    case .failure: picture.stop = .failure
    case .cancel(_, let rollback): picture.stop = rollback ? .cancel : .cancelWithoutRollback
    case .refused: picture.stop = .refused
    }
    picture.flags = flags
    picture.rollback = rollback
    picture.failedStep = Int8(root.rollbackFailure?.step.map { places.number(of: $0.text) } ?? -1)
    picture.questions = UInt8(clamping: questions.count)
    picture.isTold = questions.told.contains(questions.count)
    if let ended = ended {
      picture.end = Picture.End(outcome: ended.outcome, rollback: ended.rollback, exitCode: UInt8(ended.exitCode))
    }
    return picture
  }

  private var flags: Picture.Flags {
    var bits: UInt16 = 0
    if isChecked { bits |= Picture.Flags.isChecked.rawValue }
    if verdict != nil { bits |= Picture.Flags.isJudged.rawValue }
    if verdict?.isMissed == true { bits |= Picture.Flags.hasMissed.rawValue }
    if root.rollbackStartedAt != nil { bits |= Picture.Flags.rollbackStarted.rawValue }
    if resumedAt != nil { bits |= Picture.Flags.wasResumed.rawValue }
    if ending.outputs != nil { bits |= Picture.Flags.hasOutputs.rawValue }
    if ending.outputsError != nil { bits |= Picture.Flags.outputsFailed.rawValue }
    if ending.alwaysFailed { bits |= Picture.Flags.alwaysFailed.rawValue }
    if isLeftOut { bits |= Picture.Flags.isLeftOut.rawValue }
    if ending.isDecidedSinceEnd { bits |= Picture.Flags.isDecidedSinceEnd.rawValue }
    if owesRollback { bits |= Picture.Flags.owesRollback.rawValue }
    if releasesLocks { bits |= Picture.Flags.releasesLocks.rawValue }
    if canResumeRollback { bits |= Picture.Flags.canResumeRollback.rawValue }
    if isRestored { bits |= Picture.Flags.isRestored.rawValue }
    if isCancellable { bits |= Picture.Flags.isCancellable.rawValue }
    return Picture.Flags(rawValue: bits)
  }

  private func leaf(_ state: StepMachine) -> Picture.Leaf {
    var leaf = Picture.Leaf()
    leaf.status = state.status
    leaf.purpose = state.purpose
    switch state.progress {
    case .calling: leaf.progress = .calling
    case .lost: leaf.progress = .lost
    case .retrying: leaf.progress = .retrying
    case .waiting: leaf.progress = .waiting
    case .parked(_, let question): (leaf.progress, leaf.question) = (.parked, UInt8(clamping: question))
    case .asking(let question): (leaf.progress, leaf.question) = (.asking, UInt8(clamping: question.number))
    }
    leaf.attempt = UInt8(clamping: state.attempt)
    leaf.tries = UInt8(clamping: state.tries)
    leaf.sends = UInt8(clamping: state.sends)
    leaf.effect = state.effect
    leaf.effectBefore = state.effectBefore
    leaf.isLost = state.lostSince != nil
    leaf.lostRequests = UInt8(clamping: state.lostRequests)
    leaf.error = state.error.map { $0.effect }
    leaf.approvals = UInt8(state.approvals.count)
    leaf.hasStarted = state.startedAt != nil
    leaf.key = UInt8(clamping: state.key.utf8.count)
    return leaf
  }
}

extension Picture.Entry.State {
  init(_ state: RollbackStack.Entry.State) {
    self =
      switch state {
      case .open: .open
      case .settled: .settled
      case .failed: .failed
      case .undone: .undone
      case .leftStanding: .leftStanding
      case .closed(let closure): .init(closure)
      }
  }

  private init(_ closure: UndoClosure) {
    self =
      switch closure {
      case .undone: .undone
      case .leftStanding: .leftStanding
      case .committed: .committed
      case .neverHappened: .neverHappened
      case .onlyAfterSuccess: .onlyAfterSuccess
      case .conditionFalse: .conditionFalse
      case .leftOut: .leftOut
      case .undoFailed: .undoFailed
      case .replaced: .committed
      case .other(let words): words.hasPrefix("abandoned") ? .abandoned : .skipped
      }
  }
}

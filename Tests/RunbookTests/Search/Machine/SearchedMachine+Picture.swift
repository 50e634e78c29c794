@testable import Runbook

/// Everything that the search reads of a machine: as members of the machine, so that nothing is copied.
extension RunMachine {
  func order(_ places: SearchedPlaces) -> SearchedOrder {
    switch next {
    case .check: .check
    case .begin(let path, _): .begin(places.number(of: path))
    case .call(let path): .call(places.number(of: path))
    case .reconcile(let path): .reconcile(places.number(of: path))
    case .retry(let path, _): .retry(places.number(of: path))
    case .watch(let path): .watch(places.number(of: path))
    case .tell(let path): .tell(places.number(of: path))
    case .ask(let path, _): .ask(places.number(of: path))
    case .park(let path, _): .park(places.number(of: path))
    case .awaitRestored: .awaitRestored
    case .settle(let path): .settle(places.number(of: path))
    case .judge: .judge
    case .evaluateOutputs: .evaluateOutputs
    case .done: .done
    }
  }

  var cancelledEffect: Effect? {
    guard isCancelling, case .cancelled(_, let failure)? = cancelled(next) else { return nil }
    return failure.effect
  }

  func skippable(_ places: SearchedPlaces) -> [Int] {
    stack.entries.filter(\.isOpen).flatMap { entry -> [Int] in
      guard case .steps(let undo, _) = entry.kind else { return [places.number(of: entry.step)] }
      return undo.filter { !state(of: $0).status.isDone }.map { places.number(of: $0) }
        + [places.number(of: entry.step)]
    }
  }

  func picture(_ places: SearchedPlaces) -> Picture {
    var picture = Picture()
    picture.leaves = Array(repeating: Picture.Leaf(), count: places.all.count)
    for (path, state) in states { picture.leaves[places.number(of: path)] = leaf(state) }
    for entry in stack.entries {
      picture.entries.append(
        Picture.Entry(place: UInt8(places.number(of: entry.step)), state: .init(entry.state), isOpen: entry.isOpen))
    }
    for path in leftOutUndo { picture.leaves[places.number(of: path)].isLeftOut = true }
    if let active { picture.active = Int8(places.number(of: active)) }
    picture.cursor = UInt8(cursor)
    switch stop {
    case nil: picture.stop = .nothing
    case .failure: picture.stop = .failure
    case .cancel(_, let rollback): picture.stop = rollback ? .cancel : .cancelWithoutRollback
    case .refused: picture.stop = .refused
    }
    picture.flags = flags
    picture.rollback = rollback
    picture.failedStep = Int8(rollbackFailure?.step.map { places.number(of: $0) } ?? -1)
    picture.questions = UInt8(clamping: questions)
    picture.isTold = toldQuestions.contains(questions)
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
    if rollbackStartedAt != nil { bits |= Picture.Flags.rollbackStarted.rawValue }
    if resumedAt != nil { bits |= Picture.Flags.wasResumed.rawValue }
    if outputs != nil { bits |= Picture.Flags.hasOutputs.rawValue }
    if outputsError != nil { bits |= Picture.Flags.outputsFailed.rawValue }
    if alwaysFailed { bits |= Picture.Flags.alwaysFailed.rawValue }
    if isLeftOut { bits |= Picture.Flags.isLeftOut.rawValue }
    if isDecidedSinceEnd { bits |= Picture.Flags.isDecidedSinceEnd.rawValue }
    if owesRollback { bits |= Picture.Flags.owesRollback.rawValue }
    if releasesLocks { bits |= Picture.Flags.releasesLocks.rawValue }
    if canResumeRollback { bits |= Picture.Flags.canResumeRollback.rawValue }
    if isRestored { bits |= Picture.Flags.isRestored.rawValue }
    if isCancellable { bits |= Picture.Flags.isCancellable.rawValue }
    return Picture.Flags(rawValue: bits)
  }

  private func leaf(_ state: StepState) -> Picture.Leaf {
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
      case .closed(RunMachine.Reason.committed): .committed
      case .closed(RunMachine.Reason.neverHappened): .neverHappened
      case .closed(RunMachine.Reason.onlyAfterSuccess): .onlyAfterSuccess
      case .closed(RunMachine.Reason.conditionFalse): .conditionFalse
      case .closed(RunMachine.Reason.leftOut): .leftOut
      case .closed(let words) where words.hasPrefix("skipped"): .skipped
      case .closed(let words) where words.hasPrefix("abandoned"): .abandoned
      case .closed: .undoFailed
      }
  }
}

extension RunMachine {
  /// What is to be done now: at most one order for each step, a function of the state; facts that need no work have
  /// been added by `handle` before.
  public var orders: [Order] {
    if isRestored, !PlantedMistake.restoredNotAsked.isMade { return [.awaitRestored] }
    if let ended { return [.done(ended)] }
    var orders = active.compactMap { order(for: $0) }
    guard isChecked else { return orders.isEmpty ? [.check] : orders }
    if !root.isOver {
      addUnwinding(to: &orders)
      orders += conditionsToBegin.map { .begin($0, .stopIf) }
      var room = runbook.maxParallel - (active.count - conditionsAsked)
      addBeginnings(in: root, tree.root, to: &orders, room: &room)
      return orders
    }
    return orders.isEmpty ? [order(for: ending.stage(of: self))] : orders
  }

  /// Iterations that are undone while others go on: in each one entry at a time.
  private func addUnwinding(to orders: inout [Order]) {
    for path in openScopes {
      for iteration in scopes[path]?.unwinding ?? [] {
        let isBusy = active.contains { $0.isWithin(iteration) }
        guard !isBusy, case .entry(let entry) = unwinding(of: iteration) else { continue }
        orders.append(order(for: entry))
      }
    }
  }

  /// Steps that may be begun, in the order of the file: first those in steps that are begun.
  private func addBeginnings(in scope: Scope, _ node: RunbookTree.Node, to orders: inout [Order], room: inout Int) {
    for path in scope.live {
      guard let inner = scopes[path], inner.ended == nil, inner.opened != nil,
        let place = tree.place(at: path)
      else { continue }
      addBeginnings(in: inner, place.here.node, to: &orders, room: &room)
    }
    guard !isBeingStopped(scope.path) else { return }
    if scope.isGateDue { orders.append(.open(scope.path.gate(scope.batch + 1))) }
    for position in scope.next(atMost: room) {
      guard let (path, step) = child(of: scope, node, at: position) else { continue }
      room -= 1
      if case .action = step { orders.append(.begin(path, .do)) } else { orders.append(.open(path)) }
    }
    if scope.isOver, scope.stop == nil, node.hasOutputs { orders.append(.close(scope.path)) }
  }

  /// The step at this position.
  private func child(of scope: Scope, _ node: RunbookTree.Node, at position: Int) -> (StepPath, Step)? {
    if case .step(.loop(let loop)) = node.content { return (scope.path.iteration(position), loop.step) }
    guard let name = node.name(at: position, inRescue: scope.rescued != nil), let child = node.children[name]?.step
    else {
      return nil
    }
    return (scope.path.child(name), child)
  }

  /// Whether the step may be begun now, whatever else is to be begun: an order that is being carried out stays one.
  func isDue(_ path: StepPath, _ purpose: Purpose) -> Bool {
    guard purpose == .do else { return orders.contains(.begin(path, purpose)) }
    guard ended == nil, isChecked, let place = tree.place(at: path), let around = scope(at: place.parent),
      around.ended == nil, !isBeingStopped(path)
    else { return false }
    guard let position = place.position else { return around.isGateDue && around.batch + 1 == place.round }
    if case .rescue = place.slot { guard around.rescued != nil else { return false } }
    if case .body = place.slot { guard around.rescued == nil else { return false } }
    guard position < around.count, !around.isBegun(position) else { return false }
    return around.order != .oneByOne || around.live.isEmpty && position == around.cursor
  }

  private func order(for path: StepPath) -> Order? {
    switch state(of: path).order {
    case nil: nil
    case .call: .call(path)
    case .reconcile: .reconcile(path)
    case .retry(let instant): .retry(path, at: instant)
    case .watch: .watch(path)
    case .park(let until, let question): isToBeTold(question) ? .tell(path) : .park(path, until: until)
    case .ask(let question): isToBeTold(question.number) ? .tell(path) : .ask(path, until: question.until)
    }
  }

  private func isToBeTold(_ question: Int) -> Bool { !runbook.onWaiting.isEmpty && !questions.told.contains(question) }

  private func order(for stage: EndingMachine.Stage) -> Order {
    switch stage {
    case .judging: return .judge
    case .onFailure(let path): return .begin(path, .onFailure)
    case .onRollbackFailure(let path): return .begin(path, .onRollbackFailure)
    case .always(let path): return .begin(path, .always)
    case .unwinding(let entry): return order(for: entry)
    case .outputs, .ending, .startingRollback, .endingRollback: return .evaluateOutputs
    }
  }

  private func order(for entry: RollbackStack.Entry) -> Order {
    guard entry.kind != .irreversible, entry.state == .settled || needsNoProbe(entry),
      let path = undoPaths(of: entry).first(where: { !state(of: $0).status.isEnded })
    else { return .settle(entry.step) }
    return needsItems(path) ? .open(path) : .begin(path, .undo)
  }

  /// A step that succeeded is known to have happened and to be at rest, unless a request of it may still arrive, or
  /// nobody waited for what it started.
  func needsNoProbe(_ entry: RollbackStack.Entry) -> Bool {
    // A call is known to have succeeded, or its own undo steps are not for it.
    if scopes[entry.step]?.opened != nil { return true }
    let state = state(of: entry.step)
    let mayArrive = state.lostSince != nil && !PlantedMistake.lateRequestForgotten.isMade
    return state.status == .succeeded && !mayArrive && !startsUnwatched(entry.step)
  }

  /// Its call was accepted, and the step did not wait for what came of it.
  func startsUnwatched(_ path: StepPath) -> Bool {
    guard let step = step(at: path), step.action.wait != nil, step.effect != .none else { return false }
    return step.wait.isSkipped || state(of: path).status != .succeeded
  }

  /// As far as the steps tell: what `always` sees in `run.outcome`.
  public var outcome: RunOutcome { ending.outcome(of: self) }

  /// `queued waiting running rolling_back ending ended`
  public var status: String {
    if isRestored { return "waiting" }
    if ended != nil { return "ended" }
    if openQuestion != nil || openApproval != nil { return "waiting" }
    if !root.isOver { return "running" }
    switch ending.stage(of: self) {
    case .judging, .onFailure: return "running"
    case .startingRollback, .unwinding, .onRollbackFailure: return "rolling_back"
    case .endingRollback, .always, .outputs, .ending:
      return root.rollbackStartedAt != nil && rollback == nil ? "rolling_back" : "ending"
    }
  }
}

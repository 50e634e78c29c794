/// Carries out what the machine orders for one step: prepares it, calls, finds out how a call went, waits, brings it to
/// rest. It keeps nothing that a later process would need: that is in the machine.
@EngineActor final class StepRunner {
  let run: Interpreter
  let path: StepPath
  /// While the step is waited for.
  var watched: Watch?
  /// While people are told of a question: an answer to it need not wait for a server of theirs.
  var heedsAnswers = false

  init(_ run: Interpreter, _ path: StepPath) {
    self.run = run
    self.path = path
  }

  var clock: RunClock { run.clock }
  var masker: Masker { run.masker }
  var runID: String { run.runID }

  func record(_ event: StepEvent) { run.record(path, event) }
  func record(_ reported: RunReported) { run.record(reported) }
  func flushed() async throws(Interruption) { try await run.flushed() }

  /// Carries the order out, in a task of its own.
  @inline(never) func carryOut(_ order: Order) async throws(Interruption) {
    if let event = run.machine.cancelled(order) {
      try await stop(event)
    } else if case .watch = order {
      try await watch()
    } else if case .retry(_, let instant) = order {
      try await retry(at: instant)
    } else if case .ask(_, let until) = order, run.launch.world.asksPeople {
      try await awaitAnswer(until: until)
    } else {
      try await carryOutShort(order)
    }
  }

  private func carryOutShort(_ order: Order) async throws(Interruption) {
    switch order {
    case .check: record(.checked(problems: await run.liveProblems()))
    case .begin(_, let purpose): try await begin(purpose)
    case .call: try await call()
    case .reconcile: try await reconcile()
    case .settle: try await comeToRest()
    case .ask: try await simulateAnswer()
    case .tell: try await tellOfQuestion()
    case .watch, .retry, .open, .close, .judge, .evaluateOutputs, .park, .awaitRestored, .done: break
    }
  }

  /// Does something in a task of its own and waits for it. A task keeps for all its life the stack that its deepest
  /// call once needed; so that the hours a run waits cost no more than the waiting, what goes deep is done here.
  @inline(never) func onOwnStack(
    _ body: @escaping @EngineActor (StepRunner) async throws(Interruption) -> Void
  ) async throws(Interruption) {
    let work = Task.immediate { () async -> Interruption? in
      do throws(Interruption) { try await body(self) } catch { return error }
      return nil
    }
    let interruption = await work.valueUnlessCancelled()
    if let interruption { throw interruption }
  }

  /// The step in the runbook; nil for one that the runbook no longer has.
  var step: ActionStep? { run.machine.step(at: path) }
}

/// Why an order was not finished: the loop looks at what came in and asks the machine again. Small, because every
/// frame on the way has a place for it.
enum Interruption: Error {
  case arrival
  indirect case store(StoreFailure)
}

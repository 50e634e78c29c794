/// Carries a run out: asks the machine what comes next, does it, journals what happened. Everything hard is decided in
/// `RunMachine`; here are the clock, the calls and the order of journal before effect.
///
/// A fresh run and one carried on after a crash begin the same way: by reading the journal.
public actor Interpreter {
  nonisolated public var unownedExecutor: UnownedSerialExecutor {
    unsafe EngineExecutor.shared.asUnownedSerialExecutor()
  }

  let launch: RunLaunch
  var machine: RunMachine
  var vars: [String: Value] = [:]
  var providers: [String: any Provider] = [:]
  let masker: Masker
  private var pending: [(fact: Fact, at: Timestamp)] = []
  var heldLocks: Set<String> = []
  /// Scripts whose outcome is recorded; and those of them whose outcome is durable, so that their traces can go.
  private var recordedScripts: [String] = []
  private var finishedScripts: [String] = []
  private var lastStatus = ""
  private var isRestored = false

  var clock: any EngineClock { launch.world.clock }
  var runID: String { launch.lease.runID }

  public init(_ launch: RunLaunch) {
    self.launch = launch
    machine = RunMachine(launch.runbook)
    masker = Masker(launch.secrets.values)
  }

  /// Works on the run until it has ended, must be left, or needs a person.
  public func run() async -> RunEnd {
    do throws(StoreFailure) {
      try replay()
      if isRestored {
        // Leaving is the question, resuming again the answer: the mark is cleared with what is written now.
        return try leave(
          "the store was put back from an older copy, so this run may have done more than its journal says; "
            + "look at what it changed, then resume it again")
      }
      if let problem = prepare() {
        guard !machine.isReady else { return try leave(problem) }
        record(.checked(problems: [problem]))
      }
      return try await carryOn()
    } catch {
      return .lost(error)
    }
  }

  /// The machine fed the journal; nothing else is remembered of an earlier process.
  private func replay() throws(StoreFailure) {
    for entry in try launch.store.entries(of: runID, after: 0) { machine.apply(try Fact(entry), at: entry.at) }
    heldLocks = Set(try launch.store.locks(of: runID))
    let summary = try launch.store.summary(of: runID)
    lastStatus = summary.status
    isRestored = summary.isRestored
    guard launch.lease.epoch > 1 else { return }
    let owner = launch.lease.owner
    let fact = Fact.runResumed(epoch: launch.lease.epoch, host: owner.host, pid: Int64(owner.pid))
    machine.apply(fact, at: clock.now)
    pending.append((fact, clock.now))
    for request in try launch.store.requests(for: runID, after: machine.lastRequest) {
      if let message = RunControl.Message(request) { launch.control.post(message) }
    }
  }

  private func carryOn() async throws(StoreFailure) -> RunEnd {
    while true {
      await forgetFinishedScripts()
      takeMessages()
      if let reason = launch.control.leaveReason { return try leave(reason) }
      if launch.store.isOutOfSpace { return try leave("the disk of the store is full") }
      let order = machine.next
      switch order {
      case .done(let ended):
        try flush()
        await forgetFinishedScripts()
        return .ended(ended)
      case .park(let path, let until):
        if clock.now >= until {
          record(.askTimedOut(path))
        } else {
          try flush()
          try launch.store.release(launch.lease)
          return .parked(step: path, until: until)
        }
      default:
        do throws(Interruption) { try await carryOut(order) } catch {
          switch error {
          case .store(let failure): throw failure
          case .arrival: continue
          }
        }
      }
    }
  }

  /// Why an order was not finished: the loop looks at what came in and asks the machine again.
  enum Interruption: Error {
    case arrival
    case store(StoreFailure)
  }

  private func carryOut(_ order: Order) async throws(Interruption) {
    if machine.isCancelling, let event = machine.cancelled(order) {
      record(event)
      return
    }
    switch order {
    case .check: record(.checked(problems: await liveProblems()))
    case .begin(let path, let purpose): try await begin(path, purpose)
    case .call(let path): try await call(path)
    case .reconcile(let path): try await reconcile(path)
    case .retry(let path, let instant): try await retry(path, at: instant)
    case .watch(let path): try await watch(path)
    case .settle(let path): try await settle(path)
    case .evaluateOutputs: evaluateOutputs()
    case .park, .done: break
    }
  }

  func takeMessages() {
    for message in launch.control.takeMessages() {
      switch message {
      case .cancel(let by, let rollback, let request):
        guard machine.isCancellable else { continue }
        record(.cancelRequested(by: by, rollback: rollback, request: request))
      case .resolve(let step, let answer, let by, let request):
        record(.resolved(step, answer, by: by, request: request))
      }
    }
  }

  private func leave(_ reason: String) throws(StoreFailure) -> RunEnd {
    pending.append((.runLeft(reason: reason), clock.now))
    do throws(StoreFailure) { try flush() } catch {
      // What could not be written is found out again by whoever resumes; the journal is a prefix of the truth.
      if case .diskFull = error { return .left(reason: reason) }
      throw error
    }
    try launch.store.release(launch.lease)
    return .left(reason: reason)
  }

  // MARK: Journal

  func record(_ event: StepEvent) { record(event, at: clock.now) }

  func record(_ event: StepEvent, at instant: Timestamp) {
    for fact in machine.handle(event, at: instant) { pending.append((fact, instant)) }
  }

  /// Makes everything recorded so far durable, in one transaction, and then tells the observer. Called before every
  /// effect and every wait: one flush holds the outcome of a step and the intent of the next.
  func flush() throws(StoreFailure) {
    guard !pending.isEmpty else { return }
    let status = machine.status
    let hasEnded = machine.ended != nil
    let last = try launch.store.append(
      pending.map { $0.fact.entry(at: $0.at) }, to: runID, epoch: launch.lease.epoch,
      summary: status == lastStatus && !hasEnded && !isRestored ? nil : summary(status), locks: [],
      releasingLocks: hasEnded && machine.releasesLocks)
    lastStatus = status
    isRestored = false
    var sequence = last - Int64(pending.count)
    for (fact, instant) in pending {
      sequence += 1
      if let event = RunEvent(fact, runID: runID, sequence: sequence, at: instant) { launch.observer.observe(event) }
    }
    pending.removeAll(keepingCapacity: true)
    finishedScripts += recordedScripts
    recordedScripts = []
  }

  /// The outcome of this call is known: once it is durable, what the host keeps of a script can go.
  func release(_ step: ValidatedStep, _ call: ActionCall) {
    if step.action.cancellable { recordedScripts.append(call.key) }
  }

  private func forgetFinishedScripts() async {
    for key in finishedScripts { await launch.world.scripts.forget(key) }
    finishedScripts = []
  }

  func flushed() throws(Interruption) {
    do throws(StoreFailure) { try flush() } catch { throw .store(error) }
  }

  private func summary(_ status: String) throws(StoreFailure) -> RunSummary {
    var summary = try launch.store.summary(of: runID)
    summary.status = status
    summary.outcome = machine.ended?.outcome.rawValue
    summary.rollback = machine.ended?.rollback.rawValue
    summary.exitCode = machine.ended?.exitCode
    summary.endedAt = machine.ended == nil ? nil : clock.now
    summary.isRestored = false
    return summary
  }

  // MARK: Scope

  func scope(for path: String?, attempt: [String: Value] = [:]) -> RunScope {
    RunScope(
      machine: machine, runID: runID, inputs: machine.started?.inputs ?? [:], vars: vars, secrets: launch.secrets,
      selfPath: path.map { UndoPath.owner(of: $0) }, attempt: attempt, now: clock.now)
  }

  private func evaluateOutputs() {
    var outputs: [String: Value] = [:]
    let scope = scope(for: nil)
    for (name, expression) in launch.runbook.outputs {
      do throws(ExpressionFailure) {
        outputs[name] = masker.mask(try expression.evaluate(in: scope))
      } catch {
        record(.outputs(outputs, StepFailure(.expression, "output `\(name)`: \(masker.mask(error.message))")))
        return
      }
    }
    record(.outputs(outputs, nil))
  }
}

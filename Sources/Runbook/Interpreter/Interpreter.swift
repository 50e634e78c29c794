import Synchronization

/// Carries a run out: asks the machine what comes next, does it, journals what happened. Everything hard is decided in
/// `RunMachine`; here are the clock, the calls and the order of journal before effect.
///
/// A fresh run and one carried on after a crash begin the same way: by reading the journal.
public actor Interpreter {
  nonisolated public var unownedExecutor: UnownedSerialExecutor {
    unsafe EngineExecutor.shared.asUnownedSerialExecutor()
  }

  let launch: RunAssignment
  var machine: RunMachine
  var vars: [String: Value] = [:]
  var providers: [String: any Provider] = [:]
  /// Why a provider could not be connected without a secret, by its name.
  var unconnected: [String: String] = [:]
  let masker: Masker
  let coder: SecretCoder
  var clock: RunClock
  var pending: [(fact: Fact, at: Timestamp)] = []
  var heldLocks: Set<String> = []
  /// While a step is waited for.
  var watched: Watch?
  /// While people are told of a question: an answer to it need not wait for a server of theirs.
  var heedsAnswers = false
  /// Messages about questions that have arrived, by question and step.
  var arrivedMessages: Set<String> = []
  /// Scripts whose outcome is recorded; and those of them whose outcome is durable, so that their traces can go.
  var recordedScripts: [String] = []
  var finishedScripts: [String] = []
  /// Keys of those that other machines keep, by their step; and of those whose traces this process has removed.
  var traces: [String: [String]] = [:]
  let forgottenElsewhere = Mutex<Set<String>>([])
  /// The same, of scripts whose outcome nobody knows: only what they wrote goes.
  var recordedOutputs: [String] = []
  var finishedOutputs: [String] = []
  /// What attempts write, by key, until it is stored.
  var outputs: [String: StepOutput] = [:]
  var lastStatus = ""
  /// As the store has it: the mark stays until the run may go on.
  var isMarkedRestored = false
  private var move = Move.end(.left(reason: "it has not begun"))

  var runID: String { launch.lease.runID }

  public init(_ launch: RunAssignment) {
    self.launch = launch
    machine = RunMachine(launch.runbook)
    masker = Masker(launch.secrets)
    var coder = SecretCoder(launch.secrets, masker: masker, key: launch.store.digestKey)
    coder.store = launch.store
    self.coder = coder
    clock = RunClock(launch.world.clock, last: nil, latest: launch.world.clock.now)
  }

  /// Works on the run until it has ended, must be left, or needs a person.
  public func run() async -> RunEnd {
    await begin()
    while isGoingOn {
      await carryOut()
      await forgetFinishedScripts()
      await decide()
    }
    await forgetFinishedScripts()
    await sweepScripts()
    return end
  }

  /// What comes next, as the loop of `run` needs it.
  private enum Move {
    case carryOut(Order)
    case end(RunEnd)
  }

  private var isGoingOn: Bool {
    @inline(never) get { if case .carryOut = move { true } else { false } }
  }

  private var end: RunEnd {
    @inline(never) get {
      switch move {
      case .end(let end): end
      case .carryOut: .left(reason: "it was left in the middle of a step")
      }
    }
  }

  /// The step to be waited for, by the order.
  private var pathToWatch: String? {
    @inline(never) get { if case .carryOut(.watch(let path)) = move { path } else { nil } }
  }

  /// The step whose next attempt is to be waited for.
  private var attemptToAwait: (path: String, instant: Timestamp)? {
    @inline(never) get { if case .carryOut(.retry(let path, let instant)) = move { (path, instant) } else { nil } }
  }

  /// The step about which a person is asked.
  private var approvalToAwait: (path: String, until: Timestamp)? {
    @inline(never) get { if case .carryOut(.ask(let path, let until)) = move { (path, until) } else { nil } }
  }

  /// Reads the journal, connects the providers, and decides what is first.
  @inline(never) private func begin() async {
    do throws(StoreFailure) {
      try await replay()
      if isMarkedRestored { record(.restored) }
      if let person = launch.acceptsRestored { record(.restoredAccepted(by: person)) }
      if let problem = prepare() {
        guard !machine.isReady else {
          move = .end(try await leave(problem))
          return
        }
        record(.checked(problems: [problem]))
      }
      if launch.lease.epoch > 1, machine.ended == nil { try await takeMissingLocks() }
      move = try await nextMove()
    } catch {
      move = .end(.lost(error))
    }
  }

  /// The machine fed the journal; nothing else is remembered of an earlier process.
  private func replay() async throws(StoreFailure) {
    var latest = Timestamp(seconds: 0)
    for entry in try await launch.store.entries(of: runID, after: 0) {
      machine.apply(try Fact(entry, coder), at: entry.at)
      latest = max(latest, entry.at)
    }
    clock = RunClock(launch.world.clock, last: machine.anchor, latest: latest)
    heldLocks = Set(try await launch.store.locks(of: runID))
    let summary = try await launch.store.summary(of: runID)
    lastStatus = summary.status
    isMarkedRestored = summary.isRestored
    guard launch.lease.epoch > 1 else { return }
    let owner = launch.lease.owner
    let earlier = machine.started?.secretDigests ?? [:]
    let changed = coder.digests.filter { earlier[$0.key] != nil && earlier[$0.key] != $0.value }.keys.sorted()
    let fact = Fact.runResumed(
      RunResumed(
        epoch: launch.lease.epoch, host: owner.host, pid: Int64(owner.pid), boot: clock.anchor.boot,
        without: launch.without.sorted(), changed: changed))
    machine.apply(fact, at: clock.anchor.at)
    pending.append((fact, clock.anchor.at))
    try await readRequests()
  }

  /// Messages that stand in the store, and that nobody has brought yet.
  private func readRequests() async throws(StoreFailure) {
    let last = max(machine.lastRequest, launch.control.lastRequest)
    for request in try await launch.store.requests(for: runID, after: last) {
      if let message = RunControl.Message(request) { launch.control.post(message) }
    }
  }

  @inline(never) private func decide() async {
    // The store failed while the last order was carried out.
    guard case .carryOut = move else { return }
    do throws(StoreFailure) { move = try await nextMove() } catch { move = .end(.lost(error)) }
  }

  private func nextMove() async throws(StoreFailure) -> Move {
    while true {
      takeMessages()
      launch.control.note(cancelRefusal: machine.cancelRefusal, isUndoing: machine.isUndoing)
      if let reason = launch.control.leaveReason { return .end(try await leave(reason)) }
      if launch.store.isOutOfSpace { return .end(try await leave("the disk of the store is full")) }
      let order = machine.next
      if machine.isCancelling, let event = machine.cancelled(order) {
        if mayStillRun(event) { return .carryOut(order) }
        record(event)
        continue
      }
      switch order {
      case .done(let ended):
        try await flush()
        return .end(.ended(ended))
      case .park(let path, let until):
        guard clock.now >= until else {
          try await flush()
          try await launch.store.release(launch.lease)
          return .end(.parked(step: path, until: until))
        }
        record(.askTimedOut(path))
      case .ask(let path, let until) where clock.now >= until:
        // An answer that was given in time counts, also if nobody has brought it yet.
        try await readRequests()
        takeMessages()
        if machine.next == order, !machine.isCancelling { record(.approvalTimedOut(path)) }
      case .awaitRestored:
        try await flush()
        try await launch.store.release(launch.lease)
        return .end(.restored)
      case .judge: judgeDrill()
      case .evaluateOutputs: evaluateOutputs()
      default: return .carryOut(order)
      }
    }
  }

  /// Why an order was not finished: the loop looks at what came in and asks the machine again. Small, because every
  /// frame on the way has a place for it.
  enum Interruption: Error {
    case arrival
    indirect case store(StoreFailure)
  }

  /// Carries the order out. Those that may wait for hours are carried out here, the others on a stack that they take
  /// with them.
  @inline(never) private func carryOut() async {
    do throws(Interruption) {
      if let path = pathToWatch {
        try await watch(path)
      } else if let attempt = attemptToAwait {
        try await retry(attempt.path, at: attempt.instant)
      } else if let approval = approvalToAwait, launch.world.asksPeople {
        try await awaitAnswer(until: approval.until)
      } else {
        try await onOwnStack { interpreter throws(Interruption) in try await interpreter.carryOutOrder() }
      }
    } catch {
      note(error)
    }
  }

  @inline(never) private func note(_ interruption: Interruption) {
    if case .store(let failure) = interruption { move = .end(.lost(failure)) }
  }

  private func carryOutOrder() async throws(Interruption) {
    guard case .carryOut(let order) = move else { return }
    if machine.isCancelling, let event = machine.cancelled(order) { return try await stop(event) }
    switch order {
    case .check: record(.checked(problems: await liveProblems()))
    case .begin(let path, let purpose): try await begin(path, purpose)
    case .call(let path): try await call(path)
    case .reconcile(let path): try await reconcile(path)
    case .settle(let path): try await comeToRest(path)
    case .ask(let path, _): try await simulateAnswer(about: path)
    case .tell(let path): try await tellOfQuestion(about: path)
    case .watch, .retry, .judge, .evaluateOutputs, .park, .awaitRestored, .done: break
    }
  }

  /// Does something in a task of its own and waits for it. A task keeps for all its life the stack that its deepest
  /// call once needed; so that the hours a run waits cost no more than the waiting, what goes deep is done here.
  @inline(never) func onOwnStack(
    _ body: @escaping @Sendable (isolated Interpreter) async throws(Interruption) -> Void
  ) async throws(Interruption) {
    let work = Task.immediate { () async -> Interruption? in
      do throws(Interruption) { try await body(self) } catch { return error }
      return nil
    }
    let interruption = await work.valueUnlessCancelled()
    if let interruption { throw interruption }
  }

  func takeMessages() {
    for message in launch.control.takeMessages() {
      switch message {
      case .cancel(let by, let rollback, let request, let restored):
        if restored { record(.restoredAccepted(by: by)) }
        record(.cancelRequested(by: by, rollback: rollback, request: request))
      case .resolve(let step, let answer, let by, let request, let question):
        record(.resolved(step, answer, by: by, request: request, question: question))
      case .answer(var answer):
        answer.comment = masker.mask(answer.comment)
        record(.answered(answer))
      }
    }
  }
}

import Synchronization

/// Carries a run out: asks the machine what is to be done, has it done, journals what happened. Everything hard is
/// decided in `RunMachine`; here are the clock, the calls and the order of journal before effect.
///
/// A fresh run and one carried on after a crash begin the same way: by reading the journal. Every order that is not in
/// flight is carried out by a `StepRunner`, in a task of its own; nothing is remembered of an order but that.
@EngineActor public final class Interpreter {
  let launch: RunAssignment
  var machine: RunMachine
  /// What the run's own file sees and uses.
  var ownFile: FileContext
  /// The same of files that are called, by the place of the call.
  var calledFiles: [StepPath: FileContext] = [:]
  let masker: Masker
  let coder: SecretCoder
  private(set) var clock: RunClock
  /// What was recorded and is not being made durable yet.
  var pending: [(fact: Fact, at: Timestamp)] = []
  let turns = FlushTurns()
  var heldLocks: Set<String> = []
  /// The step that has needed each lock of a server last: inside a run a lock is one branch's at a time.
  var lockClaims: [String: StepPath] = [:]
  /// Messages about questions that have arrived, by question and step.
  var arrivedMessages: Set<String> = []
  /// Scripts whose outcome is recorded; and those of them whose outcome is durable, so that their traces can go.
  var recordedScripts: [String] = []
  var finishedScripts: [String] = []
  /// Keys of those that other machines keep, by their step; and of those whose traces this process has removed.
  var traces: [StepPath: [String]] = [:]
  let forgottenElsewhere = Mutex<Set<String>>([])
  /// The same, of scripts whose outcome nobody knows: only what they wrote goes.
  var recordedOutputs: [String] = []
  var finishedOutputs: [String] = []
  /// What attempts write, by key, until it is stored.
  var outputs: [String: StepOutput] = [:]
  /// The row of the run as it was read when the work began: what no fact changes stays as it is there.
  private(set) var row: RunSummary?
  var lastStatus = ""
  /// As the store has it: the mark stays until the run may go on.
  var isMarkedRestored = false
  /// Steps whose order is being carried out.
  private var inFlight: Set<StepPath> = []
  /// Those of them whose work was told to end.
  private var endedWork: Set<StepPath> = []
  private let tasks = LeafTasks()
  /// Steps whose order has come back, and that the loop has not taken up yet, in the order of their coming.
  private var cameBack: [StepPath] = []
  private var awaitsOne: CheckedContinuation<Void, Never>?
  private var stillness = Stillness()
  private var end: RunEnd?
  /// Counted from before the work begins: a run that is not alone shares its flushes from its first one on.
  private var membership: Committer.Membership?

  var runID: String { launch.lease.runID }

  nonisolated public init(_ launch: RunAssignment) {
    self.launch = launch
    machine = RunMachine(launch.runbook)
    ownFile = FileContext(runbook: launch.runbook, inputs: [:])
    masker = Masker(launch.secrets)
    var coder = SecretCoder(launch.secrets, masker: masker, key: launch.store.digestKey)
    coder.store = launch.store
    self.coder = coder
    clock = RunClock(launch.world.clock, last: nil, latest: launch.world.clock.now)
    membership = Committer.Membership(launch.committer)
  }

  /// Works on the run until it has ended, must be left, or needs a person.
  public func run() async -> RunEnd {
    defer { membership = nil }
    await withTaskCancellationHandler {
      await begin()
      while end == nil {
        await decide()
        if end == nil { await untilOneComesBack() }
        await forgetFinishedScripts()
      }
      await sweepScripts()
    } onCancel: {
      tasks.cancelAll()
    }
    return end ?? .left(reason: "it was left in the middle of a step")
  }

  /// Reads the journal, connects the providers, and decides what is first.
  @inline(never) private func begin() async {
    do throws(StoreFailure) {
      try await replay()
      if isMarkedRestored { record(.restored) }
      if let person = launch.acceptsRestored { record(.restoredAccepted(by: person)) }
      if let problem = prepare() {
        guard !machine.isReady else {
          end = try await leave(problem)
          return
        }
        record(.checked(problems: [problem]))
      }
      let instant = clock.now
      for fact in machine.followUp(at: instant) { keep(fact, at: instant) }
      if launch.lease.epoch > 1, machine.ended == nil { try await takeMissingLocks() }
    } catch {
      end = .lost(error)
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
    row = summary
    lastStatus = summary.status
    isMarkedRestored = summary.isRestored
    guard launch.lease.epoch > 1 else { return }
    let owner = launch.lease.owner
    let earlier = machine.started?.secretDigests ?? [:]
    let changed = coder.digests.filter { earlier[$0.key] != nil && earlier[$0.key] != $0.value }.keys.sorted()
    let fact = Fact.run(
      .resumed(
        RunResumed(
          epoch: launch.lease.epoch, host: owner.host, pid: Int64(owner.pid), boot: clock.anchor.boot,
          without: launch.without.sorted(), changed: changed)))
    machine.apply(fact, at: clock.anchor.at)
    keep(fact, at: clock.anchor.at)
    try await readRequests()
  }

  /// Messages that stand in the store, and that nobody has brought yet.
  private func readRequests() async throws(StoreFailure) {
    let last = max(machine.lastRequest, launch.control.lastRequest)
    for request in try await launch.store.requests(for: runID, after: last) {
      if let message = RunControl.Message(request) { launch.control.post(message) }
    }
  }

  /// Takes in what people have said and what has come back, and has everything carried out that is ordered and not in
  /// flight.
  @inline(never) private func decide() async {
    guard end == nil else { return }
    do throws(StoreFailure) {
      while try await decideOnce() {}
    } catch {
      end = .lost(error)
    }
  }

  /// - Returns: whether the state has changed, so that the orders are asked for again.
  private func decideOnce() async throws(StoreFailure) -> Bool {
    takeMessages()
    launch.control.note(cancelRefusal: machine.cancelRefusal, isUndoing: machine.isUndoing)
    if let reason = launch.control.leaveReason ?? (launch.store.isOutOfSpace ? "the disk of the store is full" : nil) {
      // What is in flight heeds it by itself, or is awaited.
      if inFlight.isEmpty { end = try await leave(reason) }
      return false
    }
    endStoppedWork()
    let orders = machine.orders.filter { !inFlight.contains($0.path) }
    // A process that has only people to wait for ends: everything else comes first.
    for order in orders where !order.isPark {
      if try await decide(order) { return true }
      if end != nil { return false }
    }
    for order in orders where order.isPark {
      if try await decide(order) { return true }
      if end != nil { return false }
    }
    if orders.isEmpty, inFlight.isEmpty { end = try await leave("nothing of it can be gone on with") }
    return false
  }

  /// Work on steps around which something was stopped is cut short, as far as it can be.
  private func endStoppedWork() {
    guard machine.isAnythingStopped || !endedWork.isEmpty else { return }
    let stopped = inFlight.filter { machine.isToEnd($0) }
    guard stopped != endedWork else { return }
    endedWork = stopped
    launch.control.end(stopped)
  }

  /// The other step stands in another branch, which is going on, or which is just being begun.
  func isGoingOn(_ other: StepPath, beside path: StepPath) -> Bool {
    guard let branch = machine.branch(of: other, beside: path) else { return false }
    return branch.isLive || inFlight.contains { $0.isWithin(branch.path) }
  }

  /// What needs no carrying out is done at once; everything else is begun.
  /// - Returns: whether the state has changed.
  private func decide(_ order: Order) async throws(StoreFailure) -> Bool {
    if let event = machine.cancelled(order) {
      let runner = StepRunner(self, order.path)
      if runner.mayStillRun(event) {
        start(order, runner)
        return false
      }
      record(order.path, event)
      return true
    }
    switch order {
    case .done(let ended):
      try await flush()
      end = .ended(ended)
      return false
    case .park(let path, let until):
      guard clock.now >= until else {
        // Orders of other steps go on first; the process ends when none is in flight.
        if inFlight.isEmpty { end = try await park(path, until) }
        return false
      }
      record(path, .askTimedOut)
      return true
    case .ask(let path, let until) where clock.now >= until:
      // An answer that was given in time counts, also if nobody has brought it yet.
      try await readRequests()
      takeMessages()
      if machine.orders.contains(order), machine.cancelled(order) == nil { record(path, .approvalTimedOut) }
      return true
    case .awaitRestored:
      try await flush()
      try await launch.store.release(launch.lease)
      end = .restored
      return false
    case .judge:
      judgeDrill()
      return true
    case .open(let path):
      // Work that was begun since the orders were asked for may have stopped what is around it.
      if machine.orders.contains(order) { open(path) }
      return true
    case .close(let path):
      if machine.orders.contains(order) { close(path) }
      return true
    case .evaluateOutputs:
      evaluateOutputs()
      return true
    case .check, .begin, .call, .reconcile, .retry, .watch, .tell, .ask, .settle:
      if let reason = stillness.verdict(on: order, facts: turns.heeded) {
        end = try await leave(reason)
      } else {
        start(order, StepRunner(self, order.path))
      }
      return false
    }
  }

  private func park(_ path: StepPath, _ until: Timestamp) async throws(StoreFailure) -> RunEnd {
    try await flush()
    try await launch.store.release(launch.lease)
    return .parked(step: path.text, until: until)
  }

  private func start(_ order: Order, _ runner: StepRunner) {
    let path = order.path
    inFlight.insert(path)
    let task = Task.immediate {
      do throws(Interruption) { try await runner.carryOut(order) } catch { self.note(error) }
      self.takeBack(path)
    }
    tasks.keep(task, of: path, unless: cameBack.contains(path))
  }

  private func takeBack(_ path: StepPath) {
    tasks.remove(path)
    cameBack.append(path)
    let waiting = awaitsOne
    awaitsOne = nil
    waiting?.resume()
  }

  /// Suspends until an order in flight has come back.
  @inline(never) private func untilOneComesBack() async {
    if cameBack.isEmpty { await withCheckedContinuation { awaitsOne = $0 } }
    inFlight.subtract(cameBack)
    cameBack.removeAll(keepingCapacity: true)
  }

  @inline(never) private func note(_ interruption: Interruption) {
    if case .store(let failure) = interruption { end = end ?? .lost(failure) }
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

import Synchronization

// What a run writes down, and when it is durable.
extension Interpreter {
  func record(_ path: StepPath, _ event: StepEvent) { record(.step(path, event), at: clock.now) }

  func record(_ reported: RunReported) { record(.run(reported), at: clock.now) }

  @inline(never) func record(_ event: MachineEvent, at instant: Timestamp) {
    for fact in machine.handle(event, at: instant) {
      keep(fact, at: instant)
    }
  }

  /// Goes into the journal with the next flush.
  func keep(_ fact: Fact, at instant: Timestamp) {
    var isIgnored = false
    if case .run(.eventIgnored(let name, let step, let reason)) = fact {
      isIgnored = true
      // In a debug build, so in every test, a mistake of the engine ends the process.
      assertionFailure("`\(name)` does not fit `\(step?.text ?? "")`: \(reason)")
    }
    turns.noteRecorded(isIgnored: isIgnored)
    pending.append((fact, instant))
    noteScripts(endedBy: fact)
  }

  /// Makes everything recorded so far durable, in one transaction, and then tells the observer. Called before every
  /// effect and every wait: one flush holds the outcome of a step and the intent of the next.
  @inline(never) func flush() async throws(StoreFailure) {
    try await turns.write { () async throws(StoreFailure) in try await self.writePending() }
  }

  /// - Returns: how many facts are durable now that were not before.
  private func writePending() async throws(StoreFailure) -> Int {
    noteWallClock()
    let batch = pending
    pending.removeAll(keepingCapacity: true)
    let status = machine.status
    let hasEnded = machine.ended != nil
    let isRestored = machine.isRestored
    let coded = batch.map { (fields: $0.fact.fields(coder), at: $0.at) }
    let changesRow = status != lastStatus || hasEnded || isMarkedRestored != isRestored
    let releasesLocks = hasEnded && machine.releasesLocks
    let (scripts, texts) = (recordedScripts, recordedOutputs)
    recordedScripts = []
    recordedOutputs = []
    let last = try await launch.committer.commit(
      JournalBatch(
        coded.map { NewEntry(at: $0.at, kind: $0.fields.kind, body: JSONWriter.bytes(.map($0.fields.body))) },
        of: runID, epoch: launch.lease.epoch, summary: changesRow ? row(status) : nil,
        releasesLocks: releasesLocks, output: outputs.values.flatMap { $0.takeReady() }))
    lastStatus = status
    isMarkedRestored = isRestored
    finishedScripts += scripts
    finishedOutputs += texts
    tell(coded, from: last - Int64(batch.count))
    let current = Set(machine.active.map { machine.state(of: $0).key })
    outputs = outputs.filter { current.contains($0.key) }
    return batch.count
  }

  private func tell(_ coded: [(fields: (kind: String, body: [String: Value]), at: Timestamp)], from last: Int64) {
    var sequence = last
    for (fields, instant) in coded {
      sequence += 1
      let event = RunEvent(kind: fields.kind, body: fields.body, runID: runID, sequence: sequence, at: instant)
      if let event { launch.observer.observe(event) }
    }
  }

  @inline(never) func flushed() async throws(Interruption) {
    do throws(StoreFailure) { try await flush() } catch { throw .store(error) }
  }

  /// Writes down why the run is left, and gives it up.
  func leave(_ reason: String) async throws(StoreFailure) -> RunEnd {
    keep(.run(.left(reason: reason)), at: clock.now)
    do throws(StoreFailure) { try await flush() } catch {
      // The next process finds out what could not be written: the journal is a beginning of the truth.
      if case .diskFull = error { return .left(reason: reason) }
      throw error
    }
    try await launch.store.release(launch.lease)
    return .left(reason: reason)
  }

  private func row(_ status: String) -> RunSummary? {
    guard var summary = row else { return nil }
    summary.status = status
    summary.outcome = machine.ended?.outcome.rawValue
    summary.rollback = machine.ended?.rollback.rawValue
    summary.exitCode = machine.ended?.exitCode
    summary.endedAt = machine.ended == nil ? nil : clock.now
    summary.isRestored = machine.isRestored
    return summary
  }

  /// Steps of the wall clock that are worth telling: what the C library's clock gains or loses by slewing is less.
  private static let clockStep = Duration.seconds(5)

  /// Tells once that somebody has set the machine's clock, because the times of the run then differ from it.
  private func noteWallClock() {
    let jump = clock.wallAhead - machine.wallAhead
    guard jump >= Interpreter.clockStep || jump <= .zero - Interpreter.clockStep else { return }
    record(.clockSet(by: jump))
  }

  // MARK: Scripts that are over

  /// What the host keeps of a script can go as soon as its outcome is durable: it is not masked. A script whose outcome
  /// nobody knows is kept until its undo is over, because the undo looks at it again.
  private func noteScripts(endedBy fact: Fact) {
    switch fact {
    case .step(let path, .ended(let ended)):
      guard ended.effect != .unknown || ended.purpose != .do else {
        recordedOutputs += scriptKeys(of: path)
        return
      }
      noteScripts(of: path)
    case .rollback(.closed(let path, _)): noteScripts(of: path)
    case .run(.ended):
      for (path, state) in machine.leaves where state.purpose == .do && state.effect == .unknown {
        noteScripts(of: path)
      }
    case .run, .step, .scope, .rollback: return
    }
  }

  private func noteScripts(of path: StepPath) {
    let keys = scriptKeys(of: path)
    recordedScripts += keys
    if !keys.isEmpty, machine.step(at: path)?.action.runsElsewhere == true { traces[path] = keys }
  }

  private func scriptKeys(of path: StepPath) -> [String] {
    guard let step = machine.step(at: path), step.action.cancellable else { return [] }
    let state = machine.state(of: path)
    guard state.startedAt != nil else { return [] }
    return (1...max(1, min(state.attempt, 1000))).map { StepKey.make(runID, path, state.purpose, $0) }
  }

  func forgetFinishedScripts() async {
    for key in finishedOutputs { await launch.world.scripts.forgetOutput(key) }
    for key in finishedScripts { await launch.world.scripts.forget(key) }
    for (path, keys) in finishedTraces {
      traces[path] = nil
      await forgetElsewhere(path, keys)
    }
    finishedOutputs = []
    finishedScripts = []
  }

  private var finishedTraces: [(step: StepPath, keys: [String])] {
    let finished = Set(finishedScripts)
    return traces.filter { $0.value.allSatisfy { finished.contains($0) } }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  /// Lets a call that reaches another machine remove what scripts of earlier steps have left there: an order of its own
  /// for each would cost a login's time.
  func addFinishedCalls(to call: inout ActionCall) {
    for (path, keys) in finishedTraces {
      guard let step = machine.step(at: path), step.effect != .none, let earlier = try? currentCall(step) else {
        continue
      }
      call.finished.append(FinishedCalls(with: earlier.with, keys: keys))
    }
    call.tellForgotten = { [self] keys in forgottenElsewhere.withLock { $0.formUnion(keys) } }
  }

  /// Once for each step is enough.
  private func forgetElsewhere(_ path: StepPath, _ keys: [String]) async {
    guard let step = machine.step(at: path), step.effect != .none, let last = keys.last,
      forgottenElsewhere.withLock({ $0.insert(last).inserted }), let action = try? action(for: step),
      var call = try? currentCall(step)
    else { return }
    let store = launch.store
    call.isOver = { run in (try? await store.summary(of: run))?.isOver == true }
    await action.forget(call, keys: keys)
  }

  /// Removes the files of scripts of ended runs, this one's too, also if a process was killed on the way.
  func sweepScripts() async {
    guard machine.ended != nil else { return }
    let store = launch.store
    await launch.world.scripts.sweep { run in (try? await store.summary(of: run))?.endedAt != nil }
  }
}

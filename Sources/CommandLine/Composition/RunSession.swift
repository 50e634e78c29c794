import Runbook
import Stores

/// This process at work on one run: the engine, the watcher, the lease, the signals; and the words at the end.
struct RunSession {
  let shell: Shell
  let runbook: ValidatedRunbook
  let source: PinnedSource
  let secrets: [String: Secret]
  let store: any RunStore
  let lease: Lease
  let world: RunWorld
  /// Events that an earlier process has journaled, so that the watcher knows what went before.
  var earlier: [RunEvent] = []
  /// Events that this process has journaled before the engine began: shown like all others.
  var beginning: [RunEvent] = []
  /// Declared secrets that this process goes on without.
  var without: Set<String> = []
  /// A person says that a run of a restored store may go on.
  var acceptsRestored = false

  func carryOut() async -> ExitCode {
    let control = RunControl()
    let clock = (try? await RunOutlook(of: lease.runID, runbook, in: store))?.clock(world.clock)
    let watcher = Watcher(shell, runID: lease.runID, runbook: runbook, clock: clock ?? world.clock, earlier: earlier)
    for event in beginning { watcher.observe(event) }
    InterruptDesk.shared.attach(
      control, watcher, requester: Ownership.requester, run: lease.runID, keptIn: (store as? SQLiteStore)?.path)
    let tenure = RunTenure(lease)
    var launch = RunLaunch(
      runbook: runbook, source: source, secrets: secrets, store: store, lease: lease, world: world, observer: watcher,
      control: control, tenure: tenure)
    launch.without = without
    launch.acceptsRestored = acceptsRestored ? Ownership.requester : nil
    let known = (try? await store.requests(for: lease.runID, after: 0))?.last?.id ?? 0
    let keeper = LeaseKeeper(
      store: store, lease: lease, tenure: tenure, control: control, clock: SystemClock(),
      lastKnownRequest: lease.epoch > 1 ? known : 0)
    let interpreter = Interpreter(launch)
    let end = await withTaskGroup(of: Void.self) { group in
      // One each, beside the run and cancelled with its end: the group waits until both have let go of the store and
      // the terminal.
      group.addTask { await keeper.work() }
      group.addTask { await watcher.work() }
      let end = await interpreter.run()
      watcher.finish(end)
      group.cancelAll()
      return end
    }
    await store.dropProof(of: lease)
    return conclude(end, watcher.report)
  }

  private func conclude(_ end: RunEnd, _ report: RunReport) -> ExitCode {
    if case .lost(let failure) = end {
      let refusal = Refusal(failure, run: lease.runID)
      shell.output.message("error: \(refusal.message)")
      if let hint = refusal.hint { shell.output.message("  \(hint)") }
      return ExitCode(rawValue: end.exitCode) ?? .stopped
    }
    shell.close(report, keptIn: (store as? SQLiteStore)?.path)
    return ExitCode(rawValue: end.exitCode) ?? .failed
  }
}

extension Shell {
  /// The closing words: on stdout for people, nowhere for programs, which have the last event.
  /// - Parameter store: the path of the run's store.
  func close(_ report: RunReport, keptIn store: String?) {
    channels?.summarize(report, keptIn: store) { output.message($0) }
    guard !wantsJSON else { return }
    let lines = ClosingWords.lines(for: report, Advice.commands, keptIn: store)
    print(globals.quiet ? lines : [StyledText()] + lines)
  }
}

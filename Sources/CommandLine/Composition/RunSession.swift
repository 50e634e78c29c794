import Runbook

/// This process at work on one run: the engine, whoever watches, the lease, the signals; and the words at the end.
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

  func carryOut() async -> ExitCode {
    let control = RunControl()
    let watcher = Watcher(shell, runID: lease.runID, runbook: runbook, clock: world.clock, earlier: earlier)
    for event in beginning { watcher.observe(event) }
    InterruptDesk.shared.attach(control, watcher, requester: Ownership.requester)
    let tenure = RunTenure(lease)
    let launch = RunLaunch(
      runbook: runbook, source: source, secrets: secrets, store: store, lease: lease, world: world, observer: watcher,
      control: control, tenure: tenure)
    let known = (try? store.requests(for: lease.runID, after: 0))?.last?.id ?? 0
    let keeper = LeaseKeeper(
      store: store, lease: lease, tenure: tenure, control: control, clock: SystemClock(),
      lastKnownRequest: lease.epoch > 1 ? known : 0)
    let end = await withTaskGroup(of: Void.self) { group in
      // One each, beside the run and cancelled with its end: the group waits until both have let go of the store and
      // the terminal.
      group.addTask { await keeper.work() }
      group.addTask { await watcher.work() }
      let end = await Interpreter(launch).run()
      watcher.finish(end)
      group.cancelAll()
      return end
    }
    store.dropProof(of: lease)
    return conclude(end, watcher.report)
  }

  private func conclude(_ end: RunEnd, _ report: RunReport) -> ExitCode {
    if case .lost(let failure) = end {
      let refusal = Refusal(failure, run: lease.runID)
      shell.output.message("error: \(refusal.message)")
      if let hint = refusal.hint { shell.output.message("  \(hint)") }
      return ExitCode(rawValue: end.exitCode) ?? .stopped
    }
    shell.close(report)
    return ExitCode(rawValue: end.exitCode) ?? .failed
  }
}

extension Shell {
  /// The closing words: on stdout for people, nowhere for programs, which have the last event.
  func close(_ report: RunReport) {
    guard !wantsJSON else { return }
    let lines = ClosingWords.lines(for: report)
    print(globals.quiet ? lines : [StyledText()] + lines)
  }
}

import Operations
import Posix
import Runbook
import Stores

/// Runs that this process works on while a person watches: the operations, the watcher, the signals, and the words at
/// the end.
struct RunDesk {
  let shell: Shell
  let context: OperationContext
  let world: RunWorld
  let secrets: any SecretSource
  /// The path of the store; nil: the runs are kept nowhere.
  let store: String?

  init(_ shell: Shell, _ context: OperationContext, _ world: RunWorld, _ secrets: any SecretSource, store: String?) {
    self.shell = shell
    self.context = context
    self.world = world
    self.secrets = secrets
    self.store = store
  }

  /// For runs of this store in the real world.
  init(_ shell: Shell, _ access: StoreAccess) {
    self.init(
      shell, access.context, Composition.realWorld(scripts: access.scripts), MachineSecrets(),
      store: access.file.path)
  }

  /// Starts a run and works on it; one whose key was given before is watched, or carried on.
  func start(_ run: NewRun, wait: LockWait? = nil) async throws(Refusal) -> ExitCode {
    let outcome = try await told { () throws(OperationRefusal) in
      try await StartRun(run, context, secrets: secrets, in: world, wait: wait).begin { tell($0) }
    }
    switch outcome {
    case .assigned(let assignment):
      Detachment.report(runID: assignment.lease.runID)
      return await work(on: assignment, isNew: true)
    case .existing(let earlier): return try await attach(to: earlier)
    }
  }

  private func tell(_ news: StartRun.News) {
    switch news {
    case .superseded(let count):
      shell.note("told \(count == 1 ? "an earlier run" : "\(count) earlier runs") of this runbook to give way")
    case .waiting(let lock, let holder):
      shell.note("waiting for `\(DisplayText.escaped(lock, limit: 200))`, held by \(holder)")
    case .waitingBehindAnother: shell.note("waiting for a lock behind a run that began to wait earlier")
    }
  }

  /// Takes a run over and works on it.
  func resume(
    _ run: String, without: [String] = [], acceptsRestored: Bool = false
  ) async throws(Refusal) -> ExitCode {
    let assignment = try await told { () throws(OperationRefusal) in
      try await takeOver(run, without, acceptsRestored)
    }
    return await work(on: assignment)
  }

  private func takeOver(
    _ run: String, _ without: [String] = [], _ acceptsRestored: Bool = false
  ) async throws(OperationRefusal) -> RunAssignment {
    let resumption = try await ResumeRun(
      run, context, secrets: secrets, without: Set(without), acceptsRestored: acceptsRestored)
    return try await resumption.takeOver(in: world)
  }

  /// The same key, file and inputs: one run for all callers.
  private func attach(to earlier: RunSummary) async throws(Refusal) -> ExitCode {
    Detachment.report(runID: earlier.id)
    let id = earlier.id
    // Others may attach at the same moment: one of them carries the run on, and the rest watch that one.
    while true {
      let run = try await told { () throws(OperationRefusal) in try await FindRun(context).find(.id(id)) }
      if run.isRestored {
        shell.note(
          "run \(id) of this key may have done more than its journal says, because the store was put back from an "
            + "older copy: `\(Advice.line("show", id))`, then `\(Advice.line("resume", id, "--restored"))`")
        return .waiting
      }
      if run.status == "ended" {
        shell.note("run \(id) of this key has ended already")
      } else if await context.isLive(id) {
        shell.note("run \(id) of this key is going on: watching it")
      } else {
        shell.note("run \(id) of this key was interrupted: carrying it on")
        if let code = try await carryOn(id) { return code }
        continue
      }
      let code = try await RunFollower(shell, context, id, store: store).follow()
      // Its owner has stopped in the middle: somebody has to carry it on.
      if code != .stopped || run.status == "ended" { return code }
    }
  }

  /// nil: somebody else was faster.
  private func carryOn(_ id: String) async throws(Refusal) -> ExitCode? {
    let assignment: RunAssignment
    do throws(OperationRefusal) { assignment = try await takeOver(id) } catch {
      switch error {
      case .owned, .store(.owned, _), .store(.fenced, _): return nil
      default: throw Refusal(error)
      }
    }
    let code = await work(on: assignment)
    if code == .refused, await context.isLive(id) { return nil }
    return code
  }

  /// - Parameter isNew: its first events are shown like all others.
  func work(on assignment: RunAssignment, isNew: Bool = false) async -> ExitCode {
    var assignment = assignment
    let run = assignment.lease.runID
    let clock = (try? await RunOutlook(of: run, assignment.runbook, in: context.store))?.clock(world.clock)
    let before = (try? await context.events(of: run)) ?? []
    let watcher = Watcher(
      shell, runID: run, runbook: assignment.runbook, clock: clock ?? world.clock, earlier: isNew ? [] : before)
    if isNew { for event in before { watcher.observe(event) } }
    assignment.observer = watcher
    InterruptDesk.shared.attach(
      assignment.control, watcher, requester: context.requester, run: run, keptIn: store)
    let work = WorkOnRun(context, fence: .shared, storeExecutor: ThreadExecutor.shared)
    let end = await withTaskGroup(of: Void.self) { [assignment] group in
      // One, beside the run and cancelled with its end: the group waits until it has let go of the terminal.
      group.addTask { await watcher.work() }
      let end = await work.carryOut(assignment)
      watcher.finish(end)
      group.cancelAll()
      return end
    }
    return conclude(end, watcher.report)
  }

  private func conclude(_ end: RunEnd, _ report: RunReport) -> ExitCode {
    guard case .lost(let failure) = end else {
      shell.close(report, keptIn: store)
      return end.exit
    }
    let refusal = Refusal(failure, run: report.id)
    shell.output.message("error: \(refusal.message)")
    if let hint = refusal.hint { shell.output.message("  \(hint)") }
    return end.exit
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

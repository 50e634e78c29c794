import Runbook
import Stores

/// Watches a run that another process carries out: reads its journal until it ends, is left, or needs a person.
struct Follower {
  let shell: Shell
  let access: StoreAccess
  let runID: String
  private static let pollTime = Duration.milliseconds(500)

  /// - Returns: the run's own exit code; 6 if it waits for an answer, 9 if nobody works on it any more.
  func follow() async throws(Refusal) -> ExitCode {
    let pinned = try? await RunCreation.read(runID, in: access.store)
    let runbook = pinned.flatMap { try? CheckedRunbook($0.source) }?.runbook
    let clock = await clock(of: runbook)
    let watcher = Watcher(shell, runID: runID, runbook: runbook, clock: clock ?? SystemClock())
    InterruptDesk.shared.attach(watching: watcher)
    let outcome: Result<ExitCode, Refusal> = await withTaskGroup(of: Void.self) { group in
      // One, until `finish` below ends it: the group waits for its last lines.
      group.addTask { await watcher.work() }
      let outcome: Result<ExitCode, Refusal>
      do throws(Refusal) { outcome = .success(try await read(into: watcher)) } catch { outcome = .failure(error) }
      watcher.finish()
      return outcome
    }
    let code = try outcome.get()
    shell.close(watcher.report, keptIn: access.file.path)
    return code
  }

  private func clock(of runbook: ValidatedRunbook?) async -> RunClock? {
    guard let runbook else { return nil }
    return try? await RunOutlook(of: runID, runbook, in: access.store).clock(SystemClock())
  }

  private func read(into watcher: Watcher) async throws(Refusal) -> ExitCode {
    var last: Int64 = 0
    while true {
      // Asked before the entries are read: what an owner wrote before it ended is not missed.
      let isLive = await access.isLive(runID)
      let run: RunSummary
      do throws(StoreFailure) { run = try await access.store.summary(of: runID) } catch {
        throw Refusal(error, run: runID)
      }
      for event in try await access.events(of: runID, after: last) {
        last = event.sequence
        watcher.observe(event)
      }
      if run.status == "ended" { return run.exitCode.flatMap { ExitCode(rawValue: $0) } ?? .failed }
      if !isLive { return run.status == "waiting" || run.isRestored ? .waiting : .stopped }
      await SystemClock().sleep(for: Follower.pollTime)
    }
  }
}

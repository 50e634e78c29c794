import Operations
import Runbook

/// Shows a run that another process carries out, until it ends, is left, or needs a person.
struct RunFollower {
  private let shell: Shell
  private let context: OperationContext
  private let run: String
  private let store: String?
  private let only: StepPattern?

  /// - Parameters:
  ///   - store: its path.
  ///   - only: whose events are shown; nil: all.
  init(_ shell: Shell, _ context: OperationContext, _ run: String, store: String?, only: StepPattern? = nil) {
    self.only = only
    self.shell = shell
    self.context = context
    self.run = run
    self.store = store
  }

  /// - Returns: the run's own exit code; 6 if it waits for an answer, 9 if nobody works on it any more.
  func follow() async throws(Refusal) -> ExitCode {
    let following = FollowRun(run, context)
    let (runbook, clock) = await following.preparation()
    let watcher = Watcher(shell, runID: run, runbook: runbook, clock: clock ?? context.clock, only: only)
    InterruptDesk.shared.attach(watching: watcher)
    let outcome: Result<RunStanding, OperationRefusal> = await withTaskGroup(of: Void.self) { group in
      // One, until `finish` below ends it: the group waits for its last lines.
      group.addTask { await watcher.work() }
      let outcome: Result<RunStanding, OperationRefusal>
      do throws(OperationRefusal) {
        outcome = .success(try await following.follow { watcher.observe($0) })
      } catch {
        outcome = .failure(error)
      }
      watcher.finish()
      return outcome
    }
    let standing = try toldAtOnce { () throws(OperationRefusal) in try outcome.get() }
    shell.close(watcher.report, keptIn: store)
    return standing.exitCode ?? .failed
  }
}

import Glibc
import Posix
import Runbook
import Synchronization

/// Where signals meet the run. SIGINT cancels, and says so; a second one, SIGTERM or SIGHUP leaves the run at the next
/// durable point; a further one ends the process at once, which the journal stands as it stands any crash.
final class InterruptDesk: Sendable {
  static let shared = InterruptDesk()

  private struct State {
    var control: RunControl?
    var watcher: Watcher?
    var requester = ""
    /// The run is another process's: a signal ends the watching and not the run.
    var isOnlyWatching = false
    var isCancelling = false
    var isLeaving = false
  }
  private let state = Mutex(State())

  /// Takes the signals over. Call it before any thread is started.
  func open() {
    try? Signals.deliver { signal in self.handle(signal) }
  }

  func attach(_ control: RunControl, _ watcher: Watcher, requester: String) {
    state.withLock {
      $0.control = control
      $0.watcher = watcher
      $0.requester = requester
    }
  }

  func attach(watching watcher: Watcher) {
    state.withLock {
      $0.watcher = watcher
      $0.isOnlyWatching = true
    }
  }

  /// A word to whoever watches: beside the run's own lines, if there are any yet.
  func say(_ words: String, or shell: Shell) {
    if let watcher = state.withLock({ $0.watcher }) { watcher.say(words) } else { shell.output.message(words) }
  }

  private enum Answer { case redraw, cancel, leave, end(ExitCode) }

  private func handle(_ signal: Signal) {
    let (control, watcher, requester, answer) = state.withLock { state in
      (state.control, state.watcher, state.requester, InterruptDesk.decide(signal, &state))
    }
    switch answer {
    case .redraw: watcher?.redraw()
    case .cancel:
      if let reason = control?.cancelRefusal {
        watcher?.say("too late to cancel: \(reason); Ctrl-C again leaves the run, to be resumed")
        return
      }
      watcher?.say("cancelling, and undoing what was done; Ctrl-C again leaves the run, to be resumed")
      control?.post(.cancel(by: requester, rollback: true, request: 0))
    case .leave:
      watcher?.say("leaving at the next safe point")
      control?.leave(InterruptDesk.reason(signal))
    case .end(let code): _exit(code.rawValue)
    }
  }

  private static func decide(_ signal: Signal, _ state: inout State) -> Answer {
    if signal == .windowChange { return .redraw }
    // Before there is a run nothing has begun.
    guard state.control != nil else { return .end(state.isOnlyWatching ? .stopped : .cancelled) }
    guard !state.isLeaving else { return .end(.stopped) }
    if signal == .interrupt, !state.isCancelling {
      state.isCancelling = true
      return .cancel
    }
    state.isLeaving = true
    return .leave
  }

  private static func reason(_ signal: Signal) -> String {
    switch signal {
    case .terminate: "told to stop (SIGTERM)"
    case .hangUp: "the terminal has gone (SIGHUP)"
    default: "interrupted twice"
    }
  }
}

import Glibc
import Posix
import Runbook
import Synchronization

/// Where signals meet the run. SIGINT cancels, and says so; a second one, or SIGHUP, leaves the run at the next durable
/// point. SIGTERM does the one or the other (`--on-term`), and nothing while what was done is being undone. A signal
/// after the run is being left ends the process at once; the run can then be resumed as after a crash.
final class InterruptDesk: Sendable {
  static let shared = InterruptDesk()

  private struct State {
    var control: RunControl?
    var watcher: Watcher?
    var requester = ""
    var runID = ""
    /// The path of the run's store; nil: it is kept nowhere.
    var store: String?
    var commands = AdvisedCommands()
    var onTerm = RunReporting.OnTerm.leave
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

  /// Chooses whether SIGTERM leaves the run or cancels it.
  func set(onTerm: RunReporting.OnTerm) { state.withLock { $0.onTerm = onTerm } }

  /// - Parameter store: the path of the run's store; nil: it is kept nowhere.
  func attach(_ control: RunControl, _ watcher: Watcher, requester: String, run: String, keptIn store: String?) {
    // Signals come on a thread that has no task-local values.
    let commands = Advice.commands
    state.withLock {
      $0.control = control
      $0.commands = commands
      $0.runID = run
      $0.store = store
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

  /// A word to the person who watches: beside the run's own lines, if there are any yet.
  func say(_ words: String, or shell: Shell) {
    if let watcher = state.withLock({ $0.watcher }) { watcher.say(words) } else { shell.output.message(words) }
  }

  private enum Answer { case redraw, cancel, leave, goOn, end(ExitCode) }

  private func handle(_ signal: Signal) {
    let (now, answer) = state.withLock { state in
      let answer = InterruptDesk.decide(signal, &state)
      return (state, answer)
    }
    switch answer {
    case .redraw: now.watcher?.redraw()
    case .cancel: cancel(signal, now)
    case .leave:
      now.watcher?.say(signal == .terminate ? InterruptDesk.leaving(now) : "leaving at the next safe point")
      now.control?.leave(InterruptDesk.reason(signal))
    case .goOn:
      now.watcher?.say(
        "SIGTERM: the run goes on undoing the changes until it has ended.\(InterruptDesk.ifKilled(now))")
    case .end(let code):
      SecretCommand.abandon()
      _exit(code.rawValue)
    }
  }

  private func cancel(_ signal: Signal, _ now: State) {
    let isTerm = signal == .terminate
    let then = isTerm ? ".\(InterruptDesk.ifKilled(now))" : "; Ctrl-C again leaves the run, to be resumed"
    if let reason = now.control?.cancelRefusal {
      now.watcher?.say("too late to cancel: \(reason)\(then)")
      return
    }
    now.watcher?.say("\(isTerm ? "SIGTERM: " : "")cancelling, and undoing the changes\(then)")
    now.control?.post(.cancel(by: now.requester, rollback: true, request: 0))
  }

  private static func decide(_ signal: Signal, _ state: inout State) -> Answer {
    if signal == .windowChange { return .redraw }
    // Before there is a run nothing has begun.
    guard let control = state.control else { return .end(state.isOnlyWatching ? .stopped : .cancelled) }
    guard !state.isLeaving else { return .end(.stopped) }
    if signal == .terminate {
      if control.isUndoing { return .goOn }
      if state.onTerm == .cancel {
        state.isCancelling = true
        return .cancel
      }
    }
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

  // MARK: Words that hold on a machine that is about to be erased

  private static func leaving(_ state: State) -> String {
    "SIGTERM: leaving at the next safe point\(goingOn(state).map { ". \($0)" } ?? "; a simulation is kept nowhere")"
  }

  private static func ifKilled(_ state: State) -> String {
    goingOn(state).map { " If this process is killed before that: \($0)" } ?? ""
  }

  private static func goingOn(_ state: State) -> String? {
    state.store.map { store in
      let place = DisplayText.escaped(store, limit: 300)
      return "`\(state.commands.line("resume", state.runID))` goes on, if the store `\(place)` outlives this machine"
    }
  }
}

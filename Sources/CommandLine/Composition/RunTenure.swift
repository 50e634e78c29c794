import Posix
import Runbook
import Synchronization

/// Until when a run is certainly this process's: the end of its lease as it was last renewed, less a second.
final class RunTenure: Tenure {
  /// So long before the end of the lease nothing is begun any more: time for the stretch that was begun just before,
  /// and for the kernel to end a process in it.
  static let margin = TenureLimit.stretch + .milliseconds(500)

  private struct State {
    var until: BootTime
    var isLost = false
  }
  private let runID: String
  private let clock: any EngineClock
  private let fence: Fence
  private let state: Mutex<State>

  init(_ lease: Lease, clock: any EngineClock = SystemClock(), fence: Fence = .shared) {
    runID = lease.runID
    self.clock = clock
    self.fence = fence
    state = Mutex(State(until: RunTenure.limit(of: lease)))
  }

  private static func limit(of lease: Lease) -> BootTime {
    guard let until = lease.until else { return BootTime(id: "", elapsed: .zero) }
    return BootTime(id: until.id, elapsed: until.elapsed - margin)
  }

  var until: BootTime { state.withLock { $0.until } }

  var standing: TenureStanding {
    let now = clock.boot.elapsed
    return state.withLock { $0.isLost ? .lost : now < $0.until.elapsed ? .held : .passed }
  }

  /// The lease was renewed.
  func extend(_ lease: Lease) {
    let until = RunTenure.limit(of: lease)
    state.withLock { $0.until = until }
    fence.move(runID, to: until.elapsed + TenureLimit.stretch)
  }

  /// Another process has taken the run over.
  func lose() { state.withLock { $0.isLost = true } }

  func begin() -> Bool {
    // The look at the clock comes before the timer is set: a process that is stopped in between sets it to a moment
    // that is over, and is ended at once.
    guard standing == .held else { return false }
    fence.open(runID, until: until.elapsed + TenureLimit.stretch)
    return true
  }

  func end() { fence.close(runID) }
}

/// The one kernel timer of the process: it stands at the earliest limit of all runs that are sending or starting
/// something at this moment, and nowhere while none is.
final class Fence: Sendable {
  static let shared = Fence {
    guard let timer = try? KillTimer.ofProcess.get() else { return nil }
    return { moment in
      if let moment { timer.arm(at: moment) } else { timer.disarm() }
    }
  }
  /// Sets a timer to a moment of the boot-time clock; nil: nowhere.
  typealias Setting = @Sendable (Duration?) -> Void

  private struct State {
    /// By run: how many stretches are open, and when the first of them must be over.
    var runs: [String: (count: Int, until: Duration)] = [:]
    var armed: Duration?
  }
  private let state = Mutex(State())
  private let makeTimer: @Sendable () -> Setting?
  private let isMade = Mutex<Setting??>(nil)

  /// - Parameter timer: made with the first stretch. If there is none to be had, the look at the clock before each
  ///   stretch has to do.
  init(timer: @escaping @Sendable () -> Setting?) { makeTimer = timer }

  func open(_ run: String, until: Duration) {
    change { runs in
      let known = runs[run]
      runs[run] = ((known?.count ?? 0) + 1, max(known?.until ?? until, until))
    }
  }

  func close(_ run: String) {
    change { runs in
      guard let known = runs[run] else { return }
      runs[run] = known.count > 1 ? (known.count - 1, known.until) : nil
    }
  }

  /// The run's lease was renewed.
  func move(_ run: String, to until: Duration) {
    change { runs in
      guard let known = runs[run] else { return }
      runs[run] = (known.count, max(known.until, until))
    }
  }

  private func change(_ body: (inout [String: (count: Int, until: Duration)]) -> Void) {
    let set = timer
    state.withLock { state in
      body(&state.runs)
      let earliest = state.runs.values.map(\.until).min()
      guard earliest != state.armed else { return }
      state.armed = earliest
      set?(earliest)
    }
  }

  private var timer: Setting? {
    isMade.withLock { made in
      if let made { return made }
      let new = makeTimer()
      made = .some(new)
      return new
    }
  }
}

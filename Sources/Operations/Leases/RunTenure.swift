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

  init(_ lease: Lease, clock: any EngineClock, fence: Fence) {
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

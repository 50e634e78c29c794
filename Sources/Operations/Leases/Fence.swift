import Synchronization

/// The one kernel timer of the process: it stands at the earliest limit of all runs that are sending or starting
/// something at this moment, and nowhere while none is.
public final class Fence: Sendable {
  /// Sets a timer to a moment of the boot-time clock; nil: nowhere.
  public typealias Setting = @Sendable (Duration?) -> Void

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
  public init(timer: @escaping @Sendable () -> Setting?) { makeTimer = timer }

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

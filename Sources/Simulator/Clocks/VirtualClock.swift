public import Runbook
import Synchronization

/// A clock whose time passes only when somebody sleeps on it: `sleep` advances it at once and returns. One run of the
/// engine in one task is therefore exact and takes no real time; two tasks that sleep at once add their pauses up, so
/// a task that only watches (a lease being renewed) sleeps on `passive`, which never advances the time by itself.
public final class VirtualClock: EngineClock {
  private struct Sleeper {
    var number: Int
    var until: Duration
    var wake: CheckedContinuation<Void, Never>
  }
  private struct State {
    var elapsed: Duration = .zero
    /// Steps of the wall clock, which the monotonic clock does not see.
    var wallOffset: Duration = .zero
    var boots = 1
    /// When the machine was last booted.
    var bootedAt: Duration = .zero
    var lastSleeper = 0
    var sleepers: [Sleeper] = []
    /// Cancelled before they were enqueued.
    var cancelled: Set<Int> = []
  }

  private let start: Timestamp
  private let state = Mutex(State())

  /// `start`: the first instant; by default the documents' example day, a minute before their example snapshot.
  public init(start: Timestamp = Timestamp(seconds: 1_737_044_040)) { self.start = start }

  public var now: Timestamp { state.withLock { start + $0.elapsed + $0.wallOffset } }
  public var monotonic: Duration { state.withLock { $0.elapsed } }
  public var boot: BootTime {
    state.withLock { BootTime(id: "virtual-\($0.boots)", elapsed: $0.elapsed - $0.bootedAt) }
  }

  public func sleep(for duration: Duration) async {
    if Task.isCancelled { return }
    advance(by: duration)
    await Task.yield()
  }

  /// Lets time pass; negative durations count as zero.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.elapsed += max(duration, .zero)
      let elapsed = state.elapsed
      let due = state.sleepers.filter { $0.until <= elapsed }.sorted { ($0.until, $0.number) < ($1.until, $1.number) }
      state.sleepers.removeAll { $0.until <= elapsed }
      return due
    }
    for sleeper in due { sleeper.wake.resume() }
  }

  /// Sets the wall clock forward or back, as an operator or NTP does: `now` jumps, `monotonic` does not.
  public func stepWallClock(by duration: Duration) { state.withLock { $0.wallOffset += duration } }

  /// The machine is booted again: `boot` begins anew, the wall clock goes on.
  public func reboot() {
    state.withLock { state in
      state.boots += 1
      state.bootedAt = state.elapsed
    }
  }

  /// The same time for a watcher: its sleep ends when others have advanced the clock far enough, or on cancellation.
  public var passive: any EngineClock { PassiveClock(clock: self) }

  private struct PassiveClock: EngineClock {
    let clock: VirtualClock
    var now: Timestamp { clock.now }
    var monotonic: Duration { clock.monotonic }
    var boot: BootTime { clock.boot }
    func sleep(for duration: Duration) async { await clock.sleepPassively(for: duration) }
  }

  private func sleepPassively(for duration: Duration) async {
    let (number, until) = state.withLock { state in
      state.lastSleeper += 1
      return (state.lastSleeper, state.elapsed + max(duration, .zero))
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let enqueued = state.withLock { state in
          if state.cancelled.remove(number) != nil || state.elapsed >= until { return false }
          state.sleepers.append(Sleeper(number: number, until: until, wake: continuation))
          return true
        }
        if !enqueued { continuation.resume() }
      }
    } onCancel: {
      wake(number)
    }
    state.withLock { _ = $0.cancelled.remove(number) }
  }

  private func wake(_ number: Int) {
    let sleeper = state.withLock { state -> Sleeper? in
      guard let index = state.sleepers.firstIndex(where: { $0.number == number }) else {
        state.cancelled.insert(number)
        return nil
      }
      return state.sleepers.remove(at: index)
    }
    sleeper?.wake.resume()
  }
}

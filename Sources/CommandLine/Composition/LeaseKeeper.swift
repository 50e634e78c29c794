import Runbook

/// Keeps a run ours while we work on it, and brings it what others ask: renews the lease, reads the request rows. In
/// real time, whatever clock the run has.
struct LeaseKeeper: Sendable {
  let store: any RunStore
  let lease: Lease
  let control: RunControl
  let clock: any EngineClock
  /// The newest request that the engine has read from the store itself.
  let lastKnownRequest: Int64
  /// How often request rows are read: an owner must heed them within a second.
  static let pollTime = Duration.milliseconds(500)

  /// Works until cancelled, or until the lease is lost; then the run is told to leave at once.
  func work() async {
    var current = lease
    var lastRequest = lastKnownRequest
    // Counted from before the write, on the monotonic clock: we stop believing before others may.
    var renewedAt = clock.monotonic
    while !Task.isCancelled {
      await clock.sleep(for: LeaseKeeper.pollTime)
      if Task.isCancelled { return }
      for request in (try? store.requests(for: lease.runID, after: lastRequest)) ?? [] {
        lastRequest = max(lastRequest, request.id)
        if let message = RunControl.Message(request) { control.post(message) }
      }
      let begin = clock.monotonic
      guard begin - renewedAt >= Ownership.leaseTime / 3 else { continue }
      do throws(StoreFailure) {
        current = try store.renew(current, leaseFor: Ownership.leaseTime)
        renewedAt = begin
      } catch {
        if case .fenced = error {
          control.leave("another process has taken the run over")
          return
        }
        if clock.monotonic - renewedAt >= Ownership.leaseTime {
          control.leave("the lease could not be renewed in time")
          return
        }
      }
    }
  }
}

import Runbook

/// Keeps a run ours while we work on it, and brings it what others ask: renews the lease, reads the request rows. In
/// real time, whatever clock the run has.
///
/// A lease that could not be renewed in time is renewed later: until then nothing is sent (`tenure`), and the run goes
/// on if nobody has taken it over meanwhile.
struct LeaseKeeper: Sendable {
  let store: any RunStore
  let lease: Lease
  let tenure: RunTenure
  let control: RunControl
  let clock: any EngineClock
  /// Where the store is asked, which may wait long for a neighbour's lock: not on a thread that others need. nil: where
  /// the keeper works.
  let executor: (any TaskExecutor)?
  /// The newest request that the engine has read from the store itself.
  let lastKnownRequest: Int64
  /// How often request rows are read: an owner must heed them within a second.
  static let pollTime = Duration.milliseconds(500)

  private struct Progress: Sendable {
    var lease: Lease
    var lastRequest: Int64
    var isLost = false
  }

  /// Works until cancelled, or until the lease is lost; then the run is told to leave at once.
  func work() async {
    var progress = Progress(lease: lease, lastRequest: lastKnownRequest)
    while !Task.isCancelled, !progress.isLost {
      await clock.sleep(for: LeaseKeeper.pollTime)
      if Task.isCancelled { return }
      let current = progress
      progress = await withTaskExecutorPreference(executor) { await step(current) }
    }
  }

  private func step(_ progress: Progress) async -> Progress {
    var progress = progress
    for request in (try? await store.requests(for: lease.runID, after: progress.lastRequest)) ?? [] {
      progress.lastRequest = max(progress.lastRequest, request.id)
      if let message = RunControl.Message(request) { control.post(message) }
    }
    guard isDue(progress.lease) else { return progress }
    do throws(StoreFailure) {
      progress.lease = try await store.renew(progress.lease, leaseFor: LeaseTerm.length)
      tenure.extend(progress.lease)
    } catch {
      // Anything else may pass, and is asked again.
      if case .fenced = error {
        tenure.lose()
        control.leave("another process has taken the run over")
        progress.isLost = true
      }
    }
    return progress
  }

  /// A third of its time is over.
  private func isDue(_ lease: Lease) -> Bool {
    guard let until = lease.until else { return true }
    return until.elapsed - clock.boot.elapsed <= LeaseTerm.length * 2 / 3
  }
}

/// The time line of one run. It begins at the machine's wall clock and is then carried by the boot-time clock, which
/// nobody can set: a wall clock that jumps neither ends a wait early nor makes a pause longer. Every instant of the run
/// (deadlines, pauses, the stamps of its journal) lies on it, so they can all be compared.
///
/// A process that carries the run on under the same boot goes on from the journaled anchor. After another boot the time
/// line goes on at the wall clock, but never goes back, so that what was left of a deadline is at most its whole
/// length.
public struct RunClock: EngineClock {
  /// An instant of the run and the moment of the boot at which it was.
  struct Anchor: Sendable, Equatable {
    var at: Timestamp
    var boot: BootTime
  }

  let base: any EngineClock
  let anchor: Anchor

  /// - Parameters:
  ///   - last: where the journal tied the run to a boot last; nil if it did not.
  ///   - latest: the newest instant of the journal.
  init(_ base: any EngineClock, last: Anchor?, latest: Timestamp) {
    self.base = base
    let boot = base.boot
    if let last, let passed = boot.since(last.boot), passed >= .zero {
      anchor = Anchor(at: max(last.at + passed, latest), boot: boot)
    } else {
      anchor = Anchor(at: max(base.now, latest), boot: boot)
    }
  }

  /// The time line of a run as its journal tells it, without its runbook.
  public init(_ base: any EngineClock, of runID: String, in store: any RunStore) async throws(StoreFailure) {
    var last: Anchor?
    var latest = Timestamp(seconds: 0)
    for entry in try await store.entries(of: runID, after: 0) {
      latest = max(latest, entry.at)
      guard entry.kind == "run.started" || entry.kind == "run.resumed" else { continue }
      let boot: BootTime? =
        switch try Fact(entry) {
        case .run(.started(let run)): run.boot
        case .run(.resumed(let resumed)): resumed.boot
        case .run, .step, .scope, .rollback: nil
        }
      last = boot.map { Anchor(at: entry.at, boot: $0) }
    }
    self.init(base, last: last, latest: latest)
  }

  public var now: Timestamp {
    if PlantedMistake.wallClockForDurations.isMade { return base.now }
    return anchor.at + (base.boot.elapsed - anchor.boot.elapsed)
  }
  public var boot: BootTime { base.boot }
  public var monotonic: Duration { base.monotonic }
  public func sleep(for duration: Duration) async { await base.sleep(for: duration) }

  /// By how much the wall clock is ahead of the run's time.
  var wallAhead: Duration { base.now - now }
}

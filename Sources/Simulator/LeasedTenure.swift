import Runbook
import Synchronization

/// The lease of a simulated process, renewed when it has passed and is needed. Where the command's keeper renews it all
/// three seconds, here nobody does anything while nobody asks: virtual time passes by itself.
final class LeasedTenure: Tenure {
  /// Renews a lease in the store.
  typealias Renewal = @Sendable (Lease) throws(StoreFailure) -> Lease
  private let renew: Renewal
  private let clock: any EngineClock
  private let control: RunControl?
  private let state: Mutex<(lease: Lease, isLost: Bool)>

  /// - Parameter control: told to leave when another process has taken the run over; nil: nobody is told.
  init(_ lease: Lease, clock: any EngineClock, _ control: RunControl?, renew: @escaping Renewal) {
    self.renew = renew
    self.clock = clock
    self.control = control
    state = Mutex((lease, false))
  }

  var until: BootTime { state.withLock { $0.lease.until } ?? BootTime(id: "", elapsed: .zero) }

  func begin() -> Bool { standing == .held }
  func end() {}

  var standing: TenureStanding {
    let now = clock.boot
    let (lease, isLost) = state.withLock { ($0.lease, $0.isLost) }
    if isLost { return .lost }
    if let until = lease.until, until.id == now.id, now.elapsed < until.elapsed { return .held }
    do throws(StoreFailure) {
      let renewed = try renew(lease)
      state.withLock { $0.lease = renewed }
      return .held
    } catch {
      // Or the process is dead: then it sends nothing more either.
      state.withLock { $0.isLost = true }
      control?.leave("another process has taken the run over")
      return .lost
    }
  }
}

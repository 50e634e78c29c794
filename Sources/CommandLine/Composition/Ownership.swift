import Posix
import Runbook

/// Who we are to other processes, and what we say of them.
enum Ownership {
  /// How long a lease lasts without being renewed. An owner that is frozen is found out after this; one that has ended
  /// at once.
  static let leaseTime = Duration.seconds(10)

  /// For people: nobody is judged by it.
  static var own: Owner {
    let identity = ProcessIdentity.own
    return Owner(host: Host.name, bootID: identity.bootID, pid: identity.pid, processStart: identity.start)
  }

  /// How long ago its owner was last heard of, by the boot-time clock where it can be told.
  static func age(of lease: Lease, clock: any EngineClock = SystemClock()) -> Duration {
    if let until = lease.until, let over = clock.boot.since(until) { return max(over + leaseTime, .zero) }
    return max(clock.now - lease.renewedAt, .zero)
  }

  /// The operating-system user, for the journal.
  static var requester: String { User.name }
}

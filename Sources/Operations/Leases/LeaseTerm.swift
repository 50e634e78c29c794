public import Runbook

/// How long leases last.
public enum LeaseTerm {
  /// Without a renewal. An owner that is frozen is found out after this; one that has ended, at once.
  public static let length = Duration.seconds(10)

  /// How long ago the owner was last heard of, by the boot-time clock where it can be told.
  public static func age(of lease: Lease, clock: any EngineClock) -> Duration {
    if let until = lease.until, let over = clock.boot.since(until) { return max(over + length, .zero) }
    return max(clock.now - lease.renewedAt, .zero)
  }
}

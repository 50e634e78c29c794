import Posix
import Runbook

/// Who we are to other processes, and whether another one still lives.
enum Ownership {
  /// How long a lease lasts without being renewed. A dead owner on another host is found out after this; on this host
  /// at once.
  static let leaseTime = Duration.seconds(10)

  static var own: Owner {
    let identity = ProcessIdentity.own
    return Owner(host: Host.name, bootID: identity.bootID, pid: identity.pid, processStart: identity.start)
  }

  /// True only if it is certain: the process ran on this host, under this boot or an earlier one, and is no longer
  /// there.
  static func isGone(_ owner: Owner) -> Bool {
    guard owner.host == Host.name, !owner.bootID.isEmpty, !Host.bootID.isEmpty else { return false }
    return ProcessIdentity(pid: owner.pid, start: owner.processStart, bootID: owner.bootID).state != .alive
  }

  /// Whether somebody works on the run of this lease.
  static func isLive(_ lease: Lease?, at now: Timestamp) -> Bool {
    guard let lease else { return false }
    return lease.expiresAt > now && !isGone(lease.owner)
  }

  /// The operating-system user, for the journal.
  static var requester: String { User.name }
}

/// Who runs a run, for people to read. Whether it lives is not told by these (see `RunOwnership`).
public struct Owner: Sendable, Equatable {
  public var host: String
  /// The kernel's boot id: a pid of another boot says nothing.
  public var bootID: String
  public var pid: Int32
  /// Clock ticks since boot at which the process started (`/proc/PID/stat`, field 22).
  public var processStart: UInt64
  public init(host: String, bootID: String, pid: Int32, processStart: UInt64) {
    self.host = host
    self.bootID = bootID
    self.pid = pid
    self.processStart = processStart
  }
}

/// The right to write a run's journal. A lease ends on the boot-time clock, which nobody can set; the epoch fences late
/// writers.
public struct Lease: Sendable, Equatable {
  public var runID: String
  public var epoch: Int64
  public var owner: Owner
  /// By the wall clock, for people.
  public var renewedAt: Timestamp
  /// By the wall clock. Decides nothing but about a lease without `until`.
  public var expiresAt: Timestamp
  /// When it ends if it is not renewed; nil: written by a release that did not know this clock.
  public var until: BootTime?
  public init(
    runID: String, epoch: Int64, owner: Owner, renewedAt: Timestamp, expiresAt: Timestamp, until: BootTime? = nil
  ) {
    self.runID = runID
    self.epoch = epoch
    self.owner = owner
    self.renewedAt = renewedAt
    self.expiresAt = expiresAt
    self.until = until
  }
}

/// What the store knows of a run's owner. An owner proves its life by a lock that the kernel drops at the end of its
/// process; no process id and no wall clock is asked.
public enum RunOwnership: Sendable, Equatable {
  /// It was never owned, or its owner has given it up.
  case none
  /// Its owner's lock is held, and its lease has not ended.
  case alive(Lease)
  /// Its owner's lock is held, and its lease has ended: the process is stopped or stuck. The run may be taken over.
  case frozen(Lease)
  /// Its owner's lock is free: the process has ended.
  case gone(Lease)

  public var isLive: Bool { living != nil }
  /// The lease of an owner that lives.
  public var living: Lease? { if case .alive(let lease) = self { lease } else { nil } }
}

/// Which process owns a run. Creating a run, taking it over and renewing its lease give this process's proof of life
/// with the lease; the proof lasts until `release`, `dropProof`, or the end of the process.
public protocol Leases: Sendable {
  func ownership(of runID: String) async throws(StoreFailure) -> RunOwnership

  /// nil: the run was never owned, or its owner has given it up.
  func lease(of runID: String) async throws(StoreFailure) -> Lease?

  /// Takes the run over with a higher epoch, unless its owner is alive (`owned`).
  func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) async throws(StoreFailure) -> Lease

  /// Also after the lease has ended: it is good as long as nobody has taken the run over (`fenced`).
  func renew(_ lease: Lease, leaseFor: Duration) async throws(StoreFailure) -> Lease

  /// Gives the lease up without ending the run (exit 9).
  func release(_ lease: Lease) async throws(StoreFailure)

  /// This process does nothing more for the run, whatever the run's row says: its proof of life goes, as the kernel
  /// would take it at the end of the process. Writes nothing.
  func dropProof(of lease: Lease) async
}

/// A lock and the run that holds it.
public struct HeldLock: Sendable, Equatable {
  public var name: String
  public var runID: String
  public init(name: String, runID: String) {
    self.name = name
    self.runID = runID
  }
}

/// Names of servers and other things, each held by one run at most. A run takes its locks when it is created and with
/// its journal entries, holds them whether or not a process works on it, and frees them when it has ended and owes
/// nothing.
public protocol Locks: Sendable {
  /// By name.
  func locks(of runID: String) async throws(StoreFailure) -> [String]

  /// The id of the run that holds a lock; nil if none does.
  func holder(of lock: String) async throws(StoreFailure) -> String?

  /// Every lock that a run holds, by name.
  func heldLocks() async throws(StoreFailure) -> [HeldLock]

  /// Frees one lock of the run and appends `entry`, in one transaction; a lock that the run does not hold is
  /// `notFound`.
  func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) async throws(StoreFailure)
}

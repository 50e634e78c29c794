import Glibc
import Posix
import Runbook

/// The file `STORE.owners` beside the store: an owner of a run holds a lock on one byte of it, which the kernel drops
/// at the end of its process. A process that wants the run looks whether the byte is locked: that works in every pid
/// namespace, with or without `/proc`, and needs no clock.
///
/// The byte's place is made of the run's number and the owner's epoch, so that a new owner proves its life beside a
/// frozen one, which still holds its own byte. The file is empty and stays so. Not inherited by children.
final class OwnerLocks {
  struct Proof: Hashable {
    var run: Int64
    var epoch: Int64
    var place: Int64 { run << 32 | epoch & 0xffff_ffff }
  }

  private let path: String
  private let store: String
  private var file: Descriptor
  private var held: Set<Proof> = []

  init(besides store: String) throws(StoreFailure) {
    self.store = store
    path = store + ".owners"
    file = try OwnerLocks.open(path, of: store)
  }

  private static func open(_ path: String, of store: String) throws(StoreFailure) -> Descriptor {
    do throws(PosixError) { return try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) } catch {
      switch error.code {
      case ENOSPC, EDQUOT: throw .diskFull(path: store)
      case EROFS, EACCES, EPERM: throw .readOnly(path: store)
      default: throw .unusable("cannot open `\(path)`: \(error.reason)")
      }
    }
  }

  /// Somebody may have removed the file while we had it open; others look at the one that is there now.
  private func follow() throws(StoreFailure) {
    if file.isStill(at: path) { return }
    file = try OwnerLocks.open(path, of: store)
    for proof in held { _ = try lock(proof) }
  }

  private func lock(_ proof: Proof) throws(StoreFailure) -> Bool {
    do throws(PosixError) { return try file.lockByte(at: proof.place) } catch {
      throw .unusable("cannot lock a byte of `\(path)`: \(error.reason)")
    }
  }

  /// - Returns: false if another process holds this very byte.
  func take(_ proof: Proof) throws(StoreFailure) -> Bool {
    try follow()
    if held.contains(proof) { return true }
    guard try lock(proof) else { return false }
    held.insert(proof)
    return true
  }

  func holds(_ proof: Proof) -> Bool { held.contains(proof) }

  func giveUp(_ proof: Proof) {
    if held.remove(proof) != nil { file.unlockByte(at: proof.place) }
  }

  /// Whether a living process holds it. One that cannot be looked at counts as held: a wrong verdict of death would let
  /// two processes work on the same run.
  func isHeld(_ proof: Proof) throws(StoreFailure) -> Bool {
    try follow()
    if held.contains(proof) { return true }
    return (try? file.isByteLockedElsewhere(at: proof.place)) ?? true
  }
}

extension Database {
  /// Who owns the run of this row, by the lock of its owner and the boot-time clock.
  func ownership(of row: RunRow, _ clock: any EngineClock) throws(StoreFailure) -> RunOwnership {
    guard let lease = row.heldLease else { return .none }
    guard let until = lease.until else { return lease.isLiveByFormerRule(at: clock.now) ? .alive(lease) : .gone(lease) }
    let isProven =
      try owners.isHeld(OwnerLocks.Proof(run: row.head.number, epoch: lease.epoch))
      || PlantedMistake.ownerJudgedByItsLease.isMade
    guard isProven else { return .gone(lease) }
    let now = clock.boot
    // The lock is held, so its holder is of this boot. Without `/proc` nobody knows the boot's id.
    if !now.id.isEmpty, !until.id.isEmpty, now.id != until.id { return .gone(lease) }
    return now.elapsed < until.elapsed ? .alive(lease) : .frozen(lease)
  }

  /// The first epoch above that of the row whose byte is free, with this process's lock on it. An epoch that another
  /// process holds although the row does not know it is of a store that was put back from an older copy.
  func proveLife(above head: RunHead) throws -> Int64 {
    var epoch = head.epoch
    for _ in 0..<1000 {
      let (next, overflow) = epoch.addingReportingOverflow(1)
      guard !overflow else { break }
      epoch = next
      if try proveLife(OwnerLocks.Proof(run: head.number, epoch: epoch)) { return epoch }
    }
    throw damaged("the epoch of run number \(head.number) cannot rise")
  }

  /// Given up again if the transaction fails.
  func proveLife(_ proof: OwnerLocks.Proof) throws -> Bool {
    let isNew = !owners.holds(proof)
    guard try owners.take(proof) else { return false }
    if isNew { newProofs.append(proof) }
    return true
  }
}

extension Lease {
  /// The rule of releases that had no lock to prove their life by (up to form 3 of the store), for leases that such a
  /// release has written: the wall clock, and on the same host the process table. It goes when no store can have such
  /// a lease any more.
  fileprivate func isLiveByFormerRule(at now: Timestamp) -> Bool {
    guard expiresAt > now else { return false }
    guard owner.host == Host.name, !owner.bootID.isEmpty, !Host.bootID.isEmpty else { return true }
    return ProcessIdentity(pid: owner.pid, start: owner.processStart, bootID: owner.bootID).state == .alive
  }
}

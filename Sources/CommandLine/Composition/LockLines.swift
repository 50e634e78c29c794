public import Operations
public import Stores

/// The line of runs that wait for locks: in files beside the store.
struct FileLockLine: LockLine {
  let queue: LockQueue

  func join(_ locks: [String], runbook: String, now: Duration, number: UInt64) async -> (any LockPlace)? {
    queue.join(locks, runbook: runbook, now: now, number: number)
  }
}

extension LockQueue.Ticket: LockPlace {}

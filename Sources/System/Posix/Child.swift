import CPosix

/// How a process ended.
public enum ProcessEnd: Sendable, Equatable {
  case exited(Int32)
  case signalled(Int32)
}

/// The children of this process.
public enum Children {
  /// A child that has ended and is not reaped yet: it stays a zombie, and its pid its own, until `reap`.
  /// - Parameter pid: nil asks for any child.
  /// - Returns: nil if none has ended (or there is none).
  public static func ended(_ pid: Int32? = nil) -> (pid: Int32, end: ProcessEnd)? {
    var bySignal: Int32 = 0
    var status: Int32 = 0
    let found = unsafe posix_peek_ended(pid ?? 0, &bySignal, &status)
    guard found > 0 else { return nil }
    return (found, bySignal == 0 ? .exited(status) : .signalled(status))
  }

  /// Waits until the child has ended and frees its pid.
  public static func reap(_ pid: Int32) {
    while waitpid(pid, nil, 0) < 0, posix_errno() == EINTR {}
  }

  /// From now on orphans among our descendants become our children instead of init's.
  public static func adoptOrphans() throws(PosixError) {
    if posix_become_subreaper() < 0 { throw PosixError("prctl") }
  }
}

/// A handle on a process that is readable (`Poll`) once it has ended, with any parent; never mixed up with a
/// later process of the same pid.
public struct ProcessHandle: Sendable {
  public let descriptor: Descriptor

  public init(_ pid: Int32) throws(PosixError) {
    let number = pidfd_open(pid, 0)
    if number < 0 { throw PosixError("pidfd_open") }
    descriptor = Descriptor(adopting: number)
  }

  /// The handle of exactly this process; nil if it is not alive any more.
  public static func of(_ process: ProcessIdentity) throws(PosixError) -> ProcessHandle? {
    do throws(PosixError) {
      let handle = try ProcessHandle(process.pid)
      return process.state == .alive ? handle : nil
    } catch {
      if error.code == ESRCH { return nil }
      throw error
    }
  }
}

import CPosix

/// Locks on single bytes of a file. They belong to the open file: the kernel drops them when its last descriptor is
/// closed, which is at the latest the end of the process, however it ends. Another process sees them in whatever
/// namespace it is; a child that does not inherit the descriptor has no part in them.
extension Descriptor {
  /// - Returns: false if another open file holds a lock on the byte.
  public func lockByte(at place: Int64) throws(PosixError) -> Bool {
    if posix_lock_byte(number, place) == 0 { return true }
    let code = posix_errno()
    if code == EAGAIN || code == EACCES { return false }
    throw PosixError(code, in: "fcntl")
  }

  public func unlockByte(at place: Int64) { _ = posix_unlock_byte(number, place) }

  /// Whether another open file, of this process or of any other, holds a lock on the byte.
  public func isByteLockedElsewhere(at place: Int64) throws(PosixError) -> Bool {
    let answer = posix_is_byte_locked(number, place)
    if answer < 0 { throw PosixError("fcntl") }
    return answer == 1
  }

  /// Whether `path` still leads to this open file.
  public func isStill(at path: String) -> Bool {
    guard let own = try? status(), let other = try? Descriptor.open(path, O_PATH_FLAG).status() else { return false }
    return own.st_ino == other.st_ino && own.st_dev == other.st_dev
  }
}

/// `O_PATH`: a descriptor that only names a file. Linux's own number.
private let O_PATH_FLAG: Int32 = 0o10000000

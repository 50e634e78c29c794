import CPosix

/// A lock on a file that ends with the last reference to it, and so with its process however that ends: it belongs to
/// the open file (`F_OFD_SETLK`), not to a process id, and means the same in every pid namespace. Children do not
/// inherit it.
public final class FileLock: Sendable {
  private let file: Descriptor

  private init(_ file: Descriptor) { self.file = file }

  /// Takes the lock of the file at `path`, without waiting.
  /// - Parameter isNew: makes the file, 0600, if it is missing.
  /// - Returns: nil if somebody else has it, or if the file was removed meanwhile.
  /// - Throws: `ENOENT` if there is no such file and none is to be made.
  public static func take(_ path: String, isNew: Bool = false) throws(PosixError) -> FileLock? {
    let file = try Descriptor.open(path, O_RDWR | O_NOFOLLOW | (isNew ? O_CREAT : 0), mode: 0o600)
    if posix_lock_file(file.number) < 0 {
      let code = posix_errno()
      if code == EAGAIN || code == EACCES { return nil }
      throw PosixError(code, in: "fcntl")
    }
    // A process that removes such a file holds its lock: then it is no longer the file of that name.
    return try file.status().st_nlink > 0 ? FileLock(file) : nil
  }

  /// Writes `text` behind what the file holds.
  public func append(_ text: String) throws(PosixError) { try file.write(Array(text.utf8)[...], at: file.size()) }

  /// Whether somebody holds the lock of the file at `path`; nil if there is no such file.
  public static func isHeld(_ path: String) throws(PosixError) -> Bool? {
    do throws(PosixError) {
      let file = try Descriptor.open(path, O_RDWR | O_NOFOLLOW)
      let answer = posix_is_file_locked(file.number)
      if answer < 0 { throw PosixError("fcntl") }
      return answer != 0
    } catch {
      if error.isMissing { return nil }
      throw error
    }
  }
}

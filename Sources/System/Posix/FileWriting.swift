import CPosix
import Synchronization

public enum FileWriting {
  private static let counter = Atomic<UInt64>(0)

  /// Puts `content` under `path`: readers see the old file or the new, also after a power failure. Follows a symbolic
  /// link to an existing file. Refuses to replace anything but an ordinary file. The owner of a file that is there
  /// stays the same, or nothing is written.
  ///
  /// - Parameter mode: permissions; nil: those of the file that is there, 0600 for a new one.
  public static func replace(_ path: String, content: [UInt8], mode: UInt16?) throws(FileFailure) {
    do throws(PosixError) {
      let (target, old) = try resolve(path)
      let folder = parent(of: target)
      let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
      let temporary = "\(folder)/.runbook-\(getpid())-\(number).tmp"
      let directory = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
      let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
      do throws(PosixError) {
        try file.write(content)
        let new = try file.status()
        if let old, old.st_uid != new.st_uid || old.st_gid != new.st_gid,
          fchown(file.number, old.st_uid, old.st_gid) < 0
        {
          throw PosixError("fchown")
        }
        let permissions = mode.map { mode_t($0) } ?? old.map { $0.st_mode & 0o7777 } ?? 0o600
        if fchmod(file.number, permissions) < 0 { throw PosixError("fchmod") }
        try file.synchronize()
        if unsafe rename(temporary, target) < 0 { throw PosixError("rename") }
      } catch {
        _ = unsafe unlink(temporary)
        throw error
      }
      try directory.synchronize()
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR: throw .missing
      case EISDIR: throw .directory
      case ESPIPE: throw .notAFile
      default: throw .unreadable(error)
      }
    }
  }

  /// - Returns: where it is written, and what is known of the file that is there.
  private static func resolve(_ path: String) throws(PosixError) -> (path: String, old: stat?) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if posix_errno() == ENOENT { return (path, nil) }
      throw PosixError("stat")
    }
    if posix_mode_is_directory(UInt32(status.st_mode)) != 0 { throw PosixError(EISDIR, in: "open") }
    if posix_mode_is_regular(UInt32(status.st_mode)) == 0 { throw PosixError(ESPIPE, in: "open") }
    guard let real = unsafe realpath(path, nil) else { throw PosixError("realpath") }
    defer { unsafe free(real) }
    return (unsafe String(cString: real), status)
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// Folders of our own.
public enum Folder {
  /// Makes it and what is missing above it, 0700. Nothing happens if it is there.
  public static func make(_ path: String) throws(PosixError) {
    if unsafe mkdir(path, 0o700) == 0 { return }
    let code = posix_errno()
    if code == EEXIST { return }
    guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw PosixError(code, in: "mkdir")
    }
    try make(String(path[..<slash]))
    if unsafe mkdir(path, 0o700) < 0, posix_errno() != EEXIST { throw PosixError("mkdir") }
  }

  /// Makes one folder, 0700. - Returns: false if something of this name is there already.
  public static func makeNew(_ path: String) throws(PosixError) -> Bool {
    if unsafe mkdir(path, 0o700) == 0 { return true }
    let code = posix_errno()
    if code == EEXIST { return false }
    throw PosixError(code, in: "mkdir")
  }

  /// Makes one of a name that nobody else has, 0700; nil if none can be made there.
  public static func makeTemporary(in parent: String) -> String? {
    var path = Array("\(parent)/runbook-XXXXXX".utf8CString)
    return unsafe path.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else { return nil }
      return unsafe String(cString: base)
    }
  }

  /// - Throws: if it cannot be told; an answer of false is certain.
  public static func isThere(_ path: String) throws(PosixError) -> Bool {
    var status = stat()
    if unsafe stat(path, &status) == 0 { return true }
    let error = PosixError("stat")
    if error.isMissing { return false }
    throw error
  }

  public static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && posix_mode_is_directory(UInt32(status.st_mode)) != 0
  }

  /// Removes a folder and the files named in it; what is not there is no error.
  public static func remove(_ path: String, files: [String]) {
    for name in files { _ = unsafe unlink("\(path)/\(name)") }
    _ = unsafe rmdir(path)
  }

  public static func removeFile(_ path: String) { _ = unsafe unlink(path) }

  /// Removes a folder and all that is in it, following no link.
  /// - Returns: whether it is gone.
  @discardableResult
  public static func removeTree(_ path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return posix_errno() == ENOENT }
    guard posix_mode_is_directory(UInt32(status.st_mode)) != 0 else { return unsafe unlink(path) == 0 }
    for name in FileReading.names(in: path) { removeTree("\(path)/\(name)") }
    return unsafe rmdir(path) == 0
  }

  /// Seconds since 1970 of the last change of what is in it; nil if there is no such folder.
  public static func changedAt(_ path: String) -> Int64? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
  }
}

extension FileWriting {
  /// Gives the file its name. - Returns: false if something has that name already; then nothing is changed.
  public static func move(_ path: String, toNew name: String) throws(PosixError) -> Bool {
    if unsafe posix_rename_new(path, name) == 0 { return true }
    guard posix_errno() == EEXIST else { throw PosixError("renameat2") }
    return false
  }
}

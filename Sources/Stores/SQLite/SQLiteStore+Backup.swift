import Glibc
public import Runbook
import SQLite

// A copy of a store that is in use.
extension SQLiteStore {
  /// Writes one consistent state of the store into a new file, 0600 and flushed; other processes go on meanwhile. It
  /// is a store: one that is put in this one's place and lacks something is recognised as an older copy.
  /// - Parameter target: absolute.
  /// - Returns: its size in bytes.
  /// - Throws: `unusable` if there is something of this name already.
  @discardableResult
  public func backUp(to target: String) throws(StoreFailure) -> Int64 {
    let folder = StoreFolder.parent(of: target)
    guard StoreFolder.status(of: target) == nil else { throw SQLiteStore.isThere(target) }
    guard StoreFolder.status(of: folder) != nil else {
      throw .unusable("the folder `\(folder)` of the backup does not exist")
    }
    let temporary = "\(folder)/.runbook-backup-\(getpid())-\(Identity.random(8).hexadecimal)"
    let file = unsafe open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreFolder.refusal(to: "create the backup", at: target) }
    defer {
      close(file)
      _ = unsafe unlink(temporary)
      _ = unsafe unlink(temporary + "-journal")
    }
    do throws(StoreFailure) { try direct { try $0.connection.run("VACUUM INTO ?", .text(temporary)) } } catch {
      if case .diskFull = error { throw .diskFull(path: target) }
      throw error
    }
    guard fsync(file) == 0 else { throw StoreFolder.refusal(to: "flush the backup", at: target) }
    try SQLiteStore.name(temporary, target)
    let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw StoreFolder.refusal(to: "open the folder of", at: target) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw StoreFolder.refusal(to: "flush the folder of", at: target) }
    return StoreFolder.size(of: target)
  }

  /// Unlike a rename, a link never replaces what is there; not every file system has links.
  private static func name(_ temporary: String, _ target: String) throws(StoreFailure) {
    if unsafe link(temporary, target) == 0 { return }
    if errno == EEXIST { throw isThere(target) }
    if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS {
      guard StoreFolder.status(of: target) == nil else { throw isThere(target) }
      if unsafe rename(temporary, target) == 0 { return }
    }
    throw StoreFolder.refusal(to: "create the backup", at: target)
  }

  private static func isThere(_ target: String) -> StoreFailure {
    .unusable("`\(target)` is there already, and a backup replaces nothing: name another file")
  }
}

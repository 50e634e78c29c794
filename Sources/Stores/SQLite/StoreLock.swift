import Glibc
import Runbook

/// The file `STORE.lock` beside the store: every write transaction and every checkpoint of all processes runs under its
/// `flock`, because SQLite before 3.51.3 may damage a database when two connections write and checkpoint at once.
///
/// It also holds the mark, which tells a store that was put back from an older copy (see `StoreMark`).
final class StoreLock {
  let path: String
  private let file: Int32
  /// How long to wait for another process before saying so. A transaction takes well below a millisecond, a checkpoint
  /// some: whoever holds it longer is frozen.
  static let patience: Duration = .seconds(30)

  init(besides store: String) throws(StoreFailure) {
    path = store + ".lock"
    file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StoreFolder.refusal(to: "open", at: path, of: store) }
  }

  deinit { close(file) }

  func acquire() throws(StoreFailure) {
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
    // flock has no time limit of its own, so ask again, ever more slowly; at most every 2 ms.
    var waited: Int64 = 0
    var pause: Int64 = 50_000
    while errno == EWOULDBLOCK || errno == EINTR {
      guard waited < StoreLock.patience.milliseconds * 1_000_000 else {
        throw .unusable(
          "another process has held `\(path)` for \(StoreLock.patience.text)\(holder.map { " (pid \($0))" } ?? "")")
      }
      var time = timespec(tv_sec: 0, tv_nsec: Int(pause))
      unsafe nanosleep(&time, nil)
      waited += pause
      pause = min(pause * 5 / 4, 2_000_000)
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
    }
    throw .unusable("cannot lock `\(path)`: \(StoreFolder.errorText())")
  }

  func release() { _ = flock(file, LOCK_UN) }

  /// The pid that holds the lock, from `/proc/locks`: `1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF`.
  private var holder: String? {
    guard let inode = StoreFolder.status(of: path)?.st_ino else { return nil }
    let table = unsafe open("/proc/locks", O_RDONLY | O_CLOEXEC)
    guard table >= 0 else { return nil }
    defer { close(table) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe Glibc.read(table, &bytes, bytes.count)
    for line in String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 5, fields[1] == "FLOCK", fields[5].hasSuffix(":\(inode)") { return String(fields[4]) }
    }
    return nil
  }

  /// What stands in the file.
  var mark: MarkFile { MarkFile(file: file) }

  /// Once, for a new store: the file itself and its name in the folder are on the disk.
  func flush() throws(StoreFailure) {
    let folder = unsafe open(StoreFolder.parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw StoreFolder.refusal(to: "open the folder of", at: path) }
    defer { close(folder) }
    guard fsync(file) == 0, fsync(folder) == 0 else {
      throw .writeFailed("flushing `\(path)` failed, what is on the disk is unknown: \(StoreFolder.errorText())")
    }
  }
}

import Glibc
import Posix
import Runbook

/// The store's lock, or the store itself, is held by another process, which has kept us waiting for `waited` so far.
public struct StoreWait: Sendable {
  public let path: String
  /// For words alone; nil if it is in another pid namespace.
  public let holder: Int32?
  public let waited: Duration

  public var words: String {
    "waiting for `\(path)`, held by \(holder.map { "process \($0)" } ?? "another process") for \(waited.text)"
  }
}

/// The file `STORE.lock` beside the store: every write transaction and every checkpoint of all processes runs under its
/// `flock`, because SQLite before 3.51.3 may damage a database when two connections write and checkpoint at once.
///
/// It also holds the mark, which tells a store that was put back from an older copy (see `StoreMark`).
final class StoreLock {
  let path: String
  private let file: Int32
  let onWait: (@Sendable (StoreWait) -> Void)?
  let interval: Duration

  /// - Parameter onWait: told at each `interval` while another process holds the lock. A transaction takes well below a
  ///   millisecond, a checkpoint some: a process that holds it longer is frozen, which is no reason to give up.
  init(
    besides store: String, every interval: Duration, onWait: (@Sendable (StoreWait) -> Void)?
  ) throws(StoreFailure) {
    self.interval = interval
    self.onWait = onWait
    path = store + ".lock"
    file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StoreFolder.refusal(to: "open", at: path, of: store) }
  }

  deinit { close(file) }

  /// Waits as long as it takes.
  func acquire() throws(StoreFailure) {
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
    // flock has no time limit of its own, so ask again, ever more slowly; at most every 2 ms.
    let begin = Monotonic.now
    var told = interval
    var pause: Int64 = 50_000
    while errno == EWOULDBLOCK || errno == EINTR {
      var time = timespec(tv_sec: 0, tv_nsec: Int(pause))
      unsafe nanosleep(&time, nil)
      pause = min(pause * 5 / 4, 2_000_000)
      if Monotonic.now - begin >= told {
        onWait?(StoreWait(path: path, holder: holder, waited: told))
        told += interval
      }
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
    }
    throw .unusable("cannot lock `\(path)`: \(StoreFolder.errorText())")
  }

  func release() { _ = flock(file, LOCK_UN) }

  /// The pid that holds the lock, from `/proc/locks`: `1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF`.
  private var holder: Int32? {
    guard let inode = StoreFolder.status(of: path)?.st_ino,
      let bytes = try? FileReading.all(of: "/proc/locks", limit: 1 << 24)
    else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 5, fields[1] == "FLOCK", fields[5].hasSuffix(":\(inode)") { return Int32(fields[4]) }
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
      throw .writeFailed("flushing `\(path)` failed, the content of the disk is unknown: \(StoreFolder.errorText())")
    }
  }
}

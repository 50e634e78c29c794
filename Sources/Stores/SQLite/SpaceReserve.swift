import Glibc
import Runbook

/// Disk space held back in `STORE.reserve`, so that the outcome of an effect already sent can still be journaled on a
/// full disk. Given up once; from then on nothing new is begun until it can be allocated again.
struct SpaceReserve {
  let path: String
  let size: Int64

  init(besides store: String, size: Int64) {
    path = store + ".reserve"
    self.size = size
  }

  var isWhole: Bool { size == 0 || (StoreFolder.status(of: path).map { Int64($0.st_size) >= size } ?? false) }

  /// Allocates what is missing; `diskFull` if there is no room for it.
  func restore() throws(StoreFailure) {
    if isWhole { return }
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StoreFolder.refusal(to: "create the space reserve", at: path) }
    defer { close(file) }
    let code = posix_fallocate(file, 0, off_t(size))
    guard code == ENOSPC || code == EDQUOT else { return }
    _ = ftruncate(file, 0)
    throw .diskFull(path: path)
  }

  /// Gives the space to the store.
  /// - Returns: whether there was any.
  func release() -> Bool {
    guard size > 0, isWhole else { return false }
    return unsafe truncate(path, 0) == 0
  }
}

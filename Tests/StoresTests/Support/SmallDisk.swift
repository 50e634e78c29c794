import Glibc
import TestSupport

/// A file system of a given size in memory, for disks that are full or read-only. Only root may have one.
final class SmallDisk {
  private let folder: TemporaryFolder
  var path: String { folder.path("disk") }

  static let isPermitted: Bool = SmallDisk(kilobytes: 100) != nil
  static let whyNot = "mounting a small tmpfs is not permitted here: run as root"

  init?(kilobytes: Int) {
    folder = TemporaryFolder()
    unsafe mkdir(folder.path("disk"), 0o700)
    guard runs(["/bin/mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k,mode=700", "tmpfs", folder.path("disk")]) else {
      return nil
    }
  }

  deinit { _ = runs(["/bin/umount", "-l", path]) }

  func makeReadOnly() -> Bool { runs(["/bin/mount", "-o", "remount,ro", path]) }

  /// Takes all the space that is left.
  func fill() {
    let file = unsafe open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while unsafe write(file, block, block.count) > 0 {}
    close(file)
  }

  func empty() { unsafe unlink(path + "/ballast") }
}

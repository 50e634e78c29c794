import Glibc
import Posix

/// What this machine permits, found out by trying it.
enum Permission {
  /// Whether a line of shell ends with 0.
  static func isGiven(_ line: String) -> Bool {
    guard let none = try? Descriptor.open("/dev/null", O_RDWR),
      let pid = try? SpawnRequest(
        "/bin/sh", arguments: ["sh", "-c", line], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        descriptors: [none.number, none.number, none.number]
      ).start()
    else { return false }
    var status: Int32 = -1
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }
}

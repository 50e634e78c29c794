import CSQLite

/// What a file system says of itself.
public struct FileSystem: Sendable, Equatable {
  /// `f_type` of statfs(2).
  public let magic: UInt32
  /// `MAJOR:MINOR`, as in `/proc/self/mountinfo`.
  public let device: String

  /// Of the file system that `path` is on; nil if nobody can tell.
  public init?(at path: String) {
    var (magic, major, minor): (UInt32, UInt32, UInt32) = (0, 0, 0)
    guard unsafe runbook_sqlite_file_system(path, &magic, &major, &minor) == 0 else { return nil }
    self.magic = magic
    device = "\(major):\(minor)"
  }
}

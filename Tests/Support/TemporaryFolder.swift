import Glibc

/// A folder of its own for one test (0700), removed with all that is in it when the last reference goes.
public final class TemporaryFolder: Sendable {
  /// Absolute, without a slash at its end.
  public let path: String

  /// - Parameter inMemory: where flushing costs nothing, if there is such a place.
  public init(inMemory: Bool = false) {
    let hasMemory = unsafe access("/dev/shm", W_OK) == 0
    let parent = inMemory && hasMemory ? "/dev/shm" : "/tmp"
    var template = Array(("\(parent)/runbook-test-" + String(repeating: "X", count: 6)).utf8CString)
    guard unsafe mkdtemp(&template) != nil else { preconditionFailure("no temporary folder: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryFolder.remove(path) }

  public func path(_ name: String) -> String { path + "/" + name }

  /// The whole content; empty if there is no such file.
  public func read(_ name: String) -> [UInt8] {
    let file = unsafe open(path(name), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe Glibc.read(file, &chunk, chunk.count)
      guard count > 0 else { return content }
      content += chunk.prefix(count)
    }
  }

  public func write(_ name: String, _ content: [UInt8], mode: UInt32 = 0o600) {
    let file = unsafe open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    precondition(file >= 0, "cannot write \(path(name)): errno \(errno)")
    defer { close(file) }
    var start = 0
    while start < content.count {
      let count = unsafe content[start...].withUnsafeBytes { bytes in
        unsafe Glibc.write(file, bytes.baseAddress, bytes.count)
      }
      precondition(count > 0, "cannot write \(path(name)): errno \(errno)")
      start += count
    }
  }

  /// Permission bits; nil if there is no such file.
  public func mode(_ name: String) -> UInt32? {
    var info = stat()
    return unsafe stat(path(name), &info) == 0 ? info.st_mode & 0o7777 : nil
  }

  /// Names of what is in it, sorted.
  public var names: [String] { TemporaryFolder.names(in: path).sorted() }

  private static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func remove(_ path: String) {
    var info = stat()
    guard unsafe lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFDIR else {
      unsafe unlink(path)
      return
    }
    for name in names(in: path) { remove(path + "/" + name) }
    unsafe rmdir(path)
  }
}

extension TemporaryFolder {
  /// Writes a file in it, executable if it is a program. - Returns: its path.
  public func file(_ name: String, _ content: String, mode: UInt32 = 0o600) -> String {
    write(name, Array(content.utf8))
    _ = unsafe chmod(path(name), mode)
    return path(name)
  }
}

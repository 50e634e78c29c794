import Glibc

/// A folder for one test; gone with it.
public final class TemporaryFolder: Sendable {
  public let path: String
  public init() {
    var template = Array("/tmp/runbook-test-XXXXXX".utf8CString)
    path = unsafe mkdtemp(&template) == nil ? "/nonexistent" : String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
  deinit { removeTree(path) }
}

private func removeTree(_ path: String) {
  guard let folder = unsafe opendir(path) else { return }
  var names: [String] = []
  while let entry = unsafe readdir(folder) {
    names.append(unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
  }
  unsafe closedir(folder)
  for name in names where name != "." && name != ".." {
    if unsafe unlink(path + "/" + name) != 0 { removeTree(path + "/" + name) }
  }
  unsafe rmdir(path)
}

extension TemporaryFolder {
  /// Writes a file in it, executable if it is a program. - Returns: its path.
  public func file(_ name: String, _ content: String, mode: UInt32 = 0o600) -> String {
    let path = "\(path)/\(name)"
    guard let file = unsafe fopen(path, "w") else { return path }
    _ = unsafe fputs(content, file)
    unsafe fclose(file)
    _ = unsafe chmod(path, mode)
    return path
  }
}

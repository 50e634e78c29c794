import Glibc
import Runbook

/// What is asked of the place before SQLite may touch it.
enum StoreFolder {
  /// Creates missing folders (0700) and refuses a place that is not safe for a store.
  /// - Returns: whether the store's file exists.
  static func check(_ path: String, creating: Bool) throws(StoreFailure) -> Bool {
    let folder = parent(of: path)
    if creating { try make(folder, for: path) }
    guard let folderInfo = status(of: folder) else {
      if errno == ENOENT { return false }
      throw .unusable("the store's folder `\(folder)` cannot be used: \(errorText())")
    }
    guard folderInfo.st_mode & S_IFMT == S_IFDIR else { throw .unusable("`\(folder)` is not a folder") }
    guard folderInfo.st_mode & S_IWOTH == 0 else {
      throw .unusable(
        "everybody may write in the store's folder `\(folder)`: choose another, or `chmod o-w \(folder)`")
    }
    if let name = NetworkFileSystem.name(at: folder) {
      throw .unusable(
        "`\(folder)` is on a network file system (\(name)), where locks and flushes cannot be trusted: "
          + "choose a local one")
    }
    return try checkFile(path)
  }

  private static func checkFile(_ path: String) throws(StoreFailure) -> Bool {
    guard let info = status(of: path) else {
      if errno == ENOENT { return false }
      throw .unusable("the store `\(path)` cannot be used: \(errorText())")
    }
    switch info.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unusable("the store `\(path)` is a folder: name a file in it, such as `\(path)/runbook.db`")
    default: throw .unusable("the store `\(path)` is not a regular file")
    }
    guard info.st_mode & S_IWOTH == 0 else {
      throw .unusable("everybody may write the store `\(path)`: `chmod 600 \(path)`")
    }
    return true
  }

  /// An empty file that only its owner may read. Never opened here: closing it would drop SQLite's locks on it.
  static func makeFile(_ path: String) throws(StoreFailure) {
    guard unsafe mknod(path, S_IFREG | 0o600, 0) != 0, errno != EEXIST else { return }
    throw refusal(to: "create the store", at: path)
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// What `errno` means for a caller that wanted to `action`; `store` is named if `path` only lies beside it.
  static func refusal(to action: String, at path: String, of store: String? = nil) -> StoreFailure {
    switch errno {
    case ENOSPC, EDQUOT: .diskFull(path: store ?? path)
    case EROFS, EACCES, EPERM: .readOnly(path: store ?? path)
    default: .unusable("cannot \(action) `\(path)`: \(errorText())")
    }
  }

  static func errorText() -> String { unsafe String(cString: strerror(errno)) }

  static func status(of path: String) -> stat? {
    var info = stat()
    return unsafe stat(path, &info) == 0 ? info : nil
  }

  /// In bytes; 0 if there is no such file.
  static func size(of path: String) -> Int64 { Int64(status(of: path)?.st_size ?? 0) }

  /// Without `.` and `..`, in no order; empty if it cannot be read.
  static func names(in folder: String) -> [String] {
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

  private static func make(_ folder: String, for path: String) throws(StoreFailure) {
    if unsafe mkdir(folder, 0o700) == 0 { return }
    switch errno {
    case EEXIST: return
    case ENOENT where folder != "/" && folder != ".":
      try make(parent(of: folder), for: path)
      guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
        throw refusal(to: "create the folder", at: folder)
      }
    // A folder that exists may also answer so.
    case EROFS, EACCES, EPERM: if status(of: folder) == nil { throw .readOnly(path: path) }
    default: throw refusal(to: "create the folder", at: folder)
    }
  }
}

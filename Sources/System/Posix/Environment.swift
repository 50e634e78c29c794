import CPosix

/// What this process was started with.
public enum Environment {
  public static subscript(name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Every variable; of a repeated name the first counts.
  public static var all: [String: String] {
    var result: [String: String] = [:]
    guard var entry = unsafe posix_environment() else { return result }
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, result[String(parts[0])] == nil { result[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return result
  }
}

/// Who this process runs as.
public enum User {
  public static var id: UInt32 { getuid() }

  /// From the user database; `uid 1000` if it does not know.
  public static var name: String { record?.name ?? "uid \(getuid())" }

  /// `$HOME`, else what the user database says; nil if neither does.
  public static var home: String? {
    if let home = Environment["HOME"], home.hasPrefix("/") { return home }
    return record?.home
  }

  private static var record: (name: String, home: String?)? {
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    guard unsafe getpwuid_r(getuid(), &entry, &buffer, buffer.count, &found) == 0, unsafe found != nil,
      let name = unsafe entry.pw_name
    else { return nil }
    let home = unsafe entry.pw_dir.map { unsafe String(cString: $0) }
    return (unsafe String(cString: name), home?.hasPrefix("/") == true ? home : nil)
  }
}

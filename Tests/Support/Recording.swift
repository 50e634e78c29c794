import Glibc

/// Files of expected texts are written anew while `RECORD` is set.
public enum Recording {
  public static var isOn: Bool { unsafe getenv("RECORD") != nil }

  /// - Parameter relative: to the project's folder.
  public static func write(_ text: String, to relative: String) throws {
    guard let file = unsafe fopen(Repository.path(relative), "w") else { throw Repository.Unreadable(path: relative) }
    defer { unsafe fclose(file) }
    let bytes = Array(text.utf8)
    guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Repository.Unreadable(path: relative) }
  }
}

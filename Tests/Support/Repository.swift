/// Where this project is, for tests that read its files.
public enum Repository {
  /// Absolute path of the folder that holds `Package.swift`, without a slash at its end.
  public static let root: String = {
    // …/Tests/Support/Repository.swift
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  public static func path(_ relative: String) -> String { root + "/" + relative }
}

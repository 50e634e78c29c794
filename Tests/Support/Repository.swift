import Glibc

/// Where this project is, for tests that read its files.
public enum Repository {
  /// Absolute path of the folder that holds `Package.swift`, without a slash at its end.
  public static let root: String = {
    // …/Tests/Support/Repository.swift
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  public static func path(_ relative: String) -> String { root + "/" + relative }

  /// Why a file of the project could not be read.
  public struct Unreadable: Error { public var path: String }

  public static func bytes(_ relative: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path(relative), "r") else { throw Unreadable(path: relative) }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }

  public static func text(_ relative: String) throws -> String { String(decoding: try bytes(relative), as: UTF8.self) }
}

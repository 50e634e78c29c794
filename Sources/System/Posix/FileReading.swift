import CPosix

/// Why a file was not read.
public enum FileFailure: Error, Sendable, Equatable {
  case missing
  case directory
  /// A FIFO, a device, a socket: reading it could last for ever.
  case notAFile
  /// Longer than the limit that was given, in bytes.
  case tooLong(limit: Int)
  case unreadable(PosixError)

  /// To follow the file's name: "is a directory".
  public var reason: String {
    switch self {
    case .missing: "does not exist"
    case .directory: "is a directory, not a file"
    case .notAFile: "is not an ordinary file"
    case .tooLong(let limit): "is longer than \(limit) bytes"
    case .unreadable(let error): "cannot be read: \(error.reason)"
    }
  }
}

public enum FileReading {
  /// The whole of an ordinary file. Never waits for a FIFO's writer and never reads more than `limit` + 1 bytes.
  public static func all(of path: String, limit: Int) throws(FileFailure) -> [UInt8] {
    do throws(PosixError) {
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      let mode = UInt32(try file.status().st_mode)
      if posix_mode_is_directory(mode) != 0 { throw PosixError(EISDIR, in: "open") }
      guard posix_mode_is_regular(mode) != 0 else { throw PosixError(ESPIPE, in: "open") }
      var content: [UInt8] = []
      while content.count <= limit {
        let size = min(content.isEmpty ? 16 << 10 : 1 << 20, limit + 1 - content.count)
        guard let bytes = try file.read(limit: size), !bytes.isEmpty else { return content }
        content += bytes
      }
    } catch {
      switch error.code {
      // ESRCH: of `/proc`, the process has just ended.
      case ENOENT, ENOTDIR, ESRCH: throw .missing
      case EISDIR: throw .directory
      // ENXIO: a socket, or a device without a driver.
      case ESPIPE, ENXIO: throw .notAFile
      default: throw .unreadable(error)
      }
    }
    throw .tooLong(limit: limit)
  }

  /// All of standard input, to its end.
  public static func standardInput(limit: Int) throws(FileFailure) -> [UInt8] {
    var content: [UInt8] = []
    do throws(PosixError) {
      let number = dup(STDIN_FILENO)
      if number < 0 { throw PosixError("dup") }
      let input = Descriptor(adopting: number)
      while content.count <= limit {
        guard let bytes = try input.read(limit: 1 << 16), !bytes.isEmpty else { return content }
        content += bytes
      }
    } catch { throw .unreadable(error) }
    throw .tooLong(limit: limit)
  }

  /// Size in bytes, and permissions with the bits above them, of an ordinary file.
  public static func status(of path: String) throws(FileFailure) -> (size: Int, mode: UInt16) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      let error = PosixError("stat")
      if [ENOENT, ENOTDIR].contains(error.code) { throw .missing }
      throw .unreadable(error)
    }
    if posix_mode_is_directory(UInt32(status.st_mode)) != 0 { throw .directory }
    guard posix_mode_is_regular(UInt32(status.st_mode)) != 0 else { throw .notAFile }
    return (Int(status.st_size), UInt16(status.st_mode & 0o7777))
  }

  /// Names in a folder, without `.` and `..`, in no order; empty if it cannot be read.
  public static func names(in path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

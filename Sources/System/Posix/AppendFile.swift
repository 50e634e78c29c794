import CPosix

/// Why lines cannot be added to a file.
public enum AppendFailure: Error, Sendable, Equatable {
  /// The folder that it would be in does not exist.
  case noFolder
  case directory
  /// A pipe that nobody reads.
  case noReader
  /// A disk, a socket: not made for lines.
  case unfit
  case failed(PosixError)

  /// To follow the file's name: "is a directory".
  public var reason: String {
    switch self {
    case .noFolder: "cannot be made: its folder does not exist"
    case .directory: "is a directory, not a file"
    case .noReader: "is a pipe that nobody reads"
    case .unfit: "is neither a file nor a pipe"
    case .failed(let error): "cannot be written: \(error.reason)"
    }
  }
}

/// A file to whose end whole lines are added: an ordinary file, made with mode 0600 if it is not there, a pipe that has
/// a reader, or a character device. Opening it waits for nobody.
public final class AppendFile: Sendable {
  private let file: Descriptor
  private let isOrdinary: Bool

  public init(_ path: String) throws(AppendFailure) {
    do throws(PosixError) {
      file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY, mode: 0o600)
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR: throw .noFolder
      case EISDIR: throw .directory
      case ENXIO: throw AppendFile.isPipe(path) ? .noReader : .unfit
      default: throw .failed(error)
      }
    }
    do throws(PosixError) {
      let kind = AppendFile.kind(try file.status())
      guard [S_IFREG, S_IFIFO, S_IFCHR].contains(kind) else { throw PosixError(ENOTSUP, in: "open") }
      isOrdinary = kind == S_IFREG
    } catch {
      throw error.code == ENOTSUP ? .unfit : .failed(error)
    }
  }

  private static func isPipe(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && kind(status) == S_IFIFO
  }

  private static func kind(_ status: stat) -> Int32 { Int32(bitPattern: UInt32(status.st_mode)) & S_IFMT }

  /// Whether the file has a last line that does not end: its writer was killed in the middle of it.
  public var endsInALine: Bool {
    guard isOrdinary, let size = try? file.size(), size > 0 else { return false }
    // The descriptor only writes; the kernel lets it be opened again for reading.
    guard let reader = try? Descriptor.open("/proc/self/fd/\(file.number)", O_RDONLY) else { return false }
    return (try? reader.read(at: size - 1, limit: 1)) != [0x0a]
  }

  /// Adds what fits now.
  /// - Returns: how many bytes of `bytes[start...]` were written; 0 if a pipe is full.
  public func append(_ bytes: [UInt8], from start: Int) throws(PosixError) -> Int {
    try file.writeSome(bytes, from: start)
  }

  /// After a write that failed in the middle of a line: takes that part of a line out of an ordinary file again.
  public func takeBack(_ count: Int) {
    guard isOrdinary, count > 0, let size = try? file.size(), size >= count else { return }
    _ = ftruncate(file.number, off_t(size - count))
  }
}

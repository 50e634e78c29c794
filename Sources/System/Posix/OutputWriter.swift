import CPosix
import Synchronization

/// Writes to standard output or error and remembers what became of it, so that lost output never goes unnoticed.
public final class OutputWriter: Sendable {
  public enum State: Sendable, Equatable {
    case open
    /// The reader of the pipe is gone (`| head -1`). Nothing more is written; this is no failure.
    case readerGone
    /// A full disk, a device error. Nothing more is written; the command must say so and not exit with 0.
    case failed(PosixError)
  }

  public static let standardOutput = OutputWriter(1)
  public static let standardError = OutputWriter(2)

  private let number: Int32
  private let guarded = Mutex(State.open)

  public init(_ number: Int32) { self.number = number }

  public var state: State { guarded.withLock { $0 } }

  @discardableResult
  public func write(_ text: String) -> State { write(Array(text.utf8)) }

  /// Writes all of it at once; lines of several threads never mix.
  @discardableResult
  public func write(_ bytes: [UInt8]) -> State {
    guarded.withLock { state in
      guard state == .open else { return state }
      var done = 0
      while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes {
          unsafe CPosix.write(number, $0.baseAddress?.advanced(by: done), bytes.count - done)
        }
        if count >= 0 {
          done += count
          continue
        }
        switch posix_errno() {
        case EINTR: continue
        case EAGAIN: _ = try? Poll.wait(for: [Poll.Interest(number, .writable)], timeout: .seconds(1))
        case EPIPE: state = .readerGone
        case let code: state = .failed(PosixError(code, in: "write"))
        }
        if state != .open { break }
      }
      return state
    }
  }
}

public enum Terminal {
  public static func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

  /// In characters; nil if it is no terminal or does not know.
  public static func size(_ number: Int32) -> (columns: Int, rows: Int)? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard unsafe posix_terminal_size(number, &columns, &rows) == 0, columns > 0, rows > 0 else { return nil }
    return (Int(columns), Int(rows))
  }
}

public enum StandardDescriptors {
  /// Opens `/dev/null` for those of 0, 1 and 2 that were closed when we were started, so that no file of ours gets
  /// their number and is written to by mistake. Call it first.
  public static func ensureOpen() {
    for number: Int32 in 0...2 where posix_is_open(number) == 0 {
      _ = unsafe posix_open_file("/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
    }
  }
}

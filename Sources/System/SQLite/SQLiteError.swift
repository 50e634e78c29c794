import CSQLite
import Glibc

/// Why SQLite refused, with what decides what to do about it.
public struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// No space left, or over the quota.
    case full
    case readOnly
    /// Damaged, or no SQLite database at all.
    case corrupt
    /// Another program holds a lock for longer than the busy timeout.
    case busy
    /// The operating system failed to read, write or flush: after a write, what is on disk is unknown.
    case ioError
    /// The file cannot be opened or created.
    case cannotOpen
    case constraint
    case outOfMemory
    case other
  }
  public let kind: Kind
  /// SQLite's extended result code.
  public let code: Int32
  /// The `errno` below it; 0 if there was none.
  public let systemError: Int32
  /// SQLite's own words. They may hold SQL and names of columns, never values.
  public let message: String

  init(_ code: Int32, systemError: Int32, message: String) {
    self.code = code
    let isOfSystem = code & 0xff == SQLITE_IOERR || code & 0xff == SQLITE_CANTOPEN
    self.systemError = isOfSystem ? systemError : 0
    self.message = message
    kind = SQLiteError.kind(of: code, systemError: systemError)
  }

  public var description: String {
    systemError == 0 ? "\(message) (SQLite \(code))" : "\(message) (SQLite \(code), errno \(systemError))"
  }

  private static func kind(of code: Int32, systemError: Int32) -> Kind {
    switch code & 0xff {
    case SQLITE_FULL: .full
    // A failed flush says nothing of what reached the disk, whatever its `errno` is.
    case SQLITE_IOERR where code == failedFlush || code == failedFolderFlush: .ioError
    case SQLITE_IOERR, SQLITE_CANTOPEN:
      if systemError == ENOSPC || systemError == EDQUOT {
        .full
      } else if systemError == EROFS {
        .readOnly
      } else {
        code & 0xff == SQLITE_IOERR ? .ioError : .cannotOpen
      }
    case SQLITE_READONLY: .readOnly
    case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
    case SQLITE_CONSTRAINT: .constraint
    case SQLITE_NOMEM: .outOfMemory
    default: .other
    }
  }

  /// `SQLITE_IOERR_FSYNC` and `SQLITE_IOERR_DIR_FSYNC`: macros with arithmetic, which Swift does not see.
  private static let failedFlush = SQLITE_IOERR | (4 << 8)
  private static let failedFolderFlush = SQLITE_IOERR | (5 << 8)
}

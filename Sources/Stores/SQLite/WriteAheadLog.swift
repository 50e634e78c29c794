import Glibc
import SQLite

/// When the write-ahead log is copied into the database, and how its file grows. Both under the store's lock, after a
/// commit.
///
/// The file is made longer 512 KiB at a time, with zeros that SQLite then overwrites: a commit into space that is
/// already there costs half of one that makes the file longer (48 against 95 µs here: no metadata to flush). Zeros
/// after the last frame are no frame, so recovery stops at them.
struct WriteAheadLog {
  private let path: String
  /// Checkpoint at this many frames (pages of 4 KiB).
  private let limit: Int
  private var nextCheckpoint: Int
  private var lastFrames = 0
  /// Known length of the file in bytes; it may be longer.
  private var length = 0

  /// A frame is a page with a header of 24 bytes; the file begins with 32 bytes.
  private static let frameSize = 4096 + 24
  private static let growth = 512 * 1024
  /// A log of this many frames was made by a huge entry: cut it after the checkpoint (64 MiB by default).
  private var cutAbove: Int { limit * 16 }
  /// A process that has just opened the store reads the whole log once, so one that leaves soon tidies up for the next.
  private static let firstCheckpoint = 192

  init(of store: String, limit: Int) {
    path = store + "-wal"
    self.limit = limit
    nextCheckpoint = min(limit, WriteAheadLog.firstCheckpoint)
  }

  /// In this many frames a log that was begun anew is noticed.
  private static let young = 64

  /// - Returns: whether the database's file may have changed, or the log have been begun anew.
  /// - Throws: only what leaves the state of the disk unknown.
  mutating func committed(on connection: Connection) throws(SQLiteError) -> Bool {
    let frames = connection.frames
    if frames < lastFrames { nextCheckpoint = limit }
    lastFrames = frames
    if frames >= nextCheckpoint {
      nextCheckpoint = frames + limit / 4
      do {
        try connection.checkpoint(emptying: frames > cutAbove)
        if frames > cutAbove { length = 0 }
      } catch {
        // Readers in the way, or no room in the database's file: the log keeps everything, the next commit asks again.
        guard error.kind == .busy || error.kind == .full else { throw error }
      }
    } else {
      prepare(upTo: 32 + (frames + 16) * WriteAheadLog.frameSize)
      return frames < WriteAheadLog.young
    }
    return true
  }

  private mutating func prepare(upTo needed: Int) {
    guard needed > length, needed <= 32 + (limit + 64) * WriteAheadLog.frameSize else { return }
    let file = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return }
    defer { close(file) }
    let end = Int(lseek(file, 0, SEEK_END))
    length = max(end, length)
    guard end >= 0, needed > end else { return }
    let zeros = [UInt8](repeating: 0, count: WriteAheadLog.growth)
    let written = unsafe pwrite(file, zeros, zeros.count, off_t(end))
    if written > 0 { length = end + written }
  }
}

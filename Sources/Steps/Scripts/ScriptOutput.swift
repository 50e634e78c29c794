import Glibc
import Posix
import Runbook

/// How one stream of a script is kept in a file, as it was written, until its step has ended: the first 32 MiB, and
/// after them, in a ring, the last 32.
enum ScriptOutput {
  /// Kept on the disk, and what expressions read.
  static let limit = OutputLimit.limit
  static let head = OutputLimit.head
  static let tail = OutputLimit.tail

  /// Where the byte after the first `kept` ones goes, and how many have room in one piece from there.
  static func place(after kept: Int) -> (offset: Int, room: Int) {
    if kept < head { return (kept, head - kept) }
    let position = (kept - head) % tail
    return (head + position, tail - position)
  }

  /// What is there of a stream of `total` bytes, of which the first `kept` ones went to the file; nil: as many as are
  /// there.
  static func bytes(_ path: String, total: Int, kept: Int?) -> OutputBytes {
    guard total > 0 else { return OutputBytes([]) }
    let size = (try? Descriptor.open(path, O_RDONLY).size()) ?? 0
    let kept = min(kept ?? size, total)
    let ranges = kept <= limit ? [0..<kept] : [0..<head, kept - tail..<kept]
    return OutputBytes(total: total, kept: ranges) { range in read(path, range) }
  }

  /// A part of the stream; less if the file has less, nil if there is no file.
  private static func read(_ path: String, _ range: Range<Int>) -> [UInt8]? {
    do throws(PosixError) {
      let file = try Descriptor.open(path, O_RDONLY)
      var bytes: [UInt8] = []
      var place = range.lowerBound
      while place < range.upperBound {
        let (offset, room) = self.place(after: place)
        let wanted = min(room, range.upperBound - place)
        let part = try file.read(at: offset, limit: wanted)
        if bytes.isEmpty { bytes = part } else { bytes += part }
        place += part.count
        if part.count < wanted { break }
      }
      return bytes
    } catch {
      return nil
    }
  }
}

import Glibc
import Posix

/// How one stream of a script is kept in a file: the first 32 MiB, and after them, in a ring, the last 32.
enum ScriptOutput {
  /// Kept on the disk, and what expressions read.
  static let limit = head + tail
  static let head = 32 << 20
  static let tail = 32 << 20

  /// Where the byte after the first `kept` ones goes, and how many have room in one piece from there.
  static func place(after kept: Int) -> (offset: Int, room: Int) {
    if kept < head { return (kept, head - kept) }
    let position = (kept - head) % tail
    return (head + position, tail - position)
  }

  /// What is there of a stream of `total` bytes, of which all but the last `total - kept` reached the file; a marker
  /// stands wherever something is missing.
  static func read(_ path: String, total: Int, kept: Int?) -> [UInt8] {
    guard total > 0 else { return [] }
    do throws(PosixError) {
      let file = try Descriptor.open(path, O_RDONLY)
      let size = min(try file.size(), total)
      let kept = kept ?? size
      let rest = total > kept ? marker(leftOut: total - kept) : []
      if kept <= limit { return try file.read(at: 0, limit: kept) + rest }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(limit + 64)
      bytes += try file.read(at: 0, limit: head)
      bytes += marker(leftOut: kept - limit)
      // The oldest byte of the ring is where the next one would go.
      let (oldest, count) = place(after: kept)
      bytes += try file.read(at: oldest, limit: count)
      bytes += try file.read(at: head, limit: tail - count)
      return bytes + rest
    } catch {
      return marker(leftOut: total)
    }
  }

  /// Where output is missing, in the place where it is missing.
  static func marker(leftOut count: Int) -> [UInt8] { Array("\n[\(count) bytes left out]\n".utf8) }
}

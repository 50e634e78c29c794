/// One of the two streams that a script writes.
public enum OutputStream: String, Sendable, CaseIterable {
  case stdout, stderr
}

/// How much of a stream is kept, and what stands where something is missing.
public enum OutputLimit {
  /// Bytes of each stream, counted before they are masked.
  public static let limit = head + tail
  /// The first ones are kept.
  public static let head = 32 << 20
  /// The last ones are kept.
  public static let tail = 32 << 20
  /// A stream of more bytes lies in the journal by reference; a shorter one as its text.
  public static let inline = 32 << 10

  /// Where output is missing, in the place where it is missing.
  public static func marker(leftOut count: Int) -> [UInt8] { Array("\n[\(count) bytes left out]\n".utf8) }
}

/// Takes the output of a step while the step runs, and stores it masked. The reader of a script's output, on this
/// machine or another, delivers the bytes in order, and goes on at `position` after a crash.
///
/// All members block while they mask and store: more than 64 KiB are delivered on a separate thread. No member fails:
/// the output says how many bytes could not be stored.
public protocol OutputSink: Sendable {
  /// How many bytes of the stream need not be delivered again, counted from its first. Bytes of an earlier process
  /// of the same attempt count.
  func position(of stream: OutputStream) -> Int
  /// - Parameter offset: how many bytes the script wrote to this stream before these. Bytes before `position` are
  ///   ignored; beyond it, the bytes between are recorded as left out.
  func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int)
  /// Lets others read the whole lines that were taken.
  func publish()
  /// The stream has ended, and the script wrote `total` bytes to it. The bytes are stored before this returns, or with
  /// the step's outcome if they are few.
  func finish(_ stream: OutputStream, total: Int)
}

/// The stored bytes of one stream of a script that has ended; read only when they are needed.
public struct OutputBytes: Sendable {
  /// Bytes that were written.
  public let total: Int
  /// The stretches that are kept, by their place in the stream, in order.
  public let kept: [Range<Int>]
  private let reader: @Sendable (Range<Int>) -> [UInt8]?

  /// - Parameter read: the bytes of a part of one of `kept`; fewer if they are missing; nil if nothing can be read any
  ///   more.
  public init(total: Int, kept: [Range<Int>], read: @escaping @Sendable (Range<Int>) -> [UInt8]?) {
    self.total = total
    self.kept = kept.filter { !$0.isEmpty }
    reader = read
  }

  public init(_ bytes: [UInt8]) {
    self.init(total: bytes.count, kept: [0..<bytes.count]) { range in Array(bytes[range]) }
  }

  /// Of the text that `all` gives, if every byte that is kept can be read.
  public var count: Int {
    var count = 0
    var end = 0
    for range in kept + [total..<total] {
      if range.lowerBound > end { count += OutputLimit.marker(leftOut: range.lowerBound - end).count }
      count += range.count
      end = range.upperBound
    }
    return count
  }

  public func read(_ range: Range<Int>) -> [UInt8]? { reader(range) }

  /// All that is kept, with a marker wherever something is missing; nil if it cannot be read any more.
  public func all() -> [UInt8]? {
    if kept == [0..<total] { return whole() }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var end = 0
    for range in kept + [total..<total] {
      var part: [UInt8] = []
      if !range.isEmpty {
        guard let read = reader(range) else { return nil }
        part = read
      }
      if range.lowerBound > end { bytes += OutputLimit.marker(leftOut: range.lowerBound - end) }
      bytes += part
      // What the file has lost is missing behind what it has.
      end = range.lowerBound + part.count
    }
    return bytes
  }

  private func whole() -> [UInt8]? {
    guard total > 0 else { return [] }
    guard let bytes = reader(0..<total) else { return nil }
    return bytes.count == total ? bytes : bytes + OutputLimit.marker(leftOut: total - bytes.count)
  }

  /// The last bytes, at most `limit`, up to the last marker.
  public func end(limit: Int) -> [UInt8] {
    guard let last = kept.last, last.upperBound == total else { return [] }
    return reader(max(last.lowerBound, total - limit)..<total) ?? []
  }

  /// Hands over what the sink does not have yet.
  public func hand(over stream: OutputStream, to sink: any OutputSink) {
    var position = sink.position(of: stream)
    for range in kept {
      position = max(position, range.lowerBound)
      while position < range.upperBound {
        guard let bytes = reader(position..<min(position + (1 << 20), range.upperBound)), !bytes.isEmpty else { break }
        sink.take(bytes, of: stream, at: position)
        position += bytes.count
      }
    }
    sink.finish(stream, total: total)
  }
}

extension OutputBytes: Equatable {
  /// Of what can be read.
  public static func == (left: OutputBytes, right: OutputBytes) -> Bool {
    left.total == right.total && left.all() == right.all()
  }
}

/// A text too long for the journal: a whole stream of a script's output. The value holds a reference; the text is read
/// when an expression needs it, where it is a text like every other.
public final class StoredText: Sendable {
  /// Why the text cannot be had.
  public enum Failure: Error, Sendable {
    /// It holds these secrets, of which one has changed or is gone.
    case lost([String])
    case unreadable(String)
  }

  /// Of the attempt that wrote it (`ActionCall.key`); empty before it is known.
  public let key: String
  public let stream: OutputStream
  /// In bytes, of the text.
  public let count: Int
  /// What a person sees of it: its beginning, masked, and a marker.
  public let shown: String
  /// Names of secrets that may be in it, sorted.
  public let secrets: [String]
  private let load: @Sendable () -> Result<String, Failure>

  public init(
    key: String = "", stream: OutputStream, count: Int, shown: String = "", secrets: [String] = [],
    load: @escaping @Sendable () -> Result<String, Failure>
  ) {
    self.key = key
    self.stream = stream
    self.count = count
    self.shown = shown
    self.secrets = secrets
    self.load = load
  }

  /// The true text; read anew each time.
  public func text() throws(Failure) -> String { try load().get() }

  /// As text: without one trailing newline; bytes that are no UTF-8 become U+FFFD.
  public static func text(of bytes: [UInt8]) -> String {
    String(decoding: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}

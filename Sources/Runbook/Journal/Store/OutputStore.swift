/// Whose output it is.
public struct OutputPlace: Sendable, Equatable, Hashable {
  /// Of the attempt (`ActionCall.key`): no two attempts of a store have the same.
  public var key: String
  public var stream: OutputStream
  /// The step's path.
  public var step: String
  public var attempt: Int
  public init(key: String, stream: OutputStream, step: String, attempt: Int) {
    self.key = key
    self.stream = stream
    self.step = step
    self.attempt = attempt
  }
}

/// Masked output on its way into a store: whole lines, unless a line is very long or the last one.
public struct OutputWrite: Sendable, Equatable {
  public var place: OutputPlace
  /// Of its first byte, counted in bytes of the stream as they were written.
  public var first: Int64
  /// The same, of the byte behind its last one.
  public var end: Int64
  /// That many bytes behind it are hidden by its last mask already.
  public var hiddenAhead: Int64 = 0
  public var body: [UInt8]
  /// What is hidden in it, one JSON list a line, with places counted from the first masked byte of the stream.
  public var marks: [UInt8] = []
  /// Line breaks in it.
  public var lines: Int64
  /// Bytes that were written to the stream, once it has ended.
  public var total: Int64?
  public init(place: OutputPlace, first: Int64, end: Int64, body: [UInt8], lines: Int64, total: Int64? = nil) {
    self.place = place
    self.first = first
    self.end = end
    self.body = body
    self.lines = lines
    self.total = total
  }
}

/// What a store has of one stream.
public struct StoredStream: Sendable, Equatable {
  public var place: OutputPlace
  /// Up to here it has been taken, in bytes as they were written.
  public var end: Int64
  public var hiddenAhead: Int64
  /// Masked bytes and line breaks taken so far, those included that were dropped from the middle since.
  public var bytes: Int64
  public var lines: Int64
  /// Bytes that were written, once it has ended.
  public var total: Int64?
  public init(place: OutputPlace, end: Int64, hiddenAhead: Int64, bytes: Int64, lines: Int64, total: Int64?) {
    self.place = place
    self.end = end
    self.hiddenAhead = hiddenAhead
    self.bytes = bytes
    self.lines = lines
    self.total = total
  }
}

/// A stretch of a stream as a store keeps it.
public struct OutputChunk: Sendable, Equatable {
  /// Of its first byte and behind its last one, in bytes as they were written.
  public var first: Int64
  public var end: Int64
  /// Of its first masked byte, and the number of line breaks before it.
  public var firstByte: Int64
  public var firstLine: Int64
  public var lines: Int64
  public var body: [UInt8]
  public var marks: [UInt8]
  public init(
    first: Int64, end: Int64, firstByte: Int64, firstLine: Int64, lines: Int64, body: [UInt8], marks: [UInt8]
  ) {
    self.first = first
    self.end = end
    self.firstByte = firstByte
    self.firstLine = firstLine
    self.lines = lines
    self.body = body
    self.marks = marks
  }
}

/// Where the masked output of scripts is kept. Anybody reads it while it is written.
///
/// Its members are synchronous, unlike those of the other contracts of a store: an expression reads a long text in the
/// middle of its evaluation, and a host of scripts hands over what a script writes from a thread of its own.
public protocol OutputStore: Sendable {
  /// Adds to the streams of a run that its owner of `epoch` writes. Uses no space that is held back for outcomes.
  /// - Throws: `fenced`, and `diskFull`; then nothing was written.
  func appendOutput(_ writes: [OutputWrite], to runID: String, epoch: Int64) throws(StoreFailure)
  /// All streams of a run of which something was written, in the order in which they began.
  func outputStreams(of runID: String) throws(StoreFailure) -> [StoredStream]
  /// nil: nothing of it was written.
  func outputStream(_ key: String, _ stream: OutputStream) throws(StoreFailure) -> StoredStream?
  /// The chunk that holds the masked byte `position`, or else the next one; nil: there is none yet.
  func outputChunk(_ key: String, _ stream: OutputStream, from position: Int64) throws(StoreFailure) -> OutputChunk?
  /// The chunk that holds line `line`, counted from 0, or else the last one before it.
  func outputChunk(_ key: String, _ stream: OutputStream, line: Int64) throws(StoreFailure) -> OutputChunk?
  /// Gives a run, which its owner of `epoch` writes, a copy of streams of another run.
  func copyOutput(_ keys: [String], to runID: String, epoch: Int64) throws(StoreFailure)
}

extension OutputWrite {
  /// A chunk grows up to this size; what is longer becomes chunks of its own.
  public static let chunk = 256 << 10
}

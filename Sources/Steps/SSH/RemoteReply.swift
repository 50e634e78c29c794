import Runbook
import Synchronization

/// How the other side's answer to one order ends.
enum RemoteAnswer: Sendable, Equatable {
  /// `code` is nil when the keeper did not live to see it.
  case ended(code: Int32?, cause: String)
  /// It was not started, and no order that was sent before this one starts it any more.
  case absent
  /// It was started, nothing of it runs, and how it ended is not known.
  case lost
  /// The machine was booted while it ran.
  case rebooted
  /// It goes on, or there is more to read: ask again.
  case goesOn
  /// Nothing was done; why.
  case refused(String)
  /// Another engine has sent an order of a higher rank.
  case outranked
  /// The scripts that are kept there.
  case listed([KeptRemoteScript])
}

/// Reads the answer to one order: after its mark lines of one letter and its words, and counted bytes.
struct RemoteReply {
  private enum State: Equatable {
    case beforeMark
    case line
    case bytes(left: Int)
    /// Something that none of ours has written.
    case broken
  }

  private let mark: [UInt8]
  private var state = State.beforeMark
  private var buffer: [UInt8] = []
  private var stream = OutputStream.stdout
  private var offset = 0

  /// The folder in which the script was begun; nil: not told.
  private(set) var folder: String?
  private(set) var answer: RemoteAnswer?
  /// The other side has removed the output of the earlier scripts that the order named.
  private(set) var hasForgotten = false
  private var scripts: [KeptRemoteScript] = []

  init(mark: String) { self.mark = Array("\n\(mark)\n".utf8) }

  /// The other side has read the whole order.
  var isReady: Bool { state != .beforeMark }

  static let longestLine = 64 << 10

  /// - Parameter output: handed each piece of output, with its place in its stream.
  mutating func take(_ bytes: [UInt8], output: (OutputStream, Int, ArraySlice<UInt8>) -> Void) {
    buffer += bytes
    var position = 0
    loop: while position < buffer.count {
      switch state {
      case .beforeMark:
        guard let found = buffer.firstRange(of: mark) else {
          // Of what cannot be the beginning of the mark nothing is kept.
          position = max(position, buffer.count - mark.count)
          break loop
        }
        position = found.upperBound
        state = .line
      case .line:
        guard let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) else {
          if buffer.count - position > Self.longestLine { state = .broken }
          break loop
        }
        read(String(decoding: buffer[position..<end], as: UTF8.self))
        position = end + 1
      case .bytes(let left):
        let piece = buffer[position...].prefix(left)
        output(stream, offset, piece)
        offset += piece.count
        position += piece.count
        state = piece.count == left ? .line : .bytes(left: left - piece.count)
      case .broken:
        position = buffer.count
      }
    }
    buffer.removeFirst(position)
  }

  private mutating func read(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let rest = words.count > 1 ? String(words[1]) : ""
    switch words[0] {
    case ".": break
    case "b": folder = rest
    case "o", "e":
      let numbers = rest.split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 2, numbers[0] >= 0, numbers[1] > 0 else { return state = .broken }
      (stream, offset) = (words[0] == "o" ? .stdout : .stderr, numbers[0])
      state = .bytes(left: numbers[1])
    case "x":
      let parts = rest.split(separator: " ")
      guard parts.count == 2 else { return state = .broken }
      answer = .ended(code: Int32(parts[0]), cause: String(parts[1]))
    case "a": answer = .absent
    case "l": answer = .lost
    case "r": answer = .rebooted
    case "t": answer = .goesOn
    case "g": answer = .outranked
    case "f": hasForgotten = true
    case "k":
      guard let script = KeptRemoteScript(rest) else { return state = .broken }
      scripts.append(script)
    case "d": answer = .listed(scripts)
    case "n": answer = .refused(String(rest.prefix(2000)))
    default: state = .broken
    }
  }
}

/// The two streams of a script on another machine, put together from the sessions that read them.
final class RemoteOutput: Sendable {
  private let streams = Mutex((stdout: StreamCapture(), stderr: StreamCapture()))
  /// Keeps it, masked; nil: nobody does.
  private let sink: (any OutputSink)?

  init(_ sink: (any OutputSink)?) { self.sink = sink }

  func take(_ stream: OutputStream, at offset: Int, _ bytes: ArraySlice<UInt8>) {
    streams.withLock { streams in
      switch stream {
      case .stdout: streams.stdout.take(bytes, at: offset)
      case .stderr: streams.stderr.take(bytes, at: offset)
      }
    }
    sink?.take(Array(bytes), of: stream, at: offset)
  }

  /// Lets others read what was taken.
  func publish() { sink?.publish() }

  /// The script has ended, and all of its output was taken.
  func finish() {
    let (stdout, stderr) = offsets
    sink?.finish(.stdout, total: stdout)
    sink?.finish(.stderr, total: stderr)
  }

  /// Where each goes on.
  var offsets: (stdout: Int, stderr: Int) { streams.withLock { ($0.stdout.next, $0.stderr.next) } }
  var stdout: OutputBytes { streams.withLock { $0.stdout.output } }
  var stderr: OutputBytes { streams.withLock { $0.stderr.output } }
}

/// What is kept of one stream: its beginning and its end, as `ScriptOutput` keeps them on the disk.
struct StreamCapture {
  /// One after the last byte that was read or left out.
  private(set) var next = 0
  private var head: [UInt8] = []
  /// A ring once it is full: its oldest byte is at `oldest`.
  private var tail: [UInt8] = []
  private var oldest = 0
  private let headLimit: Int
  private let tailLimit: Int

  /// In bytes.
  init(head: Int = ScriptOutput.head, tail: Int = ScriptOutput.tail) {
    headLimit = head
    tailLimit = tail
  }

  /// What was read before is left out, and what was passed over is counted.
  mutating func take(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    let (end, overflow) = offset.addingReportingOverflow(bytes.count)
    guard !overflow, end > next else { return }
    let new = bytes.suffix(end - max(offset, next))
    let isGap = offset > next
    if isGap { (tail, oldest) = ([], 0) }
    next = end
    var rest = new
    if !isGap, tail.isEmpty, head.count == next - new.count {
      let part = rest.prefix(headLimit - head.count)
      head += part
      rest = rest.dropFirst(part.count)
    }
    keep(rest.suffix(tailLimit))
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    let part = bytes.prefix(tailLimit - tail.count)
    tail += part
    var rest = bytes.dropFirst(part.count)
    while !rest.isEmpty {
      let part = rest.prefix(tailLimit - oldest)
      tail.replaceSubrange(oldest..<oldest + part.count, with: part)
      oldest = (oldest + part.count) % tailLimit
      rest = rest.dropFirst(part.count)
    }
  }

  /// All of it. What nobody reads is not copied.
  var output: OutputBytes {
    let capture = self
    let last = next - tail.count
    let kept = last == head.count ? [0..<next] : [0..<head.count, last..<next]
    return OutputBytes(total: next, kept: kept) { capture.read($0) }
  }

  /// - Parameter range: of what is kept.
  private func read(_ range: Range<Int>) -> [UInt8] {
    let last = next - tail.count
    var bytes = Array(head[min(range.lowerBound, head.count)..<min(range.upperBound, head.count)])
    var place = max(range.lowerBound, last)
    while place < range.upperBound {
      let start = (oldest + place - last) % tail.count
      let count = min(range.upperBound - place, tail.count - start)
      bytes += tail[start..<start + count]
      place += count
    }
    return bytes
  }
}

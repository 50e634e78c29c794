/// What the engine and the keeper of its scripts say to each other, over a socket: frames of a length and a list of
/// byte strings. Both ends are always the same program file, so the format carries no version.
enum KeeperMessage: Equatable {
  /// Engine to keeper: start this.
  case start(KeeperOrder)
  /// Engine to keeper: end this so many milliseconds from now, whatever was said before.
  case live(key: String, milliseconds: Int)
  /// Engine to keeper: give this to the standard input of a program that awaits it, close that, and end the program so
  /// many milliseconds from now. `notAfter` is that of `KeeperOrder`: later it is given nothing, and ended.
  case feed(key: String, input: [UInt8], milliseconds: Int, notAfter: Int)
  /// Keeper to engine: it runs.
  case started(key: String, pid: Int32)
  /// Keeper to engine: it could not be started, and nothing was done. `code` is an errno.
  case refused(key: String, reason: String, code: Int32)
  /// Keeper to engine: it ended, and its end is on the disk.
  case ended(key: String, ScriptEnding)
}

/// One script to be started. Travels over the socket alone: its environment and its input never touch the disk.
struct KeeperOrder: Equatable {
  var key: String
  /// Where its output and its end are kept. It is there.
  var folder: String
  /// Found on the environment's `PATH` if the first has no `/`.
  var command: [String]
  /// `NAME=value`; complete.
  var environment: [String]
  /// Empty: the keeper's.
  var workingDirectory: String
  /// Written to its standard input; nil connects it to `/dev/null`.
  var input: [UInt8]?
  /// Kept in memory; an argument equal to `ScriptRequest.secretFilePlaceholder` becomes the path to read it by.
  var secretFile: [UInt8]?
  /// Kept in memory for our own program, which gives it to whoever asks for a password (`PasswordAnswer`).
  var password: [UInt8]?
  /// Ends with the engine, and leaves nothing on the disk but its output.
  var isAttached: Bool
  /// Then it is ended, with all that came from it; 0: never.
  var lifetimeMilliseconds: Int
  /// From TERM to KILL.
  var graceMilliseconds: Int
  /// Nanoseconds of the boot-time clock after which it must not be started any more; 0: whenever.
  var notAfter = 0
  /// Its standard input comes later, with `KeeperMessage.feed`; `input` is nil.
  var awaitsInput = false
}

extension Duration {
  /// Rounded down; at most a year, at least 0.
  var boundedMilliseconds: Int {
    let (seconds, attoseconds) = min(max(self, .zero), .seconds(366 * 86_400)).components
    return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}

extension KeeperMessage {
  static let longest = 256 << 20

  var frame: [UInt8] {
    var body: [UInt8] = []
    for part in parts {
      body.appendLength(part.count)
      body += part
    }
    var frame: [UInt8] = []
    frame.reserveCapacity(body.count + 4)
    frame.appendLength(body.count)
    return frame + body
  }

  private var parts: [[UInt8]] {
    switch self {
    case .start(let order):
      [
        text("start"), text(order.key), text(order.folder), text(order.workingDirectory),
        text(order.isAttached ? "1" : "0"),
        text("\(order.lifetimeMilliseconds) \(order.graceMilliseconds) \(order.notAfter)"),
        text(order.awaitsInput ? "2" : order.input == nil ? "0" : "1"),
        order.input ?? [],
        text(order.secretFile == nil ? "0" : "1"), order.secretFile ?? [],
        text(order.password == nil ? "0" : "1"), order.password ?? [], text(String(order.command.count)),
      ] + order.command.map(text) + order.environment.map(text)
    case .live(let key, let milliseconds): [text("live"), text(key), text(String(milliseconds))]
    case .feed(let key, let input, let milliseconds, let notAfter):
      [text("feed"), text(key), text("\(milliseconds) \(notAfter)"), input]
    case .started(let key, let pid): [text("started"), text(key), text(String(pid))]
    case .refused(let key, let reason, let code): [text("refused"), text(key), text(reason), text(String(code))]
    case .ended(let key, let ending): [text("ended"), text(key), text(ending.line)]
    }
  }

  private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

  /// nil for anything that is none of ours.
  init?(parts: [ArraySlice<UInt8>]) {
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    switch (texts.first, texts.count) {
    case ("start", 13...):
      let times = texts[5].split(separator: " ").compactMap { Int($0) }
      guard times.count == 3, let count = Int(texts[12]), count >= 1, count <= texts.count - 13 else { return nil }
      self = .start(
        KeeperOrder(
          key: texts[1], folder: texts[2], command: Array(texts[13..<(13 + count)]),
          environment: Array(texts[(13 + count)...]), workingDirectory: texts[3],
          input: texts[6] == "1" ? Array(parts[7]) : nil, secretFile: texts[8] == "1" ? Array(parts[9]) : nil,
          password: texts[10] == "1" ? Array(parts[11]) : nil, isAttached: texts[4] == "1",
          lifetimeMilliseconds: times[0],
          graceMilliseconds: times[1], notAfter: times[2], awaitsInput: texts[6] == "2"))
    case ("live", 3):
      guard let milliseconds = Int(texts[2]), milliseconds >= 0 else { return nil }
      self = .live(key: texts[1], milliseconds: milliseconds)
    case ("feed", 4):
      let times = texts[2].split(separator: " ").compactMap { Int($0) }
      guard times.count == 2, times[0] >= 0, times[1] >= 0 else { return nil }
      self = .feed(key: texts[1], input: Array(parts[3]), milliseconds: times[0], notAfter: times[1])
    case ("started", 3):
      guard let pid = Int32(texts[2]) else { return nil }
      self = .started(key: texts[1], pid: pid)
    case ("refused", 4):
      guard let code = Int32(texts[3]) else { return nil }
      self = .refused(key: texts[1], reason: texts[2], code: code)
    case ("ended", 3):
      guard let ending = ScriptEnding(line: texts[2]) else { return nil }
      self = .ended(key: texts[1], ending)
    default: return nil
    }
  }
}

/// Cuts a stream of bytes into messages.
struct FrameReader {
  struct Malformed: Error {}
  private var buffer: [UInt8] = []

  mutating func append(_ bytes: [UInt8]) { buffer += bytes }

  /// The next whole message; nil if there is none yet.
  mutating func next() throws(Malformed) -> KeeperMessage? {
    guard buffer.count >= 4 else { return nil }
    let length = buffer[0..<4].length
    guard length <= KeeperMessage.longest else { throw Malformed() }
    guard buffer.count >= 4 + length else { return nil }
    var parts: [ArraySlice<UInt8>] = []
    var position = 4
    while position < 4 + length {
      guard position + 4 <= 4 + length else { throw Malformed() }
      let size = buffer[position..<(position + 4)].length
      position += 4
      guard size <= 4 + length - position else { throw Malformed() }
      parts.append(buffer[position..<(position + size)])
      position += size
    }
    guard let message = KeeperMessage(parts: parts) else { throw Malformed() }
    buffer.removeFirst(4 + length)
    return message
  }
}

extension [UInt8] {
  fileprivate mutating func appendLength(_ length: Int) {
    for shift in [0, 8, 16, 24] { append(UInt8(truncatingIfNeeded: length >> shift)) }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var length: Int { reversed().reduce(0) { $0 << 8 | Int($1) } }
}

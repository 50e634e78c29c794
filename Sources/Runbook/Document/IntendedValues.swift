/// The values on one line as a person reads them: quotes, brackets and parentheses are balanced, whatever YAML thinks.
struct IntendedValues {
  struct Value {
    var bytes: ArraySlice<UInt8>
    var isInFlow: Bool
  }

  /// Why YAML reads a value differently; the raw value ends the sentence "YAML does not read it as one value: …".
  enum Reason: String {
    case tag = "a leading `!` is a tag"
    case quote = "it goes on after the closing quote"
    case bracket = "a leading `[` or `{` begins a list or map"
    case indicator = "its first character has a meaning of its own in YAML"
    case colon = "a colon and a space begin a value"
    case comment = "a space and `#` begin a comment"
    case comma = "inside `{ }` and `[ ]` it ends at the first comma or bracket"
  }

  /// Longer lines are nobody's handwriting.
  private static let lineLimit = 64 * 1024
  private(set) var values: [Value] = []
  private let line: ArraySlice<UInt8>

  init(on line: ArraySlice<UInt8>, startsInFlow: Bool) {
    self.line = line
    guard line.count <= IntendedValues.lineLimit else { return }
    var position = skipSpaces(line.startIndex)
    let isItem = line[position...].starts(with: Array("- ".utf8))
    if startsInFlow, !isItem {
      readFlow(&position, depth: 0)
      return
    }
    while position + 1 < line.endIndex, line[position] == UInt8(ascii: "-"), line[position + 1] == 0x20 {
      position = skipSpaces(position + 1)
    }
    position = afterKey(position) ?? position
    readValue(&position, inFlow: false, depth: 0)
  }

  private mutating func readValue(_ position: inout Int, inFlow: Bool, depth: Int) {
    guard position < line.endIndex, depth < 16 else { return }
    let value = IntendedValues.value(in: line, from: position, inFlow: inFlow)
    let first = line[position]
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), IntendedValues.closesAtEnd(value.bytes) != false {
      position += 1
      readFlow(&position, depth: depth + 1)
    } else {
      values.append(value)
      position = value.bytes.endIndex
    }
  }

  private mutating func readFlow(_ position: inout Int, depth: Int) {
    while position < line.endIndex {
      position = skipSpaces(position)
      guard position < line.endIndex else { return }
      switch line[position] {
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        position += 1
        return
      case UInt8(ascii: ","): position += 1
      default:
        let start = position
        position = afterKey(position) ?? position
        readValue(&position, inFlow: true, depth: depth)
        if position == start { return }
      }
    }
  }

  private func skipSpaces(_ position: Int) -> Int {
    line[position...].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? line.endIndex
  }

  /// Where the value begins, if a key and a colon stand here.
  private func afterKey(_ position: Int) -> Int? {
    guard let end = IntendedValues.keyEnd(line, position) else { return nil }
    return skipSpaces(end)
  }

  private static func keyEnd(_ line: ArraySlice<UInt8>, _ position: Int) -> Int? {
    var end = position
    if end < line.endIndex, line[end] == UInt8(ascii: "\"") || line[end] == UInt8(ascii: "'") {
      guard let close = line[(end + 1)...].firstIndex(of: line[end]) else { return nil }
      end = close + 1
    } else {
      while end < line.endIndex, isKeyByte(line[end]) { end += 1 }
    }
    guard end > position, end < line.endIndex, line[end] == UInt8(ascii: ":") else { return nil }
    guard end + 1 == line.endIndex || line[end + 1] == 0x20 || line[end + 1] == 0x09 else { return nil }
    return end + 1
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "*"):
      true
    default: false
    }
  }
}

// MARK: - One value

extension IntendedValues {
  /// From `start` to where a person sees its end: in flow the next comma or bracket outside quotes and brackets, else
  /// the end of the line or a comment outside quotes.
  static func value(in line: ArraySlice<UInt8>, from start: Int, inFlow: Bool) -> Value {
    var position = start
    var depth = 0
    var quote: UInt8?
    scan: while position < line.endIndex {
      let byte = line[position]
      if let open = quote {
        if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\"") { position += 1 } else if byte == open { quote = nil }
      } else {
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
          if depth == 0, inFlow, byte != UInt8(ascii: ")") { break scan }
          depth = max(0, depth - 1)
        case UInt8(ascii: ","): if depth == 0, inFlow { break scan }
        case UInt8(ascii: "#"): if position > start, line[position - 1] == 0x20 { break scan }
        default: break
        }
      }
      position += 1
    }
    return trimmed(line[start..<min(position, line.endIndex)], inFlow: inFlow)
  }

  /// As `value` in flow, but goes on over commas that no key follows.
  static func valueOverCommas(in line: ArraySlice<UInt8>, from start: Int) -> Value {
    var value = value(in: line, from: start, inFlow: true)
    while true {
      let comma = line[value.bytes.endIndex...].firstIndex { $0 != 0x20 } ?? line.endIndex
      guard comma < line.endIndex, line[comma] == UInt8(ascii: ",") else { return value }
      let next = line[(comma + 1)...].firstIndex { $0 != 0x20 } ?? line.endIndex
      guard next < line.endIndex, keyEnd(line, next) == nil else { return value }
      let more = Self.value(in: line, from: next, inFlow: true)
      guard more.bytes.endIndex > next else { return value }
      value.bytes = line[start..<more.bytes.endIndex]
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>, inFlow: Bool) -> Value {
    var bytes = bytes
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return Value(bytes: bytes, isInFlow: inFlow)
  }

  /// Whether the bracket or quote that a text begins with is closed by its last character; nil if it is never closed.
  private static func closesAtEnd(_ bytes: ArraySlice<UInt8>) -> Bool? {
    guard let first = bytes.first else { return nil }
    if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
      var position = bytes.startIndex + 1
      while position < bytes.endIndex {
        let byte = bytes[position]
        if byte == UInt8(ascii: "\\"), first == UInt8(ascii: "\"") {
          position += 1
        } else if byte == first {
          let isDoubled = first == UInt8(ascii: "'") && position + 1 < bytes.endIndex && bytes[position + 1] == first
          guard isDoubled else { return position == bytes.endIndex - 1 }
          position += 1
        }
        position += 1
      }
      return nil
    }
    var depth = 0
    for (position, byte) in zip(bytes.indices, bytes) {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
      if depth == 0 { return position == bytes.endIndex - 1 }
    }
    return nil
  }

  /// nil: YAML reads it as one value, too.
  static func reason(_ value: Value) -> Reason? {
    let bytes = value.bytes
    guard let first = bytes.first else { return nil }
    switch first {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return closesAtEnd(bytes) == false ? .quote : nil
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      return closesAtEnd(bytes) == false ? .bracket : nil
    case UInt8(ascii: "!"): return .tag
    case UInt8(ascii: "|"), UInt8(ascii: ">"): return bytes.count > 3 ? .indicator : nil
    case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: "`"):
      return .indicator
    default: break
    }
    for (position, byte) in zip(bytes.indices, bytes) {
      let next = position + 1 < bytes.endIndex ? bytes[position + 1] : 0x20
      if byte == UInt8(ascii: ":"), next == 0x20 { return .colon }
      if byte == 0x20, next == UInt8(ascii: "#") { return .comment }
      if value.isInFlow {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","):
          return .comma
        default: break
        }
      }
    }
    return nil
  }
}

/// A text read with its escapes undone.
enum EscapedReading: Sendable {
  case json
  case percent
  /// As `percent`, and `+` is a space.
  case form

  /// The result of reading one byte or one escape.
  struct Step {
    /// Up to four bytes, the first one lowest.
    var bytes: UInt32
    var count: Int
    /// Bytes read.
    var length: Int

    init(_ byte: UInt8, length: Int) {
      bytes = UInt32(byte)
      count = 1
      self.length = length
    }

    init(_ scalar: Unicode.Scalar, length: Int) {
      bytes = 0
      count = 0
      self.length = length
      for byte in String(scalar).utf8 {
        bytes |= UInt32(byte) << UInt32(8 * count)
        count += 1
      }
    }
  }

  /// An escape that is broken, or whose digits are of both cases, is read as it is written.
  @inline(__always)
  func step(_ text: Span<UInt8>, at place: Int) -> Step {
    let byte = text[place]
    switch (self, byte) {
    case (.json, UInt8(ascii: "\\")): return EscapedReading.json(text, at: place) ?? Step(byte, length: 1)
    case (.percent, UInt8(ascii: "%")), (.form, UInt8(ascii: "%")):
      return EscapedReading.digits(text, from: place + 1, count: 2).flatMap { UInt8(exactly: $0.value) }
        .map { Step($0, length: 3) } ?? Step(byte, length: 1)
    case (.form, UInt8(ascii: "+")): return Step(0x20, length: 1)
    default: return Step(byte, length: 1)
    }
  }

  private static func json(_ text: Span<UInt8>, at place: Int) -> Step? {
    guard place + 1 < text.count else { return nil }
    switch text[place + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Step(text[place + 1], length: 2)
    case UInt8(ascii: "n"): return Step(0x0a, length: 2)
    case UInt8(ascii: "r"): return Step(0x0d, length: 2)
    case UInt8(ascii: "t"): return Step(0x09, length: 2)
    case UInt8(ascii: "b"): return Step(0x08, length: 2)
    case UInt8(ascii: "f"): return Step(0x0c, length: 2)
    case UInt8(ascii: "u"): return unicode(text, at: place)
    default: return nil
    }
  }

  private static func unicode(_ text: Span<UInt8>, at place: Int) -> Step? {
    guard let first = digits(text, from: place + 2, count: 4) else { return nil }
    if let scalar = Unicode.Scalar(first.value) { return Step(scalar, length: 6) }
    guard (0xd800..<0xdc00).contains(first.value), place + 12 <= text.count, text[place + 6] == UInt8(ascii: "\\"),
      text[place + 7] == UInt8(ascii: "u"), let second = digits(text, from: place + 8, count: 4),
      (0xdc00..<0xe000).contains(second.value), !(first.isUpper && second.isLower), !(first.isLower && second.isUpper),
      let scalar = Unicode.Scalar(0x10000 + ((first.value - 0xd800) << 10) + (second.value - 0xdc00))
    else { return nil }
    return Step(scalar, length: 12)
  }

  private static func digits(
    _ text: Span<UInt8>, from place: Int, count: Int
  ) -> (value: UInt32, isLower: Bool, isUpper: Bool)? {
    guard place + count <= text.count else { return nil }
    var found: (value: UInt32, isLower: Bool, isUpper: Bool) = (0, false, false)
    for index in place..<place + count {
      let byte = text[index]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46:
        digit = byte - 0x41 + 10
        found.isUpper = true
      case 0x61...0x66:
        digit = byte - 0x61 + 10
        found.isLower = true
      default: return nil
      }
      found.value = found.value << 4 | UInt32(digit)
    }
    return found.isLower && found.isUpper ? nil : found
  }
}

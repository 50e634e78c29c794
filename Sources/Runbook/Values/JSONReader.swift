/// Why a text is not JSON we accept.
public struct JSONError: Error, Sendable, Equatable {
  public let message: String
  /// Offset in bytes.
  public let offset: Int
}

/// Strict JSON (RFC 8259) to `Value`: `1` is an int, `1.0` a double. A whole number that neither holds digit by digit
/// (`18446744073709551615`, `12345678901234567890.0`) is its text: never another number. Refused: duplicate keys, lone
/// surrogates, numbers that overflow a double, invalid UTF-8, trailing bytes, more than `depthLimit` levels.
public struct JSONReader {
  public static let depthLimit = 64
  private let bytes: [UInt8]
  private var position = 0

  public static func read(_ bytes: [UInt8]) throws(JSONError) -> Value {
    try whole(bytes) { reader throws(JSONError) in try reader.value(depth: 0) }
  }

  public static func read(_ text: String) throws(JSONError) -> Value { try read(Array(text.utf8)) }

  /// For an object with a list that may be long: hands over each element of the list under `key` once it is read, and
  /// keeps none of them, so that the list is never there as a whole. What is broken further on is found only later.
  /// - Returns: the rest, with an empty list under `key`; if there is no list under it, just what `read` returns.
  public static func read(
    _ bytes: [UInt8], handingOver key: String, to take: (Value) -> Void
  ) throws(JSONError) -> Value {
    try whole(bytes) { reader throws(JSONError) in
      guard reader.current == UInt8(ascii: "{") else { return try reader.value(depth: 0) }
      return try reader.object { reader, found throws(JSONError) in
        guard found == key, reader.current == UInt8(ascii: "[") else { return try reader.value(depth: 1) }
        try reader.array(depth: 1, take)
        return .list([])
      }
    }
  }

  private static func whole(
    _ bytes: [UInt8], _ read: (inout JSONReader) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    var reader = JSONReader(bytes: bytes)
    // RFC 8259, 8.1: a byte-order mark may be ignored.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.position = 3 }
    reader.skipSpace()
    let value = try read(&reader)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.failure("there is more after the end of the JSON value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func value(depth: Int) throws(JSONError) -> Value {
    guard depth < JSONReader.depthLimit else { throw failure("more than \(JSONReader.depthLimit) levels") }
    switch current {
    case nil: throw failure("the JSON text ends too early")
    case UInt8(ascii: "{"):
      return try object { reader, _ throws(JSONError) in try reader.value(depth: depth + 1) }
    case UInt8(ascii: "["):
      var items: [Value] = []
      try array(depth: depth) { items.append($0) }
      return .list(items)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ text: StaticString, _ value: Value) throws(JSONError) -> Value {
    for byte in text.description.utf8 {
      guard current == byte else { throw failure("not a JSON value") }
      position += 1
    }
    return value
  }

  /// - Parameter read: the value of this key, which begins here.
  private mutating func object(
    _ read: (inout JSONReader, String) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    position += 1
    var entries: [String: Value] = [:]
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .map(entries)
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw failure("expected `:`") }
      position += 1
      skipSpace()
      let value = try read(&self, key)
      guard entries.updateValue(value, forKey: key) == nil else { throw failure("a key stands twice in one object") }
      skipSpace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return .map(entries)
      default: throw failure("expected `,` or `}`")
      }
    }
  }

  private mutating func array(depth: Int, _ take: (Value) -> Void) throws(JSONError) {
    position += 1
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return
    }
    while true {
      skipSpace()
      take(try value(depth: depth + 1))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return
      default: throw failure("expected `,` or `]`")
      }
    }
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    // Most have nothing to unescape.
    while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    if current == UInt8(ascii: "\"") {
      position += 1
      return try utf8(bytes[start..<position - 1])
    }
    var text = Array(bytes[start..<position])
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try utf8(text[...])
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("a control character in a string")
      default: text.append(byte)
      }
    }
    throw failure("the string does not end")
  }

  private func utf8(_ text: ArraySlice<UInt8>) throws(JSONError) -> String {
    guard let string = String(validating: text, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = current else { throw failure("the string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexQuad()
      if (0xd800..<0xdc00).contains(code) {
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
          bytes[position + 1] == UInt8(ascii: "u")
        else { throw failure("half of a surrogate pair") }
        position += 2
        let low = try hexQuad()
        guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      text.append(contentsOf: Character(scalar).utf8)
    default: throw failure("unknown escape")
    }
  }

  private mutating func hexQuad() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private mutating func number() throws(JSONError) -> Value {
    let start = position
    var isWhole = true
    if current == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    try digits()
    if position - firstDigit > 1, bytes[firstDigit] == UInt8(ascii: "0") {
      throw failure("a number may not begin with 0")
    }
    if current == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try digits()
    }
    if let byte = current, byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if let sign = current, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, Int64(text) == nil, PlantedMistake.numbersRounded.isMade { return .double(Double(text) ?? 0) }
    if isWhole { return Int64(text).map { .int($0) } ?? .string(text) }
    guard let number = Double(text), number.isFinite else { throw failure("the number is too large") }
    return WholeNumberText.isRounded(text, as: number) ? .string(text) : .double(number)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
    guard position > start else { throw failure("not a JSON value") }
  }
}

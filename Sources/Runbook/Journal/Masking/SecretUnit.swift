/// A text that is searched for: a secret, or a part of it that is often printed alone.
struct SecretUnit: Sendable {
  let name: String
  /// Stands before every form of it: "", `trim.`, `line3.`.
  let prefix: String
  let bytes: [UInt8]

  /// Shortest line of a longer secret that is searched for by itself, in bytes.
  private static let shortestLine = 8

  /// The text itself, without surrounding space, and line by line: a key of many lines is often printed so.
  static func all(of text: String, named name: String) -> [SecretUnit] {
    let bytes = Array(text.utf8)
    var units = [SecretUnit(name: name, prefix: "", bytes: bytes)]
    func add(_ prefix: String, _ part: ArraySlice<UInt8>) {
      let isKnown = units.contains { $0.bytes.elementsEqual(part) }
      if !isKnown, part.count >= shortestLine || isLongEnough(part) && isOnly(part, of: bytes) {
        units.append(SecretUnit(name: name, prefix: prefix, bytes: Array(part)))
      }
    }
    add("trim.", trimmed(bytes[...]))
    for (index, line) in lines(of: bytes).enumerated() { add("line\(index + 1).", trimmed(line)) }
    return units
  }

  /// The part that a prefix stands for.
  static func part(_ prefix: Substring, of bytes: [UInt8]) -> [UInt8]? {
    if prefix.isEmpty { return bytes }
    if prefix == "trim." { return Array(trimmed(bytes[...])) }
    guard prefix.hasPrefix("line"), let number = Int(prefix.dropFirst(4).dropLast()) else { return nil }
    let all = lines(of: bytes)
    return number >= 1 && number <= all.count ? Array(trimmed(all[number - 1])) : nil
  }

  private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var part = bytes
    while let byte = part.first, isSpace(byte) { part = part.dropFirst() }
    while let byte = part.last, isSpace(byte) { part = part.dropLast() }
    return part
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  private static func isLongEnough(_ part: ArraySlice<UInt8>) -> Bool {
    String(decoding: part, as: UTF8.self).unicodeScalars.count >= Masker.shortest
  }

  /// Beside it there is only space.
  private static func isOnly(_ part: ArraySlice<UInt8>, of bytes: [UInt8]) -> Bool {
    bytes.count { !isSpace($0) } == part.count { !isSpace($0) }
  }
}

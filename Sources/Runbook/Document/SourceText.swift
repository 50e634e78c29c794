/// The bytes of a file that are certainly text: UTF-8 without a byte-order mark, without control characters, at most 4
/// MiB. Knows where its lines begin, so that a place can be turned into the text that stands there.
public struct SourceText: Sendable {
  /// 4 MiB: a runbook of 25 000 steps.
  public static let byteLimit = 4 * 1024 * 1024

  let bytes: [UInt8]
  /// Offsets in bytes; the first is 0.
  private(set) var lineStarts: [UInt32] = [0]
  private var isASCII = true

  /// For showing lines of a file whose mistakes are known; nil if it is no text.
  public init?(showing bytes: [UInt8]) {
    do { try self.init(bytes) } catch { return nil }
  }

  /// - Throws: the first byte that is not text, with its place.
  init(_ bytes: [UInt8]) throws(Diagnostic) {
    guard bytes.count <= SourceText.byteLimit else {
      throw Diagnostic(
        .yamlSize, at: .beginning,
        "the file has \(bytes.count) bytes; at most 4 MiB (\(SourceText.byteLimit)) are read",
        hint: "split it, or move large scripts into files of their own (`script_file`)")
    }
    self.bytes = bytes
    if let encoding = SourceText.foreignEncoding(bytes) {
      throw Diagnostic(
        .yamlEncoding, at: .beginning, "the file begins with a byte-order mark (\(encoding))",
        hint: "save it as UTF-8 without a byte-order mark")
    }
    try scan()
  }

  private static func foreignEncoding(_ bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return "UTF-8" }
    if bytes.starts(with: [0xff, 0xfe]) { return "UTF-16, little endian" }
    if bytes.starts(with: [0xfe, 0xff]) { return "UTF-16, big endian" }
    return nil
  }

  /// One pass: finds the lines, and refuses what no editor shows. Plain ASCII costs one comparison a byte.
  private mutating func scan() throws(Diagnostic) {
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte >= 0x20, byte < 0x7f {
        position += 1
      } else if byte == 0x0a {
        position += 1
        lineStarts.append(UInt32(position))
      } else if byte == 0x09 {
        position += 1
      } else if byte == 0x0d {
        guard position + 1 < bytes.count, bytes[position + 1] == 0x0a else {
          throw refusal(at: position, "a carriage return without a line feed", hint: "end lines with a line feed")
        }
        position += 1
      } else if byte >= 0x80 {
        isASCII = false
        position += try multibyte(at: position)
      } else {
        throw refusal(
          at: position, "the control character \(SourceText.name(UInt32(byte)))", hint: SourceText.escapeHint)
      }
    }
  }

  private static let escapeHint = "take it out, or write it as an escape in double quotes (\"\\u0007\")"

  /// The length of the character at `position`; refuses bad UTF-8 and characters that break lines or print nothing.
  private func multibyte(at position: Int) throws(Diagnostic) -> Int {
    let lead = bytes[position]
    let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
    var scalar = UInt32(lead) & (0x7f >> UInt32(length))
    let least: UInt32 = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80
    guard lead >= 0xc2, lead <= 0xf4, position + length <= bytes.count else { throw invalid(at: position) }
    for offset in 1..<length {
      let byte = bytes[position + offset]
      guard byte & 0xc0 == 0x80 else { throw invalid(at: position) }
      scalar = scalar << 6 | UInt32(byte & 0x3f)
    }
    guard scalar >= least, Unicode.Scalar(scalar) != nil else { throw invalid(at: position) }
    let breaksLines = scalar < 0xa0 || scalar == 0x2028 || scalar == 0x2029
    let hides = scalar == 0xfeff || scalar == 0xfffe || scalar == 0xffff
    let reorders = (0x202a...0x202e).contains(scalar) || (0x2066...0x2069).contains(scalar)
    if breaksLines || hides || reorders {
      throw refusal(at: position, "the invisible character \(SourceText.name(scalar))", hint: SourceText.escapeHint)
    }
    return length
  }

  private func invalid(at position: Int) -> Diagnostic {
    let byte = String(bytes[position], radix: 16, uppercase: true)
    return Diagnostic(
      .yamlEncoding, at: SourceRange(place(ofByte: position)), "the byte 0x\(byte) is not UTF-8",
      hint: "save the file as UTF-8")
  }

  private func refusal(at position: Int, _ what: String, hint: String) -> Diagnostic {
    Diagnostic(
      .yamlCharacter, at: SourceRange(place(ofByte: position)), "\(what) does not belong in a runbook", hint: hint)
  }

  private static func name(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}

// MARK: - Places

extension SourceText {
  /// Of the line just begun or any before it.
  private func place(ofByte offset: Int) -> SourceRange.Place {
    let line = lineStarts.lastIndex { $0 <= offset } ?? 0
    let before = bytes[Int(lineStarts[line])..<offset]
    return SourceRange.Place(line: line + 1, column: before.count { $0 & 0xc0 != 0x80 } + 1)
  }

  var lineCount: Int { lineStarts.count }

  /// The bytes of a line (from 1), its end not included; empty if there is no such line.
  func line(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = Int(lineStarts[number - 1])
    var end = number < lineStarts.count ? Int(lineStarts[number]) - 1 : bytes.count
    if end > start, bytes[end - 1] == 0x0d { end -= 1 }
    return bytes[start..<end]
  }

  /// The offset in bytes of a place; at most the end of its line.
  func offset(of place: SourceRange.Place) -> Int {
    let line = line(place.line)
    if isASCII { return min(line.startIndex + place.column - 1, line.endIndex) }
    var column = 1
    var position = line.startIndex
    while position < line.endIndex, column < place.column {
      position += 1
      while position < line.endIndex, line[position] & 0xc0 == 0x80 { position += 1 }
      column += 1
    }
    return position
  }

  /// The text between two places of one line, or to the end of the line of `start`.
  func text(from start: SourceRange.Place, to end: SourceRange.Place? = nil) -> String {
    let from = offset(of: start)
    let to = end.map { offset(of: $0) } ?? line(start.line).endIndex
    return from < to ? String(decoding: bytes[from..<to], as: UTF8.self) : ""
  }
}

extension SourceRange {
  /// One character.
  init(_ place: Place) { self.init(place, Place(line: place.line, column: place.column + 1)) }
}

// MARK: - Around the document

extension SourceText {
  /// The first line with content, if it is a directive (`%YAML 1.1`). libyaml compares each `%TAG` with all others.
  var leadingDirective: SourceRange? {
    for number in 1...lineCount {
      let line = line(number)
      guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }), first != UInt8(ascii: "#") else { continue }
      guard line.first == UInt8(ascii: "%") else { return nil }
      return SourceRange(SourceRange.Place(line: number, column: 1))
    }
    return nil
  }

  /// The first line from `number` on that holds more than a comment or the end of the document (`...`).
  func content(fromLine number: Int) -> SourceRange? {
    guard number <= lineCount else { return nil }
    for number in number...lineCount {
      let line = line(number)
      guard let first = line.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }), line[first] != UInt8(ascii: "#") else {
        continue
      }
      if line.elementsEqual("...".utf8) || line.starts(with: "... ".utf8) { continue }
      return SourceRange(SourceRange.Place(line: number, column: first - line.startIndex + 1))
    }
    return nil
  }
}

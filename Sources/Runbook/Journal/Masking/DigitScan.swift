/// Flags of a byte: a digit, or a gap between digits, of base64 and of hexadecimal.
enum DigitKind {
  static let base64: UInt8 = 1
  static let base64Gap: UInt8 = 2
  static let hex: UInt8 = 4
  static let hexGap: UInt8 = 8

  static let table: [UInt8] = (0...255).map { (byte: Int) -> UInt8 in
    let byte = UInt8(byte)
    var kind: UInt8 = 0
    if Base64Form.value(byte) != nil { kind |= base64 }
    if (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte) { kind |= hex }
    if " \t\n\r".utf8.contains(byte) { kind |= base64Gap | hexGap }
    if ":-".utf8.contains(byte) { kind |= hexGap }
    return kind
  }
}

/// A text read as nothing but digits, byte by byte.
struct DigitScan {
  private let index: NeedleIndex
  private let digit: UInt8
  private let gap: UInt8
  private var window: UInt64 = 0
  /// Digits since the last byte that is neither digit nor gap.
  private var count = 0
  private var starts = InlineArray<8, Int>(repeating: 0)
  /// Of the last match of each needle.
  private var ends: [Int: Int] = [:]

  static func base64(_ index: NeedleIndex) -> DigitScan { DigitScan(index, DigitKind.base64, DigitKind.base64Gap) }
  static func hex(_ index: NeedleIndex) -> DigitScan { DigitScan(index, DigitKind.hex, DigitKind.hexGap) }

  private init(_ index: NeedleIndex, _ digit: UInt8, _ gap: UInt8) {
    self.index = index
    self.digit = digit
    self.gap = gap
  }

  /// - Returns: a needle may begin six digits back.
  @inline(__always)
  mutating func take(_ byte: UInt8, _ kind: UInt8, at place: Int) -> Bool {
    guard kind & digit != 0 else {
      if kind & gap == 0 { count = 0 }
      return false
    }
    window = (window << 8 | UInt64(byte)) & NeedleIndex.mask
    starts[count & 7] = place
    count += 1
    return index.mayBegin(with: window) && count >= NeedleIndex.width
  }

  mutating func find(in text: Span<UInt8>, of units: [SecretUnit], _ matches: inout [SecretMatch]) {
    let start = starts[(count - NeedleIndex.width) & 7]
    for candidate in index.candidates(window) {
      let needle = index.needles[candidate]
      guard start >= ends[candidate] ?? 0, let end = end(of: needle.bytes, in: text, at: start) else { continue }
      ends[candidate] = end
      switch needle.reading {
      case .plain: break
      case .hex(let isUpper):
        matches.append(SecretMatch(range: start..<end, unit: needle.unit, reading: .hex(isUpper: isUpper)))
      case .base64(let place):
        let form = Base64Form(alignment: place.alignment, isURL: place.isURL)
        let (range, whole) = form.extended(start..<end, in: text, secret: units[needle.unit].bytes)
        matches.append(SecretMatch(range: range, unit: needle.unit, reading: .base64(whole)))
      }
    }
  }

  private func end(of digits: [UInt8], in text: Span<UInt8>, at start: Int) -> Int? {
    let kinds = DigitKind.table
    var place = start
    for byte in digits {
      while place < text.count, kinds[Int(text[place])] & gap != 0, text[place] != byte { place += 1 }
      guard place < text.count, text[place] == byte else { return nil }
      place += 1
    }
    return place
  }
}

extension Base64Form {
  /// With the digits at both ends that the secret shares with its neighbours, and with the padding.
  func extended(_ range: Range<Int>, in text: Span<UInt8>, secret: [UInt8]) -> (Range<Int>, Base64Form) {
    var whole = self
    var (start, end) = (range.lowerBound, range.upperBound)
    let own = UInt8(6 - leading)
    if leading > 0, let place = Base64Form.neighbour(of: start - 1, in: text, by: -1), let first = secret.first,
      let value = Base64Form.value(text[place]), value & (1 << own - 1) == first >> (8 - own)
    {
      whole.before = value >> own
      start = place
    }
    let shared = UInt8(trailing(secret.count))
    if shared > 0, let place = Base64Form.neighbour(of: end, in: text, by: 1), let last = secret.last,
      let value = Base64Form.value(text[place]), value >> (6 - shared) == last & (1 << shared - 1)
    {
      whole.after = value & (1 << (6 - shared) - 1)
      end = place + 1
      let padding = 3 - (alignment + secret.count) % 3
      let isPadded = end + padding <= text.count && (end..<end + padding).allSatisfy { text[$0] == UInt8(ascii: "=") }
      if whole.after == 0, isPadded {
        whole.padding = padding
        end += padding
      }
    }
    let digits = (start..<end).map { text[$0] }.filter { DigitKind.table[Int($0)] & DigitKind.base64Gap == 0 }
    for isURL in [self.isURL, !self.isURL] {
      whole.isURL = isURL
      if whole.encoded(secret) == digits { return (start..<end, whole) }
    }
    return (range, self)
  }

  /// The place itself or, beyond space, the next one in this direction.
  private static func neighbour(of place: Int, in text: Span<UInt8>, by step: Int) -> Int? {
    var place = place
    while place >= 0, place < text.count, DigitKind.table[Int(text[place])] & DigitKind.base64Gap != 0 { place += step }
    return place >= 0 && place < text.count ? place : nil
  }
}

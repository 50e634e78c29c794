/// The needles of a run's secrets, and the search for them. Printing one tells nothing.
final class SecretSearch: Sendable, CustomReflectable, CustomStringConvertible {
  let units: [SecretUnit]
  /// By name, those too short to be searched for included.
  private let texts: [String: [UInt8]]
  private let plain: NeedleIndex
  private let base64: NeedleIndex
  private let hex: NeedleIndex
  private let hasSpace: Bool
  /// A secret of which a number may consist.
  let hasNumber: Bool

  init(_ units: [SecretUnit], of texts: [String: [UInt8]]) {
    self.units = units
    self.texts = texts
    var plain = NeedleIndex()
    var base64 = NeedleIndex()
    var hex = NeedleIndex()
    for (index, unit) in units.enumerated() {
      plain.add(SecretNeedle(unit: index, reading: .plain, bytes: unit.bytes))
      for isURL in [false, true] {
        for alignment in 0..<(PlantedMistake.oneAlignmentMasked.isMade ? 1 : 3) {
          guard let digits = Base64Form(alignment: alignment, isURL: isURL).encoded(unit.bytes) else { continue }
          let place = SecretNeedle.Base64Place(alignment: alignment, isURL: isURL)
          base64.add(SecretNeedle(unit: index, reading: .base64(place), bytes: digits))
        }
      }
      for isUpper in [false, true] {
        let digits = SecretForm.hexadecimal(unit.bytes, isUpper: isUpper)
        hex.add(SecretNeedle(unit: index, reading: .hex(isUpper: isUpper), bytes: digits))
      }
    }
    plain.seal()
    base64.seal()
    hex.seal()
    self.plain = plain
    self.base64 = base64
    self.hex = hex
    hasSpace = units.contains { $0.bytes.contains(0x20) }
    hasNumber = units.contains { $0.bytes.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || "+-.e".utf8.contains($0) } }
  }

  var isEmpty: Bool { units.isEmpty }
  var description: String { Secret.mask }
  var customMirror: Mirror { Mirror(self, children: [:]) }

  /// The ranges that must not be shown, in order, without overlaps.
  func ranges(in text: Span<UInt8>) -> [Range<Int>] { SecretSearch.ranges(of: matches(in: text)) }

  private static func ranges(of matches: [SecretMatch]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for match in matches {
      if let last = ranges.last, match.range.lowerBound < last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, match.range.upperBound)
      } else {
        ranges.append(match.range)
      }
    }
    return ranges
  }

  /// The same ranges as references that give exactly the bytes there, without the gaps between the digits of an
  /// encoding.
  func parts(in text: Span<UInt8>) -> [SecretStretch] { parts(of: matches(in: text), in: text) }

  /// Both.
  func findings(in text: Span<UInt8>) -> (ranges: [Range<Int>], parts: [SecretStretch]) {
    let matches = matches(in: text)
    guard !matches.isEmpty else { return ([], []) }
    return (SecretSearch.ranges(of: matches), parts(of: matches, in: text))
  }

  /// All needles, by the reading in which they are searched for.
  var needles: (plain: [SecretNeedle], base64: [SecretNeedle], hex: [SecretNeedle]) {
    (plain.needles, base64.needles, hex.needles)
  }

  private func parts(of matches: [SecretMatch], in text: Span<UInt8>) -> [SecretStretch] {
    var parts: [SecretStretch] = []
    var end = 0
    for match in matches where match.range.upperBound > end {
      parts += match.parts(of: units[match.unit], in: text).compactMap { $0.after(end) }
      end = match.range.upperBound
    }
    return parts
  }

  func encoded(_ name: String, form: String) -> [UInt8]? {
    guard let text = texts[name] else { return nil }
    var base = form[...]
    var slice: (from: Int, to: Int?) = (0, nil)
    if let mark = form.lastIndex(of: "@") {
      base = form[..<mark]
      let numbers = form[form.index(after: mark)...].split(separator: "-", omittingEmptySubsequences: false)
      guard numbers.count == 2, let from = Int(numbers[0]), numbers[1].isEmpty || Int(numbers[1]) != nil else {
        return nil
      }
      slice = (from, Int(numbers[1]))
    }
    var prefix = base[..<base.startIndex]
    if base.hasPrefix("line") || base.hasPrefix("trim."), let dot = base.firstIndex(of: ".") {
      prefix = base[...dot]
      base = base[base.index(after: dot)...]
    }
    guard let part = SecretUnit.part(prefix, of: text), let bytes = SecretForm.encoded(part, form: base) else {
      return nil
    }
    let to = slice.to ?? bytes.count
    guard slice.from >= 0, slice.from <= to, to <= bytes.count else { return nil }
    return Array(bytes[slice.from..<to])
  }

  /// By their beginning, the longest first.
  private func matches(in text: Span<UInt8>) -> [SecretMatch] {
    var matches: [SecretMatch] = []
    guard text.count >= NeedleIndex.width else { return [] }
    let seen = scanPlain(text, &matches)
    scanDigits(text, &matches)
    if seen.backslash { scanEscaped(text, .json, &matches) }
    if seen.percent { scanEscaped(text, .percent, &matches) }
    if seen.plus, hasSpace { scanEscaped(text, .form, &matches) }
    guard matches.count > 1 else { return matches }
    return matches.sorted {
      ($0.range.lowerBound, -$0.range.upperBound) < ($1.range.lowerBound, -$1.range.upperBound)
    }
  }
}

extension SecretSearch {
  private func scanPlain(
    _ text: Span<UInt8>, _ matches: inout [SecretMatch]
  ) -> (backslash: Bool, percent: Bool, plus: Bool) {
    var seen = (backslash: false, percent: false, plus: false)
    var window: UInt64 = 0
    let index = plain
    for place in 0..<text.count {
      let byte = text[place]
      window = (window << 8 | UInt64(byte)) & NeedleIndex.mask
      switch byte {
      case UInt8(ascii: "\\"): seen.backslash = true
      case UInt8(ascii: "%"): seen.percent = true
      case UInt8(ascii: "+"): seen.plus = true
      default: break
      }
      guard index.mayBegin(with: window), place >= NeedleIndex.width - 1 else { continue }
      let start = place - NeedleIndex.width + 1
      for candidate in index.candidates(window) {
        let needle = index.needles[candidate]
        guard needle.bytes.matches(text, at: start) else { continue }
        let end = start + needle.bytes.count
        // A secret that overlaps itself is one match, however often it does so.
        if let last = matches.last, last.unit == needle.unit, last.range.upperBound > start {
          matches[matches.count - 1].range = last.range.lowerBound..<end
        } else {
          matches.append(SecretMatch(range: start..<end, unit: needle.unit, reading: .plain))
        }
      }
    }
    return seen
  }

  /// Base64 and hexadecimal in one go: both pass over what may stand between their digits.
  private func scanDigits(_ text: Span<UInt8>, _ matches: inout [SecretMatch]) {
    var base64 = DigitScan.base64(self.base64)
    var hex = DigitScan.hex(self.hex)
    let kinds = DigitKind.table
    for place in 0..<text.count {
      let byte = text[place]
      let kind = kinds[Int(byte)]
      if base64.take(byte, kind, at: place) { base64.find(in: text, of: units, &matches) }
      if hex.take(byte, kind, at: place) { hex.find(in: text, of: units, &matches) }
    }
  }

  private func scanEscaped(_ text: Span<UInt8>, _ reading: EscapedReading, _ matches: inout [SecretMatch]) {
    var window: UInt64 = 0
    var starts = InlineArray<8, Int>(repeating: 0)
    var count = 0
    var ends: [Int: Int] = [:]
    var place = 0
    let index = plain
    while place < text.count {
      let step = reading.step(text, at: place)
      for number in 0..<step.count {
        window = (window << 8 | UInt64(step.bytes >> UInt32(8 * number) & 255)) & NeedleIndex.mask
        starts[count & 7] = place
        count += 1
        guard index.mayBegin(with: window), count >= NeedleIndex.width else { continue }
        let start = starts[(count - NeedleIndex.width) & 7]
        for candidate in index.candidates(window) {
          let needle = index.needles[candidate]
          // Without an escape in it, it has been found already.
          guard start >= ends[candidate] ?? 0, let end = reading.end(of: needle.bytes, in: text, at: start),
            end - start != needle.bytes.count || reading == .form
          else { continue }
          ends[candidate] = end
          matches.append(SecretMatch(range: start..<end, unit: needle.unit, reading: .escaped(reading)))
        }
      }
      place += step.length
    }
  }
}

extension EscapedReading {
  /// Where the needle ends in the text, if it stands there; escapes are not torn.
  func end(of needle: [UInt8], in text: Span<UInt8>, at start: Int) -> Int? {
    var place = start
    var done = 0
    while done < needle.count {
      guard place < text.count else { return nil }
      let step = step(text, at: place)
      guard done + step.count <= needle.count else { return nil }
      for number in 0..<step.count {
        guard UInt8(truncatingIfNeeded: step.bytes >> UInt32(8 * number)) == needle[done + number] else { return nil }
      }
      done += step.count
      place += step.length
    }
    return place
  }
}

extension [UInt8] {
  func matches(_ text: Span<UInt8>, at start: Int) -> Bool {
    guard start + count <= text.count else { return false }
    for index in indices where self[index] != text[start + index] { return false }
    return true
  }
}

/// Bytes of a stream as they may be shown and stored, and what they hide.
struct MaskedBytes {
  /// A place in `bytes` where something is hidden.
  struct Hidden: Equatable {
    /// From the beginning of `bytes`.
    var at: Int
    /// Of the mask that stands there; 0 where a mask that stands before it hides more than was known then.
    var length: Int
    /// What stands there in truth.
    var pieces: [Piece]
  }
  enum Piece: Equatable {
    case plain([UInt8])
    case secret(name: String, form: String)
  }

  /// How much of the stream it is, in bytes as they were written.
  var count = 0
  /// That many bytes behind it are hidden by its last mask already.
  var hiddenAhead = 0
  var bytes: [UInt8] = []
  var hidden: [Hidden] = []
  /// Where stretches begin that are shown as they were written: here, and in the stream.
  var plain: [(at: Int, place: Int)] = []
}

/// Masks a stream that comes in parts: what is masked does not depend on where the parts are cut. It keeps back what
/// may be the beginning of a secret until it knows; that is little, for what follows nearly always decides.
///
/// Digits of an encoding with more than 64 KiB of space between them are the one thing that `Masker.mask` finds in the
/// whole and this does not.
struct StreamMasker {
  private let search: SecretSearch
  private var held: [UInt8] = []
  /// Bytes of `held` that a mask that was given hides already.
  private var hidden: Int

  /// Furthest that is looked back.
  private static let reach = 64 << 10
  /// So many digits in a row look like base64.
  private static let word = 16

  /// - Parameter hidden: bytes at the beginning that a mask before them hides (`MaskedBytes.hiddenAhead`).
  init(_ masker: Masker, hidden: Int = 0) {
    search = masker.search
    self.hidden = hidden
  }

  /// Bytes that were taken and not given yet.
  var pending: Int { held.count }

  mutating func take(_ bytes: [UInt8]) -> MaskedBytes {
    if search.isEmpty {
      return MaskedBytes(count: bytes.count, bytes: bytes, plain: bytes.isEmpty ? [] : [(0, 0)])
    }
    let text = held.isEmpty ? bytes : held + bytes
    let findings = search.findings(in: text.span)
    return give(text, findings, upTo: firstOpen(in: text.span, masked: findings.ranges.last?.upperBound ?? 0))
  }

  /// The rest. Then it may begin anew.
  mutating func finish() -> MaskedBytes {
    defer { hidden = 0 }
    return give(held, search.findings(in: held.span), upTo: held.count)
  }

  /// - Parameter end: what begins here or later is kept.
  private mutating func give(
    _ text: [UInt8], _ findings: (ranges: [Range<Int>], parts: [SecretStretch]), upTo end: Int
  ) -> MaskedBytes {
    let (ranges, parts) = findings
    var given = MaskedBytes(count: end)
    // What a mask that was given before hides.
    let masked = hidden
    var copied = masked
    var part = 0
    func copy(to place: Int) {
      guard place > copied else { return }
      given.plain.append((given.bytes.count, copied))
      given.bytes += text[copied..<place]
      copied = place
    }
    for range in ranges where range.lowerBound < end {
      guard range.upperBound > copied else { continue }
      let isContinued = range.lowerBound < masked
      if !isContinued { copy(to: range.lowerBound) }
      let start = max(range.lowerBound, copied)
      while part < parts.count, parts[part].range.upperBound <= start { part += 1 }
      let pieces = StreamMasker.pieces(of: text, start..<range.upperBound, parts[part...])
      given.hidden.append(
        MaskedBytes.Hidden(at: given.bytes.count, length: isContinued ? 0 : Secret.mask.utf8.count, pieces: pieces))
      if !isContinued { given.bytes += Secret.mask.utf8 }
      copied = range.upperBound
    }
    copy(to: end)
    given.hiddenAhead = max(0, copied - end)
    hidden = given.hiddenAhead
    held = Array(text[end...])
    return given
  }

  private static func pieces(
    of text: [UInt8], _ range: Range<Int>, _ parts: ArraySlice<SecretStretch>
  ) -> [MaskedBytes.Piece] {
    var pieces: [MaskedBytes.Piece] = []
    var place = range.lowerBound
    for part in parts {
      guard part.range.lowerBound < range.upperBound else { break }
      guard let part = part.after(place) else { continue }
      if part.range.lowerBound > place { pieces.append(.plain(Array(text[place..<part.range.lowerBound]))) }
      pieces.append(.secret(name: part.name, form: part.formWithSlice))
      place = part.range.upperBound
    }
    if place < range.upperBound { pieces.append(.plain(Array(text[place..<range.upperBound]))) }
    return pieces
  }
}

// What may be the beginning of something that the next bytes decide.
extension StreamMasker {
  /// Where the first such thing begins; the end if there is none.
  /// - Parameter masked: nothing behind it is hidden yet.
  private func firstOpen(in text: Span<UInt8>, masked: Int) -> Int {
    if PlantedMistake.nothingKeptBack.isMade { return text.count }
    var first = min(openPlain(text), openEscape(text))
    let needles = search.needles
    first = min(first, openEscaped(text, needles.plain))
    let base64 = (kind: DigitKind.base64, gap: DigitKind.base64Gap)
    first = min(first, openDigits(text, needles.base64, base64, masked: masked))
    first = min(first, openDigits(text, needles.hex, (DigitKind.hex, DigitKind.hexGap), masked: nil))
    return first == text.count ? first : beforeEscape(text, first)
  }

  private func openPlain(_ text: Span<UInt8>) -> Int {
    var first = text.count
    for needle in search.needles.plain {
      var start = max(0, text.count - needle.bytes.count + 1)
      while start < first {
        var place = start
        while place < text.count, text[place] == needle.bytes[place - start] { place += 1 }
        if place == text.count { first = start }
        start += 1
      }
    }
    return first
  }

  /// An escape of which the rest is missing, or which the next one continues (`\ud83d\ude00`).
  private func openEscape(_ text: Span<UInt8>) -> Int {
    var first = text.count
    var place = text.count - 1
    while place >= 0, text.count - place <= 12, let kind = EscapeByte(text[place]) {
      if kind == .backslash || kind == .percent && text.count - place <= 2 { first = place }
      place -= 1
    }
    return first
  }

  private enum EscapeByte {
    case backslash, percent, digit
    init?(_ byte: UInt8) {
      switch byte {
      case UInt8(ascii: "\\"): self = .backslash
      case UInt8(ascii: "%"): self = .percent
      case UInt8(ascii: "u"), 0x30...0x39, 0x41...0x46, 0x61...0x66: self = .digit
      default: return nil
      }
    }
  }

  private func openEscaped(_ text: Span<UInt8>, _ needles: [SecretNeedle]) -> Int {
    var first = text.count
    let longest = needles.map { $0.bytes.count }.max() ?? 0
    let low = max(0, text.count - min(longest * 6 + 12, StreamMasker.reach))
    var seen = (json: false, percent: false, plus: false)
    for place in low..<text.count {
      switch text[place] {
      case UInt8(ascii: "\\"): seen.json = true
      case UInt8(ascii: "%"): seen.percent = true
      case UInt8(ascii: "+"): seen.plus = true
      default: break
      }
    }
    var readings: [EscapedReading] = []
    if seen.json { readings.append(.json) }
    if seen.percent { readings.append(.percent) }
    if seen.plus { readings.append(.form) }
    for reading in readings {
      for needle in needles {
        var start = max(low, text.count - needle.bytes.count * 6 - 12)
        while start < first {
          if reading.isOpen(needle.bytes, in: text, at: start) { first = start }
          start += 1
        }
      }
    }
    return first
  }

  /// - Parameter masked: nil: hexadecimal. Of base64 a match takes a digit on either side with it, and what fills the
  ///   last group up.
  private func openDigits(
    _ text: Span<UInt8>, _ needles: [SecretNeedle], _ digits: (kind: UInt8, gap: UInt8), masked: Int?
  ) -> Int {
    let kinds = DigitKind.table
    let (digit, gap) = digits
    let looksAround = masked != nil
    let low = max(0, text.count - StreamMasker.reach)
    let most = max((needles.map { $0.bytes.count }.max() ?? 0) + 4, StreamMasker.word)
    // The places of the last digits, the last one first, up to something that is neither digit nor gap; padding may
    // stand at the end.
    var places: [Int] = []
    var place = text.count - 1
    while looksAround, place >= low, text.count - place <= 2, text[place] == UInt8(ascii: "=") { place -= 1 }
    while place >= low, places.count <= most {
      let kind = kinds[Int(text[place])]
      if kind & digit != 0 { places.append(place) } else if kind & gap == 0 { break }
      place -= 1
    }
    var first = text.count
    for needle in needles {
      for start in places.prefix(needle.bytes.count + 4).reversed() where start < first {
        guard isOpen(needle.bytes, in: text, at: start, gap, looksAround) else { continue }
        first = start
        break
      }
    }
    if let masked, let last = mayPrecede(text, places, needles), last >= masked { first = min(first, last) }
    guard looksAround, first < text.count, let index = places.firstIndex(of: first), index + 1 < places.count else {
      return first
    }
    return places[index + 1]
  }

  /// The last digit, if base64 may go on behind it with a secret of which it holds the first bits. Not one behind a
  /// short word and a space, which would keep back the last line of most output for two or four bits.
  private func mayPrecede(_ text: Span<UInt8>, _ places: [Int], _ needles: [SecretNeedle]) -> Int? {
    guard let last = places.first, text[text.count - 1] != UInt8(ascii: "="),
      let value = Base64Form.value(text[last]),
      needles.contains(where: { $0.begins(with: value, search.units) })
    else { return nil }
    if last == text.count - 1 { return last }
    let isLong = places.count >= StreamMasker.word && places[StreamMasker.word - 1] == last - StreamMasker.word + 1
    return isLong ? last : nil
  }

  private func isOpen(
    _ digits: [UInt8], in text: Span<UInt8>, at start: Int, _ gap: UInt8, _ looksAround: Bool
  ) -> Bool {
    let kinds = DigitKind.table
    var place = start
    for byte in digits {
      while place < text.count, kinds[Int(text[place])] & gap != 0, text[place] != byte { place += 1 }
      guard place < text.count else { return true }
      guard text[place] == byte else { return false }
      place += 1
    }
    guard looksAround else { return false }
    while place < text.count, kinds[Int(text[place])] & gap != 0 { place += 1 }
    return text.count - place <= 3
  }

  /// Not in the middle of an escape, nor behind a `\` that may belong to what follows.
  private func beforeEscape(_ text: Span<UInt8>, _ place: Int) -> Int {
    var first = place
    while place - first < 4096 {
      var found: Int?
      for earlier in max(0, first - 12)..<first where found == nil {
        if text[earlier] == UInt8(ascii: "\\") || text[earlier] == UInt8(ascii: "%") { found = earlier }
      }
      guard let found else { return first }
      first = found
    }
    return first
  }
}

extension SecretNeedle {
  /// Whether the low bits of the digit before it can be the first ones of its secret.
  fileprivate func begins(with digit: UInt8, _ units: [SecretUnit]) -> Bool {
    guard case .base64(let place) = reading, place.alignment > 0, let first = units[unit].bytes.first else {
      return false
    }
    let own = UInt8(6 - 2 * place.alignment)
    return digit & (1 << own - 1) == first >> (8 - own)
  }
}

extension EscapedReading {
  /// Whether the text ends before it has told that the needle does not stand there.
  fileprivate func isOpen(_ needle: [UInt8], in text: Span<UInt8>, at start: Int) -> Bool {
    var place = start
    var done = 0
    while done < needle.count {
      guard place < text.count else { return true }
      let step = step(text, at: place)
      for number in 0..<step.count {
        guard done + number < needle.count,
          UInt8(truncatingIfNeeded: step.bytes >> UInt32(8 * number)) == needle[done + number]
        else {
          // An escape at the end may still become another one.
          let byte = text[place]
          return (byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "%")) && text.count - place < 12
            && step.length == 1
        }
      }
      done += step.count
      place += step.length
    }
    return false
  }
}

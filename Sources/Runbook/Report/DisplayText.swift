/// Text from outside (outputs, names, errors) made safe to look at: what would move the cursor, recolour the screen,
/// turn the writing direction or hide itself is shown as an escape.
public enum DisplayText {
  /// Control characters become `\n`, `\t`, `\x1b`; direction marks, zero-width and invisible characters `\u{202e}`.
  /// With a `limit`, at most so many characters, the last being `…`.
  public static func escaped(_ text: String, limit: Int = .max) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }), text.utf8.count <= limit { return text }
    var shown = ""
    var count = 0
    for scalar in text.unicodeScalars {
      count += 1
      if count == limit, limit < text.unicodeScalars.count {
        shown += "…"
        break
      }
      if let escape = escape(scalar) { shown += escape } else { shown.unicodeScalars.append(scalar) }
    }
    return shown
  }

  /// A value as one line of JSON (a string without its quotes), escaped.
  public static func line(_ value: Value, limit: Int = .max) -> String {
    if case .string(let text) = value { return escaped(text, limit: limit) }
    return escaped(JSONWriter.text(value), limit: limit)
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0x0a: "\\n"
    case 0x0d: "\\r"
    case 0x09: "\\t"
    case 0..<0x20, 0x7f..<0xa0: "\\x" + hex(scalar.value, width: 2)
    default: isInvisible(scalar.value) ? "\\u{" + hex(scalar.value, width: 4) + "}" : nil
    }
  }

  /// Marks and overrides of direction, zero-width spaces and joiners, line separators, fillers, tags: the
  /// default-ignorable code points of Unicode but for the variation selectors, which only pick a glyph.
  static func isInvisible(_ code: UInt32) -> Bool {
    switch code {
    case 0xad, 0x034f, 0x061c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b...0x180f, 0x200b...0x200f, 0x2028...0x202e,
      0x2060...0x206f, 0x3164, 0xfeff, 0xffa0, 0xfff0...0xfffb, 0x1bca0...0x1bca3, 0x1d173...0x1d17a, 0xe0000...0xe0fff:
      true
    default: false
    }
  }

  private static func hex(_ number: UInt32, width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

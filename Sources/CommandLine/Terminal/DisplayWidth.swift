import Runbook

/// How many cells of a terminal a text takes, and texts cut to fit. Counted so that a line never wraps: where terminals
/// disagree (an emoji made of a symbol and a variation selector) the wider answer is taken.
enum DisplayWidth {
  static func of(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + of($1) } }
  static func of(_ text: StyledText) -> Int { text.parts.reduce(0) { $0 + of($1.text) } }

  static func of(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20..<0x7f: 1
    case 0..<0x20, 0x7f..<0xa0: 0
    case 0xfe0f: 1  // asks for the two-cell picture of the symbol before it
    default: isWide(scalar.value) ? 2 : isCombining(scalar) ? 0 : 1
    }
  }

  /// First and last of each run of wide characters (East Asian Width W and F of Unicode 16, runs with small gaps
  /// joined).
  private static let wide: [(first: UInt32, last: UInt32)] = [
    (0x1100, 0x115f), (0x231a, 0x231b), (0x2329, 0x232a), (0x23e9, 0x23ec), (0x23f0, 0x23f0), (0x23f3, 0x23f3),
    (0x25fd, 0x25fe), (0x2614, 0x2615), (0x2630, 0x2637), (0x2648, 0x2653), (0x267f, 0x267f), (0x268a, 0x268f),
    (0x2693, 0x2693), (0x26a1, 0x26a1), (0x26aa, 0x26ab), (0x26bd, 0x26be), (0x26c4, 0x26c5), (0x26ce, 0x26ce),
    (0x26d4, 0x26d4), (0x26ea, 0x26ea), (0x26f2, 0x26f3), (0x26f5, 0x26f5), (0x26fa, 0x26fa), (0x26fd, 0x26fd),
    (0x2705, 0x2705), (0x270a, 0x270b), (0x2728, 0x2728), (0x274c, 0x274c), (0x274e, 0x274e), (0x2753, 0x2755),
    (0x2757, 0x2757), (0x2795, 0x2797), (0x27b0, 0x27b0), (0x27bf, 0x27bf), (0x2b1b, 0x2b1c), (0x2b50, 0x2b50),
    (0x2b55, 0x2b55), (0x2e80, 0x303e), (0x3041, 0xa4cf), (0xa960, 0xa97c), (0xac00, 0xd7a3), (0xf900, 0xfaff),
    (0xfe10, 0xfe19), (0xfe30, 0xfe6f), (0xff01, 0xff60), (0xffe0, 0xffe6), (0x16fe0, 0x18d08), (0x1aff0, 0x1b2fb),
    (0x1d300, 0x1d376), (0x1f004, 0x1f004), (0x1f0cf, 0x1f0cf), (0x1f18e, 0x1f18e), (0x1f191, 0x1f19a),
    (0x1f1e6, 0x1f265), (0x1f300, 0x1f64f), (0x1f680, 0x1f6fc), (0x1f7e0, 0x1f7f0), (0x1f90c, 0x1f9ff),
    (0x1fa70, 0x1faff), (0x20000, 0x3fffd),
  ]

  private static func isWide(_ code: UInt32) -> Bool {
    guard code >= 0x1100 else { return false }
    var low = 0
    var high = wide.count
    while low < high {
      let middle = (low + high) / 2
      if wide[middle].last < code { low = middle + 1 } else { high = middle }
    }
    return low < wide.count && wide[low].first <= code
  }

  private static func isCombining(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: true
    default: false
    }
  }

  /// At most `width` cells; a text that is longer ends in `…`. Nothing for a width below 1.
  static func cut(_ text: StyledText, to width: Int) -> StyledText {
    guard width > 0 else { return StyledText() }
    if of(text) <= width { return text }
    var parts: [StyledText.Part] = []
    var room = width - 1
    cutting: for part in text.parts {
      var kept = String.UnicodeScalarView()
      for scalar in part.text.unicodeScalars {
        let cells = of(scalar)
        if cells > room {
          parts.append(StyledText.Part(String(kept), part.role))
          break cutting
        }
        room -= cells
        kept.append(scalar)
      }
      parts.append(StyledText.Part(String(kept), part.role))
    }
    return StyledText(parts) + "…"
  }

  /// Filled up with spaces to `width` cells.
  static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - of(text)))
  }
}

/// What a plain scalar means by the core schema of YAML 1.2, narrowed where it surprises: `no`, `on`, `12:30`, `012`
/// and `True` are text; only `true` and `false` are booleans.
enum CoreSchema {
  enum Resolution: Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string
    /// Digits that fit no number of ours: `1e999`, 20 digits, `12345678901234567890.0`.
    case numberOutOfRange
  }

  static func isNull(_ text: String) -> Bool {
    text.isEmpty || text == "null" || text == "~" || text == "Null" || text == "NULL"
  }

  static func resolve(_ text: String) -> Resolution {
    guard let first = text.utf8.first else { return .null }
    switch first {
    case UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"): return isNull(text) ? .null : .string
    case UInt8(ascii: "t"): return text == "true" ? .bool(true) : .string
    case UInt8(ascii: "f"): return text == "false" ? .bool(false) : .string
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return number(text)
    default: return .string
    }
  }

  private static func number(_ text: String) -> Resolution {
    if text.utf8.count > 400 { return .string }
    if text == ".inf" || text == "-.inf" || text == "+.inf" || text == ".nan" { return .numberOutOfRange }
    if let value = prefixed(text, "0x", radix: 16) ?? prefixed(text, "0o", radix: 8) { return value }
    var digits = Substring(text).utf8
    if digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
    let whole = digits.prefix { $0 >= 0x30 && $0 <= 0x39 }
    // `012` is an id or a file mode to its author, and 12 to a machine: it stays text.
    if whole.count > 1, whole.first == UInt8(ascii: "0") { return .string }
    let rest = digits[whole.endIndex...]
    if rest.isEmpty {
      guard !whole.isEmpty else { return .string }
      return Int64(text).map { .int($0) } ?? .numberOutOfRange
    }
    guard isFraction(rest, hasWhole: !whole.isEmpty), let value = Double(text) else { return .string }
    return value.isFinite && !WholeNumberText.isRounded(text, as: value) ? .double(value) : .numberOutOfRange
  }

  private static func prefixed(_ text: String, _ prefix: String, radix: Int) -> Resolution? {
    guard text.hasPrefix(prefix) else { return nil }
    let digits = text.dropFirst(2)
    guard let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return .string }
    let isNumber = digits.allSatisfy { $0.hexDigitValue.map { $0 < radix } ?? false && $0.isASCII }
    guard isNumber else { return .string }
    return Int64(digits, radix: radix).map { .int($0) } ?? .numberOutOfRange
  }

  /// `.5`, `.`, `e9`, `.5e-9` after the whole digits.
  private static func isFraction(_ text: Substring.UTF8View.SubSequence, hasWhole: Bool) -> Bool {
    var rest = text
    var hasDigits = hasWhole
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
      hasDigits = hasDigits || !digits.isEmpty
      rest = rest[digits.endIndex...]
    }
    guard hasDigits else { return false }
    if rest.isEmpty { return true }
    guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") else { return false }
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }
}

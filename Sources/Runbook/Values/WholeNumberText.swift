/// Whole numbers as they are written, for those that none of our number types holds: they stay text, digit by digit.
enum WholeNumberText {
  /// A whole number, written with a fraction or an exponent (`12345678901234567890.0`, `1.5e30`), that the double read
  /// from it would write with other digits. Fractions are doubles, as everywhere.
  static func isRounded(_ text: String, as number: Double) -> Bool {
    // A double keeps any fifteen digits.
    guard text.utf8.count > 15, let written = parts(of: text), written.digits.count > 15, written.exponent >= 0,
      let kept = parts(of: number.description)
    else { return false }
    return written != kept
  }

  /// An optional sign and digits, nothing else.
  static func isWhole(_ text: String) -> Bool {
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    return !digits.isEmpty && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }

  private struct Parts: Equatable {
    var isNegative: Bool
    /// Without zeros in front and behind.
    var digits: [UInt8]
    /// Of ten, behind the last digit.
    var exponent: Int
  }

  private static func parts(of text: String) -> Parts? {
    var parts = Parts(isNegative: false, digits: [], exponent: 0)
    var rest = text.utf8[...]
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      parts.isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    var isBehindPoint = false
    while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if byte == UInt8(ascii: ".") {
        isBehindPoint = true
      } else {
        parts.digits.append(byte)
        if isBehindPoint { parts.exponent -= 1 }
      }
    }
    if !rest.isEmpty {
      guard let exponent = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(exponent) < 100_000 else {
        return nil
      }
      parts.exponent += exponent
    }
    while parts.digits.last == UInt8(ascii: "0") {
      parts.digits.removeLast()
      parts.exponent += 1
    }
    parts.digits = Array(parts.digits.drop { $0 == UInt8(ascii: "0") })
    return parts
  }
}

@testable import Runbook

/// Texts with secrets in them, in the encodings of the tools that people use; written apart from the code under test.
enum MaskerSamples {
  static let long = "kJ9/q+Zt?4ü\"v\\x~w0P3-rL5_sN7 dF2&hB6"

  static func base64(_ bytes: [UInt8], isURL: Bool = false) -> String {
    let alphabet = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (isURL ? "-_" : "+/"))
    var bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - UInt8($0)) & 1 } }
    while bits.count % 6 != 0 { bits.append(0) }
    var text = ""
    for start in stride(from: 0, to: bits.count, by: 6) {
      text.append(alphabet[bits[start..<start + 6].reduce(0) { $0 * 2 + Int($1) }])
    }
    while !isURL, text.utf8.count % 4 != 0 { text += "=" }
    return text
  }

  static func wrapped(_ text: String, _ width: Int, _ lineBreak: String) -> String {
    guard width > 0 else { return text }
    var lines: [String] = []
    var rest = Substring(text)
    while !rest.isEmpty {
      lines.append(String(rest.prefix(width)))
      rest = rest.dropFirst(width)
    }
    return lines.joined(separator: lineBreak)
  }

  /// Any text, encoded in one of many ways.
  static func encoded(_ text: String, with random: inout SeededNumbers) -> String {
    let bytes = Array(text.utf8)
    switch random.below(10) {
    case 0: return text
    case 1: return escaped(text, with: &random)
    case 2, 3: return percent(bytes, with: &random)
    case 4: return hex(bytes, with: &random)
    default:
      let before = [UInt8]((0..<random.below(4)).map { _ in UInt8(ascii: "a") + UInt8(random.below(26)) })
      let after = [UInt8]((0..<random.below(4)).map { _ in UInt8(ascii: "a") + UInt8(random.below(26)) })
      let lineBreak = ["\n", "\r\n", "\n    "][random.below(3)]
      return wrapped(
        base64(before + bytes + after, isURL: random.below(3) == 0), [0, 0, 64, 76, 7][random.below(5)], lineBreak)
    }
  }

  private static func escaped(_ text: String, with random: inout SeededNumbers) -> String {
    let share = random.below(4)
    return text.unicodeScalars.map { scalar -> String in
      if random.below(4) < share || scalar == "\"" && random.below(2) == 0 {
        let isUpper = random.below(2) == 0
        return String(scalar).utf16.map { unit in
          let digits = String(unit, radix: 16, uppercase: isUpper)
          return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
      }
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case "/": return random.below(2) == 0 ? "\\/" : "/"
      case "\n": return "\\n"
      default: return String(scalar)
      }
    }.joined()
  }

  private static func percent(_ bytes: [UInt8], with random: inout SeededNumbers) -> String {
    let isUpper = random.below(2) == 0
    let everything = random.below(4) == 0
    let plus = random.below(2) == 0
    return bytes.map { byte -> String in
      let scalar = Unicode.Scalar(byte)
      if !everything, scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
        return String(scalar)
      }
      if byte == 0x20, plus { return "+" }
      let digits = String(byte, radix: 16, uppercase: isUpper)
      return "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }

  private static func hex(_ bytes: [UInt8], with random: inout SeededNumbers) -> String {
    let isUpper = random.below(2) == 0
    let separator = ["", "", ":", " ", "-"][random.below(5)]
    let digits = bytes.map { byte -> String in
      let digits = String(byte, radix: 16, uppercase: isUpper)
      return (digits.count == 1 ? "0" : "") + digits
    }.joined(separator: separator)
    return wrapped(digits, [0, 60][random.below(2)], "\n")
  }
}

/// Repeats for a seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_f491_4f6c_dd1d
  }
  mutating func below(_ limit: Int) -> Int { Int(next() >> 33) % limit }
}

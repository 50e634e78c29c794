/// How a secret can be encoded so that it is found again, and written again exactly. The names are journaled.
enum SecretForm {
  /// - Parameter form: without prefix and slice.
  static func encoded(_ bytes: [UInt8], form: Substring) -> [UInt8]? {
    if form == "raw" { return bytes }
    if let escaping = JSONEscaping.all.first(where: { $0.name == form }) {
      return escaping.chunks(of: bytes).flatMap { $0 }
    }
    if let escaping = PercentEscaping.all.first(where: { $0.name == form }) {
      return escaping.chunks(of: bytes).flatMap { $0 }
    }
    if form.hasPrefix("hex") || form.hasPrefix("HEX") {
      return hexadecimal(bytes, isUpper: form.hasPrefix("HEX"), separator: Array(form.dropFirst(3).utf8))
    }
    return Base64Form(name: form)?.encoded(bytes)
  }

  static func hexadecimal(_ bytes: [UInt8], isUpper: Bool, separator: [UInt8] = []) -> [UInt8] {
    let digits = Array((isUpper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if index > 0 { result += separator }
      result += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return result
  }
}

/// The escapes that a writer of JSON strings uses.
struct JSONEscaping: Sendable {
  let name: String
  /// `\b` and `\f` instead of `\u0008` and `\u000c`, and DEL as it is.
  var isShort = true
  var slash = false
  /// Everything beyond ASCII as `\u`.
  var ascii = false
  /// ASCII characters written as `\u`.
  var extra = ""
  var isUpper = false
  /// Everything as `\u`.
  var everything = false

  /// The first that fits is used. Together they can write any choice of escapes, character by character.
  static let all: [JSONEscaping] = [
    JSONEscaping(name: "json", isShort: false), JSONEscaping(name: "json.min"),
    JSONEscaping(name: "json.slash", slash: true), JSONEscaping(name: "json.ascii", ascii: true),
    JSONEscaping(name: "json.ascii.slash", slash: true, ascii: true),
    JSONEscaping(name: "json.html", extra: "<>&"),
    JSONEscaping(name: "json.net", ascii: true, extra: "\"&'<>+`", isUpper: true),
    JSONEscaping(name: "json.u", everything: true), JSONEscaping(name: "json.U", isUpper: true, everything: true),
  ]

  /// One element a character.
  func chunks(of bytes: [UInt8]) -> [[UInt8]] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { chunk($0) }
  }

  private func chunk(_ scalar: Unicode.Scalar) -> [UInt8] {
    if everything || ascii && !scalar.isASCII || extra.unicodeScalars.contains(scalar) { return unicode(scalar) }
    switch scalar {
    case "\"", "\\": return Array("\\\(scalar)".utf8)
    case "\n": return Array("\\n".utf8)
    case "\r": return Array("\\r".utf8)
    case "\t": return Array("\\t".utf8)
    case "/" where slash: return Array("\\/".utf8)
    case "\u{8}" where isShort: return Array("\\b".utf8)
    case "\u{c}" where isShort: return Array("\\f".utf8)
    case "\u{7f}": return isShort ? [0x7f] : unicode(scalar)
    default: return scalar.value < 0x20 ? unicode(scalar) : Array(String(scalar).utf8)
    }
  }

  private func unicode(_ scalar: Unicode.Scalar) -> [UInt8] {
    String(scalar).utf16.flatMap { unit in
      Array("\\u".utf8)
        + SecretForm.hexadecimal([UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)], isUpper: isUpper)
    }
  }
}

/// The characters that a writer of addresses and forms leaves as they are; all others become `%XX`.
struct PercentEscaping: Sendable {
  let name: String
  /// Beside letters and digits. nil: nothing at all is left, not even those.
  let unreserved: String?
  var plusForSpace = false
  var isUpper = true

  /// The first that fits is used. Together they can write any choice of escapes, byte by byte.
  static let all: [PercentEscaping] =
    [
      PercentEscaping(name: "url", unreserved: "-._~"),
      PercentEscaping(name: "url.lower", unreserved: "-._~", isUpper: false),
      PercentEscaping(name: "form", unreserved: "*-._", plusForSpace: true),
      PercentEscaping(name: "form.lower", unreserved: "*-._", plusForSpace: true, isUpper: false),
      PercentEscaping(name: "component", unreserved: "-._~!*'()"),
      PercentEscaping(name: "path", unreserved: "-._~/"),
      PercentEscaping(name: "uri", unreserved: "-._~!*'();,/?:@&=+$#"),
      PercentEscaping(name: "url.all", unreserved: nil, isUpper: false),
      PercentEscaping(name: "url.ALL", unreserved: nil),
    ]

  /// One element a byte.
  func chunks(of bytes: [UInt8]) -> [[UInt8]] { bytes.map { chunk($0) } }

  private func chunk(_ byte: UInt8) -> [UInt8] {
    if byte == 0x20, plusForSpace { return [UInt8(ascii: "+")] }
    if let unreserved, isAlphanumeric(byte) || unreserved.utf8.contains(byte) { return [byte] }
    return [UInt8(ascii: "%")] + SecretForm.hexadecimal([byte], isUpper: isUpper)
  }

  private func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }
}

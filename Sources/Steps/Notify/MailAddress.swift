import Runbook

/// Who a mail is from, or for: `ops@example.com`, or `Operations <ops@example.com>`.
struct MailAddress {
  /// What the server is told.
  let address: String
  /// What people see; empty: none.
  let name: String

  init(_ text: String, field: String) throws(StepFailure) {
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
      throw StepFailure.unfit("an address in `\(field)` holds a line break or another control character")
    }
    let trimmed = text.trimmed
    var address = trimmed
    var name = ""
    if trimmed.hasSuffix(">"), let open = trimmed.lastIndex(of: "<") {
      address = String(trimmed[trimmed.index(after: open)...].dropLast())
      name = String(trimmed[..<open]).trimmed
      if name.count > 1, name.hasPrefix("\""), name.hasSuffix("\"") { name = String(name.dropFirst().dropLast()) }
    }
    guard MailAddress.isAddress(address) else {
      let isForeign = !address.utf8.allSatisfy { $0 < 0x80 }
      throw StepFailure.unfit(
        "`\(field)` holds `\(address.prefix(100))`, which is no address such as `ops@example.com`"
          + (isForeign ? ": beyond ASCII, write the domain as `xn--…`" : ""))
    }
    self.address = address
    self.name = name
  }

  var domain: String { String(address.drop { $0 != "@" }.dropFirst()) }

  /// As it stands in a header.
  var written: String {
    guard !name.isEmpty else { return address }
    let isPlain = name.utf8.allSatisfy { MailAddress.isAtom($0) || $0 == 0x20 }
    if isPlain { return "\(name) <\(address)>" }
    if name.utf8.allSatisfy({ $0 < 0x80 }), !name.contains("=?") {
      let quoted = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      return "\"\(quoted)\" <\(address)>"
    }
    return EncodedWords.of(name, at: "From: ".count).joined(separator: "\r\n ") + " <\(address)>"
  }

  /// A local part without quotes, and a domain. The rest of what RFC 5321 allows no mail server gives to anybody.
  private static func isAddress(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...64).contains(parts[0].count), (1...255).contains(parts[1].count) else { return false }
    let dot = UInt8(ascii: ".")
    for part in parts where part.first == dot || part.last == dot || Array(part).contains([dot, dot]) { return false }
    return parts[0].allSatisfy { isAtom($0) || $0 == dot }
      && parts[1].allSatisfy { isLetter($0) || "-.".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
  }

  /// RFC 5322, 3.2.3.
  private static func isAtom(_ byte: UInt8) -> Bool {
    isLetter(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }
}

extension String {
  fileprivate var trimmed: String {
    let start = drop { $0 == " " }
    return String(String(start.reversed()).drop { $0 == " " }.reversed())
  }
}

/// Text of a header that is not ASCII (RFC 2047).
enum EncodedWords {
  /// Words, each of whole characters of the text, for lines of at most 76 characters. They stand with a space between
  /// them, which readers leave out.
  /// - Parameter column: how many characters stand before the first.
  static func of(_ text: String, at column: Int) -> [String] {
    var words: [String] = []
    var bytes: [UInt8] = []
    // Three bytes are four characters, and twelve stand around them.
    var room: Int { (76 - (words.isEmpty ? column : 1) - 12) / 4 * 3 }
    func close() {
      if !bytes.isEmpty { words.append("=?utf-8?B?\(bytes.base64)?=") }
      bytes = []
    }
    for scalar in text.unicodeScalars {
      let next = Array(String(scalar).utf8)
      if bytes.count + next.count > room { close() }
      bytes += next
    }
    close()
    return words
  }
}

import Runbook

/// A mail in plain text as it travels: headers and text, RFC 5322, 2045 and 2047. Lines end with CRLF.
struct MailLetter {
  let from: MailAddress
  /// Addresses of all who get it, each once.
  let recipients: [String]
  /// With its angle brackets.
  let id: String
  let bytes: [UInt8]

  init(
    from: MailAddress, to: [MailAddress], cc: [MailAddress], subject: String, text: String, at now: Timestamp,
    id: String
  ) throws(StepFailure) {
    guard !subject.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
      throw StepFailure.unfit("`subject` holds a line break or another control character: it is one line")
    }
    self.from = from
    self.id = id
    recipients = (to + cc).reduce(into: []) { all, one in if !all.contains(one.address) { all.append(one.address) } }
    let body = MailText(text)
    var lines = [
      "Date: \(MailDate.text(now))", "From: \(from.written)", "To: \(MailLetter.list(to))",
    ]
    if !cc.isEmpty { lines.append("Cc: \(MailLetter.list(cc))") }
    lines += [
      "Subject: \(MailLetter.folded(subject))", "Message-ID: \(id)", "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: \(body.encoding)", "", "",
    ]
    bytes = Array(lines.joined(separator: "\r\n").utf8) + body.bytes
  }

  /// The same for each attempt of a step of a run, in every process.
  static func id(run: String, step: String, domain: String) -> String {
    let place = step.replacing("[", with: "-").replacing("]", with: "")
    return "<\(run)\(place.isEmpty ? "" : ".\(place)")@\(domain)>"
  }

  private static func list(_ addresses: [MailAddress]) -> String {
    addresses.map(\.written).joined(separator: ",\r\n ")
  }

  /// In lines of at most 76 characters where it has spaces; what is not ASCII, or would be read as if it were not, is
  /// encoded.
  private static func folded(_ subject: String) -> String {
    let words = subject.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
    guard subject.utf8.allSatisfy({ $0 < 0x80 }), !subject.contains("=?"), words.allSatisfy({ $0.utf8.count <= 900 })
    else { return EncodedWords.of(subject, at: "Subject: ".count).joined(separator: "\r\n ") }
    var text = ""
    var column = "Subject: ".count
    for (index, word) in words.enumerated() {
      let isFolded = index > 0 && column + 1 + word.count > 76 && !word.isEmpty
      text += isFolded ? "\r\n \(word)" : (index > 0 ? " " : "") + word
      column = (isFolded ? 1 : column + (index > 0 ? 1 : 0)) + word.count
    }
    return text
  }
}

/// The text of a mail.
struct MailText {
  let encoding: String
  /// Ends with CRLF.
  let bytes: [UInt8]

  /// Longest line without an encoding (RFC 5322, 2.1.1).
  private static let longestLine = 998

  init(_ text: String) {
    // A Swift text counts a carriage return and a line feed as one character.
    let lines = text.utf8.filter { $0 != 0x0d }.split(separator: 0x0a, omittingEmptySubsequences: false)
    let isPlain = lines.allSatisfy { line in
      line.count <= MailText.longestLine && line.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 < 0x7f }
    }
    encoding = isPlain ? "7bit" : "quoted-printable"
    var bytes: [UInt8] = []
    for line in lines.last?.isEmpty == true ? lines.dropLast() : lines[...] {
      bytes += isPlain ? Array(line) : MailText.quoted(Array(line))
      bytes += [0x0d, 0x0a]
    }
    self.bytes = bytes
  }

  /// Quoted-printable (RFC 2045, 6.7): lines of at most 76 characters.
  private static func quoted(_ line: [UInt8]) -> [UInt8] {
    let hex = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    var column = 0
    for (index, byte) in line.enumerated() {
      let isBlank = byte == 0x20 || byte == 0x09
      let stays = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "=") || isBlank && index < line.count - 1
      let piece = stays ? [byte] : [UInt8(ascii: "="), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      if column + piece.count > 75 {
        result += [UInt8(ascii: "="), 0x0d, 0x0a]
        column = 0
      }
      result += piece
      column += piece.count
    }
    return result
  }
}

/// `Sun, 06 Nov 1994 08:49:37 +0000` (RFC 5322, 3.3).
enum MailDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static func text(_ instant: Timestamp) -> String {
    // 2026-12-01T07:01:15Z, perhaps with a fraction.
    let parts = Timestamp(seconds: instant.seconds).description.split { "-T:Z".contains($0) }
    let day = ((instant.seconds / 86_400) % 7 + 7) % 7
    guard parts.count == 6, let month = Int(parts[1]), (1...12).contains(month) else { return "" }
    return "\(days[Int(day)]), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]):\(parts[4]):\(parts[5]) +0000"
  }
}

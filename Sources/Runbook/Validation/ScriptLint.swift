/// What the text of a script gives away before it runs: for `/bin/sh`, where its first line names no other program.
struct ScriptLint {
  private let bytes: [UInt8]
  private let isForShell: Bool

  init(_ text: some Sequence<UInt8>) {
    bytes = Array(text)
    let first = String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    let program = first.hasPrefix("#!") ? first.dropFirst(2).split(separator: " ").first : "/bin/sh"
    isForShell = program.map { ["/bin/sh", "/usr/bin/sh", "/bin/dash"].contains($0) } ?? false
  }

  /// A shell takes a carriage return for a part of a word.
  var hasCarriageReturns: Bool {
    isForShell && zip(bytes, bytes.dropFirst()).contains { $0 == 0x0d && $1 == 0x0a }
  }

  /// The first command whose failure a pipe hides: `dump db | gzip`; nil if there is none.
  var uncheckedPipe: String? {
    guard isForShell, bytes.firstRange(of: Array("pipefail".utf8)) == nil else { return nil }
    var quote: UInt8?
    var start = 0
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if let open = quote {
        if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\"") { position += 1 }
        if byte == open { quote = nil }
      } else {
        switch byte {
        case UInt8(ascii: "\\"): position += 1
        case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
        case UInt8(ascii: "#") where position == 0 || bytes[position - 1] <= 0x20:
          position = bytes[position...].firstIndex(of: 0x0a) ?? bytes.count
          start = position + 1
        case 0x0a, UInt8(ascii: ";"), UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "&"): start = position + 1
        case UInt8(ascii: "|"):
          if at(position + 1) == byte {
            position += 1
            start = position + 1
          } else if at(position - 1) != UInt8(ascii: ">"), let found = pipe(from: start, at: position) {
            return found
          } else {
            start = position + 1
          }
        default: break
        }
      }
      position += 1
    }
    return nil
  }

  private func at(_ position: Int) -> UInt8? { bytes.indices.contains(position) ? bytes[position] : nil }

  /// The command before the pipe and the one behind it, if the first may fail.
  private func pipe(from start: Int, at position: Int) -> String? {
    guard start < position else { return nil }
    let command = String(decoding: bytes[start..<position], as: UTF8.self)
    let words = command.split { $0 == " " || $0 == "\t" }.drop { ScriptLint.openers.contains(String($0)) }
    let behind = bytes[(position + 1)...].prefix { $0 != 0x0a && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "|") }
    let next = String(decoding: behind, as: UTF8.self).split(separator: " ")
    // `a|b)` is a pattern of a `case`.
    guard let first = words.first, let second = next.first, !second.contains(")"), !command.contains("<<"),
      !ScriptLint.safe.contains(String(first))
    else { return nil }
    return words.joined(separator: " ").excerpt(40) + " | " + String(second).excerpt(20)
  }

  private static let openers: Set = ["if", "while", "until", "then", "do", "else", "!", "time", "elif"]
  /// Programs that do not fail for a reason that would matter.
  private static let safe: Set = ["echo", "printf", "true", "yes", ":"]
}

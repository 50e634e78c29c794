/// Makes the command lines that the tool advises: each can be pasted into a shell as it stands, and reaches the store
/// that the person who reads it works with.
public struct AdvisedCommands: Sendable, Equatable {
  /// The store that was named on the command line; nil: the one that a command finds by itself.
  public var store: String?

  public init(store: String? = nil) { self.store = store }

  /// `runbook resume r01…`, with `--store` at its end if one was named.
  /// - Parameter words: after `runbook`, as the command is to get them; those that a shell would change are quoted.
  public func line(_ words: [String]) -> String {
    let store = store.map { $0.hasPrefix("-") ? ["--store=\($0)"] : ["--store", $0] } ?? []
    return (["runbook"] + words + store).map { AdvisedCommands.quoted($0) }.joined(separator: " ")
  }
  public func line(_ words: String...) -> String { line(words) }

  /// One word of a shell (POSIX; `$'…'`, which bash and zsh know, only for characters that a terminal would not show).
  public static func quoted(_ word: String) -> String {
    if !word.isEmpty, word.utf8.allSatisfy({ isPlain($0) }) { return word }
    guard DisplayText.escaped(word, limit: .max) == word else {
      return "$'" + word.unicodeScalars.map { escaped($0) }.joined() + "'"
    }
    return "'" + word.replacing("'", with: "'\\''") + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_./:@%+=,".utf8.contains(byte)
    }
  }

  /// As `$'…'` takes it.
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let text = String(scalar)
    if scalar == "'" || scalar == "\\" { return "\\" + text }
    if DisplayText.escaped(text, limit: .max) == text { return text }
    return text.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

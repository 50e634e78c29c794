/// The explanation of a code: one line, advice, and a wrong and a right file.
public struct CodeText: Sendable {
  /// One line for the list, lower case, no full stop.
  public let meaning: String
  /// Why it is refused and what to do now; one or more sentences.
  public let remedy: String
  public let wrong: CodeExample
  public let right: CodeExample

  init(_ meaning: String, _ remedy: String, wrong: CodeExample, right: CodeExample) {
    self.meaning = meaning
    self.remedy = remedy
    self.wrong = wrong
    self.right = right
  }
}

/// A whole file that shows a mistake, or shows it corrected. Tests validate the very file.
public struct CodeExample: Sendable {
  /// As it is shown, without the last line break.
  public let text: String
  /// Files beside it that it reads, by their names.
  public let beside: [String: String]
  /// What stands in the file in place of a part that cannot be shown.
  private var unprintable: (shown: String, bytes: [UInt8])?

  /// - Parameter beside: names of scripts whose content does not matter.
  init(_ text: String, beside: [String]) {
    self.init(text, files: Dictionary(beside.map { ($0, "exit 0\n") }, uniquingKeysWith: { first, _ in first }))
  }

  init(_ text: String, files: [String: String] = [:]) {
    self.text = text
    beside = files
  }

  /// The file itself.
  public var bytes: [UInt8] {
    let whole = text + "\n"
    guard let unprintable, let place = whole.firstRange(of: unprintable.shown) else { return Array(whole.utf8) }
    return Array(whole[..<place.lowerBound].utf8) + unprintable.bytes + Array(whole[place.upperBound...].utf8)
  }

  /// A file in which other bytes stand in place of `shown`.
  func replaced(_ shown: String, by bytes: [UInt8]) -> CodeExample {
    var example = self
    example.unprintable = (shown, bytes)
    return example
  }

  /// A file in which `open` stands `count` times in place of `shown`, then `middle`, then `close` as often.
  func repeated(
    _ shown: String, _ open: String, _ count: Int, _ close: String, around middle: String = ""
  ) -> CodeExample {
    let text = String(repeating: open, count: count) + middle + String(repeating: close, count: count)
    return replaced(shown, by: Array(text.utf8))
  }
}

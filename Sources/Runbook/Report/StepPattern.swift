/// Which steps of a run are meant: a path in which `*` stands for any text within one word. A `.*` at its end stands
/// for everything below: `wave[3].*`, `wave[*].one`, `outer.*`.
public struct StepPattern: Sendable {
  private let words: [[UInt8]]
  /// It ends in `.*`.
  private let isBelow: Bool

  /// nil for a text without a word between two dots.
  public init?(_ text: String) {
    var words = StepPattern.words(of: text)
    guard !words.isEmpty, words.allSatisfy({ !$0.isEmpty }) else { return nil }
    isBelow = words.count > 1 && words.last == [UInt8(ascii: "*")]
    if isBelow { words.removeLast() }
    self.words = words
  }

  public func matches(_ path: String) -> Bool {
    let others = StepPattern.words(of: path)
    guard isBelow ? others.count > words.count : others.count == words.count else { return false }
    return zip(words, others).allSatisfy { StepPattern.matches($0[...], $1[...]) }
  }

  /// The event is about such a step, or about the undo of one.
  public func matches(_ event: RunEvent) -> Bool {
    ["step", "entry", "scope"].contains { name in event.fields[name]?.string.map { matches($0) } ?? false }
  }

  private static func words(of text: String) -> [[UInt8]] {
    text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
  }

  /// The last `*` is given one byte more for as long as the rest does not fit: at most one pass over the word for each.
  private static func matches(_ pattern: ArraySlice<UInt8>, _ word: ArraySlice<UInt8>) -> Bool {
    var (pattern, word) = (pattern, word)
    var again: (pattern: ArraySlice<UInt8>, word: ArraySlice<UInt8>)?
    while !word.isEmpty {
      if pattern.first == UInt8(ascii: "*") {
        pattern = pattern.dropFirst()
        again = (pattern, word)
      } else if let next = pattern.first, next == word.first {
        pattern = pattern.dropFirst()
        word = word.dropFirst()
      } else if let star = again {
        again = (star.pattern, star.word.dropFirst())
        (pattern, word) = (star.pattern, star.word.dropFirst())
      } else {
        return false
      }
    }
    return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

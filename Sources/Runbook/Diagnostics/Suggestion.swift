/// The known word nearest to one that is not known.
public enum Suggestion {
  /// - Returns: the nearest of `known`, if it is near enough that a slip of the hand explains the difference: one
  ///   mistake in three letters, a swap of neighbours counting once. nil if none is, or the word is longer than any
  ///   name of ours.
  public static func nearest(to word: String, among known: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().utf8)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in known {
      let letters = Array(candidate.utf8)
      let limit = min(best.map { $0.distance - 1 } ?? .max, max(1, max(wanted.count, letters.count) / 3))
      guard abs(letters.count - wanted.count) <= limit else { continue }
      let distance = distance(wanted, letters)
      if distance <= limit { best = (candidate, distance) }
      if distance == 0 { break }
    }
    return best?.word
  }

  /// "did you mean `x`?", or nothing.
  public static func question(for word: String, among known: some Sequence<String>) -> String? {
    nearest(to: word, among: known).map { "did you mean `\($0)`?" }
  }

  /// "did you mean `x`?"; else "known here: …" when the list is short enough to read.
  public static func hint(for word: String, among known: [String]) -> String? {
    if let nearest = nearest(to: word, among: known) { return "did you mean `\(nearest)`?" }
    guard !known.isEmpty, known.count <= 12 else { return nil }
    return "known here: " + known.map { "`\($0)`" }.joined(separator: ", ")
  }

  /// Edits between two words (optimal string alignment): insert, delete, replace, swap neighbours.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for i in left.indices {
      var current = [i + 1] + [Int](repeating: 0, count: right.count)
      for j in right.indices {
        let replace = last[j] + (left[i] == right[j] ? 0 : 1)
        current[j + 1] = min(replace, last[j + 1] + 1, current[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
        }
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}

/// "did you mean": the known word that is fewest typing mistakes away.
enum Nearest {
  /// "did you mean `validate`?", or nil when nothing is near enough to be meant.
  static func suggestion(for word: String, among known: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let ranked = known.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
    guard let best = ranked, best.distance <= max(1, min(word.count, best.word.count) / 3) else {
      return known.first { word.count >= 2 && $0.hasPrefix(word) }.map { "did you mean `\($0)`?" }
    }
    return "did you mean `\(best.word)`?"
  }

  /// Damerau's: insertions, deletions, replacements and swaps of two neighbours, each 1.
  static func distance(_ left: String, _ right: String) -> Int {
    let a = Array(left.unicodeScalars)
    let b = Array(right.unicodeScalars)
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1] + [Int](repeating: 0, count: b.count)
      for j in b.indices {
        row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1) }
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}

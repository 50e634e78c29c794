/// The states that servers, snapshots and backups have in this language.
enum StateWords {
  private static let all = Set(PowerState.allCases.map { $0.rawValue } + ["creating", "ready", "failed", "deleting"])

  /// It would be a state if it were written in small letters.
  static func isMisspelt(_ word: String) -> Bool { !all.contains(word) && all.contains(word.lowercased()) }
}

extension ExpressionNode {
  /// Texts that a member called `state` is compared with, anywhere in it.
  var wordsForStates: [String] {
    var words: [String] = []
    if case .binary(let symbol, let left, let right) = kind, [.equal, .notEqual, .isIn].contains(symbol) {
      if left.isState { words += right.texts }
      if right.isState { words += left.texts }
    }
    return words + children.flatMap { $0.wordsForStates }
  }

  private var isState: Bool { if case .select(_, "state", _) = kind { true } else { false } }

  private var texts: [String] {
    switch kind {
    case .literal(.string(let text)): [text]
    case .list(let items): items.flatMap { $0.value.texts }
    default: []
    }
  }
}

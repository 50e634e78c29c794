@testable import Runbook

/// Proves that two situations with one key have one future: the same order, and by the same moves situations with the
/// same keys. Otherwise the search would pass over states.
struct KeyAudit {
  private let bounds: Bounds
  private var futures: [StateKey: Future] = [:]
  private var open: [(Situation, UInt8)] = []
  private(set) var compared = 0
  /// Of the first two situations with one key and two futures.
  private(set) var difference: String?

  private struct Future {
    var order: SearchedOrder
    /// Where each move leads.
    var moves: [Move: StateKey]
    var words: String
  }

  init(_ runbook: SearchedRunbook, _ bounds: Bounds) {
    self.bounds = bounds
    enter(Situation(runbook), 0)
    while let (situation, surprises) = open.popLast(), difference == nil {
      for (move, cost) in Environment(situation, bounds).moves where surprises + cost <= bounds.surprises {
        var next = situation
        _ = next.play(move)
        enter(next, surprises + cost)
      }
    }
  }

  private mutating func enter(_ situation: Situation, _ surprises: UInt8) {
    let key = StateKey(situation, bounds)
    var moves: [Move: StateKey] = [:]
    for (move, _) in Environment(situation, bounds).moves {
      var next = situation
      _ = next.play(move)
      moves[move] = StateKey(next, bounds)
    }
    let future = Future(order: situation.order, moves: moves, words: "\(situation.orderInWords)\n\(situation.inWords)")
    guard let earlier = futures.updateValue(future, forKey: key) else { return open.append((situation, surprises)) }
    compared += 1
    let differing = Set(earlier.moves.keys).union(moves.keys).first { earlier.moves[$0] != moves[$0] }
    guard earlier.order != future.order || differing != nil else { return }
    let words = differing.map { $0.words(situation.places) } ?? "the order"
    difference = "\(earlier.words)\n\nand\n\n\(future.words)\n\ndiffer in this: \(words)"
  }
}

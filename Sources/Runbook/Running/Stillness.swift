/// Notices that the same order is carried out again and again and nothing follows from it: a mistake of the engine, in
/// which a process would work for ever and come no further.
struct Stillness {
  /// So many times without any new fact are a mistake. An order that is interrupted by a message is asked for again,
  /// and people do not send as many.
  private static let limit = 100

  private var order: Order?
  private var facts = 0
  private var repeats = 0

  /// - Parameter facts: recorded so far, without those that were ignored.
  /// - Returns: why the run must be left; nil if it goes on.
  mutating func verdict(on order: Order, facts: Int) -> String? {
    // These pause before they come back, and may do so without news.
    if case .ask = order { return nil }
    guard order == self.order, facts == self.facts else {
      self.order = order
      self.facts = facts
      repeats = 0
      return nil
    }
    repeats += 1
    guard repeats >= Stillness.limit else { return nil }
    return "the engine repeats the same work on `\(order.path)` and comes no further; please report it"
  }
}

/// From which states people can bring a run to its end, backwards from the ends: a state has a way out if some word of
/// a person leads to a state that has one, or if every answer of the world does. A kill of the process counts for
/// nothing.
struct WaysOut {
  /// A state without a way out: if there is one, a state from which no other state without a way out is reached.
  private(set) var deadEnd: Int?

  init(_ isOver: [Bool], _ edges: [Explorer.Edge]) {
    var hasWayOut = isOver
    var answers = Array(repeating: 0, count: isOver.count)
    // Edges by the state they lead to, one list after the other.
    var begins = Array(repeating: 0, count: isOver.count + 1)
    let counted = edges.filter { $0.from != $0.to && $0.maker != .process }
    for edge in counted {
      begins[Int(edge.to) + 1] += 1
      if edge.maker == .world { answers[Int(edge.from)] += 1 }
    }
    for index in isOver.indices { begins[index + 1] += begins[index] }
    var next = begins
    var incoming = Array(repeating: 0, count: counted.count)
    for (index, edge) in counted.enumerated() {
      incoming[next[Int(edge.to)]] = index
      next[Int(edge.to)] += 1
    }
    var open = isOver.indices.filter { isOver[$0] }
    while let state = open.popLast() {
      for index in incoming[begins[state]..<begins[state + 1]] {
        let from = Int(counted[index].from)
        if counted[index].maker == .world {
          answers[from] -= 1
          guard answers[from] == 0 else { continue }
        }
        guard !hasWayOut[from] else { continue }
        hasWayOut[from] = true
        open.append(from)
      }
    }
    guard let any = hasWayOut.lastIndex(of: false) else { return }
    let leading = Set(counted.filter { !hasWayOut[Int($0.to)] }.map { Int($0.from) })
    deadEnd = hasWayOut.indices.first { !hasWayOut[$0] && !leading.contains($0) } ?? any
  }
}

@testable import Runbook

/// Visits all states that a runbook can reach, each once, beginning with the states of the fewest surprises.
struct Explorer {
  let runbook: SearchedRunbook
  let bounds: Bounds
  var mutation: Mutation?
  /// Of one in so many ways between two states the facts are applied again.
  var replays = 4
  /// In one of so many states foreign words are said; of one in so many ways the facts are written and read back.
  var sampling = 64
  /// In one of so many states the report is read.
  var reports = 97
  /// The search ends when all these properties are broken; empty: when all states are visited.
  var wanted: Set<Property> = []
  /// Faults that are not reported again.
  var known: [KnownFault] = []

  private(set) var found: [Property: Finding] = [:]
  private(set) var knownFound: Set<KnownFault> = []
  private(set) var nodes: [Node] = []
  private(set) var edges: [Edge] = []
  private var numbers: [StateKey: Int32] = [:]
  /// By surprises, then by length of the path.
  private var queue: [[[(Int32, Situation)]]] = []

  struct Finding: Sendable {
    var complaint: String
    /// The state that breaks the property, or the state before the move that breaks it.
    var node: Int32
    var move: Move?
  }

  struct Node: Sendable {
    var parent: Int32
    var move: Move?
    /// Of the best path to it.
    var surprises: Int
    var length: Int
    /// It has ended, and its locks are free.
    var isOver: Bool
  }

  struct Edge: Sendable { var from, to: Int32; var maker: Move.Maker }

  init(_ runbook: SearchedRunbook, _ bounds: Bounds) {
    self.runbook = runbook
    self.bounds = bounds
  }

  mutating func explore() {
    queue = Array(repeating: [], count: Int(bounds.surprises) + 1)
    _ = enter(Situation(runbook, mutation), from: -1, by: nil, surprises: 0, length: 0)
    for surprises in queue.indices {
      var length = 0
      while length < queue[surprises].count {
        while let (number, situation) = queue[surprises][length].popLast() {
          let node = nodes[Int(number)]
          if !wanted.isEmpty, wanted.isSubset(of: found.keys) { return }
          // A state that was reached by a better path since was visited then.
          if node.surprises == surprises, node.length == length { expand(number, situation, surprises, length) }
        }
        length += 1
      }
    }
    checkWaysOut()
    checkReports()
  }

  private mutating func expand(_ number: Int32, _ situation: Situation, _ surprises: Int, _ length: Int) {
    for (move, cost) in Environment(situation, bounds).moves where surprises + Int(cost) <= Int(bounds.surprises) {
      var next = situation
      let facts = next.play(move)
      check(Passage(before: situation, move: move, after: next, facts: facts), at: number)
      let target = enter(next, from: number, by: move, surprises: surprises + Int(cost), length: length + 1)
      edges.append(Edge(from: number, to: target, maker: move.maker))
    }
  }

  private mutating func enter(
    _ situation: Situation, from parent: Int32, by move: Move?, surprises: Int, length: Int
  ) -> Int32 {
    let key = StateKey(situation, bounds)
    let isOver = situation.picture.end != nil && !situation.ledger.holdsLocks
    let node = Node(parent: parent, move: move, surprises: surprises, length: length, isOver: isOver)
    if let number = numbers[key] {
      let earlier = nodes[Int(number)]
      guard (surprises, length) < (earlier.surprises, earlier.length) else { return number }
      nodes[Int(number)] = node
      push(number, situation, surprises, length)
      return number
    }
    let number = Int32(nodes.count)
    numbers[key] = number
    nodes.append(node)
    for violation in situation.violations { note(violation, number, nil) }
    if nodes.count % sampling == 1, let violation = situation.heededForeignWord { note(violation, number, nil) }
    push(number, situation, surprises, length)
    return number
  }

  private mutating func push(_ number: Int32, _ situation: Situation, _ surprises: Int, _ length: Int) {
    while queue[surprises].count <= length { queue[surprises].append([]) }
    queue[surprises][length].append((number, situation))
  }

  private mutating func note(_ violation: Violation, _ node: Int32, _ move: Move?) {
    if let fault = known.first(where: { $0.explains(violation) }) {
      knownFound.insert(fault)
    } else if found[violation.property] == nil {
      found[violation.property] = Finding(complaint: violation.complaint, node: node, move: move)
    }
  }

  private mutating func check(_ passage: Passage, at number: Int32) {
    for violation in passage.violations { note(violation, number, passage.move) }
    if edges.count % replays == 0, let violation = passage.replayed(isCoded: edges.count % sampling == 0) {
      note(violation, number, passage.move)
    }
    // `handle` journals all facts that follow from the state; facts of people and processes come in without it.
    if passage.move.maker != .world, let violation = passage.after.overdue { note(violation, number, passage.move) }
  }

  private mutating func checkWaysOut() {
    let ways = WaysOut(nodes.map(\.isOver), edges)
    guard let lost = ways.deadEnd else { return }
    note(Violation(.aPersonCanEndIt, "from here nothing that people say ends the run"), Int32(lost), nil)
  }

  /// Writes the journal of some states from the start, and reads the report that is made of it.
  private mutating func checkReports() {
    for number in stride(from: 0, to: nodes.count, by: reports) {
      var situation = Situation(runbook, mutation)
      var facts: [Fact] = []
      for move in path(to: Int32(number)) { facts += situation.play(move) }
      for violation in ToldSituation(situation, facts).violations { note(violation, Int32(number), nil) }
    }
  }

  // MARK: Words

  /// The moves from the start to a state.
  func path(to node: Int32) -> [Move] {
    var path: [Move] = []
    var node = node
    while node >= 0 {
      if let move = nodes[Int(node)].move { path.append(move) }
      node = nodes[Int(node)].parent
    }
    return path.reversed()
  }

  /// The number of moves to the state that breaks the property.
  func length(of property: Property) -> Int { found[property].map { nodes[Int($0.node)].length } ?? 0 }

  /// The runbook, the shortest path with the fewest surprises to the bad state, and that state.
  func report(_ property: Property) -> String {
    guard let finding = found[property] else { return "" }
    let path = path(to: finding.node) + (finding.move.map { [$0] } ?? [])
    var situation = Situation(runbook, mutation)
    var lines = ["It does not hold that \(property.rawValue):", "  \(finding.complaint)", "", "\(runbook)", ""]
    for (index, move) in path.enumerated() {
      _ = situation.play(move)
      lines.append("\(index + 1). \(move.words(situation.places)) → \(situation.orderInWords)")
    }
    return (lines + ["", situation.inWords]).joined(separator: "\n")
  }
}

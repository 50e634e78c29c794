@testable import Runbook

/// Goes through everything that can happen to a run whose steps hold others: every order of completion, a step that
/// fails or whose reply is lost, a cancel and a crash at every moment. No state is gone through twice.
struct TreeExplorer {
  /// What is left of what may happen on one way.
  struct Budget: Hashable {
    var failures = 1
    var losses = 0
    var cancels = 0
    var crashes = 0
    var undoFailures = 0
  }

  private struct Node: Hashable {
    var state: String
    var budget: Budget
  }

  private var seen: Set<Node> = []
  private(set) var findings: [String] = []
  private(set) var ends: [Int32: Int] = [:]
  var states: Int { seen.count }

  /// At most so many states are gone through; which of them depends on the seed.
  private var statesLeft = 0
  private var random = SeededRandom(0)

  static func explore(_ tree: String, _ budget: Budget, states: Int, seed: UInt64, limit: Int = 50) -> TreeExplorer {
    var explorer = TreeExplorer()
    explorer.statesLeft = states
    explorer.random = SeededRandom(seed)
    explorer.visit(TreeDriver(tree, limit: limit), budget, TreeLedger(), [])
    return explorer
  }

  private mutating func visit(_ driver: TreeDriver, _ budget: Budget, _ ledger: TreeLedger, _ way: [String]) {
    guard findings.count < 3, statesLeft > 0 else { return }
    guard seen.insert(Node(state: driver.machine.picture + ledger.text, budget: budget)).inserted else { return }
    statesLeft -= 1
    check(driver, ledger, way)
    if case .done(let ended)? = driver.machine.orders.first {
      ends[ended.exitCode, default: 0] += 1
      for word in ledger.mistakes(atTheEndOf: driver.machine, ended) { find(word, way) }
      return
    }
    let moves = driver.machine.orders.flatMap { self.moves(for: $0, driver.machine, budget) }
    if moves.isEmpty { find("nothing can happen: \(driver.orders)", way) }
    for (words, left) in (moves + asides(driver.machine, budget)).shuffled(using: &random) {
      var next = driver
      var book = ledger
      book.note(words, before: next.machine)
      next.take(Substring(words))
      for word in book.mistakes { find(word, way + [words]) }
      visit(next, left, book, way + [words])
    }
  }

  private mutating func find(_ word: String, _ way: [String]) {
    findings.append("\(word)  after: \(way.joined(separator: "; "))")
  }

  private func moves(for order: Order, _ machine: RunMachine, _ budget: Budget) -> [(String, Budget)] {
    if machine.cancelled(order) != nil {
      // A call that is under way may come to its end all the same.
      guard case .call(let path) = order else { return [("stop \(order.path)", budget)] }
      return [("stop \(path)", budget), ("ok \(path)", budget)]
    }
    switch order {
    case .begin(let path, _): return [("begin \(path)", budget)]
    case .call(let path):
      var moves = [("ok \(path)", budget)]
      let isUndo = path.undone != nil
      if budget.failures > 0, !isUndo {
        var left = budget
        left.failures -= 1
        moves += [("fail \(path)", left), ("refuse \(path)", left)]
      }
      if budget.undoFailures > 0, isUndo {
        var left = budget
        left.undoFailures -= 1
        moves.append(("fail \(path)", left))
      }
      if budget.losses > 0, !isUndo {
        var left = budget
        left.losses -= 1
        moves.append(("lost \(path)", left))
      }
      return moves
    case .reconcile(let path): return [("ok \(path)", budget), ("unknown \(path)", budget)]
    case .settle(let path): return [("rest \(path)", budget)]
    case .park(let path, _): return [("timeout \(path)", budget)]
    default: return []
    }
  }

  private func asides(_ machine: RunMachine, _ budget: Budget) -> [(String, Budget)] {
    var moves: [(String, Budget)] = []
    if budget.cancels > 0, machine.isCancellable {
      var left = budget
      left.cancels -= 1
      moves.append(("cancel", left))
    }
    if budget.crashes > 0 {
      var left = budget
      left.crashes -= 1
      moves.append(("crash", left))
    }
    return moves
  }

  /// What must be true of every state.
  private mutating func check(_ driver: TreeDriver, _ ledger: TreeLedger, _ way: [String]) {
    let machine = driver.machine
    if driver.facts.contains(where: { if case .run(.eventIgnored) = $0 { true } else { false } }) {
      find("an event was ignored", way)
    }
    var again = RunMachine(machine.runbook)
    for fact in driver.facts { again.apply(fact, at: MachineFixture.start) }
    if again.orders != machine.orders { find("the journal gives other orders: \(again.orders)", way) }
    let paths = machine.orders.map(\.path)
    if Set(paths).count != paths.count { find("two orders for one step: \(driver.orders)", way) }
    for order in machine.orders {
      if case .begin(let path, .undo) = order { checkUndo(of: path.owner, machine, way) }
      if case .settle(let path) = order { checkUndo(of: path, machine, way) }
    }
  }

  /// Nothing is undone while it, or what is undone with it, is under way; and the newest comes first.
  private mutating func checkUndo(of path: StepPath, _ machine: RunMachine, _ way: [String]) {
    let scope = machine.unwindingScope(of: path)
    if let busy = machine.active.first(where: { $0.isWithin(scope) && $0.undone == nil }) {
      find("`\(path)` is undone while `\(busy)` is under way", way)
    }
    let newer = machine.stack.entries.drop { $0.step != path }.dropFirst()
    if let open = newer.first(where: { $0.isOpen && $0.step.isWithin(scope) }) {
      find("`\(path)` is undone before `\(open.step)`, which was begun later", way)
    }
  }
}

/// Numbers from a seed: the same ways are gone in every run with it.
private struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &+ 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

/// What was really done, as the other side would tell it.
struct TreeLedger {
  private var applied: Set<StepPath> = []
  private var mayBeApplied: Set<StepPath> = []
  private var undone: Set<StepPath> = []
  private(set) var mistakes: [String] = []
  var text: String {
    "\(applied.map(\.text).sorted())\(mayBeApplied.map(\.text).sorted())\(undone.map(\.text).sorted())"
  }

  mutating func note(_ words: String, before machine: RunMachine) {
    let parts = words.split(separator: " ")
    // Nobody has seen how the calls went that were under way.
    if words == "crash" { mayBeApplied.formUnion(machine.active) }
    guard parts.count == 2 else { return }
    let path = StepPath(String(parts[1]))
    switch parts[0] {
    case "ok", "fail":
      guard machine.step(at: path)?.effect != ActionEffect.none else { return }
      if let step = path.undone {
        guard parts[0] == "ok" else { return }
        if undone.contains(step) { mistakes.append("`\(step)` is undone twice") }
        undone.insert(step)
      } else {
        if applied.contains(path) { mistakes.append("`\(path)` is done twice") }
        applied.insert(path)
      }
    case "lost", "stop": mayBeApplied.insert(path)
    default: break
    }
  }

  /// What was done is undone, or there is a reason for which it stands.
  func mistakes(atTheEndOf machine: RunMachine, _ ended: RunEnded) -> [String] {
    var found: [String] = []
    let isGood = ended.outcome == .succeeded
    for path in applied {
      guard case .steps? = machine.step(at: path)?.rollback else { continue }
      let entry = machine.stack.entry(of: path)
      let isUndone = undone.contains(path)
      if entry == nil { found.append("`\(path)` has no entry") }
      if isGood, isUndone, machine.borne == nil, !isExcused(path, machine) {
        found.append("`\(path)` was undone although the run succeeded")
      }
      if ended.rollback == .succeeded || ended.exitCode == 3, machine.stop != nil, !isUndone,
        entry?.state != .closed(.committed), entry?.state != .closed(.replaced)
      {
        found.append("`\(path)` stands although everything is said to be undone")
      }
      if ended.exitCode == 1, machine.stop != nil, !isUndone, entry?.state == .open {
        found.append("`\(path)` stands, and nothing is said to be owed")
      }
    }
    for path in undone where !applied.contains(path) && !mayBeApplied.contains(path) {
      let isCall = machine.scopes[path]?.ended?.status == .succeeded
      if !isCall { found.append("`\(path)` was undone and never done") }
    }
    if !machine.openScopes.isEmpty { found.append("\(machine.openScopes) have not ended") }
    if !machine.active.isEmpty { found.append("\(machine.active) are under way at the end") }
    return found
  }

  /// In an iteration that failed and was borne.
  private func isExcused(_ path: StepPath, _ machine: RunMachine) -> Bool {
    machine.tree.place(at: path)?.rollbackScope != .root
  }
}

extension RunMachine {
  /// Everything that decides about what comes next.
  fileprivate var picture: String {
    var words: [String] = []
    for (path, state) in leaves {
      let end = "\(state.status.rawValue),\(state.purpose.rawValue),\(state.effect)"
      words.append("\(path):\(end),\(state.progress),\(state.lostRequests)")
    }
    for (path, scope) in scopes {
      let way = "\(scope.cursor),\(scope.live),\(scope.stop != nil),\(scope.rescued != nil),\(scope.batch)"
      let end = "\(scope.ended?.status.rawValue ?? ""),\(scope.failures),\(scope.unwinding)"
      let undo = "\(scope.rollbackStartedAt != nil),\(scope.endedWith?.rawValue ?? "")"
      words.append("\(path):\(way) \(end) \(undo)")
    }
    words.sort()
    let reason = stop.map { String(describing: $0).prefix(8) } ?? ""
    words.append("\(root.cursor),\(root.live),\(reason)")
    words.append("\(root.rollbackStartedAt != nil),\(rollback?.rawValue ?? "")")
    words.append(stack.entries.map { "\($0.step)\($0.state)" }.joined(separator: ","))
    words.append("\(resumedAt != nil),\(borne != nil)")
    return words.joined(separator: " ")
  }
}

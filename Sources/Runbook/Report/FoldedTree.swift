/// The steps of a run as people read them: a tree in which a loop is one line, with the iterations that failed, those
/// that go on and the slowest below it. A loop takes about twenty lines, however many items it has.
public struct FoldedTree {
  public enum Line: Sendable {
    /// - note: why it stands here, where that needs a word.
    case step(StepReport, note: String?)
    /// What is left out: `… and 38 more failed`.
    case rest(depth: Int, words: String)
  }

  private let report: RunReport
  private let isWhole: Bool
  private var lines: [Line] = []

  /// How many lines a loop takes below its own.
  private static let room = 20
  /// A loop that takes no more lines than this is shown whole.
  private static let small = 6
  /// How many lines an iteration takes; of a longer one only what did not go well is shown.
  private static let iterationRoom = 8

  /// - Parameter isWhole: nothing is folded.
  public static func lines(_ report: RunReport, isWhole: Bool = false) -> [Line] {
    var tree = FoldedTree(report: report, isWhole: isWhole)
    for root in report.roots { tree.add(root) }
    return tree.lines
  }

  /// The same of one step and what it holds.
  public static func lines(of path: String, in report: RunReport) -> [Line] {
    guard let index = report.stepIndex[path] else { return [] }
    var tree = FoldedTree(report: report, isWhole: false)
    tree.add(index)
    return tree.lines
  }

  private init(report: RunReport, isWhole: Bool) {
    self.report = report
    self.isWhole = isWhole
  }

  private mutating func add(_ index: Int, note: String? = nil) {
    lines.append(.step(report.steps[index], note: note))
    guard let holds = report.steps[index].holds else { return }
    if holds.isLoop, !isWhole, !isSmall(holds) { return addFolded(holds, depth: report.steps[index].depth + 1) }
    for child in holds.children { add(child) }
  }

  private func isSmall(_ loop: Holding) -> Bool {
    guard loop.children.count <= FoldedTree.small else { return false }
    return loop.children.reduce(0) { $0 + size(of: $1) } <= FoldedTree.small
  }

  /// How many lines the step takes with all that it holds and its undo steps. Counted no further than needed.
  private func size(of index: Int) -> Int {
    var size = 1 + report.undo(of: report.steps[index].path).count { $0.isWorthTelling }
    for child in report.steps[index].holds?.children ?? [] where size <= FoldedTree.room {
      size += self.size(of: child)
    }
    return size
  }

  // MARK: A loop

  private mutating func addFolded(_ loop: Holding, depth: Int) {
    var room = FoldedTree.room
    let failed = loop.troubled.sorted { position($0) < position($1) }
    add(failed, depth, &room) { "… and \($0) more failed" }
    let going = loop.going.filter { !report.steps[$0].hasFailed || report.steps[$0].unwinding == .going }
    add(going.filter { !failed.contains($0) }, depth, &room) { "… and \($0) more running" }
    if let slowest = slowest(loop) { lines.append(.step(report.steps[slowest], note: "the slowest")) }
  }

  private func position(_ index: Int) -> Int { report.steps[index].iteration ?? -1 }

  /// At least the first is shown.
  private mutating func add(_ some: [Int], _ depth: Int, _ room: inout Int, _ rest: (Int) -> String) {
    var shown = 0
    for index in some {
      let size = min(size(of: index), FoldedTree.iterationRoom)
      guard size <= room || shown == 0 else { break }
      addIteration(index)
      room -= size
      shown += 1
    }
    if shown < some.count { lines.append(.rest(depth: depth, words: rest(some.count - shown))) }
  }

  private mutating func addIteration(_ index: Int) {
    guard size(of: index) > FoldedTree.iterationRoom else { return add(index) }
    let step = report.steps[index]
    lines.append(.step(step, note: nil))
    let unwell = step.holds?.children.filter { report.steps[$0].hasFailed || report.steps[$0].status == .started } ?? []
    for child in unwell.prefix(FoldedTree.iterationRoom - 2) {
      lines.append(.step(report.steps[child], note: nil))
    }
    let left = (step.holds?.children.count ?? 0) - min(unwell.count, FoldedTree.iterationRoom - 2)
    if left > 0 {
      lines.append(.rest(depth: step.depth + 1, words: "… and \(left) more \(left == 1 ? "step" : "steps")"))
    }
  }

  /// Of those that succeeded, if it can be compared with another.
  private func slowest(_ loop: Holding) -> Int? {
    guard loop.succeeded > 1 else { return nil }
    let done = loop.children.filter { report.steps[$0].isIteration && report.steps[$0].status == .succeeded }
    return done.max { (report.steps[$0].elapsed ?? .zero) < (report.steps[$1].elapsed ?? .zero) }
  }
}

extension UndoReport {
  /// Something was done about it, or a person left it out.
  public var isWorthTelling: Bool { leftOut != nil || !status.isOne(of: .pending, .closed) }
}

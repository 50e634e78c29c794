import Runbook

/// How much of a step that holds others is shown while it goes on: less where the terminal is low.
struct BranchLimits: Sendable {
  /// Iterations of a loop that go on, and those that have failed.
  var going: Int
  var failed: Int
  /// Steps of a block that have ended well.
  var done: Int

  /// The first that fits is taken.
  static let all = [
    BranchLimits(going: 8, failed: 5, done: 6), BranchLimits(going: 5, failed: 3, done: 2),
    BranchLimits(going: 3, failed: 2, done: 0), BranchLimits(going: 1, failed: 1, done: 0),
  ]
}

/// The live lines of a step, with what goes on in it: steps of a block, branches, iterations.
struct Branches {
  let tree: LiveTree
  let spinner: String
  let now: Timestamp
  let limits: BranchLimits

  private var report: RunReport { tree.report }

  /// - Parameter path: of a step or an undo step that stands in no other step.
  func lines(of path: String) -> [StyledText] {
    if let step = report.step(path), step.isHolder { return lines(step) }
    return tree.running[path].map { tree.runningLines($0, spinner, now) } ?? []
  }

  private func lines(_ step: StepReport) -> [StyledText] {
    let indent = step.depth * 2
    guard let holds = step.holds else {
      return tree.running[step.path].map { tree.runningLines($0, spinner, now, indent: indent) } ?? []
    }
    let words = holds.isLoop ? RunWords.standing(of: step) : undoing(step) ?? kind(holds)
    let head = tree.row(
      spinner, .active, tree.name(of: step), elapsed(step), StyledText(words), indent: indent)
    return [head] + (holds.isLoop ? iterations(of: holds, indent + 2) : children(of: holds, indent + 2))
  }

  private func kind(_ holds: Holding) -> String {
    holds.rescuedFrom == nil ? DisplayText.escaped(holds.kind.text, limit: 40) : "a step failed: its `rescue` goes on"
  }

  private func elapsed(_ step: StepReport) -> String {
    step.startedAt.map { ((step.endedAt ?? now) - $0).elapsedSeconds } ?? ""
  }

  // MARK: A block, branches

  /// In their order; of those that ended well the newest, and the others counted.
  private func children(of holds: Holding, _ indent: Int) -> [StyledText] {
    let done = holds.children.filter { report.steps[$0].status.isOne(of: .succeeded, .skipped) }
    let hidden = done.count - min(done.count, limits.done)
    let isHidden = Set(done.prefix(hidden))
    var lines: [StyledText] = []
    if hidden > 0 { lines.append(rest("\(hidden) done", indent)) }
    for child in holds.children where !isHidden.contains(child) {
      let step = report.steps[child]
      lines += step.isGoing ? self.lines(step) : [ended(step, indent)]
    }
    return lines
  }

  private func ended(_ step: StepReport, _ indent: Int) -> StyledText {
    guard step.isHolder || step.unwinding != nil else {
      return tree.ended(step, as: tree.name(of: step), indent: indent)
    }
    return tree.folded(step, note: nil, indent: indent)
  }

  // MARK: A loop

  private func iterations(of loop: Holding, _ indent: Int) -> [StyledText] {
    var lines: [StyledText] = []
    // One alone is shown with what goes on in it.
    if loop.going.count == 1, let only = loop.going.first, report.steps[only].status == .started {
      lines += self.lines(report.steps[only])
    } else {
      lines += loop.going.prefix(limits.going).map { summary(report.steps[$0], indent) }
    }
    let failed = loop.troubled.filter { report.steps[$0].unwinding != .going }
    lines += failed.suffix(limits.failed).map { ended(report.steps[$0], indent) }
    let more = [
      (loop.going.count - limits.going, "running"), (failed.count - limits.failed, "failed"),
    ].filter { $0.0 > 0 }.map { "\($0.0) more \($0.1)" }
    if !more.isEmpty { lines.append(rest("and " + more.joined(separator: ", "), indent)) }
    return lines
  }

  /// An iteration in one line: the step in it that goes on, and what that waits for.
  private func summary(_ step: StepReport, _ indent: Int) -> StyledText {
    var words = ""
    if let undoing = undoing(step) {
      words = undoing
    } else if let leaf = leaf(of: step), let state = tree.running[leaf.path] {
      let rest = tree.words(for: state, now).plain
      let below = String(leaf.path.dropFirst(step.path.count + 1))
      let name = leaf.path == step.path ? "" : DisplayText.escaped(below, limit: 60)
      words = [name, rest].filter { !$0.isEmpty }.joined(separator: tree.glyphs.divider)
    }
    return tree.row(spinner, .active, tree.name(of: step), elapsed(step), StyledText(words), indent: indent)
  }

  /// The first that goes on in it and has something called.
  private func leaf(of step: StepReport) -> StepReport? {
    var here = step
    while let holds = here.holds {
      guard let next = holds.going.first else { return nil }
      here = report.steps[next]
    }
    return here
  }

  private func undoing(_ step: StepReport) -> String? {
    guard step.unwinding == .going else { return nil }
    guard let undo = tree.unwinding[step.path], let state = tree.running[undo] else { return "undoing it" }
    let rest = tree.words(for: state, now).plain
    return (["undoing it", state.name] + (rest.isEmpty ? [] : [rest])).joined(separator: tree.glyphs.divider)
  }

  private func rest(_ words: String, _ indent: Int) -> StyledText {
    StyledText(String(repeating: " ", count: indent + 2) + "\(tree.glyphs.ellipsis) \(words)", .faint)
  }
}

extension LiveTree {
  /// Inside the step around it; of an iteration with its item.
  func name(of step: StepReport) -> String {
    let name = DisplayText.escaped(step.name, limit: 100)
    return report.item(of: step).map { "\(name) \(RunWords.itemText($0))" } ?? name
  }

  /// A line about a step that has ended, or about what is left out.
  func folded(_ line: FoldedTree.Line) -> StyledText {
    switch line {
    case .rest(let depth, let words):
      StyledText(String(repeating: " ", count: depth * 2 + 2) + words, .faint)
    case .step(let step, let note):
      step.isHolder || step.unwinding != nil || note != nil || step.depth == 0
        ? folded(step, note: note, indent: step.depth * 2)
        : ended(step, as: name(of: step), indent: step.depth * 2)
    }
  }

  func folded(_ step: StepReport, note: String?, indent: Int) -> StyledText {
    let (glyph, role) = mark(step.status)
    let words = (note.map { "\($0): " } ?? "") + RunWords.shortEnd(of: step)
    let time = step.elapsed?.elapsedText ?? ""
    return row(
      glyph, role, name(of: step), time, StyledText(words, step.status == .failed ? .bad : .faint), indent: indent)
  }
}

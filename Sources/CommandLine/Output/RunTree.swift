import Runbook

/// The steps of a run as `show` prints them: a tree, in which a loop is folded.
struct RunTree {
  private let report: RunReport
  private let isVerbose: Bool
  private let tree: [FoldedTree.Line]
  /// Of the column of names, with their indents.
  private let width: Int

  init(_ report: RunReport, verbose: Bool) {
    self.report = report
    isVerbose = verbose
    tree = FoldedTree.lines(report, isWhole: verbose)
    let widths = tree.map { line in
      if case .step(let step, _) = line { step.depth * 2 + DisplayWidth.of(RunTree.name(step, in: report)) } else { 0 }
    }
    width = min(32, widths.max() ?? 0)
  }

  var lines: [StyledText] { tree.flatMap { line($0) } }

  private func line(_ line: FoldedTree.Line) -> [StyledText] {
    switch line {
    case .rest(let depth, let words): [StyledText(RunTree.indent(depth) + "    " + words, .faint)]
    case .step(let step, let note): self.lines(step, note)
    }
  }

  private func lines(_ step: StepReport, _ note: String?) -> [StyledText] {
    let indent = RunTree.indent(step.depth)
    let (mark, role) = RunTree.mark(step.status)
    let name = DisplayWidth.padded(RunTree.name(step, in: report), to: width - step.depth * 2)
    let words = (note.map { "\($0): " } ?? "") + RunTree.words(for: step)
    var lines = [
      StyledText("  \(indent)\(mark) ", role) + name + "  "
        + StyledText(words, step.status == .failed ? .bad : .faint)
    ]
    if isVerbose, let outputs = step.outputs.map {
      for (name, value) in outputs.sorted(by: { $0.key < $1.key }) {
        lines.append(
          StyledText(
            "\(indent)      \(DisplayText.escaped(name, limit: 64)) = \(DisplayText.line(value, limit: 1000))", .faint))
      }
    }
    for undo in report.undo(of: step.path) where undo.isWorthTelling { lines.append(self.line(undo, indent)) }
    let isTold = report.rollbackReason != nil || step.closed == "committed" || report.isBeingUndoneByItself(step)
    if isTold, let words = RunWords.closed(step.closed) {
      lines.append(StyledText("\(indent)      ↶ ", .warning) + StyledText(words, .faint))
    }
    return lines
  }

  private func line(_ undo: UndoReport, _ indent: String) -> StyledText {
    let (mark, role) = RunTree.mark(Word<StepStatus>(undo.status.text))
    let name = DisplayText.escaped(undo.action.isEmpty ? undo.entry : undo.action, limit: 100)
    return StyledText("\(indent)      ↶ ", .warning) + StyledText("\(mark) ", role) + "\(name)  "
      + StyledText(RunWords.end(of: undo), undo.status == .failed ? .bad : .faint)
  }

  /// Inside the step around it; of an iteration with its item.
  private static func name(_ step: StepReport, in report: RunReport) -> String {
    let name = DisplayText.escaped(step.name, limit: 100)
    return report.item(of: step).map { "\(name) \(RunWords.itemText($0))" } ?? name
  }

  private static func words(for step: StepReport) -> String {
    guard step.status == .started, !step.isHolder else { return RunWords.end(of: step) }
    return RunWords.stateWord(step.until).map { "begun, waits until \($0)" } ?? "begun"
  }

  private static func indent(_ depth: Int) -> String { String(repeating: " ", count: depth * 2) }

  private static func mark(_ status: Word<StepStatus>) -> (String, StyledText.Role) {
    switch status.known {
    case .succeeded: ("✓", .good)
    case .failed: ("✗", .bad)
    case .skipped, .notRun, .notApplied: ("–", .faint)
    case .started: ("◆", .active)
    default: ("?", .warning)
    }
  }
}

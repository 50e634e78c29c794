/// The lines below the headline of a run: in which state it has left things, and what a person should look at.
struct StateLines {
  private let report: RunReport
  private let standing: Standing
  private(set) var lines: [(StyledText, StyledText)] = []

  init(_ report: RunReport, _ standing: Standing) {
    self.report = report
    self.standing = standing
  }

  mutating func fill() {
    if report.isRestored { add("look at", .warning, ClosingWords.restoredWords(report)) }
    addQuestions()
    for line in DrillReport.lines(report) { add(line.label, line.isGood ? .good : .bad, line.text) }
    if isReached {
      addOutputs()
      if report.isGoodEnd, report.drill == nil { return }
    }
    for problem in report.problems { add("refused", .bad, DisplayText.escaped(problem, limit: 600)) }
    let failed = failures
    add(failures: failed)
    addUndone()
    addLeftOut()
    addStanding(besides: Set(failed.map(\.path)))
    for line in RunWords.servers(report.servers) { add("server", .strong, line) }
  }

  private var isReached: Bool { report.outcome.isOne(of: .succeeded, .objectiveMissed) }

  // MARK: One line, and one for many steps

  private mutating func add(_ label: String, _ role: StyledText.Role, _ text: String) {
    lines.append((StyledText(label, role), StyledText(text)))
  }

  private mutating func add(_ label: String, _ role: StyledText.Role, _ paths: [String]) {
    guard !paths.isEmpty else { return }
    add(label, role, report.folded(paths) { ClosingWords.shown($0) }.joined(separator: ", "))
  }

  /// The few of each kind, and how many more a loop has made.
  private mutating func add<Element>(
    _ label: String, _ role: StyledText.Role, few elements: [Element], by path: (Element) -> String,
    _ tell: (Element) -> [(String, StyledText.Role, String)]
  ) {
    let few = FewOfEach(elements, of: report, by: path)
    for element in few.shown { for (label, role, text) in tell(element) { add(label, role, text) } }
    for (template, count) in few.more { add(label, role, "… and \(count) more of \(ClosingWords.shown(template))") }
  }

  // MARK: The parts

  private mutating func addQuestions() {
    for question in report.asked.prefix(5) {
      guard let approval = question.approval else { continue }
      let asked = approval.lines
      let place = report.asked.count > 1 ? "\(ClosingWords.shown(approval.step)): " : ""
      for (index, line) in asked.enumerated() {
        let words = (index == 0 ? place : "") + line + (index == asked.count - 1 ? approval.progress : "")
        add(index == 0 ? "asked" : "", .strong, words)
      }
      if let until = approval.until { add("until", .strong, until.wholeSecond) }
    }
  }

  private mutating func addOutputs() {
    for (name, value) in (report.outputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append((StyledText(DisplayText.escaped(name, limit: 64)), StyledText(DisplayText.line(value, limit: 200))))
    }
    let borne = report.steps.filter { step in
      step.status == .failed && !StepPath(step.path).isSteadyStateAfter && report.isOwnFailure(step)
    }
    add("failed", .warning, few: borne, by: \.path) { step in
      let why = ClosingWords.because(step.error)
      return [
        ("failed", .warning, "\(ClosingWords.shown(step.path))\(why); the run goes on after it, as the file says")
      ]
    }
  }

  private var failures: [StepReport] {
    report.steps.filter { step in
      let isUnknown = step.status == .unknown && step.endedAt != nil && !report.isAsked(about: step.path)
      return (!isReached && step.status.isOne(of: .failed, .notApplied) || isUnknown) && report.isOwnFailure(step)
    }
  }

  private mutating func add(failures: [StepReport]) {
    let left = Set(standing.standing.map(\.path))
    add("failed", .bad, few: failures, by: \.path) { step in
      let why = ClosingWords.because(step.error)
      let stands = left.contains(step.path) ? "; its changes stand" : ""
      return [("failed", .bad, "\(ClosingWords.shown(step.path))\(why)\(stands)")]
        + RunWords.lastLines(step.error).map { ("", .faint, $0) }
    }
    if let why = RunWords.failure(report.outputsError) { add("failed", .bad, "outputs: \(why)") }
  }

  private mutating func addUndone() {
    add("undone", .good, standing.undone)
    add("undone in part", .warning, standing.undoneInPart)
    add("not undone", .bad, few: standing.notUndone, by: \.entry) { undo in
      let why = RunWords.failure(undo.error).map { ": \($0)" } ?? (undo.status == .pending ? ": not begun" : "")
      let words = "\(ClosingWords.shown(undo.entry)) \(DisplayText.escaped(undo.action, limit: 64))\(why)"
      return [("not undone", .bad, words)] + RunWords.lastLines(undo.error).map { ("", .faint, $0) }
    }
    add("not undone", .warning, few: standing.conditionFalse, by: { $0 }) { path in
      [("not undone", .warning, "\(ClosingWords.shown(path)): its condition was false")]
    }
  }

  private mutating func addLeftOut() {
    add("left out", .warning, few: standing.leftOut, by: \.entry) { undo in
      [("left out", .warning, "\(ClosingWords.shown(undo.entry)) \(undo.leftOut.map { RunWords.decision($0) } ?? "")")]
    }
    for step in report.steps where report.undo(of: step.path).isEmpty {
      guard let decision = step.leftOut else { continue }
      add("left out", .warning, "\(ClosingWords.shown(step.path)) \(RunWords.decision(decision))")
    }
    if let abandoned = report.abandoned { add("abandoned", .warning, RunWords.decision(abandoned)) }
    add("unknown", .warning, standing.unknown)
    add("unknown", .warning, few: standing.untold, by: { $0 }) { path in
      [("unknown", .warning, "\(ClosingWords.shown(path)): whether its message has arrived")]
    }
  }

  /// - Parameter told: paths of steps that have a line already.
  private mutating func addStanding(besides told: Set<String>) {
    let kept =
      standing.standing.filter { !told.contains($0.path) } + ClosingWords.stillThere(report, standing)
    guard !kept.isEmpty else { return }
    let things = Dictionary(kept.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let words = report.folded(kept.map(\.path)) { path in
      things[path].map { ClosingWords.thing($0) } ?? ClosingWords.shown(path)
    }
    add("stands", .warning, words.joined(separator: ", "))
  }
}

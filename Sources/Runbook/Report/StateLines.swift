/// What state things are in when a run has stopped, in two columns: a word, and what it is said of.
struct StateLines {
  private let report: RunReport
  private let standing: Standing
  private var lines: [(StyledText, StyledText)] = []

  static func of(_ report: RunReport, _ standing: Standing) -> [(StyledText, StyledText)] {
    var state = StateLines(report: report, standing: standing)
    state.addQuestions()
    for line in DrillReport.lines(report) { state.add(line.label, line.isGood ? .good : .bad, line.text) }
    if report.outcome.isOne(of: .succeeded, .objectiveMissed) {
      state.addOutputs()
      if report.isGoodEnd, report.drill == nil { return state.lines }
    }
    state.addFailures()
    state.addUndoing()
    state.addStanding()
    return state.lines
  }

  private init(report: RunReport, standing: Standing) {
    self.report = report
    self.standing = standing
  }

  private mutating func add(_ label: String, _ role: StyledText.Role, _ text: String) {
    lines.append((StyledText(label, role), StyledText(text)))
  }

  private mutating func add(_ label: String, _ role: StyledText.Role, _ paths: [String]) {
    if !paths.isEmpty { add(label, role, report.folded(paths) { Self.shown($0) }.joined(separator: ", ")) }
  }

  /// The few of each kind, with the lines of an output below them, and how many more a loop has made.
  private mutating func add<Element>(
    _ label: String, _ role: StyledText.Role, few elements: [Element], by path: (Element) -> String,
    _ words: (Element) -> (text: String, output: [String])
  ) {
    let few = FewOfEach(elements, of: report, by: path)
    for element in few.shown {
      let (text, output) = words(element)
      add(label, role, text)
      for line in output { add("", .faint, line) }
    }
    for (template, count) in few.more { add(label, role, "… and \(count) more of \(Self.shown(template))") }
  }

  // MARK: What is asked, and what came of it

  private mutating func addQuestions() {
    if report.isRestored { add("look at", .warning, restoredWords) }
    for question in report.asked.prefix(5) {
      guard let approval = question.approval else { continue }
      let asked = approval.lines
      let place = report.asked.count > 1 ? "\(Self.shown(approval.step)): " : ""
      for (index, line) in asked.enumerated() {
        let words = (index == 0 ? place : "") + line + (index == asked.count - 1 ? approval.progress : "")
        add(index == 0 ? "asked" : "", .strong, words)
      }
      if let until = approval.until { add("until", .strong, until.wholeSecond) }
    }
  }

  private mutating func addOutputs() {
    for (name, value) in (report.outputs.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append(
        (StyledText(DisplayText.escaped(name, limit: 64)), StyledText(DisplayText.line(value, limit: 200))))
    }
    let borne = report.steps.filter { step in
      step.status == .failed && !StepPath(step.path).isSteadyStateAfter && report.isOwnFailure(step)
    }
    add("failed", .warning, few: borne, by: \.path) { step in
      ("\(Self.shown(step.path))\(Self.because(step.error)); the run goes on after it, as the file says", [])
    }
  }

  private var failed: [StepReport] {
    let isReached = report.outcome.isOne(of: .succeeded, .objectiveMissed)
    return report.steps.filter { step in
      let isUnknown = step.status == .unknown && step.endedAt != nil && !report.isAsked(about: step.path)
      return (!isReached && step.status.isOne(of: .failed, .notApplied) || isUnknown) && report.isOwnFailure(step)
    }
  }

  private mutating func addFailures() {
    for problem in report.problems { add("refused", .bad, DisplayText.escaped(problem, limit: 600)) }
    let left = Set(standing.standing.map(\.path))
    add("failed", .bad, few: failed, by: \.path) { step in
      let stands = left.contains(step.path) ? "; its changes stand" : ""
      return ("\(Self.shown(step.path))\(Self.because(step.error))\(stands)", RunWords.lastLines(step.error))
    }
    if let why = RunWords.failure(report.outputsError) { add("failed", .bad, "outputs: \(why)") }
  }

  private mutating func addUndoing() {
    add("undone", .good, standing.undone)
    add("undone in part", .warning, standing.undoneInPart)
    add("not undone", .bad, few: standing.notUndone, by: \.entry) { undo in
      let why = RunWords.failure(undo.error).map { ": \($0)" } ?? (undo.status == .pending ? ": not begun" : "")
      let action = DisplayText.escaped(undo.action, limit: 64)
      return ("\(Self.shown(undo.entry)) \(action)\(why)", RunWords.lastLines(undo.error))
    }
    add("not undone", .warning, few: standing.conditionFalse, by: { $0 }) { path in
      ("\(Self.shown(path)): its condition was false", [])
    }
    add("left out", .warning, few: standing.leftOut, by: \.entry) { undo in
      ("\(Self.shown(undo.entry)) \(undo.leftOut.map { RunWords.decision($0) } ?? "")", [])
    }
    for step in report.steps where report.undo(of: step.path).isEmpty {
      guard let decision = step.leftOut else { continue }
      add("left out", .warning, "\(Self.shown(step.path)) \(RunWords.decision(decision))")
    }
    if let abandoned = report.abandoned { add("abandoned", .warning, RunWords.decision(abandoned)) }
  }

  private mutating func addStanding() {
    add("unknown", .warning, standing.unknown)
    add("unknown", .warning, few: standing.untold, by: { $0 }) { path in
      ("\(Self.shown(path)): whether its message has arrived", [])
    }
    let told = Set(failed.map(\.path))
    let kept = standing.standing.filter { !told.contains($0.path) } + stillThere
    let things = Dictionary(kept.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    if !kept.isEmpty {
      let words = report.folded(kept.map(\.path)) { path in things[path].map { thing($0) } ?? Self.shown(path) }
      add("stands", .warning, words.joined(separator: ", "))
    }
    for line in RunWords.servers(report.servers) { add("server", .strong, line) }
  }

  // MARK: Words

  private static func because(_ error: ReportedError?) -> String { RunWords.failure(error).map { ": \($0)" } ?? "" }

  /// What was made, is still owed to be taken away, and can be named: it may cost money.
  private var stillThere: [StepReport] {
    let owed = Set((standing.notUndone + standing.leftOut).map(\.step))
    return report.steps.filter { step in
      owed.contains(step.path) && step.happened == .applied && step.outputs["id"]?.string != nil
    }
  }

  /// A person can look for it: `snap (snapshot pre-r0m1, id 802)`, `room (2 deleted)`.
  private func thing(_ step: StepReport) -> String {
    let outputs = step.outputs.map ?? [:]
    // A new server, whatever it was made of.
    let isServer = outputs["ip"] != nil
    let family = isServer ? "server" : step.action.split(separator: ".").first.map(String.init) ?? ""
    let isCloud = ["server", "snapshot", "backup", "rescue"].contains(family)
    let name = outputs["name"]?.string.map { isCloud ? "\(family) \($0)" : $0 }
    let deleted = outputs["deleted"]?.list.map { "\($0.count) deleted" }
    let words = [name, outputs["id"]?.string.map { "id \($0)" }, deleted].compactMap { $0 }
      .map { DisplayText.escaped($0, limit: 100) }
    return Self.shown(step.path) + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
  }

  private var restoredWords: String {
    let last = report.steps.last { $0.isMain && $0.startedAt != nil }
    let place = last.map { "the last step in its journal is `\(Self.shown($0.path))`" } ?? "its journal has no step"
    return "the servers of the run: \(place); this step and later steps may have been done since"
  }

  private static func shown(_ path: String) -> String { DisplayText.escaped(path, limit: 100) }
}

/// The last lines of a run: how it ended, what state things are in, and what to type next.
public enum ClosingWords {
  /// - Parameters:
  ///   - commands: makes the lines of what to type next.
  ///   - store: the path of the run's store, for a run that has not ended.
  public static func lines(
    for report: RunReport, _ commands: AdvisedCommands = AdvisedCommands(), keptIn store: String? = nil
  ) -> [StyledText] {
    let standing = Standing(report)
    var lines = [headline(report, standing, store)]
    let state = stateLines(report, standing)
    if !state.isEmpty { lines += [StyledText()] + table(state) }
    let next = NextCommands.of(report, commands)
    if !next.isEmpty {
      lines += [StyledText()] + table(next.map { (StyledText($0.command, .strong), StyledText($0.meaning, .faint)) })
    }
    return lines
  }

  // MARK: How it ended

  private static func headline(_ report: RunReport, _ standing: Standing, _ store: String?) -> StyledText {
    let name = DisplayText.escaped(report.name.isEmpty ? report.id : report.name, limit: 64)
    if report.isRestored, report.posted == nil { return restored(name, report) }
    if report.status != .ended { return unfinished(name, report, store) }
    let took = report.elapsed.map { " after \($0.elapsedText)" } ?? ""
    let simulated = report.isSimulated ? " (simulated)" : ""
    let place = report.failedStep?.path ?? (report.outputsError == nil ? nil : "outputs")
    let at = place.map { " at `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
    let code = report.exitCode.map { " (exit \($0))" } ?? ""
    switch report.outcome?.known {
    case .succeeded where report.isGoodEnd:
      return StyledText("✓ ", .good) + StyledText(name, .strong)
        + " succeeded\(took)\(report.isDrill ? rollback(report, standing) : "")\(simulated)."
    case .objectiveMissed:
      return StyledText("✗ ", .bad) + StyledText(name, .strong)
        + " missed its objective\(took)\(rollback(report, standing))\(code)\(simulated)."
    case .cancelled:
      return StyledText("■ ", .warning) + StyledText(name, .strong)
        + " was cancelled\(took)\(rollback(report, standing))\(code)\(simulated)."
    case .failed where report.isOnlyBorne && report.rollback.isOne(of: .succeeded, .notNeeded, .none):
      return StyledText("✗ ", .bad) + StyledText(name, .strong)
        + " failed\(took): \(borne(report, standing))\(code)\(simulated)."
    default:
      let word = DisplayText.escaped(RunWords.spaced(report.outcome?.text ?? "ended"), limit: 40)
      return StyledText("✗ ", .bad) + StyledText(name, .strong)
        + " \(word)\(at)\(took)\(rollback(report, standing))\(code)\(simulated)."
    }
  }

  private static func rollback(_ report: RunReport, _ standing: Standing) -> String {
    if let abandoned = report.abandoned {
      return ", and its rollback was abandoned by \(DisplayText.escaped(abandoned.by, limit: 64))"
    }
    switch report.rollback?.known {
    case .succeeded: return standing.isClean ? "; everything it changed was undone" : "; it was rolled back"
    case .notNeeded: return notNeeded(report, standing)
    case .failed where !report.owesRollback && !standing.leftOut.isEmpty:
      return ", and a part of its rollback was left out: a person must look"
    case .failed: return ", and its rollback FAILED: a person must look"
    case .blocked where report.blockingStep == nil: return ", and its rollback has not ended: go on with it"
    case .blocked: return ", and its rollback is BLOCKED: a person must look"
    case .pending: return "; nothing was rolled back"
    case .some(.none): return "; nothing was undone"
    default: return ""
    }
  }

  private static func notNeeded(_ report: RunReport, _ standing: Standing) -> String {
    if report.drill != nil, !standing.standing.isEmpty { return "; its changes stand" }
    if !standing.unknown.isEmpty { return "; it is unknown whether all of it took effect" }
    if !standing.untold.isEmpty { return "; there was nothing to undo" }
    if standing.standing.contains(where: { $0.closed == "committed" }) { return "; its committed changes stand" }
    if !standing.conditionFalse.isEmpty { return "; nothing was undone" }
    return standing.isClean ? "; it had changed nothing" : "; there was nothing to undo"
  }

  private static func restored(_ name: String, _ report: RunReport) -> StyledText {
    StyledText("… ", .warning) + StyledText(name, .strong)
      + " may have done more than its journal says: its store was put back from an older copy "
      + "(exit \(ExitCode.waiting.rawValue))."
  }

  private static func unfinished(_ name: String, _ report: RunReport, _ store: String?) -> StyledText {
    if let posted = report.posted {
      return StyledText("… ", .warning) + StyledText(name, .strong)
        + " has not ended: \(RunWords.posted(posted)), and no process works on it."
    }
    if report.asked.count > 1 {
      return StyledText("… ", .warning) + StyledText(name, .strong)
        + " waits for \(report.asked.count) answers\(places(report)) (exit \(ExitCode.waiting.rawValue))."
    }
    if report.approval != nil {
      let step = places(report)
      let left = report.leftReason.map { "; it was left: \(DisplayText.escaped($0, limit: 300))" } ?? ""
      return StyledText("… ", .warning) + StyledText(name, .strong) + " waits for an approval\(step)\(left)."
    }
    if report.status == .waiting, report.leftReason == nil || report.waitingStep != nil {
      let step = places(report)
      return StyledText("… ", .warning) + StyledText(name, .strong)
        + " waits for an answer\(step) (exit \(ExitCode.waiting.rawValue))."
    }
    let why = report.leftReason.map { ": \(DisplayText.escaped($0, limit: 300))" } ?? ""
    return StyledText("… ", .warning) + StyledText(name, .strong)
      + " has not ended\(why)"
      + (report.isSimulated ? simulatedEnd : ". It goes on where it stopped, \(keeping(store)).")
  }

  /// Every step that asks, up to five: ` at `a` and `b``.
  private static func places(_ report: RunReport) -> String {
    var names = report.asked.compactMap(\.step).prefix(5).map { "`\(shown($0))`" }
    let more = report.asked.count - names.count
    if more > 0, !names.isEmpty { names.append("\(more) more") }
    guard let last = names.last else { return "" }
    return " at " + (names.count == 1 ? last : names.dropLast().joined(separator: ", ") + " and " + last)
  }

  private static let simulatedEnd = ", and cannot go on: a simulation is kept nowhere."

  /// The machine on which this is read may be about to be erased.
  private static func keeping(_ store: String?) -> String {
    let path = store.map { " `\(DisplayText.escaped($0, limit: 300))`" } ?? ""
    return "as long as its store\(path) is kept"
  }

  // MARK: What state things are in

  static func stateLines(_ report: RunReport, _ standing: Standing) -> [(StyledText, StyledText)] {
    var lines = StateLines(report, standing)
    lines.fill()
    return lines.lines
  }

  static func because(_ error: ReportedError?) -> String { RunWords.failure(error).map { ": \($0)" } ?? "" }

  /// What was made, is still owed to be taken away, and can be named: it may cost money.
  static func stillThere(_ report: RunReport, _ standing: Standing) -> [StepReport] {
    let owed = Set((standing.notUndone + standing.leftOut).map(\.step))
    return report.steps.filter { step in
      owed.contains(step.path) && step.happened == .applied && step.outputs["id"]?.string != nil
    }
  }

  /// A person can look for it: `snap (snapshot pre-r0m1, id 802)`, `room (2 deleted)`.
  static func thing(_ step: StepReport) -> String {
    let outputs = step.outputs.map ?? [:]
    // A new server, whatever it was made of.
    let isServer = outputs["ip"] != nil
    let family = isServer ? "server" : step.action.split(separator: ".").first.map(String.init) ?? ""
    let isCloud = ["server", "snapshot", "backup", "rescue"].contains(family)
    let name = outputs["name"]?.string.map { isCloud ? "\(family) \($0)" : $0 }
    let deleted = outputs["deleted"]?.list.map { "\($0.count) deleted" }
    let words = [name, outputs["id"]?.string.map { "id \($0)" }, deleted].compactMap { $0 }
      .map { DisplayText.escaped($0, limit: 100) }
    return shown(step.path) + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
  }

  static func restoredWords(_ report: RunReport) -> String {
    let last = report.steps.last { $0.isMain && $0.startedAt != nil }
    let place = last.map { "the last step in its journal is `\(shown($0.path))`" } ?? "its journal has no step"
    return "the servers of the run: \(place); this step and later steps may have been done since"
  }

  static func shown(_ path: String) -> String { DisplayText.escaped(path, limit: 100) }

  /// Two columns, the first as wide as its widest cell.
  private static func table(_ rows: [(StyledText, StyledText)]) -> [StyledText] {
    let width = rows.map { $0.0.plain.count }.max() ?? 0
    return rows.map { left, right in
      guard !left.plain.isEmpty || !right.plain.isEmpty else { return StyledText() }
      return StyledText("  ") + left + String(repeating: " ", count: width - left.plain.count + 2) + right
    }
  }
}

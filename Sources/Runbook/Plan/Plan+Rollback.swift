extension Plan {
  /// What a rollback would do that begins when a step, and all before it, are done.
  public struct Rollback: Sendable, Equatable {
    /// Steps that are undone, the newest first.
    public var undone: [String] = []
    /// Steps that have changed something and stay as they are.
    public var stays: [String] = []
    /// The step that cannot be undone and keeps the rollback from the older ones; nil: it comes to its end.
    public var blockedBy: String?
    /// Steps of which only the run will know whether they run; they count as if they did.
    public var ifRun: Set<String> = []
  }

  /// - Parameters:
  ///   - path: of the last step that was done, one of `steps`.
  ///   - skipped: steps that depend on the run, and were skipped in it.
  public func rollback(after path: String, skipped: Set<String> = []) -> Rollback {
    guard let last = steps.firstIndex(where: { $0.path == path }) else { return Rollback() }
    let done = steps[...last].filter { $0.decision != .skipped && !skipped.contains($0.path) }
    let committed = done.lastIndex { $0.isCommit } ?? -1
    var rollback = Rollback()
    for (index, step) in done.enumerated().reversed() where step.effect != .none {
      if case .depends = step.decision { rollback.ifRun.insert(step.path) }
      if index > committed, step.isUndone, rollback.blockedBy == nil {
        rollback.undone.append(step.path)
      } else {
        rollback.stays.append(step.path)
        // Whether its undo steps will be skipped is asked only when its turn has come.
        let hasOlder = done.indices.contains { $0 > committed && $0 < index && !done[$0].undoSteps.isEmpty }
        if index > committed, step.undo.isIrreversible, hasOlder, rollback.blockedBy == nil {
          rollback.blockedBy = step.path
        }
      }
    }
    return rollback
  }
}

extension Plan.Step {
  /// It has undo steps, and not all of them are certainly left out.
  var isUndone: Bool { undoSteps.contains { $0.decision != .skipped } }
}

extension Plan.Undo {
  public var isIrreversible: Bool { if case .irreversible = self { true } else { false } }
}

extension PlanText {
  /// How much of the run can be undone: `3 of 4 changes can be undone; these stay: …`.
  static func coverage(_ plan: Plan) -> String? {
    let changing = plan.steps.filter { $0.effect != .none && $0.decision != .skipped }
    guard !changing.isEmpty else { return nil }
    let kept = changing.filter { !$0.isUndone }
    let all = "\(changing.count - kept.count) of \(count(changing.count, "change", "changes")) can be undone"
    if kept.isEmpty { return all + "." }
    let names = kept.map { step in
      let why =
        switch step.undo {
        case .absent: "no rollback is written"
        case .irreversible: "irreversible"
        case .steps: "the condition of its undo is false"
        case .none, .notNeeded: "on purpose"
        }
      return "`\(step.path)` (line \(step.line), \(why))"
    }
    return "\(all); these stay: \(names.joined(separator: ", "))."
  }

  /// For each step that changes something: the steps that are undone if the run fails after it.
  static func rollbackLines(_ plan: Plan) -> [String] {
    let changing = plan.steps.filter { $0.effect != .none && $0.decision != .skipped || $0.isCommit }
    guard !changing.isEmpty else { return [] }
    return ["", "what a failure would undo:"]
      + changing.map { step in
        let rollback = plan.rollback(after: step.path)
        func named(_ paths: [String]) -> String {
          paths.map { rollback.ifRun.contains($0) ? "\($0) (if it ran)" : $0 }.joined(separator: ", ")
        }
        var words = rollback.undone.isEmpty ? "nothing" : named(rollback.undone)
        if let blocker = rollback.blockedBy { words += "; then it stops at `\(blocker)`, which cannot be undone" }
        if !rollback.stays.isEmpty { words += "; stays: \(named(rollback.stays))" }
        return "  after \(step.path): \(words)"
      }
  }
}

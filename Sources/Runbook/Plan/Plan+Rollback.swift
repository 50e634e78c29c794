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
    /// The iteration in which the last step stands; nil: it stands in no loop. It is undone by itself first, of
    /// `undone`
    /// these.
    public var iteration: String?
    public var first: [String] = []
    /// What is undone of iterations that have ended well, if the loop fails.
    public var finished: [String] = []
  }

  /// Every step that has something called, and behind the steps of a call that has undo steps of its own one for it.
  var entries: [Step] { tree.flatMap(\.entries) }

  /// - Parameters:
  ///   - path: of the last step that was done, one of `steps`.
  ///   - skipped: steps that depend on the run, and were skipped in it.
  public func rollback(after path: String, skipped: Set<String> = []) -> Rollback {
    let written = entries
    guard let end = written.firstIndex(where: { $0.path == path }) else { return Rollback() }
    let last = written[end]
    func isDone(_ step: Step) -> Bool { step.decision != .skipped && !skipped.contains(step.path) }
    let done = Done(written, last: end, where: isDone)
    var rollback = Rollback()
    rollback.ifRun = done.uncertain
    for (index, step) in done.steps.enumerated().reversed() where step.effect != .none && !done.isReplaced(step) {
      if case .depends = step.decision { rollback.ifRun.insert(step.path) }
      if !done.isCommitted(index), step.isUndone, rollback.blockedBy == nil {
        rollback.undone.append(step.path)
      } else {
        rollback.stays.append(step.path)
        // Whether its undo steps will be skipped is asked only when its turn has come.
        let hasOlder = done.steps.indices.contains {
          $0 < index && !done.isCommitted($0) && !done.steps[$0].undoSteps.isEmpty
        }
        if !done.isCommitted(index), step.undo.isIrreversible, hasOlder, rollback.blockedBy == nil {
          rollback.blockedBy = step.path
        }
      }
    }
    guard let iteration = last.place.iterations.last else { return rollback }
    rollback.iteration = iteration
    let inside = Done(written.filter { $0.place.iterations.contains(iteration) && isDone($0) })
    for (index, step) in inside.steps.enumerated().reversed()
    where step.effect != .none && step.isUndone && !inside.isReplaced(step) && !inside.isCommitted(index) {
      rollback.finished.append(step.path)
    }
    let own = Set(inside.steps.map(\.path))
    rollback.first = rollback.undone.filter { own.contains($0) }
    return rollback
  }

  /// What counts as done when something fails.
  private struct Done {
    private(set) var steps: [Step] = []
    /// In another branch, or in a `rescue`: only the run will know whether they were begun.
    private(set) var uncertain: Set<String> = []

    /// All of them.
    init(_ steps: [Step]) { self.steps = steps }

    /// All up to the last, and what other branches do meanwhile.
    init(_ written: [Step], last end: Int, where isDone: (Step) -> Bool) {
      let last = written[end]
      for (index, step) in written.enumerated() where isDone(step) {
        let isBeside = step.place.branches.contains { parallel, branch in
          last.place.branches[parallel].map { $0 != branch } ?? false
        }
        guard index <= end || isBeside && !step.place.isCall else { continue }
        steps.append(step)
        if isBeside || !step.place.rescues.isSubset(of: last.place.rescues) { uncertain.insert(step.path) }
      }
    }

    /// A `commit` behind it closes it: that of its iteration, of its file, of the run.
    func isCommitted(_ index: Int) -> Bool {
      let step = steps[index]
      return steps.enumerated().contains { position, commit in
        guard commit.isCommit else { return false }
        guard let scope = commit.place.scopes.last else { return position > index }
        return step.place.isCall && scope == step.path || position > index && step.place.scopes.contains(scope)
      }
    }

    /// The call around it has come to its end, and has undo steps of its own.
    func isReplaced(_ step: Step) -> Bool {
      !step.place.replacedBy.isEmpty
        && steps.contains { $0.place.isCall && step.place.replacedBy.contains($0.path) }
    }
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
    let kept = changing.filter { !$0.isUndone && $0.place.replacedBy.isEmpty }
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
      let line = step.place.file.map { "\($0), line \(step.line)" } ?? "line \(step.line)"
      return "`\(step.path)` (\(line), \(why))"
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
        if rollback.iteration != nil {
          words = "this iteration by itself: \(rollback.first.isEmpty ? "nothing" : named(rollback.first))"
          let first = Set(rollback.first)
          let earlier = rollback.undone.filter { !first.contains($0) }
          var then = rollback.finished.isEmpty ? [] : ["finished iterations (\(named(rollback.finished)))"]
          if !earlier.isEmpty { then.append(named(earlier)) }
          if !then.isEmpty { words += "; if the loop fails: \(then.joined(separator: ", "))" }
        }
        if let blocker = rollback.blockedBy { words += "; then it stops at `\(blocker)`, which cannot be undone" }
        if !rollback.stays.isEmpty { words += "; stays: \(named(rollback.stays))" }
        return "  after \(step.path): \(words)"
      }
  }
}

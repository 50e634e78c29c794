// What events tell of steps: of those that have something called, and of those that hold others.
extension RunReport {
  mutating func applyStep(_ event: RunEvent) {
    let fields = event.fields
    guard let path = fields["step"]?.string, fields["purpose"]?.string != "undo", undoIndex[path] == nil else { return }
    guard event.event.hasPrefix("step.") || event.event.hasPrefix("attempt.") else { return }
    let index = position(of: path)
    switch event.event {
    case "step.started":
      steps[index].title = fields["title"]?.string ?? path
      steps[index].action = fields["action"]?.string ?? ""
      noteAction(of: index)
      steps[index].purpose = fields["purpose"]?.string.map { Word($0) } ?? .known(.do)
      steps[index].effect = fields["effect"]?.string.map { Word($0) } ?? .known(.none)
      steps[index].effectClass = fields["class"]?.string
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 1)
      steps[index].status = .known(.started)
      steps[index].startedAt = steps[index].startedAt ?? event.at
      planUndo(of: index)
    case "attempt.started", "attempt.ended":
      steps[index].attempts = max(steps[index].attempts, fields["attempt"]?.int ?? 0)
    case "step.waiting":
      steps[index].until = fields["until"]?.string
      steps[index].deadline = RunReport.instant(fields["deadline"])
      steps[index].nativeState = fields["native_state"]?.string
    case "step.ended":
      if isAsked(about: path) { forgetQuestion(about: path) }
      steps[index].status = fields["status"]?.string.map { Word($0) } ?? .known(.unknown)
      steps[index].outputs = fields["outputs"] ?? .map([:])
      steps[index].error = ReportedError(fields["error"])
      steps[index].title = fields["title"]?.string ?? steps[index].title
      steps[index].attempts = max(steps[index].attempts, fields["attempts"]?.int ?? 0)
      noteAction(of: index)
      steps[index].purpose = fields["purpose"]?.string.map { Word($0) } ?? steps[index].purpose
      if steps[index].startedAt != nil { steps[index].endedAt = event.at }
      if steps[index].status == .succeeded, actions.declaration(of: steps[index].action)?.isCommit == true {
        commit(at: index)
      }
    default: break
    }
    count(index)
  }

  private mutating func noteAction(of index: Int) {
    let action = actions.declaration(of: steps[index].action)
    steps[index].logLine = action?.logLine
    steps[index].asksPeople = action?.asksPeople ?? false
  }

  mutating func applyHolder(_ event: RunEvent) {
    let fields = event.fields
    guard let path = fields["step"]?.string, undoIndex[path] == nil else { return }
    let index = position(of: path)
    switch event.event {
    case "scope.started":
      steps[index].holds = Holding(fields)
      steps[index].title = fields["title"]?.string ?? path
      steps[index].status = .known(.started)
      steps[index].startedAt = steps[index].startedAt ?? event.at
      steps[index].deadline = RunReport.instant(fields["deadline"])
      planUndo(of: index)
    case "scope.rescuing": steps[index].holds?.rescuedFrom = ReportedError(fields["error"])
    case "scope.ended":
      // One that was skipped or refused was never found to hold anything.
      if !steps[index].isHolder { steps[index].holds = Holding(Word(plan.kinds[steps[index].template] ?? "")) }
      steps[index].status = fields["status"]?.string.map { Word($0) } ?? .known(.unknown)
      steps[index].outputs = fields["outputs"] ?? .map([:])
      steps[index].error = ReportedError(fields["error"])
      if steps[index].startedAt != nil { steps[index].endedAt = event.at }
      if steps[index].status == .succeeded, steps[index].holds?.kind == .call { replaceUndo(by: index) }
    default: return
    }
    count(index)
  }

  /// - Parameter outcome: nil while the iteration is being undone.
  mutating func applyUnwinding(of path: String, _ outcome: Word<RollbackOutcome>?, isBeginning: Bool) {
    guard let index = stepIndex[path] else { return }
    let was = steps[index].unwinding
    steps[index].unwinding = isBeginning ? .going : .ended(outcome ?? .known(.succeeded))
    let isStuck = !isBeginning && !outcome.isOne(of: .succeeded, .notNeeded)
    if isStuck { stuckIteration = stuckIteration ?? index }
    guard let parent = steps[index].parent else { return }
    let isUndone = steps[index].unwinding == .ended(.known(.succeeded))
    let wasUndone = was == .ended(.known(.succeeded))
    steps[parent].holds?.undoing += (isBeginning ? 1 : 0) - (was == .going ? 1 : 0)
    steps[parent].holds?.undone += (isUndone ? 1 : 0) - (wasUndone ? 1 : 0)
    steps[parent].holds?.going.removeAll { $0 == index }
    if isBeginning { steps[parent].holds?.going.append(index) }
  }

  // MARK: Where a step stands

  /// Of a step that something is told of, if need be for the first time.
  private mutating func position(of path: String) -> Int {
    if let index = stepIndex[path] { return index }
    var step = StepReport(path: path)
    if let parent = parent(of: path) {
      let around = steps[parent]
      step.parent = parent
      step.depth = around.depth + 1
      let rest = path.dropFirst(around.path.count)
      step.name = String(rest.first == "." ? rest.dropFirst() : rest)
      step.template = around.template + rest
      if around.holds?.isLoop == true {
        if rest.first == "[" {
          step.iteration = Int(rest.dropFirst().dropLast()) ?? 0
          step.name = around.name + rest
          step.template = StepPath(around.template).anyIteration.text
        } else if rest.hasPrefix(".gate[") {
          step.template = StepPath(around.template).anyGate.text
        }
      }
    }
    let index = steps.count
    stepIndex[path] = index
    if let parent = step.parent { steps[parent].holds?.children.append(index) } else { roots.append(index) }
    steps.append(step)
    return index
  }

  /// The nearest step around it that is known to hold others. Ids have no dots and no brackets.
  private func parent(of path: String) -> Int? {
    var bytes = Substring(path).utf8
    if bytes.last == UInt8(ascii: "]"), let open = bytes.lastIndex(of: UInt8(ascii: "[")) {
      if let index = stepIndex[String(Substring(bytes[..<open]))], steps[index].holds?.isLoop == true { return index }
    }
    while let dot = bytes.lastIndex(of: UInt8(ascii: ".")) {
      bytes = bytes[..<dot]
      if let index = stepIndex[String(Substring(bytes))], steps[index].isHolder { return index }
    }
    return nil
  }

  /// Counts the step for the one around it, as it stands now.
  private mutating func count(_ index: Int) {
    let (before, now) = (steps[index].countedAs, steps[index].counted)
    guard before != now, let parent = steps[index].parent else { return }
    steps[index].countedAs = now
    if before == .going { steps[parent].holds?.going.removeAll { $0 == index } }
    if now == .going { steps[parent].holds?.going.append(index) }
    if before == .failed { steps[parent].holds?.troubled.removeAll { $0 == index } }
    if now == .failed { steps[parent].holds?.troubled.append(index) }
    guard steps[index].isIteration || steps[parent].holds?.isLoop == false else { return }
    if let before { steps[parent].holds?.count(before, by: -1) }
    if let now { steps[parent].holds?.count(now, by: 1) }
  }

  /// It and all that it holds.
  func positions(within index: Int) -> [Int] {
    var found = [index]
    var next = 0
    while next < found.count {
      found += steps[found[next]].holds?.children ?? []
      next += 1
    }
    return found
  }

  /// The steps around it, the nearest first.
  func around(_ index: Int) -> [Int] {
    var found: [Int] = []
    var here = steps[index].parent
    while let parent = here {
      found.append(parent)
      here = steps[parent].parent
    }
    return found
  }

  /// The step in the list of the run in which it stands, or that it is.
  func root(of index: Int) -> Int { around(index).last ?? index }
}

// What events tell of undo steps, and of what is owed no longer.
extension RunReport {
  /// The undo steps that the runbook has for it are listed before they are begun.
  mutating func planUndo(of index: Int) {
    let (path, template) = (steps[index].path, steps[index].template)
    for planned in plan.entries[template] ?? [] {
      let entry = path + planned.entry.dropFirst(template.count)
      guard undoIndex[entry] == nil else { continue }
      var undo = planned
      undo.entry = entry
      undo.step = path
      add(undo)
    }
  }

  mutating func applyUndo(_ event: RunEvent) {
    let fields = event.fields
    if event.event == "undo.closed", let step = fields["step"]?.string {
      if let index = stepIndex[step] { close(fields["reason"]?.string ?? "", steps: [index]) }
      closePending(of: step)
      return
    }
    guard let entry = fields["entry"]?.string else { return }
    if event.event == "undo.ended", isAsked(about: entry) { forgetQuestion(about: entry) }
    if event.event == "undo.skipped" { return leaveOut(entry, RunReport.decision(event)) }
    let step = fields["step"]?.string ?? StepPath(entry).owner.text
    let index =
      undoIndex[entry] ?? add(UndoReport(entry: entry, step: step, title: entry, action: ""))
    switch event.event {
    case "undo.started":
      undo[index].action = fields["action"]?.string ?? undo[index].action
      undo[index].title = fields["title"]?.string ?? undo[index].title
      undo[index].status = .known(.started)
      undo[index].startedAt = event.at
      undo[index].endedAt = nil
      undo[index].error = nil
    case "undo.ended":
      undo[index].status = fields["status"]?.string.map { Word($0) } ?? .known(.unknown)
      undo[index].error = ReportedError(fields["error"])
      undo[index].endedAt = event.at
    default: break
    }
  }

  /// The undo of these steps is done with.
  mutating func close(_ reason: String, steps positions: [Int]) {
    for index in positions { steps[index].closed = reason }
  }

  private mutating func closePending(of step: String) {
    for index in undoOfStep[step] ?? [] where undo[index].status == .pending { undo[index].status = .known(.closed) }
  }

  /// Like the machine, which closes all entries before a `commit` without a word of its own: those of the iteration or
  /// the called file in which it stands, or of the run.
  mutating func commit(at index: Int) {
    var scope: Int? = steps[index].isIteration ? index : nil
    for around in around(index) where scope == nil {
      if steps[around].isIteration || steps[around].holds?.kind == .call { scope = around }
    }
    closeAll("committed", within: scope)
  }

  /// Like the machine: the call has undo steps of its own, which take the place of those in its file.
  mutating func replaceUndo(by call: Int) {
    guard undoOfStep[steps[call].path]?.isEmpty == false else { return }
    let inside = positions(within: call).dropFirst()
    // What it has changed is told of the call from here on.
    let changes = inside.contains { steps[$0].effect != .none && steps[$0].happened == .applied }
    if changes { steps[call].effect = .known(.change) }
    for index in inside where isOwed(index) {
      close(UndoClosure.replaced.text, steps: [index])
      closePending(of: steps[index].path)
    }
  }

  private mutating func closeAll(_ reason: String, within scope: Int?) {
    for index in scope.map({ positions(within: $0) }) ?? Array(steps.indices) where isOwed(index) {
      close(reason, steps: [index])
      closePending(of: steps[index].path)
    }
  }

  /// A person leaves out an undo step, or all that is left of a step's.
  private mutating func leaveOut(_ entry: String, _ decision: Decision) {
    isDecidedSinceEnd = true
    let step = StepPath(entry).owner.text
    if step == entry, let index = stepIndex[step] {
      close("left out by \(decision.by)", steps: [index])
      steps[index].leftOut = decision
    }
    if step != entry, undoIndex[entry] == nil {
      add(UndoReport(entry: entry, step: step, title: entry, action: ""))
    }
    let left = step == entry ? undoOfStep[step] ?? [] : undoIndex[entry].map { [$0] } ?? []
    for index in left {
      guard !undo[index].status.isOne(of: .succeeded, .skipped) else { continue }
      undo[index].status = .known(.skipped)
      undo[index].leftOut = decision
    }
  }

  @discardableResult
  private mutating func add(_ entry: UndoReport) -> Int {
    undoIndex[entry.entry] = undo.count
    undoOfStep[entry.step, default: []].append(undo.count)
    undo.append(entry)
    return undo.count - 1
  }
}

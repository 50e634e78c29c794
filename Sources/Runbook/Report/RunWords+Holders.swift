// Words about steps that hold others: what they begin with, how their steps stand, and how they ended.
extension RunWords {
  /// `for_each: 40 items in 5 batches, 4 at once`, `call: server=12`, `block for `db-3``.
  static func beginning(of step: StepReport, item: Value?) -> String {
    guard let holds = step.holds else { return "" }
    var text = DisplayText.escaped(holds.kind.text, limit: 40)
    if let item { text += " for \(shown(item))" }
    switch holds.kind.known {
    case .loop:
      var parts = count(Int64(holds.items.count), "item", "items")
      if !holds.batches.isEmpty { parts += " in \(count(Int64(holds.batches.count), "batch", "batches"))" }
      if holds.maxParallel > 1 { parts += ", \(holds.maxParallel) at once" }
      if holds.maxFailures > 0 { parts += ", at most \(holds.maxFailures) may fail" }
      text += ": \(parts)"
    case .call:
      let inputs = (holds.inputs?.map ?? [:]).sorted { $0.key < $1.key }
      if !inputs.isEmpty {
        text +=
          ": "
          + inputs.map { "\(DisplayText.escaped($0.key, limit: 64))=\(DisplayText.line($0.value, limit: 80))" }
          .joined(separator: ", ")
      }
    case .block, .parallel, .gate, nil: break
    }
    return text
  }

  /// What an iteration is for: the item, or the one thing in it that names it.
  public static func itemText(_ item: Value) -> String {
    let named = ["name", "id"].lazy.compactMap { item[$0] }.first { $0.string != nil || $0.int != nil }
    return DisplayText.line(named ?? item, limit: 40)
  }

  static func shown(_ item: Value) -> String { "`\(itemText(item))`" }

  /// `31 of 40 done, 2 failed, 4 running`, while a step that holds others goes on.
  public static func standing(of step: StepReport) -> String {
    guard let holds = step.holds else { return "" }
    var parts = holds.total.map { ["\(holds.ended) of \($0) done"] } ?? ["\(holds.ended) done"]
    if holds.failed > 0 { parts.append("\(holds.failed) failed") }
    if holds.undoing > 0 { parts.append("\(holds.undoing) being undone") }
    if holds.running > 0 { parts.append("\(holds.running) running") }
    return parts.joined(separator: ", ")
  }

  /// `38 of 40 succeeded, 2 failed and were undone`, of a loop that has ended.
  static func counts(of holds: Holding) -> String {
    let total = holds.items.count
    guard total > 0 else { return "there were no items" }
    var parts = ["\(holds.succeeded) of \(total) succeeded"]
    if holds.skipped > 0 { parts.append("\(holds.skipped) skipped") }
    if holds.failed > 0 {
      let were = holds.failed == 1 ? "was" : "were"
      parts.append("\(holds.failed) failed\(undone(of: holds, " and \(were) undone"))")
    }
    if holds.cancelled > 0 { parts.append("\(holds.cancelled) stopped") }
    let left = total - holds.ended - holds.running
    if left > 0 { parts.append("\(left) not begun") }
    return parts.joined(separator: ", ")
  }

  private static func undone(of holds: Holding, _ all: String) -> String {
    if holds.undone == 0 { return "" }
    return holds.undone >= holds.failed ? all : " (\(holds.undone) undone)"
  }

  /// How a step ended that holds others.
  static func end(of step: StepReport, _ holds: Holding) -> String {
    let took = step.elapsed?.elapsedText
    switch step.status.known {
    case .succeeded:
      if holds.isLoop { return counts(of: holds) + (took.map { ", in \($0)" } ?? "") }
      let done = took.map { "done in \($0)" } ?? "done"
      guard let error = holds.rescuedFrom else { return done }
      return "\(done), by its `rescue`\(blame(error, in: step).map { ": \($0)" } ?? "")"
    case .failed:
      var text = "failed" + (took.map { " after \($0)" } ?? "")
      let hasCounts = holds.isLoop && holds.ended > 0
      if hasCounts { text += ": \(counts(of: holds))" }
      return text + (blame(step.error, in: step).map { "\(hasCounts ? ";" : ":") \($0)" } ?? "")
    case .cancelled: return stopped(step, took)
    case .skipped: return "skipped, its `if` is false"
    case .notRun: return "not run"
    case .started: return holds.isLoop ? standing(of: step) : "begun"
    case .notApplied, .unknown, .pending, nil: return DisplayText.escaped(step.status.text, limit: 40)
    }
  }

  /// The same beside a column that tells how long it took.
  public static func shortEnd(of step: StepReport) -> String {
    var untimed = step
    untimed.startedAt = nil
    return end(of: untimed)
  }

  /// Why it failed: the step in it that did, whose own words say why; or its own error.
  private static func blame(_ error: ReportedError?, in step: StepReport) -> String? {
    guard let path = error?.value["step"]?.string, path != step.path else { return failure(error) }
    return "`\(DisplayText.escaped(path, limit: 100))` failed"
  }

  /// A cancel, or a sibling that failed: `stopped after 3s, because `other` failed`.
  static func stopped(_ step: StepReport, _ took: String?) -> String {
    let after = took.map { " after \($0)" } ?? ""
    guard let message = step.error?.message, message.hasPrefix("stopped"),
      let reason = message.firstRange(of: ", because ")
    else { return "cancelled\(after)" }
    return "stopped\(after)\(DisplayText.escaped(String(message[reason.lowerBound...]), limit: 300))"
  }

  /// What became of the undoing of an iteration by itself; nothing where none was begun.
  static func unwound(_ step: StepReport) -> String {
    switch step.unwinding {
    case nil, .ended(.known(.notNeeded)): ""
    case .going: "; it is being undone"
    case .ended(.known(.succeeded)): "; undone"
    case .ended: "; its undoing FAILED"
    }
  }

  /// An event about the undoing of one iteration by itself.
  public static func unwinding(_ event: RunEvent, in report: RunReport, isVerbose: Bool) -> String? {
    let path = event.fields["scope"]?.string ?? "?"
    let subject = DisplayText.escaped(path, limit: 100)
    guard event.event == "rollback.ended" else {
      let failed = report.step(path)?.error?.value["step"]?.string ?? path
      return "\(subject) … undoing this iteration: `\(DisplayText.escaped(failed, limit: 100))` failed"
    }
    switch event.fields["outcome"]?.string {
    case "succeeded": return "\(subject) … this iteration is undone"
    case "not_needed": return isVerbose ? "\(subject) … this iteration had nothing to undo" : nil
    default:
      let why = failure(event.fields["error"]).map { ": \($0)" } ?? ""
      let place = event.fields["failed_step"]?.string.map { " at `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
      return "\(subject) … this iteration could not be undone\(place)\(why)"
    }
  }

  static func count(_ number: Int64, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }
}

extension RunReport {
  /// What an iteration is for; nil for what is no iteration.
  public func item(of step: StepReport) -> Value? {
    guard let position = step.iteration, let parent = step.parent, steps.indices.contains(parent),
      let items = steps[parent].holds?.items, items.indices.contains(position)
    else { return nil }
    return items[position]
  }

  /// The path of the iteration around it that is being undone by itself; nil: there is none.
  public func iterationBeingUndone(around path: String) -> String? {
    guard let index = stepIndex[StepPath(path).owner.text] else { return nil }
    return ([index] + around(index)).first { steps[$0].unwinding == .going }.map { steps[$0].path }
  }

  /// The iteration in which it stands is undone by itself, or was.
  public func isBeingUndoneByItself(_ step: StepReport) -> Bool {
    guard let index = stepIndex[step.path] else { return false }
    return ([index] + around(index)).contains { steps[$0].unwinding != nil }
  }

  /// What is asked about this step; nil: nothing.
  public func question(about path: String?) -> AskedQuestion? { asked.first { $0.step == path } }
}

/// What state things are in when a run has stopped: which changes stand, which were undone and which were not.
public struct Standing: Sendable, Equatable {
  /// Changed, and all of it undone.
  public var undone: [String] = []
  /// Changed and still as the step left it: kept on purpose, or without undo steps.
  public var standing: [String] = []
  /// Undo steps that failed, were interrupted, or were not begun, in the order they would run.
  public var notUndone: [UndoReport] = []
  /// May or may not have taken effect; nobody knows.
  public var unknown: [String] = []

  public init(_ report: RunReport) {
    // A rollback goes from the newest step to the oldest; what it did not reach would come in that order.
    let order = Dictionary(uniqueKeysWithValues: report.steps.enumerated().map { ($1.path, $0) })
    if report.status == "ended" {
      notUndone = report.undo.enumerated()
        .filter { ["pending", "started", "failed", "unknown"].contains($1.status) && report.outcome != "succeeded" }
        .sorted { (order[$1.element.step] ?? 0, $0.offset) < (order[$0.element.step] ?? 0, $1.offset) }
        .map(\.element)
    }
    let owed = Set(notUndone.map(\.step))
    for step in report.steps
    where step.isMain && step.effect != "none" && step.startedAt != nil && !owed.contains(step.path) {
      let undo = report.undo.filter { $0.step == step.path }
      let isUndone = !undo.isEmpty && undo.allSatisfy { $0.status == "succeeded" || $0.status == "skipped" }
      if isUndone || step.closed == "undone" { undone.append(step.path) } else { place(step) }
    }
  }

  private mutating func place(_ step: StepReport) {
    switch step.status {
    case "succeeded": standing.append(step.path)
    case "unknown", "started": unknown.append(step.path)
    case "failed", "cancelled":
      guard step.closed != "nothing happened" else { return }
      switch step.error["effect"]?.string {
      case "applied": standing.append(step.path)
      case "unknown": unknown.append(step.path)
      default: break
      }
    default: break
    }
  }
}

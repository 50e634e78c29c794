/// What state things are in when a run has stopped: which changes stand, which were undone and which were not.
public struct Standing: Sendable, Equatable {
  /// Changed, and all of it undone.
  public var undone: [String] = []
  /// Changed and still as the step left it: kept on purpose, or never reached by the rollback.
  public var standing: [String] = []
  /// Undo steps that failed, were interrupted, or were not begun, in the order they would run.
  public var notUndone: [UndoReport] = []
  /// May or may not have taken effect; nobody knows.
  public var unknown: [String] = []

  public init(_ report: RunReport) {
    for step in report.steps where step.isMain && step.effect != "none" && step.startedAt != nil {
      let undo = report.undo.filter { $0.step == step.path }
      let isUndone = !undo.isEmpty && undo.allSatisfy { $0.status == "succeeded" || $0.status == "skipped" }
      if isUndone {
        undone.append(step.path)
      } else if step.closed != nil, step.status != "succeeded" {
        continue
      } else {
        place(step)
      }
    }
    notUndone = report.undo.filter { $0.status != "succeeded" && $0.status != "skipped" }
  }

  private mutating func place(_ step: StepReport) {
    switch step.status {
    case "succeeded": standing.append(step.path)
    case "unknown", "started": unknown.append(step.path)
    case "failed", "cancelled":
      switch step.attemptEffect {
      case "applied": standing.append(step.path)
      case "unknown": unknown.append(step.path)
      default: break
      }
    default: break
    }
  }
}

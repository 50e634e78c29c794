/// What state things are in when a run has stopped: which changes stand, which were undone and which were not. Told
/// from the rollback's own entries and from what is known of each step's effect, never from how many undo steps ran.
public struct Standing: Sendable, Equatable {
  /// Changed, and all of it undone.
  public var undone: [String] = []
  /// Changed, and undone but for a part: another part of it was left out or failed.
  public var undoneInPart: [String] = []
  /// Changed and still as the step left it: kept on purpose, committed, or without undo steps.
  public var standing: [StepReport] = []
  /// Undo steps that failed, were interrupted, or were not begun, in the order they would run.
  public var notUndone: [UndoReport] = []
  /// Changed, and not undone because the condition of every undo step was false.
  public var conditionFalse: [String] = []
  /// Undo steps that a person left out.
  public var leftOut: [UndoReport] = []
  /// May or may not have taken effect; nobody knows.
  public var unknown: [String] = []

  /// Changed nothing, but sent a message of which nobody knows whether it has arrived.
  public var untold: [String] = []

  /// Every change that was made was undone.
  public var isClean: Bool {
    undoneInPart.isEmpty && standing.isEmpty && notUndone.isEmpty && conditionFalse.isEmpty && leftOut.isEmpty
      && unknown.isEmpty && untold.isEmpty
  }

  public init(_ report: RunReport) {
    // A rollback goes from the newest step to the oldest; what it did not reach would come in that order.
    let order = Dictionary(uniqueKeysWithValues: report.steps.enumerated().map { ($1.path, $0) })
    let newestFirst = report.undo.enumerated()
      .sorted { (order[$1.element.step] ?? 0, $0.offset) < (order[$0.element.step] ?? 0, $1.offset) }
      .map(\.element)
    leftOut = newestFirst.filter { $0.leftOut != nil }
    if report.status == .ended, !report.isGoodEnd || report.rollbackReason != nil {
      notUndone = newestFirst.filter { !$0.status.isOne(of: .succeeded, .skipped, .closed) }
    }
    untold = report.steps.filter { $0.error?.detail?["arrival"]?.string == "unknown" }.map(\.path)
    for step in report.steps where step.isMain && step.effect != .none && step.startedAt != nil {
      place(step, report.undo.filter { $0.step == step.path })
    }
  }

  private mutating func place(_ step: StepReport, _ undo: [UndoReport]) {
    let hasUndone = undo.contains { $0.status == .succeeded }
    let isMissing = notUndone.contains { $0.step == step.path } || leftOut.contains { $0.step == step.path }
    if isMissing {
      if hasUndone { undoneInPart.append(step.path) }
      return
    }
    if step.closed == "undone" || hasUndone && undo.allSatisfy({ $0.status.isOne(of: .succeeded, .skipped) }) {
      undone.append(step.path)
      return
    }
    switch (step.closed, step.happened.known) {
    case ("nothing happened", _), (_, .some(.none)): break
    // A prune that found nothing to delete.
    case (_, .applied) where step.outputs["deleted"]?.list?.isEmpty == true: break
    case ("its condition was false", _): conditionFalse.append(step.path)
    case (_, .applied): standing.append(step)
    default: unknown.append(step.path)
    }
  }
}

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
    let newestFirst = report.undo.enumerated().map { (step: report.stepIndex[$1.step] ?? 0, offset: $0, undo: $1) }
      .sorted { ($1.step, $0.offset) < ($0.step, $1.offset) }
      .map(\.undo)
    leftOut = newestFirst.filter { $0.leftOut != nil }
    if report.status == .ended, !report.isGoodEnd || report.rollbackReason != nil {
      // Iterations that failed are undone by themselves; what the others did was never to be undone.
      let isOnlyBorne = report.isOnlyBorne
      notUndone = newestFirst.filter { undo in
        !undo.status.isOne(of: .succeeded, .skipped, .closed)
          && (!isOnlyBorne || report.isInFailedIteration(undo.step))
      }
    }
    untold = report.steps.filter { $0.error?.detail?["arrival"]?.string == "unknown" }.map(\.path)
    let missing = Set((notUndone + leftOut).map(\.step))
    for step in report.steps where step.isMain && step.effect != .none && step.startedAt != nil {
      // What the call around it has in place of its undo steps is told of the call.
      if step.closed == UndoClosure.replaced.text { continue }
      place(step, report.undo(of: step.path), isMissing: missing.contains(step.path))
    }
  }

  private mutating func place(_ step: StepReport, _ undo: [UndoReport], isMissing: Bool) {
    let hasUndone = undo.contains { $0.status == .succeeded }
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

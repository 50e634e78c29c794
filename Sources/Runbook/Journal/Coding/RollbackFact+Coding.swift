extension ScopeFact {
  func coded(_ path: StepPath) -> CodedFact {
    let scope = path == .root ? nil : Value.string(path.text)
    switch self {
    case .rollbackStarted(let reason): return ("rollback.started", ["scope": scope, "reason": .string(reason)])
    case .rollbackEnded(let outcome, let failedStep, let error):
      return (
        "rollback.ended",
        [
          "scope": scope, "outcome": .string(outcome.rawValue), "failed_step": ifAny(failedStep?.text),
          "error": error?.value,
        ]
      )
    }
  }

  /// nil for an entry of another group.
  static func read(_ fields: Fields) throws(StoreFailure) -> (StepPath, ScopeFact)? {
    let scope = fields.optionalText("scope").map { StepPath($0) } ?? .root
    return switch fields.entry.kind {
    case "rollback.started": (scope, .rollbackStarted(reason: try fields.text("reason")))
    case "rollback.ended":
      (
        scope,
        .rollbackEnded(
          outcome: try fields.word("outcome", RollbackOutcome.self),
          failedStep: fields.optionalText("failed_step").map { StepPath($0) }, error: fields.error)
      )
    default: nil
    }
  }
}

extension RollbackFact {
  var coded: CodedFact {
    switch self {
    case .settled(let step): ("undo.settled", ["step": .string(step.text)])
    case .closed(let step, let closure):
      ("undo.closed", ["step": .string(step.text), "reason": .string(closure.text)])
    case .resumed(let by, let request): ("rollback.resumed", ["by": .string(by), "_request": .int(request)])
    case .skipped(let entry, let reason, let by, let request):
      (
        "undo.skipped",
        ["entry": .string(entry.text), "reason": .string(reason), "by": .string(by), "_request": .int(request)]
      )
    case .abandoned(let reason, let by, let request):
      ("rollback.abandoned", ["reason": .string(reason), "by": .string(by), "_request": .int(request)])
    }
  }

  /// nil for an entry of another group.
  static func read(_ fields: Fields) throws(StoreFailure) -> RollbackFact? {
    switch fields.entry.kind {
    case "undo.settled": .settled(step: try fields.step())
    case "undo.closed": .closed(step: try fields.step(), UndoClosure(try fields.text("reason")))
    case "rollback.resumed": .resumed(by: try fields.text("by"), request: try fields.int("_request"))
    case "undo.skipped":
      .skipped(
        entry: try fields.step("entry"), reason: try fields.text("reason"), by: try fields.text("by"),
        request: try fields.int("_request"))
    case "rollback.abandoned":
      .abandoned(reason: try fields.text("reason"), by: try fields.text("by"), request: try fields.int("_request"))
    default: nil
    }
  }
}

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

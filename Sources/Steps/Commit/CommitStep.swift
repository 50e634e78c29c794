public import Runbook

/// `commit: TEXT`: closes all earlier rollback entries of the scope, so that earlier steps are not undone any more.
public struct CommitStep: StepKind {
  public static let keyword = "commit"
  public static let summary = "keeps everything done so far: earlier steps are not undone any more"
  public static let example = "- {id: point_of_no_return, commit: \"the new database takes writes\"}"
  public static let shape = StepShape.scalar(action: "commit", field: CommitAction.message)
  public static let actions: [any Action] = [CommitAction()]
}

/// Does nothing itself: the engine closes the entries when the step succeeds.
struct CommitAction: StandardAction {
  static let message = Field("message", .string, required: true, help: "why earlier steps are not undone any more")
  static let declaration = ActionDeclaration(
    "commit", "keeps everything done so far", fields: [message], effect: .none, class: .convergent, isWritable: false,
    isInstant: true, touchesNothingOutside: true
  ).setting(\.isCommit, to: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    _ = try call.with.text("message")
    return ActionResult()
  }
}

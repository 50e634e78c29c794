public import Runbook

/// `fail: TEXT`: ends the run on purpose, with this text as the reason; rollback follows as after any failure.
public struct FailStep: StepKind {
  public static let keyword = "fail"
  public static let summary = "fails on purpose, with a reason"
  public static let example = "- {id: refuse, fail: \"not as root\", if: run.requester == 'root'}"
  public static let shape = StepShape.scalar(action: "fail", field: FailAction.message)
  public static let actions: [any Action] = [FailAction()]
}

struct FailAction: StandardAction {
  static let message = Field("message", .string, required: true, help: "why, in one sentence; may hold `${{ }}`")
  static let declaration = ActionDeclaration(
    "fail", "fails on purpose, with a reason", fields: [message], effect: .none, class: .convergent, isWritable: false,
    isInstant: true, touchesNothingOutside: true
  ).setting(\.alwaysFails, to: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    throw StepFailure(.stopCondition, try call.with.text("message"))
  }
}

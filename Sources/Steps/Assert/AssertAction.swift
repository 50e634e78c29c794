import Runbook

/// `assert`: fails unless something is true.
struct AssertAction: StandardAction {
  static let declaration = ActionDeclaration(
    "assert", "fails unless something is true",
    fields: [
      Field("that", .bool, required: true, help: "the condition: `\"${{ steps.a.outputs.count < 5 }}\"`"),
      Field("message", .string, help: "the message if it is not true"),
    ],
    effect: .none, class: .convergent, isDiagnostic: true, isInstant: true, touchesNothingOutside: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    guard let holds = try call.with.bool("that") else { throw StepFailure.unfit("`that` is missing") }
    guard holds else {
      // It was evaluated when the step began, and stays what it was.
      throw StepFailure(
        .expect, try call.with.optionalText("message") ?? "the condition of this step is not true", isFinal: true)
    }
    return ActionResult()
  }
}

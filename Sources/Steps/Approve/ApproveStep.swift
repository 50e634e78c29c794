public import Runbook

/// `approve: {prompt: TEXT}`: waits until a person says that the run may go on. The engine asks and counts; the
/// question, its deadline and the answers are in the journal, so that a restart neither repeats nor forgets them.
public struct ApproveStep: StepKind {
  public static let keyword = "approve"
  public static let summary = "waits until a person allows it with `runbook approve`"
  public static let example =
    "- {id: go, approve: {prompt: \"Restore server ${{ inputs.server }} from last night?\", timeout: 2h}}"
  public static let shape = StepShape.scalarOrFields(action: "approve", scalarField: "prompt")
  public static let actions: [any Action] = [ApproveAction()]
}

/// Called in a simulation only, where its mock answers instead of a person.
struct ApproveAction: StandardAction {
  static let longest = Duration.seconds(90 * 86_400)
  static let declaration = ActionDeclaration(
    "approve", "asks a person",
    fields: [
      Field(
        ApprovalField.prompt, .string, required: true,
        help: "the question, in one sentence; it is rendered once, when the step begins"),
      Field(
        ApprovalField.timeout, .duration, default: .duration(.seconds(24 * 3600)),
        bounds: .duration(.seconds(1)...longest),
        help: "how long the run waits for an answer; default `24h`, at most 90 days"),
      Field(
        ApprovalField.onTimeout, .choice(ApprovalQuestion.TimeoutAnswer.allCases.map(\.rawValue)), default: "reject",
        help: "the answer that counts if nobody answers in time; default `reject`"),
      Field(
        ApprovalField.allowsRequester, .bool, default: false,
        help: "the person who started the run may approve it, too; default `false`"),
      Field(
        ApprovalField.approvers, .list,
        help: "names of the people who may approve; needs a store that knows people, which this release does not have"),
      Field(
        ApprovalField.minimum, .int, default: 1, bounds: .int(1...20),
        help: "how many people must approve; default 1; more than one needs a store that knows people"),
    ],
    outputs: ["approved": .bool, "by": .string, "comment": .string, "decided_at": .timestamp], effect: .none,
    class: .convergent, timeout: longest, isWritable: false
  ).asking

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    throw StepFailure.unfit("only a person can approve")
  }
}

public import Runbook

/// `sleep: DURATION`: waits. The end is an instant, fixed when the step began: a restart does not start the pause over.
public struct SleepStep: StepKind {
  public static let keyword = "sleep"
  public static let summary = "waits for a while"
  public static let example = "- {id: settle, sleep: 30s}"
  public static let shape = StepShape.scalar(action: "sleep", field: SleepAction.duration)
  public static let actions: [any Action] = [SleepAction()]
}

struct SleepAction: StandardAction {
  static let duration = Field(
    "duration", .duration, required: true, bounds: .duration(.zero...longest),
    help: "how long, such as `30s` or `1h30m`; at most 30 days")
  static let longest = Duration.seconds(30 * 86_400)
  static let declaration = ActionDeclaration(
    "sleep", "waits for a while", fields: [duration], effect: .none, class: .convergent,
    timeout: longest + .seconds(3600), isDiagnostic: true, isWritable: false,
    touchesNothingOutside: true
  ).setting(\.lengthField, to: duration.name)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    guard let duration = try call.with.duration("duration"), duration >= .zero, duration <= Self.longest else {
      throw StepFailure.unfit("`sleep` must be between 0s and 30 days")
    }
    let begun = call.intendedAt ?? call.clock.now
    // A clock that was set back must not prolong the pause beyond what was asked for.
    let left = min(begun + duration - call.clock.now, duration)
    let allowed = call.deadline - call.clock.now
    let pause = min(left, allowed)
    if pause > .zero { await call.clock.sleep(for: pause) }
    if Task.isCancelled { throw StepFailure(.cancelled, "the pause was cancelled") }
    guard left <= max(allowed, .zero) else {
      throw StepFailure(
        .timeout, "the pause of \(duration.text) is longer than the step may take", isFinal: true)
    }
    return ActionResult()
  }
}

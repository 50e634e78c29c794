import Runbook

/// `log.info` and `log.warn`: a sentence for whoever watches or reads the log.
enum LogAction {
  struct Info: StandardAction {
    static let declaration = declare("log.info", "writes a line to the run's log")
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try log(call, prefix: "") }
  }

  struct Warn: StandardAction {
    static let declaration = declare("log.warn", "writes a warning to the run's log")
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try log(call, prefix: "warning: ") }
  }

  private static func declare(_ name: String, _ summary: String) -> ActionDeclaration {
    ActionDeclaration(
      name, summary, fields: [Field("message", .string, required: true, help: "the line; may hold `${{ }}`")],
      effect: .none, class: .convergent, isDiagnostic: true, isInstant: true, touchesNothingOutside: true)
  }

  private static func log(_ call: ActionCall, prefix: String) throws(StepFailure) -> ActionResult {
    call.report(prefix + (try call.with.text("message")))
    return ActionResult()
  }
}

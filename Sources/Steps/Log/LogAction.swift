import Runbook

/// `log.info` and `log.warn`: a sentence for the reader of the log.
enum LogAction {
  struct Info: StandardAction {
    static let declaration = declare("log.info", "writes a line to the run's log", .information)
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try log(call) }
  }

  struct Warn: StandardAction {
    static let declaration = declare("log.warn", "writes a warning to the run's log", .warning)
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try log(call) }
  }

  private static func declare(_ name: String, _ summary: String, _ line: LogLine) -> ActionDeclaration {
    ActionDeclaration(
      name, summary, fields: [Field("message", .string, required: true, help: "the line; may hold `${{ }}`")],
      outputs: ["message": .string], effect: .none, class: .convergent, isDiagnostic: true, isInstant: true,
      touchesNothingOutside: true
    ).setting(\.logLine, to: line)
  }

  /// The message is journaled with the step's end, so that it stands in the log at any later time.
  private static func log(_ call: ActionCall) throws(StepFailure) -> ActionResult {
    ActionResult(outputs: ["message": .string(try call.with.text("message"))])
  }
}

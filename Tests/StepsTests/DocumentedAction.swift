import Runbook

/// `net.reach`: how long it takes to reach a port. Reads only.
struct ReachAction: StandardAction {
  static let declaration = ActionDeclaration(
    "net.reach", "measures how long a connection takes",
    fields: [
      Field("host", .string, required: true, help: "name or address"),
      Field("port", .int, required: true, bounds: .int(1...65_535), help: "1 to 65535"),
    ],
    outputs: ["took": .duration], effect: .none, class: .convergent, isDiagnostic: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let host = try call.with.text("host")
    guard let port = call.with["port"]?.int.flatMap({ Int(exactly: $0) }) else {
      throw StepFailure.unfit("`port` is missing")
    }
    let begin = call.clock.monotonic
    try await call.scripts.connect(host: host, port: port, timeout: .seconds(10))
    return ActionResult(outputs: ["took": .duration(call.clock.monotonic - begin)])
  }
}

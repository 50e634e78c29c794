import Runbook

/// `net.tcp`: whether a TCP connection can be made. Nothing is sent.
struct TCPAction: StandardAction {
  static let declaration = ActionDeclaration(
    "net.tcp", "opens a TCP connection and closes it: is the port open?",
    fields: [
      Field("host", .string, required: true, help: "name or address"),
      Field("port", .int, required: true, bounds: .int(1...65_535), help: "1 to 65535"),
      Field(
        "connect_timeout", .duration, default: .duration(.seconds(5)), help: "longest one try may take; default `5s`"),
    ],
    effect: .none, class: .convergent, isDiagnostic: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let host = try call.with.text("host")
    guard let port = try call.with.int("port"), (1...65_535).contains(port) else {
      throw StepFailure.unfit("`port` must be 1 to 65535")
    }
    let asked = try call.with.duration("connect_timeout") ?? .seconds(5)
    let timeout = min(asked, max(call.deadline - call.clock.now, .milliseconds(1)))
    try await call.scripts.connect(host: host, port: Int(port), timeout: timeout)
    return ActionResult()
  }
}

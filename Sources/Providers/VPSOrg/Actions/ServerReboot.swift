import ProviderKit
import Runbook

/// A restart leaves no trace but the time of the server's last change: findable by that, else left to a person.
struct VPSOrgServerReboot: VPSOrgAction {
  static let declaration = ServerVocabulary.reboot(within: .seconds(900), class: .findable)
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await client.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    try await client.bring(try call.with.text("server"), to: .running, by: .restart, call)
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await client.server(try call.with.text("server"))
    if server.nativeState == "restarting" { return .applied(ActionResult(outputs: ["state": "changing"])) }
    if server.state == .changing { return .unsure }
    switch ChangeSign(server, since: call.before) {
    case .changed: return .applied(ActionResult(outputs: ["state": .string(server.state.rawValue)]))
    case .same: return .notApplied
    case .missing: return .unsure
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await client.server(try call.with.text("server"), asOf: call.asOf)
    if let end = client.dead(server, wanting: "running") { return end }
    let isBack = server.state == .running && !ChangeSign.isTooEarly(server, call, after: result)
    return client.seen(isBack ? .done : .pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await client.isAtRestAfterChange(call)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await client.problems(call) }
}

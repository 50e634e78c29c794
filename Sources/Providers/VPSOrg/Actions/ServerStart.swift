import ProviderKit
import Runbook

struct VPSOrgServerStart: VPSOrgAction {
  static let declaration = ServerVocabulary.start(within: .seconds(900))
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await client.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    try await client.bring(try call.with.text("server"), to: .running, by: .start, call)
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await client.server(try call.with.text("server"))
    switch server.state {
    case .running: return .applied(ActionResult(outputs: ["state": "running"]))
    case .changing where server.nativeState == "starting": return .applied(ActionResult(outputs: ["state": "changing"]))
    case .stopped, .suspended, .paused: return .notApplied
    default: return .unsure
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let server = try await client.server(id, asOf: call.asOf)
    if let end = client.dead(server, wanting: "running") { return end }
    return try await client.waitForPower(server, wanting: .running, call) { () async throws(StepFailure) in
      try await client.nudge(id, .start, call)
    }
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await client.isAtRest(call, wanting: .running)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await client.problems(call) }
}

import ProviderKit
import Runbook

struct VPSOrgServerStop: VPSOrgAction {
  static let declaration = ServerVocabulary.stop(within: .seconds(900))
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await client.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let action: VPSOrgClient.PowerAction = try mode(call) == .hard ? .hardStop : .stop
    return try await client.bring(try call.with.text("server"), to: .stopped, by: action, call)
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await client.server(try call.with.text("server"))
    switch server.state {
    case .stopped: return .applied(ActionResult(outputs: ["state": "stopped"]))
    case .changing where server.nativeState == "stopping": return .applied(ActionResult(outputs: ["state": "changing"]))
    case .running, .suspended, .paused, .rescue: return .notApplied
    default: return .unsure
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let server = try await client.server(id, asOf: call.asOf)
    if let end = client.dead(server, wanting: "stopped") { return end }
    let seen = try await client.waitForPower(server, wanting: .stopped, call) { () async throws(StepFailure) in
      try await client.nudge(id, .stop, call)
    }
    if server.state == .stopped { return seen }
    if try mode(call) == .cleanThenHard, let intended = call.intendedAt,
      call.clock.now >= intended + (try call.with.duration("grace") ?? .seconds(300))
    {
      call.report("the guest did not shut down in time: cutting the power")
      try await client.nudge(id, .hardStop, call)
    }
    return seen
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await client.isAtRest(call, wanting: .stopped)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await client.problems(call) }

  private func mode(_ call: ActionCall) throws(StepFailure) -> StopMode {
    guard let word = try call.with.optionalText("mode") else { return .clean }
    guard let mode = StopMode(rawValue: word) else {
      throw StepFailure.unfit("`mode` must be clean, hard or clean_then_hard")
    }
    return mode
  }
}

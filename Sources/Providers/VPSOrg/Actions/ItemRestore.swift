import ProviderKit
import Runbook

/// VPS.org stops the server itself; whether it comes back running is not documented, so the power is brought to what
/// was asked for. There is no history of restores: that one took place is told by the server's `updated_at` (inferred).
struct VPSOrgItemRestore<Items: VPSOrgItems>: VPSOrgAction {
  static var declaration: ActionDeclaration {
    var declaration = Items.words.restore(within: Items.restoreTimeout, class: .findable)
    declaration.outputs.merge(VPSOrgDetails.ofRestore(Items.kind)) { ours, _ in ours }
    return declaration
  }
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await client.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    _ = try PowerAfterRestore.wanted(call)
    if let problem = try await sourceProblem(call) { throw problem }
    let told: [String: Value]
    do { told = try await client.restore(Items.kind, try call.with.text(Items.kind.rawValue), server: server) } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      throw client.explained(error, try await client.server(server))
    }
    return outcome("changing", told)
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await client.server(try call.with.text("server"))
    if server.nativeState == "restoring" { return .applied(outcome("changing")) }
    if server.state == .changing { return .unsure }
    switch ChangeSign(server, since: call.before) {
    case .changed: return .applied(outcome(server.state.rawValue))
    case .same: return .notApplied
    case .missing: return .unsure
    }
  }

  /// - Parameter told: what the reply said; nothing if it was lost.
  private func outcome(_ state: String, _ told: [String: Value] = [:]) -> ActionResult {
    let told = told.isEmpty ? VPSOrgDetails.ofRestore(Items.kind).mapValues { _ in Value.null } : told
    return ActionResult(outputs: told.merging(["state": .string(state)]) { _, ours in ours })
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let server = try await client.server(id, asOf: call.asOf)
    if let end = client.dead(server, wanting: "restored") { return end }
    if server.state == .changing || server.state == .unknown || ChangeSign.isTooEarly(server, call, after: result) {
      return client.seen(.pending, server)
    }
    guard let wanted = try PowerAfterRestore.wanted(call), wanted != server.state else {
      return client.seen(.done, server)
    }
    call.report("restored and `\(server.nativeState)`; asking for \(wanted.rawValue)")
    try await client.nudge(id, wanted == .running ? .start : .stop, call)
    return client.seen(.pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await client.isAtRestAfterChange(call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await client.problems(call)
    if problems.isEmpty, call.with["server"] != nil, call.with[Items.kind.rawValue] != nil,
      let problem = try await sourceProblem(call)
    {
      problems.append(problem.message)
    }
    return problems
  }

  /// Why this item cannot be restored on this server; nil if it can. One of another server is never sent.
  private func sourceProblem(_ call: ActionCall) async throws(StepFailure) -> StepFailure? {
    let server = try call.with.text("server")
    let id = try call.with.text(Items.kind.rawValue)
    guard let item = try await client.item(Items.kind, id, server: server) else {
      return StepFailure(.notFound, "server \(server) has no \(Items.kind.rawValue) \(id)")
    }
    if item.state == .ready { return nil }
    return StepFailure(
      .conflict, "\(Items.kind.rawValue) \(id) is `\(item.nativeState)`: only a finished one can be restored",
      retryable: item.state == .creating)
  }
}

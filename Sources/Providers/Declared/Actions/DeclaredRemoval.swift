import ProviderKit
import Runbook

/// A deletion or a prune at a cloud that keeps a job of it: one that fails ends the wait, and one that goes on is
/// waited for. Without the server of what is deleted there is no list of jobs to look at, and the item alone tells.
struct DeclaredRemoval: CloudAction {
  let cloud: DeclaredClient
  let kind: ItemKind
  let rule: ActionRule
  /// Does all the rest.
  let base: any Action

  var declaration: ActionDeclaration { base.declaration }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let before = try await base.capture(call)
    guard let name = rule.job, let server = try await owner(call) else { return before }
    let jobs = try await cloud.captureJobs(name, server: server)
    return before.merging(jobs) { first, _ in first }.merging(["job_server": .string(server)]) { first, _ in first }
  }

  /// The server that is named, or the one that the item names.
  private func owner(_ call: ActionCall) async throws(StepFailure) -> String? {
    if let server = try call.with.optionalText("server"), !server.isEmpty { return server }
    guard let id = try call.with.optionalText(kind.rawValue), !id.isEmpty else { return nil }
    return try await cloud.item(kind, id, server: nil)?.server
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await base.perform(call) }
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { try await base.probe(call) }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let jobs = try await jobs(call)
    let seen = try await base.observe(call, after: result)
    if case .done = seen.verdict, !jobs.contains(where: { $0.state == .running }) { return seen }
    if let job = jobs.first(where: { $0.state == .failed }), let server = call.before["job_server"]?.string {
      return cloud.failed(job, server: server)
    }
    let state = jobs.first { $0.state == .running }?.nativeState ?? seen.nativeState
    return Observation(.pending, nativeState: state, result: seen.result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    if try await jobs(call).contains(where: { $0.state == .running }) { return false }
    return try await base.isSettled(call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await base.liveCheck(call) }

  private func jobs(_ call: ActionCall) async throws(StepFailure) -> [DeclaredJob] {
    guard let name = rule.job, let server = call.before["job_server"]?.string else { return [] }
    return try await cloud.newJobs(name, call, server: server)
  }
}

import ProviderKit
import Runbook

/// `snapshot.restore` and `backup.restore`: the server is brought to the power that the file says it needs, and
/// afterwards to the state of `power`. Found again by its job or the server's last change.
struct DeclaredRestore: CloudAction {
  let cloud: DeclaredClient
  let kind: ItemKind
  let rule: ActionRule
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let before = try await cloud.captureServer(call)
    return before.merging(try await cloud.captureJobs(rule.job, call)) { first, _ in first }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    _ = try PowerAfterRestore.wanted(call)
    if let problem = try await sourceProblem(call) { throw problem }
    let id = try call.with.text("server")
    let hasAsked = try await cloud.bring(id, toAnyOf: rule.needs, call)
    do throws(StepFailure) {
      _ = try await cloud.ask(rule, try await cloud.server(id), cloud.roots(call, declaration))
    } catch { throw hasAsked ? error.afterPowerChange : error }
    return ActionResult(outputs: ["state": .string(PowerState.changing.rawValue)])
  }

  /// Where the server had to be stopped or started first, that has changed its mark, and a change of it says nothing.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let answer = try await cloud.probeByTrace(rule, call)
    if case .applied = answer, rule.job == nil, isBroughtFirst(call) { return .unsure }
    return answer
  }

  private func isBroughtFirst(_ call: ActionCall) -> Bool {
    guard !rule.needs.isEmpty else { return false }
    let state = call.before["state"]?.string.flatMap { PowerState(rawValue: $0) }
    return state.map { !rule.needs.contains($0) } ?? true
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: "restored") { return end }
    var isEarly = false
    if let name = rule.job {
      let job = try await cloud.newJob(name, call)
      if let end = cloud.verdict(job, server) { return end }
      // The list may be behind the reply; without a job nothing says that the restore is over.
      if job == nil { return cloud.seen(.pending, server) }
    } else {
      isEarly =
        isBroughtFirst(call)
        ? ChangeSign.isUnseen(call, after: result) : ChangeSign.isTooEarly(server, call, after: result)
    }
    if server.state == .changing || server.state == .unknown || isEarly {
      return cloud.seen(.pending, server)
    }
    guard let wanted = try PowerAfterRestore.wanted(call), wanted != server.state else {
      return cloud.seen(.done, server)
    }
    call.report("restored and `\(server.nativeState)`; asking for \(wanted.rawValue)")
    try await cloud.nudge(server, to: wanted, mode: .clean, call)
    return cloud.seen(.pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await cloud.isTraceAtRest(rule, call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problems(call)
    if problems.isEmpty, call.with["server"] != nil, call.with[kind.rawValue] != nil,
      let problem = try await sourceProblem(call)
    {
      problems.append(problem.message)
    }
    return problems
  }

  /// Why this item cannot be restored on this server; nil if it can. One of another server is never sent.
  private func sourceProblem(_ call: ActionCall) async throws(StepFailure) -> StepFailure? {
    let server = try call.with.text("server")
    let id = try call.with.text(kind.rawValue)
    guard let item = try await cloud.item(kind, id, server: server) else {
      return StepFailure(.notFound, "server \(server) has no \(kind.rawValue) \(id)")
    }
    if item.state == .ready { return nil }
    return StepFailure(
      .conflict, "\(kind.rawValue) \(id) is `\(item.nativeState)`: only a finished one can be restored",
      retryable: item.state == .creating)
  }
}

import ProviderKit
import Runbook

extension ActionRule {
  /// A refusal may mean that the server is there already.
  fileprivate var changesPower: Bool { name.hasPrefix("server.") }
}

/// How the declared actions send what their rules say.
extension DeclaredClient {
  /// The fields of a call, null where one is not given, so that a template can ask for it.
  func roots(
    _ call: ActionCall, _ declaration: ActionDeclaration, with more: [String: Value] = [:]
  ) -> DeclaredClient.Roots {
    var with: [String: Value] = [:]
    for field in declaration.fields { with[field.name] = call.with[field.name] ?? field.defaultValue ?? .null }
    var before: [String: Value] = [:]
    for name in declaration.before.keys { before[name] = call.before[name] ?? .null }
    return Roots(with: with.merging(more) { _, new in new }, before: before, key: call.key, run: call.runID)
  }

  /// A request about a server in a state that allows it; a refusal is told with that state.
  func ask(
    _ rule: ActionRule, _ server: CloudServer, _ roots: Roots
  ) async throws(StepFailure) -> DeclaredReply {
    guard rule.needs.isEmpty || rule.needs.contains(server.state) else {
      let words = rule.needs.map { $0.rawValue }.sorted().joined(separator: " or ")
      throw StepFailure(
        .conflict, "server \(server.id) is `\(server.nativeState)`: `\(rule.name)` needs it to be \(words)",
        retryable: server.state == .changing
      ).passing(server.state == .changing)
    }
    do { return try await send(rule.request, roots) } catch {
      if error.kind == .notFound { throw error.renamed("\(error.message): is there a server \(server.id)?") }
      guard error.kind == .input || error.kind == .conflict else { throw error }
      let now = try await self.server(server.id)
      // A server in a state that the file allows is not the reason for a plain refusal.
      let isAllowed = rule.needs.contains(now.state) || rule.needs.isEmpty && !rule.changesPower
      var told = explained(error, now)
      if error.kind == .input, isAllowed { told.kind = .input }
      throw told
    }
  }

  /// Asks for a power state while waiting. A refusal is only told: the next look shows what it meant.
  func nudge(_ server: CloudServer, to wanted: PowerState, mode: StopMode, _ call: ActionCall)
    async throws(StepFailure)
  {
    let declared = wanted == .running ? DeclaredAction.start : .stop
    guard let rule = manifest.action(declared.name) else { return }
    // One that goes on need not be asked for again; a hard stop is another one.
    if mode != .hard, let name = rule.job,
      try await jobs(named: name, server: server.id).contains(where: { $0.state == .running })
    {
      return
    }
    let with: [String: Value] = ["server": .string(server.id), "mode": .string(mode.rawValue), "grace": .null]
    do { _ = try await send(rule.request, Roots(with: with, key: call.key, run: call.runID)) } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      call.report(error.message)
    }
  }

  /// What a job says of the request that it stands for; nil without one, or once it is over and well.
  func verdict(_ job: DeclaredJob?, _ server: CloudServer) -> Observation? {
    switch job?.state {
    case nil, .succeeded: return nil
    case .running: return seen(.pending, server)
    case .failed: return job.map { failed($0, server: server.id) }
    }
  }

  /// The end of a wait whose job has failed.
  func failed(_ job: DeclaredJob, server: String) -> Observation {
    let reason = job.error.map { ": \(masker.mask($0).excerpt(200))" } ?? ""
    let failure = StepFailure(
      .server, "\(service) could not finish `\(job.name.excerpt(100))` of server \(server)\(reason)", effect: .applied,
      detail: ["native_state": .string(job.nativeState), "job": .string(job.id)])
    return Observation(.failed(failure), nativeState: job.nativeState)
  }

  /// At rest after a call of which only a job or the server's last change can tell: its job is over, or it has left its
  /// mark, or no request can come any more.
  func isTraceAtRest(_ rule: ActionRule, _ call: ActionCall) async throws(StepFailure) -> Bool {
    guard let name = rule.job else { return try await isAtRestAfterChange(call) }
    let isOver = try await newJob(name, call).map { $0.state != .running } ?? isPastRequests(call)
    return isOver ? try await isAtRest(call) : false
  }

  /// Whether a call of which only a job or the server's last change can tell took effect.
  func probeByTrace(_ rule: ActionRule, _ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await server(try call.with.text("server"))
    let applied = ProbeAnswer.applied(ActionResult(outputs: ["state": .string(server.state.rawValue)]))
    if let name = rule.job { return try await newJob(name, call) == nil ? .notApplied : applied }
    return switch ChangeSign(server, since: call.before) {
    case .changed: applied
    case .same where server.state != .changing: .notApplied
    case .same, .missing: .unsure
    }
  }
}

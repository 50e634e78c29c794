import ProviderKit
import Runbook

/// `server.stop` and `server.start`: convergent. It is asked for even of a server that shows it already, because an
/// earlier request may be about to take it away; a refusal is then as good as success.
struct DeclaredPower: CloudAction {
  let cloud: DeclaredClient
  let rule: ActionRule
  let wanted: PowerState
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let before = try await cloud.captureServer(call)
    return before.merging(try await cloud.captureJobs(rule.job, call)) { first, _ in first }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try await cloud.server(try call.with.text("server"))
    // The file says that such a request is refused.
    if server.state == wanted, !rule.needs.isEmpty, !rule.needs.contains(wanted) { return state(wanted) }
    let mode: StopMode = try mode(call) == .hard ? .hard : .clean
    let roots = cloud.roots(
      call, declaration, with: wanted == .stopped ? ["mode": .string(mode.rawValue)] : [:])
    do { _ = try await cloud.ask(rule, server, roots) } catch {
      // Locked is not "there already"; a plain 409 may be either.
      let isBusy = error.retryable && error.detail["status"] != 409
      if error.kind == .conflict, !isBusy, try await cloud.server(server.id).state == wanted { return state(wanted) }
      throw error
    }
    cloud.noteAccepted(call, wanting: wanted)
    return state(.changing)
  }

  /// A server that was at rest and is on its way goes where it was asked to; `observe` sees whether it gets there.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    if server.state != wanted, try await job(call) != nil { return .applied(state(.changing)) }
    switch server.state {
    case wanted: return .applied(state(wanted))
    case .changing:
      let wasAtRest = call.before["state"]?.string.map { $0 != PowerState.changing.rawValue } ?? false
      return wasAtRest ? .applied(state(.changing)) : .unsure
    case .running, .stopped, .suspended, .paused, .rescue: return .notApplied
    case .error, .unknown, .absent: return .unsure
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: wanted.rawValue) { return end }
    let job = try await job(call)
    // A server that is there is there, whatever its job says; one whose job goes on is not there to stay.
    if server.state == wanted, job?.state == .running { return cloud.seen(.pending, server) }
    let isForced = try mode(call) == .cleanThenHard
    if let job, job.state == .failed, server.state != wanted, !isForced { return cloud.failed(job, server: server.id) }
    let seen = try await cloud.waitForPower(server, wanting: wanted, call) { () async throws(StepFailure) in
      try await cloud.nudge(server, to: wanted, mode: .clean, call)
    }
    if server.state == wanted { return seen }
    let grace = try call.with.duration("grace") ?? .seconds(300)
    if isForced, let intended = call.intendedAt, call.clock.now >= intended + grace || job?.state == .failed {
      call.report(
        job?.state == .failed
          ? "the shutdown has failed: cutting the power" : "the guest did not shut down in time: cutting the power")
      try await cloud.nudge(server, to: .stopped, mode: .hard, call)
    }
    return seen
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    if try await job(call)?.state == .running { return false }
    return try await cloud.isAtRest(call, wanting: wanted)
  }

  /// What the other side keeps of this request; nil where the file names no job, or none shows.
  private func job(_ call: ActionCall) async throws(StepFailure) -> DeclaredJob? {
    guard let name = rule.job else { return nil }
    return try await cloud.newJob(name, call)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await cloud.problems(call) }

  private func mode(_ call: ActionCall) throws(StepFailure) -> StopMode {
    guard wanted == .stopped, let word = try call.with.optionalText("mode") else { return .clean }
    guard let mode = StopMode(rawValue: word) else {
      throw StepFailure.unfit("`mode` must be clean, hard or clean_then_hard")
    }
    return mode
  }

  private func state(_ state: PowerState) -> ActionResult {
    ActionResult(outputs: ["state": .string(state.rawValue)])
  }
}

/// `server.reboot`: found again by its job, or by the server's last change.
struct DeclaredReboot: CloudAction {
  let cloud: DeclaredClient
  let rule: ActionRule
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let before = try await cloud.captureServer(call)
    return before.merging(try await cloud.captureJobs(rule.job, call)) { first, _ in first }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try await cloud.server(try call.with.text("server"))
    _ = try await cloud.ask(rule, server, cloud.roots(call, declaration))
    return ActionResult(outputs: ["state": .string(PowerState.changing.rawValue)])
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { try await cloud.probeByTrace(rule, call) }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: "running") { return end }
    var isBack = server.state == .running
    if let name = rule.job {
      let job = try await cloud.newJob(name, call)
      if let end = cloud.verdict(job, server) { return end }
      // The list may be behind the reply; without a job nothing says that the restart is over.
      isBack = isBack && job != nil
    } else {
      isBack = isBack && !ChangeSign.isTooEarly(server, call, after: result)
    }
    return cloud.seen(isBack ? .done : .pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await cloud.isTraceAtRest(rule, call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await cloud.problems(call) }
}

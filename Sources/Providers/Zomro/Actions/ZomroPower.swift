import ProviderKit
import Runbook

/// Stop, start and restart. There is one way to stop: the guest is asked, and its power is cut when it does not answer.
struct ZomroPower: CloudAction {
  enum Verb: Sendable {
    case stop, start, reboot

    var function: String {
      switch self {
      case .stop: "service.stop"
      case .start: "service.start"
      case .reboot: "service.reboot"
      }
    }
    var wanted: PowerState { self == .stop ? .stopped : .running }
    /// What the server is on its way through.
    var passing: String {
      switch self {
      case .stop: "stopping"
      case .start: "starting"
      case .reboot: "rebooting"
      }
    }
  }

  let cloud: ZomroClient
  let verb: Verb
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let id = try call.with.text("server")
    if verb == .stop, let mode = try call.with.optionalText("mode"), mode != StopMode.clean.rawValue {
      call.report("Zomro has one way to stop a server: the guest is asked, and cut off when it does not answer")
    }
    // Asked for even of a server that shows it already: an earlier request may be about to take it away.
    try await ask(id)
    if verb != .reboot { cloud.noteAccepted(call, wanting: verb.wanted) }
    return ActionResult(outputs: ["state": "changing"])
  }

  private func ask(_ id: String) async throws(StepFailure) {
    try await cloud.act(verb.function, id) {
      verb != .reboot && ($0.state == verb.wanted || $0.nativeState == verb.passing)
    }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    if server.nativeState == verb.passing { return .applied(ActionResult(outputs: ["state": "changing"])) }
    if verb == .reboot || server.state == .changing || server.state == .unknown { return .unsure }
    return server.state == verb.wanted
      ? .applied(ActionResult(outputs: ["state": .string(server.state.rawValue)])) : .notApplied
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: verb.wanted.rawValue) { return end }
    if verb == .reboot {
      let isBack = server.state == .running && !ChangeSign.isTooEarly(server, call, after: result)
      return cloud.seen(isBack ? .done : .pending, server)
    }
    return try await cloud.waitForPower(server, wanting: verb.wanted, call) { () async throws(StepFailure) in
      do throws(StepFailure) { try await ask(server.id) } catch {
        guard error.kind == .input || error.kind == .conflict else { throw error }
        call.report(error.message)
      }
    }
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    verb == .reboot
      ? try await cloud.isAtRestAfterChange(call) : try await cloud.isAtRest(call, wanting: verb.wanted)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await cloud.problems(call) }
}

extension ZomroClient {
  /// A function that acts on a server at once.
  /// - Parameter isThere: as for `change`.
  func act(
    _ function: String, _ server: String, unless isThere: (CloudServer) -> Bool = { _ in false }
  ) async throws(StepFailure) {
    try checkID(server, "server")
    try await change(server, unless: isThere) { () throws(StepFailure) in
      _ = try await send(.act(function, [("elid", server)]))
    }
  }

  /// A change of a server, its refusal told with the state that explains it. Zomro answers a change that a server
  /// cannot take with an error nobody has described: where the server is at rest then, it certainly did nothing.
  /// - Parameter isThere: the server is, or is on its way to, where the change was to bring it, so that the refusal is
  ///   as good as success: an earlier request, or somebody else, came first. A server that is busy with another
  ///   operation is not there to stay, whatever it shows.
  func change(
    _ id: String, unless isThere: (CloudServer) -> Bool = { _ in false },
    _ body: () async throws(StepFailure) -> Void
  ) async throws(StepFailure) {
    do { try await body() } catch {
      if error.kind == .notFound { throw error.renamed("Zomro has no server \(id)") }
      guard error.kind == .input || error.kind == .conflict, let type = error.detail["type"]?.string else {
        throw error
      }
      // Where the state cannot be read, the refusal stands as it is.
      guard let server = try? await server(id) else { throw error }
      let isBusy = error.detail["object"] == "runningoperation" && server.state != .changing
      if isThere(server), !isBusy { return }
      if type == "value" || type == "missed" { throw error }
      var failure = explained(error, server)
      if server.state != .changing { failure.effect = .none }
      throw failure
    }
  }
}

extension StepFailure {
  /// Of a look that follows a change: the change may have taken place, whatever became of the look.
  var afterChange: StepFailure {
    var failure = self
    failure.effect = .unknown
    failure.beforeFirstByte = false
    return failure
  }
}

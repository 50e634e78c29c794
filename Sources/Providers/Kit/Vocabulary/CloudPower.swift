package import Runbook

/// What the actions on a server have in common.
extension Cloud {
  /// `before` of whatever changes a server. The change mark tells a probe later whether something has happened since.
  package func captureServer(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let server = try await server(try call.with.text("server"))
    _ = powerRequests?.look(server.id, server.state, wanting: server.state, at: call.clock.monotonic)
    return [
      "state": .string(server.state.rawValue), "native_state": .string(server.nativeState),
      "change_mark": server.changeMark.map { .string($0) } ?? .null,
    ]
  }

  /// A refused change, told with the state of its server: first the other side's own words, which may speak of
  /// something else. A server that is on its way to another state is waited for; "busy" is worth a retry, a plain
  /// refusal none.
  package func explained(_ failure: StepFailure, _ server: CloudServer) -> StepFailure {
    let isChanging = server.state == .changing
    let state = isChanging ? "is on its way to another state (`\(server.nativeState)`)" : "is `\(server.nativeState)`"
    var told = failure.renamed(
      "\(failure.message); server \(server.id) \(state)", kind: .conflict,
      retryable: failure.kind == .conflict || isChanging)
    told.passes = failure.passes || isChanging
    return told
  }

  /// Ends a wait in a state from which the server does not come back by itself.
  package func dead(_ server: CloudServer, wanting wanted: String) -> Observation? {
    guard server.state == .error || server.state == .suspended else { return nil }
    let failure = StepFailure(
      .server,
      "server \(server.id) is `\(server.nativeState)` at \(service) and does not become \(wanted): look at it there",
      effect: .applied, detail: ["native_state": .string(server.nativeState)])
    return Observation(.failed(failure), nativeState: server.nativeState)
  }

  /// The next look is told if the server was on its way.
  package func seen(_ verdict: Observation.Verdict, _ server: CloudServer) -> Observation {
    var result = ActionResult(outputs: ["state": .string(server.state.rawValue)])
    if server.state == .changing { result.result[ChangeSign.wasSeen] = true }
    var seen = Observation(verdict, nativeState: server.nativeState, result: result)
    seen.isUnheard = server.isUnheard
    return seen
  }

  /// At rest: not on its way to another state. A server that is gone is at rest.
  package func isAtRest(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await restingServer(call).map { $0.state != .changing } ?? true
  }

  /// After a stop or start: the server shows the requested state, or a state it does not leave by itself, or no request
  /// can come any more. A cloud may show the old state for as long as the guest takes.
  package func isAtRest(_ call: ActionCall, wanting wanted: PowerState) async throws(StepFailure) -> Bool {
    guard let server = try await restingServer(call) else { return true }
    switch server.state {
    case .changing: return false
    case wanted, .error, .suspended, .absent: return true
    case .running, .stopped, .rescue, .paused, .unknown: return isPastRequests(call)
    }
  }

  /// After a change that leads back to where the server was (a restart, a restore): it has left its mark, or no request
  /// can come any more.
  package func isAtRestAfterChange(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard let server = try await restingServer(call) else { return true }
    if server.state == .changing { return false }
    if case .changed = ChangeSign(server, since: call.before) { return true }
    return isPastRequests(call)
  }

  /// A request of this call has arrived by now, or never will.
  package func isPastRequests(_ call: ActionCall) -> Bool {
    guard let intended = call.intendedAt else { return true }
    return call.clock.now >= intended + maxRequestLife
  }

  /// nil: no server is named, or it is gone.
  private func restingServer(_ call: ActionCall) async throws(StepFailure) -> CloudServer? {
    guard let id = try call.with.optionalText("server"), !id.isEmpty else { return nil }
    do { return try await server(id) } catch {
      if error.kind == .notFound { return nil }
      throw error
    }
  }

  /// Whether the server is there and, if it is to be `acting`, in a state to act on.
  package func problems(_ call: ActionCall, acting: Bool = true) async throws(StepFailure) -> [String] {
    guard let id = try call.with.optionalText("server"), !id.isEmpty else { return [] }
    let server: CloudServer
    do { server = try await self.server(id) } catch {
      if error.kind == .notFound { return ["\(error.message): look up its id with `server.list`"] }
      throw error
    }
    guard acting, server.state == .error || server.state == .suspended else { return [] }
    return ["server \(id) is `\(server.nativeState)` at \(service): nothing can be done with it"]
  }
}

/// A sign that a call with no trace of its own took effect: the time of the server's last change. Whether a
/// provider moves it with a restart or restore is often inferred, not documented.
package enum ChangeSign {
  case changed, same, missing

  package init(_ server: CloudServer, since before: [String: Value]) {
    guard let earlier = before["change_mark"]?.string, let later = server.changeMark else {
      self = .missing
      return
    }
    self = earlier == later ? .same : .changed
  }

  /// For this long after the intent, a server without a sign of the change is taken for a look that came too early.
  package static let settle: Duration = .seconds(60)
  /// In the result of a look: the server was on its way.
  static let wasSeen = "was_changing"

  /// The call is young, and the server was not seen on its way since. Where the mark says nothing.
  package static func isUnseen(_ call: ActionCall, after result: ActionResult) -> Bool {
    guard let intended = call.intendedAt, call.clock.now < intended + settle else { return false }
    return result.result[wasSeen] != true
  }

  /// The server still looks as it did before the call, and the call is young. Where there is no mark, having been seen
  /// on its way is the sign.
  package static func isTooEarly(_ server: CloudServer, _ call: ActionCall, after result: ActionResult) -> Bool {
    guard let intended = call.intendedAt, call.clock.now < intended + settle else { return false }
    return switch ChangeSign(server, since: call.before) {
    case .changed: false
    case .same: true
    case .missing: result.result[wasSeen] != true
    }
  }
}

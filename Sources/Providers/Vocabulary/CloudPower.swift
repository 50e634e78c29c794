import Runbook

/// What the actions on a server have in common.
extension Cloud {
  /// `before` of whatever changes a server. The change mark tells a probe later whether something has happened since.
  func captureServer(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let server = try await server(try call.with.text("server"))
    return [
      "state": .string(server.state.rawValue), "native_state": .string(server.nativeState),
      "change_mark": server.changeMark.map { .string($0) } ?? .null,
    ]
  }

  /// A refused change, told with the state that explains it. "Busy" is worth a retry, a plain refusal only while the
  /// server is on its way to another state.
  func explained(_ failure: StepFailure, _ server: CloudServer) -> StepFailure {
    failure.renamed(
      "server \(server.id) is `\(server.nativeState)`; \(failure.message)", kind: .conflict,
      retryable: failure.kind == .conflict || server.state == .changing)
  }

  /// Ends a wait in a state from which the server does not come back by itself.
  func dead(_ server: CloudServer, wanting wanted: String) -> Observation? {
    guard server.state == .error || server.state == .suspended else { return nil }
    let failure = StepFailure(
      .server,
      "server \(server.id) is `\(server.nativeState)` at \(service) and does not become \(wanted): look at it there",
      effect: .applied, detail: ["native_state": .string(server.nativeState)])
    return Observation(.failed(failure), nativeState: server.nativeState)
  }

  func seen(_ verdict: Observation.Verdict, _ server: CloudServer) -> Observation {
    Observation(
      verdict, nativeState: server.nativeState, result: ActionResult(outputs: ["state": .string(server.state.rawValue)])
    )
  }

  /// At rest: not on its way to another state. A server that is gone is at rest.
  func isAtRest(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard let id = try call.with.optionalText("server"), !id.isEmpty else { return true }
    do { return try await server(id).state != .changing } catch {
      if error.kind == .notFound { return true }
      throw error
    }
  }

  /// Whether the server is there and, if it is to be `acting`, in a state to act on.
  func problems(_ call: ActionCall, acting: Bool = true) async throws(StepFailure) -> [String] {
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
enum ChangeSign {
  case changed, same, missing

  init(_ server: CloudServer, since before: [String: Value]) {
    guard let earlier = before["change_mark"]?.string, let later = server.changeMark else {
      self = .missing
      return
    }
    self = earlier == later ? .same : .changed
  }

  /// For this long after the intent, an unchanged mark is taken for a look that came too early.
  static let settle: Duration = .seconds(60)

  /// The server still looks as it did before the call, and the call is young.
  static func isTooEarly(_ server: CloudServer, _ call: ActionCall) -> Bool {
    guard case .same = ChangeSign(server, since: call.before), let intended = call.intendedAt else { return false }
    return call.clock.now < intended + settle
  }
}

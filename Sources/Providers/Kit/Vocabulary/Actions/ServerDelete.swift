package import Runbook

/// What `server.delete` means on every cloud that has it: only a server that the same run has created is deleted, and
/// one that is gone already counts as deleted.
package enum ServerDelete {
  /// The id of the server, if it may be deleted. To be asked before the intent and again before the request.
  package static func target(_ call: ActionCall) throws(StepFailure) -> String {
    let server = try call.with.text("server")
    try call.refuseIfNeeded(server, as: "server")
    guard call.createdServers.contains(server) else {
      let made = call.createdServers.sorted().joined(separator: ", ")
      throw StepFailure(
        .input,
        "server \(server.excerpt(64)) was not created by this run, and only such servers are deleted: "
          + (made.isEmpty ? "this run has created none" : "this run has created \(made)"))
    }
    return server
  }
}

extension Cloud {
  /// Whether the server is gone, or on its way out by one of these native words. Another change tells nothing.
  package func probeDeletion(_ call: ActionCall, goingBy words: Set<String> = []) async throws(StepFailure)
    -> ProbeAnswer
  {
    guard let server = try await found(try call.with.text("server"), asOf: nil) else { return .applied(ActionResult()) }
    if server.state == .absent || words.contains(server.nativeState) { return .applied(ActionResult()) }
    return server.state == .changing ? .unsure : .notApplied
  }

  package func observeDeletion(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation
  {
    guard let server = try await found(try call.with.text("server"), asOf: call.asOf) else {
      return Observation(.done, result: result)
    }
    if server.state == .absent { return Observation(.done, nativeState: server.nativeState, result: result) }
    return dead(server, wanting: "absent") ?? Observation(.pending, nativeState: server.nativeState, result: result)
  }

  /// nil if there is none.
  private func found(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer? {
    do { return try await server(id, asOf: asOf) } catch {
      if error.kind == .notFound { return nil }
      throw error
    }
  }
}

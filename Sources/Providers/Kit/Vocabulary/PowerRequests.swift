package import Runbook
import Synchronization

/// Stops and starts that a cloud has accepted, and that no state has shown yet: of all runs of the process on one
/// account. A cloud may go on to say `running` until the guest is down; until then a step that wants the server running
/// is not done. A new process knows nothing of them: what it undoes, the engine has let come to rest before.
package final class PowerRequests: Sendable {
  /// After this long without a sign a request is not expected to show any more.
  static let patience: Duration = .seconds(600)

  /// How a step that wants a power state has to read one look at its server.
  enum Look: Sendable, Equatable {
    case there
    /// It shows the wanted state, and an earlier request for the contrary may still take effect.
    case threatened
    case coming
    /// The earlier request has just taken effect: the wanted state must be requested again.
    case undone
  }

  private struct Accepted {
    var wanted: PowerState
    /// On the monotonic clock.
    var at: Duration
  }
  private let accepted = Mutex<[String: [Accepted]]>([:])

  func note(_ server: String, wanting wanted: PowerState, at now: Duration) {
    accepted.withLock { accepted in
      for (id, requests) in accepted where requests.allSatisfy({ now - $0.at > PowerRequests.patience }) {
        accepted[id] = nil
      }
      let others = (accepted[server] ?? []).filter { $0.wanted != wanted }
      accepted[server] = others + [Accepted(wanted: wanted, at: now)]
    }
  }

  /// Takes what the state shows off the list.
  func look(_ server: String, _ state: PowerState, wanting wanted: PowerState, at now: Duration) -> Look {
    accepted.withLock { accepted in
      let open = (accepted[server] ?? []).filter { now - $0.at <= PowerRequests.patience }
      let left = open.filter { $0.wanted != state }
      accepted[server] = left.isEmpty ? nil : left
      if state == wanted { return left.isEmpty ? .there : .threatened }
      return left.count < open.count ? .undone : .coming
    }
  }
}

extension Cloud {
  /// The cloud has accepted a stop or a start.
  package func noteAccepted(_ call: ActionCall, wanting wanted: PowerState) {
    guard let server = try? call.with.optionalText("server") else { return }
    powerRequests?.note(server, wanting: wanted, at: call.clock.monotonic)
  }

  /// A look during the wait for a power state.
  /// - Parameter ask: asks for the state again, after an earlier request took it away.
  package func waitForPower(
    _ server: CloudServer, wanting wanted: PowerState, _ call: ActionCall,
    askingAgainBy ask: () async throws(StepFailure) -> Void
  ) async throws(StepFailure) -> Observation {
    let look = powerRequests?.look(server.id, server.state, wanting: wanted, at: call.clock.monotonic)
    switch look ?? (server.state == wanted ? .there : .coming) {
    case .there: return seen(.done, server)
    case .coming: return seen(.pending, server)
    case .threatened:
      call.report("server \(server.id) is `\(server.nativeState)`, but an earlier request to change it may still come")
    case .undone:
      call.report(
        "an earlier request made server \(server.id) `\(server.nativeState)`: asking for \(wanted.rawValue) again")
      try await ask()
    }
    return seen(.pending, server)
  }
}

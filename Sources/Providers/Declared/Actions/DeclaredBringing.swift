import ProviderKit
import Runbook

/// How a server is brought to the power that a restore needs.
extension DeclaredClient {
  /// Between two looks, and how long a change of power is waited for before it is given up.
  private static let pause: Duration = .seconds(3)
  private static let longest: Duration = .seconds(1200)
  /// After this long the power of a guest that does not shut down is cut.
  private static let patience: Duration = .seconds(300)

  /// Stops or starts the server until it is in one of these states. Nothing is asked of one that is.
  /// - Parameter states: empty: any will do.
  /// - Returns: whether anything was asked for.
  func bring(_ id: String, toAnyOf states: Set<PowerState>, _ call: ActionCall) async throws(StepFailure) -> Bool {
    let begin = call.clock.now
    var hasAsked = false
    var hasCut = false
    var server = try await server(id)
    while !states.isEmpty, !states.contains(server.state) {
      if server.state != .changing, !hasAsked || !hasCut && call.clock.now >= begin + DeclaredClient.patience {
        let wanted: PowerState = states.contains(.stopped) ? .stopped : .running
        guard server.state == .running || server.state == .stopped, states.contains(wanted) else {
          throw hasAsked ? unfit(server, states).afterPowerChange : unfit(server, states)
        }
        hasCut = hasAsked
        call.report(
          hasAsked
            ? "the guest did not shut down in time: cutting the power"
            : "\(wanted == .stopped ? "stopping" : "starting") server \(id) first, as the restore needs it so")
        try await ask(server, to: wanted, mode: hasAsked ? .hard : .clean, call, hasAsked)
        hasAsked = true
      }
      guard call.clock.now < min(call.deadline, begin + DeclaredClient.longest), !Task.isCancelled else {
        let failure = StepFailure(
          .timeout, "server \(id) is still `\(server.nativeState)`: nothing was restored", retryable: !hasAsked)
        throw hasAsked ? failure.afterPowerChange : failure
      }
      await call.clock.sleep(for: DeclaredClient.pause)
      do throws(StepFailure) { server = try await self.server(id) } catch {
        guard hasAsked else { throw error }
        guard error.retryable else { throw error.afterPowerChange }
      }
    }
    return hasAsked
  }

  private func unfit(_ server: CloudServer, _ states: Set<PowerState>) -> StepFailure {
    let words = states.map { $0.rawValue }.sorted().joined(separator: " or ")
    return StepFailure(
      .conflict,
      "server \(server.id) is `\(server.nativeState)`, and the action cannot bring it to \(words): bring it there by "
        + "hand"
    )
  }

  /// One that is on its way by another's request refuses; the next look tells.
  private func ask(
    _ server: CloudServer, to wanted: PowerState, mode: StopMode, _ call: ActionCall, _ hasAsked: Bool
  ) async throws(StepFailure) {
    do throws(StepFailure) { try await nudge(server, to: wanted, mode: mode, call) } catch {
      throw hasAsked ? error.afterPowerChange : error
    }
  }
}

extension StepFailure {
  /// Of what came after the server was asked to stop or to start: that has happened, whatever became of the rest.
  var afterPowerChange: StepFailure {
    var failure = self
    if failure.effect == .none { failure.effect = .applied }
    failure.beforeFirstByte = false
    failure.passes = false
    return failure
  }
}

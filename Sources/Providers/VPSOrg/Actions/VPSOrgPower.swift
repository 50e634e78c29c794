import ProviderKit
import Runbook

/// How power is asked for at VPS.org.
extension VPSOrgClient {
  /// Asks for a power state. A refusal by a server that is already there is success: whether VPS.org converges or
  /// complains is not documented.
  func bring(
    _ id: String, to wanted: PowerState, by action: PowerAction, _ call: ActionCall
  ) async throws(StepFailure) -> ActionResult {
    do { try await power(id, action) } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      let server = try await server(id)
      if server.state == wanted, action != .restart {
        return ActionResult(outputs: ["state": .string(wanted.rawValue)])
      }
      throw explained(error, server)
    }
    if action != .restart { noteAccepted(call, wanting: wanted) }
    return ActionResult(outputs: ["state": .string(PowerState.changing.rawValue)])
  }

  /// Asks again while waiting. A refusal is only told: the next look shows what it meant.
  func nudge(_ id: String, _ action: PowerAction, _ call: ActionCall) async throws(StepFailure) {
    do { try await power(id, action) } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      call.report(error.message)
    }
  }
}

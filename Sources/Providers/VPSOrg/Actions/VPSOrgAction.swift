import ProviderKit
import Runbook

/// An action of VPS.org's own.
protocol VPSOrgAction: StandardAction, CloudAction where Account == VPSOrgClient {
  var client: VPSOrgClient { get }
}

extension VPSOrgAction {
  var cloud: VPSOrgClient { client }
}

extension ActionResult {
  /// Of an item that was found and not made just now: what only the reply to its creation tells is null.
  var withoutReply: ActionResult {
    var result = self
    for name in VPSOrgDetails.ofCreation.keys { result.outputs[name] = .null }
    return result
  }
}

extension ProbeAnswer {
  var withoutReply: ProbeAnswer { if case .applied(let result) = self { .applied(result.withoutReply) } else { self } }
}

import Runbook

/// An action of VPS.org's own.
protocol VPSOrgAction: StandardAction, CloudAction where Account == VPSOrgClient {
  var client: VPSOrgClient { get }
}

extension VPSOrgAction {
  var cloud: VPSOrgClient { client }
}

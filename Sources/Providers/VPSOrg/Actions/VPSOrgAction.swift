import Runbook

/// An action of VPS.org's own.
protocol VPSOrgAction: StandardAction {
  var client: VPSOrgClient { get }
}

extension VPSOrgAction {
  var maxRequestLife: Duration { client.maxRequestLife }

  func awaitNews(
    _ call: ActionCall, after observation: Observation?, atMost pause: Duration
  ) async -> Duration? {
    await news(call).wait(atMost: pause)
  }

  @inline(never) private func news(_ call: ActionCall) -> CloudNews { client.news(call, declaration) }
}

import Runbook

@testable import Steps

/// Calls actions as the engine would, with hosts handed in.
struct Calls: Sendable {
  var scripts: any ScriptHost
  var files: any FileHost = LocalFiles()
  var clock: any EngineClock = RealClock()
  var timeout: Duration = .seconds(3600)
  var key = "key1"

  func make(
    _ with: [String: Value], key: String? = nil, intendedAt: Timestamp? = nil,
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) -> ActionCall {
    ActionCall(
      with: Arguments(with), key: key ?? self.key, runID: "r0000000000000000000", clock: clock,
      transport: NoTransport(),
      scripts: scripts,
      files: files, deadline: clock.now + timeout, intendedAt: intendedAt, report: report)
  }
}

private struct NoTransport: HTTPTransport {
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    throw HTTPFailure(.connect, "there is no network here", beforeFirstByte: true)
  }
}

/// Real time, for scripts that really run.
struct RealClock: EngineClock {
  var now: Timestamp { Timestamp(seconds: 1_700_000_000) + monotonic }
  var monotonic: Duration { begun.duration(to: .now) }
  private let begun = ContinuousClock.Instant.now
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}

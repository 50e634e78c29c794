import Runbook
import Synchronization

@testable import Steps

/// Answers one thing to every request, and remembers what was sent.
final class FakeWeb: HTTPTransport {
  private let outcome: Result<HTTPResponse, HTTPFailure>
  private let sent = Mutex<[HTTPRequest]>([])

  init(_ status: Int, _ body: String = "", headers: [(name: String, value: String)] = []) {
    outcome = .success(
      HTTPResponse(status: status, headers: headers, body: Array(body.utf8), duration: .milliseconds(12)))
  }

  init(_ failure: HTTPFailure) { outcome = .failure(failure) }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    sent.withLock { $0.append(request) }
    return try outcome.get()
  }

  var requests: [HTTPRequest] { sent.withLock { $0 } }

  static let now = Timestamp(seconds: 1_700_000_000)

  func perform(
    _ action: any Action, _ with: [String: Value], timeout: Duration = .seconds(3600),
    mask: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) async -> Result<ActionResult, StepFailure> {
    var call = call(with, timeout: timeout)
    call.mask = mask
    do { return .success(try await action.perform(call)) } catch { return .failure(error) }
  }

  func call(_ with: [String: Value], timeout: Duration = .seconds(3600)) -> ActionCall {
    ActionCall(
      with: Arguments(with), key: "key1", runID: "r0000000000000000000", clock: StoppedClock(), transport: self,
      scripts: NoScripts(), files: NoFiles(), deadline: FakeWeb.now + timeout)
  }
}

extension Result where Failure == StepFailure {
  var failure: StepFailure? { if case .failure(let failure) = self { failure } else { nil } }
  var success: Success? { if case .success(let success) = self { success } else { nil } }
}

private struct StoppedClock: EngineClock {
  var now: Timestamp { FakeWeb.now }
  var monotonic: Duration { .zero }
  func sleep(for duration: Duration) async {}
}

private struct NoFiles: FileHost {
  func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? { nil }
  func status(_ path: String) async throws(StepFailure) -> FileStatus? { nil }
  func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure) {
    throw StepFailure(.input, "there are no files here")
  }
}

private struct NoScripts: ScriptHost {
  private var refusal: StepFailure { StepFailure(.input, "there are no scripts here") }
  func start(_ request: ScriptRequest) async throws(StepFailure) { throw refusal }
  func state(of key: String) async throws(StepFailure) -> ScriptState { .absent }
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState { .absent }
  func cancel(_ key: String, grace: Duration) async throws(StepFailure) {}
  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    throw refusal
  }
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) { throw refusal }
  func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? { nil }
  func forgetOutput(_ key: String) async {}
  func forget(_ key: String) async {}
  func place() async throws(StepFailure) -> String { "nowhere" }
  func isSeen(_ key: String) async throws(StepFailure) -> Bool { false }
  func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async {}
}

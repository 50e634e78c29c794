import Runbook
import Simulator
import Synchronization

/// The deeds of a run in its world, in order.
final class DeedLog: Sendable {
  /// The command of a script that was begun before.
  static let ofLastOwner = "begun by the last owner"

  private let clock: any EngineClock
  private let content: Mutex<(deeds: [String], last: String, at: Duration)>

  init(_ clock: any EngineClock) {
    self.clock = clock
    content = Mutex(([], "", clock.monotonic))
  }

  var all: [String] { content.withLock { $0.deeds } }

  /// Time counts from now: earlier owners have done their part.
  func begin() { content.withLock { $0.at = clock.monotonic } }

  /// Of several equal ones in a row the first is kept. One that comes a minute or more after the one before it, or
  /// after the beginning, says so: `2m later: DELETE /item`.
  func note(_ deed: String) {
    let now = clock.monotonic
    content.withLock { content in
      let minutes = (now - content.at).components.seconds / 60
      content.at = now
      guard content.last != deed else { return }
      content.last = deed
      content.deeds.append(minutes > 0 ? "\(minutes)m later: \(deed)" : deed)
    }
  }
}

/// Notes each request of a site, and each change asked of a cloud.
struct LoggedTransport: HTTPTransport {
  let base: any HTTPTransport
  let log: DeedLog

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let parts = request.url.split(separator: "/", omittingEmptySubsequences: false)
    // The last part of a site's address is the history's own.
    let isSite = request.url.contains(":8099/")
    let path = parts.dropFirst(3).dropLast(isSite ? 1 : 0).joined(separator: "/")
    if isSite || request.method != "GET" { log.note("\(request.method) /\(path)") }
    return try await base.send(request)
  }
}

/// Notes each script that is begun or stopped.
struct LoggedScripts: ScriptHost {
  let base: SimulatedScripts
  let log: DeedLog

  func start(_ request: ScriptRequest) async throws(StepFailure) {
    let before = base.ledger.count
    try await base.start(request)
    if base.ledger.count > before { log.note("sh \(request.script ?? request.command.joined(separator: " "))") }
  }
  func state(of key: String) async throws(StepFailure) -> ScriptState { try await base.state(of: key) }
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    try await base.wait(for: key, timeout: timeout)
  }
  func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    if try await base.state(of: key) == .running { log.note("stop the script") }
    try await base.cancel(key, grace: grace)
  }
  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    log.note("ssh")
    return try await base.run(request, stdin: stdin, timeout: timeout)
  }
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    try await base.connect(host: host, port: port, timeout: timeout)
  }
  func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? {
    try await base.hold(request, life: life)
  }
  func forgetOutput(_ key: String) async { await base.forgetOutput(key) }
  func forget(_ key: String) async { await base.forget(key) }
  func place() async throws(StepFailure) -> String { try await base.place() }
  func isSeen(_ key: String) async throws(StepFailure) -> Bool { try await base.isSeen(key) }
  func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async { await base.sweep(isOver) }
}

import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// A ZStack whose answers a test writes down, by request.
final class ZStackWire: SimulatedSystem {
  typealias Answer = @Sendable (SimulatedRequest) -> SimulatedReply?

  static let vm = "11111111111141118111111111111111"
  static let root = "22222222222242228222222222222222"
  static let other = "99999999999949998999999999999999"

  let type = "zstack"
  private struct State {
    var requests: [SimulatedRequest] = []
    var logIns = 0
  }
  private let state = Mutex(State())
  private let handler: Answer
  private let answersLogIns: Bool

  /// - Parameter answersLogIns: the test answers log-ins as well; where it does not, each gets a session of its own.
  init(answersLogIns: Bool = false, _ handler: @escaping Answer) {
    self.handler = handler
    self.answersLogIns = answersLogIns
  }

  /// One answer for all but log-ins.
  convenience init(_ status: Int, _ body: String, headers: [(name: String, value: String)] = []) {
    self.init { _ in ScriptedSystem.reply(status, body, headers: headers) }
  }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let logIn = state.withLock { state in
      state.requests.append(request)
      if request.path.hasSuffix("/accounts/login") { state.logIns += 1 }
      return state.logIns
    }
    if request.path.hasSuffix("/accounts/login") {
      let own = answersLogIns ? handler(request) : nil
      return own ?? ZStackWire.session("5e5510000000400080000000000000\(logIn < 10 ? "0" : "")\(logIn)")
    }
    return handler(request) ?? ScriptedSystem.reply(404, "nothing here")
  }

  var seen: [SimulatedRequest] { state.withLock { $0.requests } }
  /// `GET /zstack/v1/vm-instances/…`, without log-ins and the root of the API.
  var requests: [String] {
    seen.filter { !$0.path.hasSuffix("/login") }.map { "\($0.method) \($0.path.dropFirst("/zstack/v1".count))" }
  }
  func count(_ request: String) -> Int { requests.count { $0.hasPrefix(request) } }
  var logIns: Int { state.withLock { $0.logIns } }
  var ledger: [LedgerEntry] { [] }
  func ensureServer(_ id: String) {}
  func inject(_ fault: String) throws(ExpressionFailure) { throw ExpressionFailure("no faults") }

  // MARK: Answers

  static func session(_ uuid: String, life: String = "Jan 16, 2025 6:15:00 PM") -> SimulatedReply {
    ScriptedSystem.reply(
      200,
      """
      {"inventory":{"uuid":"\(uuid)","accountUuid":"36c27e8ff05c4780bf6d2fa65700f22e",
      "expiredDate":"\(life)","createDate":"Jan 16, 2025 4:15:00 PM"}}
      """)
  }

  static func machine(_ state: String = "Running", id: String = vm, more: String = "") -> String {
    """
    {"uuid":"\(id)","name":"web","state":"\(state)","rootVolumeUuid":"\(root)","vmNics":[{"ip":"203.0.113.7"}],
    "lastOpDate":"Jan 16, 2025 4:00:00 PM"\(more)}
    """
  }

  static func list(_ items: String...) -> SimulatedReply {
    ScriptedSystem.reply(200, #"{"inventories":[\#(items.joined(separator: ","))]}"#)
  }

  static func accepted(_ location: String = "http://10.0.0.1:8080/zstack/v1/api-jobs/x") -> SimulatedReply {
    ScriptedSystem.reply(202, #"{"location":"\#(location)","apiTimeout":1800000}"#)
  }

  static func error(_ code: String, _ details: String = "because", cause: String? = nil) -> SimulatedReply {
    let cause = cause.map { #"{"code":"\#($0)","description":"inner","details":"the cause"}"# } ?? "null"
    return ScriptedSystem.reply(
      503,
      #"{"error":{"code":"\#(code)","description":"An operation failed","details":"\#(details)","cause":\#(cause)}}"#)
  }

  static let running = ScriptedSystem.reply(202, "{}")
  static let gone = ScriptedSystem.reply(404, "the job has been expired")
  static let duplicate = ScriptedSystem.reply(400, "Duplicate job uuid[0123456789abcdef0123456789abcdef]")
}

/// A value that a wire's answers share.
final class Box<Value: Sendable>: Sendable {
  private let state: Mutex<Value>
  init(_ value: Value) { state = Mutex(value) }
  var value: Value {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension SimulatedRequest {
  var isJob: Bool { path.contains("/api-jobs/") }
  var isMachine: Bool { method == "GET" && path.hasSuffix("/vm-instances/\(ZStackWire.vm)") }
  var isChange: Bool { method != "GET" && !path.hasSuffix("/login") && !path.hasSuffix("/renew") }
  var text: String { String(decoding: body, as: UTF8.self) }
}

/// A ZStack account, in virtual time.
struct ZStackFixture: Sendable {
  static let start = Timestamp("2025-01-16T16:15:00Z") ?? Timestamp(seconds: 0)
  static let password = Value.secret(Secret("zstack_t0psecret", named: ["zstack_password"]))
  static let account: [String: Value] = ["account": "admin", "password": password]

  let clock: VirtualClock
  let transport: InMemoryTransport
  let provider: any Provider

  init(
    _ system: any SimulatedSystem, clock: VirtualClock = VirtualClock(start: start), settings: [String: Value] = [:],
    credential: [String: Value] = account, shared: SharedObjects = SharedObjects()
  ) throws {
    self.clock = clock
    transport = InMemoryTransport(clock: clock, routes: ["https://zstack.example.com:8080": system])
    provider = try ZStackProvider().connect(
      Arguments(
        ["url": "https://zstack.example.com:8080/zstack/v1"].merging(credential) { _, given in given }
          .merging(settings) { _, given in given }),
      environment: ProviderEnvironment(
        transport: transport, clock: clock, random: SeededRandom(seed: 1), shared: shared))
  }

  func driver(_ name: String) throws -> ActionDriver {
    ActionDriver(
      try #require(provider.action(name)), clock: clock, transport: transport, scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles())
  }

  @discardableResult
  func run(
    _ name: String, _ with: [String: Value] = [:], attempts: Int = 3, key: String? = nil
  ) async throws -> ActionDriver.Outcome {
    var driver = try driver(name)
    driver.attempts = attempts
    if let key { driver.key = key }
    return try await driver.run(with.merging(["server": .string(ZStackWire.vm)]) { given, _ in given })
  }

  /// The failure an action ends in.
  func failure(_ name: String, _ with: [String: Value] = [:], attempts: Int = 3) async throws -> StepFailure {
    do {
      let outcome = try await run(name, with, attempts: attempts)
      Issue.record("`\(name)` succeeded: \(outcome.result.outputs)")
      return StepFailure(.server, "none")
    } catch let failure as StepFailure {
      return failure
    }
  }

  /// A call as it stands when its intent has been journaled.
  func intended(
    _ driver: ActionDriver, _ with: [String: Value] = [:], before: [String: Value] = [:]
  ) -> ActionCall {
    driver.call(
      with.merging(["server": .string(ZStackWire.vm)]) { given, _ in given }, before: before, intendedAt: clock.now)
  }
}

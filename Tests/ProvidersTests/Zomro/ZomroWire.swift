import Foundation
import ZomroCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// A Zomro whose answers a test writes down, by function and form. Log-ins, looks at sessions and filters are answered
/// by themselves where the test does not.
final class ZomroWire: SimulatedSystem {
  typealias Answer = @Sendable (_ function: String, _ form: [String: String]) -> SimulatedReply?

  let type = "zomro"
  private let handler: Answer
  private let forms = Mutex<[[String: String]]>([])

  init(_ handler: @escaping Answer) { self.handler = handler }

  /// One answer for all but log-ins and filters.
  convenience init(_ status: Int, _ body: String, headers: [(name: String, value: String)] = []) {
    self.init { function, _ in
      ZomroWire.usual(function, 1) == nil ? ScriptedSystem.reply(status, body, headers: headers) : nil
    }
  }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    var form = ZomroWire.form(request)
    if request.method == "GET" { form["func"] = request.path }
    let function = form["func"] ?? ""
    let logIns = forms.withLock { forms in
      forms.append(form)
      return forms.count { $0["func"] == "auth" }
    }
    return handler(function, form) ?? ZomroWire.usual(function, logIns) ?? ScriptedSystem.reply(404, "nothing here")
  }

  static func usual(_ function: String, _ logIns: Int) -> SimulatedReply? {
    switch function {
    case "auth": session(logIns)
    case "whoami": doc(#""user":{"$name":"ops@example.com"}"#)
    case "keepalive": doc(#""ok":{}"#)
    default: function.hasSuffix(".filter") ? doc(#""ok":{}"#) : nil
    }
  }

  private static func form(_ request: SimulatedRequest) -> [String: String] {
    var form: [String: String] = [:]
    for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, let name = halves[0].removingPercentEncoding else { continue }
      form[name] = halves[1].removingPercentEncoding
    }
    return form
  }

  var seen: [[String: String]] { forms.withLock { $0 } }
  var requests: [String] { seen.compactMap { $0["func"] } }
  func count(_ function: String) -> Int { requests.count { $0 == function } }
  func last(_ function: String) -> [String: String]? { seen.last { $0["func"] == function } }
  var ledger: [LedgerEntry] { [] }
  func ensureServer(_ id: String) {}
  func inject(_ fault: String) throws(ExpressionFailure) { throw ExpressionFailure("no faults") }

  // MARK: Answers

  static func doc(_ inside: String) -> SimulatedReply { ScriptedSystem.reply(200, #"{"doc":{\#(inside)}}"#) }

  static func session(_ number: Int) -> SimulatedReply {
    doc(#""auth":{"$id":"5e5510n0000\#(number)","$level":"16","$":"5e5510n0000\#(number)"}"#)
  }

  static func error(_ type: String, _ object: String? = nil, _ text: String = "because") -> SimulatedReply {
    let error: [String: Value] = [
      "$type": .string(type), "$object": object.map { .string($0) } ?? .null, "$lang": "en",
      "msg": ["$": .string(text)], "detail": ["$": .string(text)],
    ]
    return ScriptedSystem.reply(200, JSONWriter.text(["doc": ["error": .map(error)]]))
  }

  static func server(_ status: String = "active", id: String = ZomroFixture.server, name: String = "web") -> String {
    """
    {"id":{"$":"\(id)"},"servername":{"$":"\(name)"},"instance_status":{"$":"\(status)"},
    "item_status":{"$orig":"2","$":"Active"},"ip":{"$":"203.0.113.7"}}
    """
  }

  static func image(
    _ id: String, _ name: String = "pre-1", status: String = "Active", date: String = "2025-01-16", more: String = ""
  ) -> String {
    """
    {"id":{"$":"\(id)"},"name":{"$":"\(name)"},"fleio_status":{"$":"\(status)"},"fleio_id":{"$":"uuid-\(id)"},
    "createdate":{"$":"\(date)"},"backup_type":{"$":"manual"},"image_size":{"$":"3"},"min_disk":{"$":"20"},
    "protected":{"$":"off"},"region":{"$":"Netherlands-2"}\(more)}
    """
  }

  static func list(_ lines: String..., more: String = "") -> SimulatedReply { list(lines, more: more) }
  static func list(_ lines: [String], more: String = "") -> SimulatedReply {
    doc(#""elem":[\#(lines.joined(separator: ","))]\#(more)"#)
  }
}

/// A Zomro account, in virtual time.
struct ZomroFixture: Sendable {
  static let start = Timestamp("2025-01-16T12:00:00Z") ?? Timestamp(seconds: 0)
  static let server = "5203773"
  static let word = "Canary1word"
  static let password = Value.secret(Secret(word, named: ["zomro_password"]))
  static let logIn: [String: Value] = ["username": "ops@example.com", "password": password]
  static let authinfo: [String: Value] = logIn.merging(["auth": "authinfo"]) { _, new in new }

  let clock: VirtualClock
  let transport: InMemoryTransport
  let provider: any Provider

  init(
    _ system: any SimulatedSystem, clock: VirtualClock = VirtualClock(start: start), settings: [String: Value] = [:],
    credential: [String: Value] = logIn, shared: SharedObjects = SharedObjects()
  ) throws {
    self.clock = clock
    transport = InMemoryTransport(clock: clock, routes: ["https://api.zomro.com": system])
    provider = try ZomroProvider().connect(
      Arguments(credential.merging(settings) { _, given in given }),
      environment: ProviderEnvironment(
        transport: transport, clock: clock, random: SeededRandom(seed: 1), shared: shared))
  }

  /// An account at the twin.
  static func twin(
    faults: [String] = [], settings: [String: Value] = [:], credential: [String: Value] = logIn,
    secondFactor: (@Sendable (String, Timestamp) -> Bool)? = nil
  ) throws -> (fixture: ZomroFixture, twin: SimulatedZomro) {
    let clock = VirtualClock(start: start)
    let twin = SimulatedZomro(clock: clock, seed: 7, secondFactor: secondFactor)
    twin.ensureServer(server)
    for fault in faults { try twin.inject(fault) }
    return (try ZomroFixture(twin, clock: clock, settings: settings, credential: credential), twin)
  }

  func driver(_ name: String) throws -> ActionDriver {
    ActionDriver(
      try #require(provider.action(name), "Zomro has no `\(name)`"), clock: clock, transport: transport,
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles())
  }

  @discardableResult
  func run(
    _ name: String, _ with: [String: Value] = [:], attempts: Int = 3, key: String? = nil
  ) async throws -> [String: Value] {
    var driver = try driver(name)
    driver.attempts = attempts
    if let key { driver.key = key }
    return try await driver.run(ZomroFixture.fields(with)).result.outputs
  }

  static func fields(_ with: [String: Value]) -> [String: Value] {
    with.merging(["server": .string(server)]) { given, _ in given }
  }

  /// The failure an action ends in.
  func failure(_ name: String, _ with: [String: Value] = [:], attempts: Int = 1) async throws -> StepFailure {
    do {
      let outputs = try await run(name, with, attempts: attempts)
      Issue.record("`\(name)` succeeded: \(outputs)")
      return StepFailure(.server, "none")
    } catch let failure as StepFailure {
      return failure
    }
  }

  /// A call as it stands when its intent has been journaled; what it reports goes into the box.
  func intended(
    _ driver: ActionDriver, _ with: [String: Value] = [:], before: [String: Value] = [:],
    reports: Box<[String]> = Box([])
  ) -> ActionCall {
    ActionCall(
      with: Arguments(ZomroFixture.fields(with)), key: driver.key, runID: "r0000000000000000test", clock: clock,
      transport: transport, scripts: driver.scripts, files: driver.files, deadline: clock.now + .seconds(86_400),
      before: before, intendedAt: clock.now, report: { reports.value.append($0) })
  }

  func problems(_ name: String, _ with: [String: Value] = [:]) async throws -> [String] {
    let driver = try driver(name)
    return try await driver.action.liveCheck(intended(driver, with))
  }
}

extension SimulatedZomro {
  /// Somebody sets a filter in the panel.
  func setFilter(of list: String, _ name: String) {
    let body = "func=\(list).filter&out=json&sok=ok&name=\(name)&authinfo=ops%3A\(ZomroFixture.word)"
    _ = answer(
      SimulatedRequest(
        method: "POST", path: "/", headers: [(name: "content-type", value: "application/x-www-form-urlencoded")],
        body: Array(body.utf8)))
  }

  func effects(_ effect: String) -> Int { ledger.count { $0.effect == effect } }
}

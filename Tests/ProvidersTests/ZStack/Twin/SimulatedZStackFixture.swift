import Providers
import Runbook
import Simulator
import Testing

/// A ZStack on a virtual clock, asked byte by byte as a client would.
struct SimulatedZStackFixture: Sendable {
  static let machine = "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"
  static let root = "aa6fad9b71af3785a9fdec200bab3ee8"
  static let data = "f6c7d5276c873eba8accddd4a09a1ee6"
  static let store = "fc50c1ece4753c1981e3e3f65a151e0e"
  static let otherStore = "255fc896605f3237a22940fa92d8670b"
  static let backup = "2f7c0a5bb86430e8a5ac48312172d70d"
  static let oldBackup = "92046c016d7c3af7bdd4a5077fb91450"
  /// Of the documents.
  static let session = "b86c9016b4f24953a9edefb53ca0678c"

  let clock: VirtualClock
  let twin: SimulatedZStack

  init(faults: [String] = [], seed: UInt64 = 7) throws {
    clock = VirtualClock(start: try #require(Timestamp("2025-01-16T12:00:00Z")))
    twin = SimulatedZStack(clock: clock, seed: seed)
    for fault in faults { try twin.inject(fault) }
  }

  func send(
    _ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [(name: "authorization", value: "OAuth \(session)")]
  ) -> SimulatedReply {
    twin.answer(
      SimulatedRequest(
        method: method, path: "/zstack/v1/" + path, query: query, headers: headers, body: Array(body.utf8)))
  }

  /// The status and the JSON of a reply.
  func json(_ reply: SimulatedReply) throws -> (status: Int, body: Value) {
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.header("content-type") == "application/json")
    return (response.status, try JSONReader.read(response.body))
  }

  /// The status and the text of a reply that is no JSON.
  func text(_ reply: SimulatedReply) throws -> (status: Int, text: String) {
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.header("content-type")?.hasPrefix("text/plain") == true)
    return (response.status, String(decoding: response.body, as: UTF8.self))
  }

  /// Starts a job; its id.
  func start(_ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = []) throws
    -> String
  {
    let reply = try json(send(method, path, body, query: query))
    #expect(reply.status == 202)
    #expect(Set(try #require(reply.body.map).keys) == ["location", "apiTimeout"])
    return String(try #require(reply.body["location"]?.string?.split(separator: "/").last))
  }

  func job(_ id: String) throws -> (status: Int, body: Value) { try json(send("GET", "api-jobs/\(id)")) }

  /// What a job ends with.
  func run(_ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = []) throws
    -> (status: Int, body: Value)
  {
    let id = try start(method, path, body, query: query)
    rest()
    return try job(id)
  }

  /// The code of the error a job ends with, and of its cause.
  func refusal(_ method: String, _ path: String, _ body: String = "") throws -> [String] {
    let error = try run(method, path, body).body["error"]
    return [error?["code"]?.string, error?["cause"]?["code"]?.string].compactMap { $0 }
  }

  func list(_ path: String, _ conditions: String..., sort: String? = nil) throws -> [Value] {
    var query = conditions.map { (name: "q", value: $0) }
    if let sort { query.append((name: "sort", value: sort)) }
    let reply = try json(send("GET", path, query: query))
    #expect(reply.status == 200)
    return try #require(reply.body["inventories"]?.list)
  }

  func rest() { clock.advance(by: .seconds(1000)) }

  func stop() throws {
    #expect(try run("PUT", "vm-instances/\(Self.machine)/actions", #"{"stopVmInstance":{}}"#).status == 200)
  }

  var effects: [String] { twin.ledger.map { "\($0.effect) \($0.subject)" } }
}

import ZStackCloud
import Runbook
import Simulator
import Testing

/// A ZStack on a virtual clock, asked byte by byte as a client would.
struct SimulatedZStackFixture: Sendable {
  /// The document prints its backup, and deletes its old one.
  static let machine = "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"
  static let root = "2ae6b881bb1239cd907d48993e86a2e8"
  static let data = "f6c7d5276c873eba8accddd4a09a1ee6"
  /// The document backs up its root volume.
  static let other = "6d1f0e2b3a4c4d5e8f60718293a4b5c6"
  static let otherRoot = "aa6fad9b71af3785a9fdec200bab3ee8"
  static let otherData = "c3a1d5e7f9024b6c8d0e1f2a3b4c5d6e"
  static let backup = "2f7c0a5bb86430e8a5ac48312172d70d"
  static let rootBackup = "785edb93bb1b3a31857dac1e69cc8392"
  static let dataBackup = "3084eea905f4311b9d484bfe97142bdf"
  static let oldBackup = "92046c016d7c3af7bdd4a5077fb91450"
  static let store = "fc50c1ece4753c1981e3e3f65a151e0e"
  static let otherStore = "255fc896605f3237a22940fa92d8670b"
  static let remoteStore = "087b41055fbc4875aef622142cbe5ac3"
  static let iso = "5eed1500a0004000800000000000a001"
  /// Of nothing there is.
  static let nothing = "0123456789ab4def8123456789abcdef"
  /// Of the document.
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
  func start(
    _ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = [],
    _ place: SourceLocation = #_sourceLocation
  ) throws -> String {
    let reply = try json(send(method, path, body, query: query))
    #expect(reply.status == 202, sourceLocation: place)
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
  func refusal(
    _ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = []
  ) throws -> [String] {
    let error = try run(method, path, body, query: query).body["error"]
    return [error?["code"]?.string, error?["cause"]?["code"]?.string].compactMap { $0 }
  }

  /// What a query with these conditions finds.
  func list(_ path: String, _ conditions: String..., sort: String? = nil) throws -> [Value] {
    var query = conditions.map { (name: "q", value: $0) }
    if let sort { query.append((name: "sort", value: sort)) }
    return try #require(try get(path, query)["inventories"]?.list)
  }

  /// The body of a read that succeeds.
  func get(_ path: String, _ query: [(name: String, value: String)] = []) throws -> Value {
    let reply = try json(send("GET", path, query: query))
    #expect(reply.status == 200)
    return reply.body
  }

  func rest() { clock.advance(by: .seconds(1000)) }

  func stop(_ machine: String = machine) throws {
    #expect(try run("PUT", "vm-instances/\(machine)/actions", #"{"stopVmInstance":{}}"#).status == 200)
  }

  /// A snapshot of each volume of the machine; the group's id.
  func snapshotGroup(_ root: String = root) throws -> String {
    let body = #"{"params":{"rootVolumeUuid":"\#(root)","name":"g1"}}"#
    let reply = try run("POST", "volume-snapshots/group", body)
    return try #require(reply.body["inventory"]?["uuid"]?.string)
  }

  /// A snapshot of one volume; its id.
  func snapshot(_ volume: String = root) throws -> String {
    let reply = try run("POST", "volumes/\(volume)/volume-snapshots", #"{"params":{"name":"s1"}}"#)
    return try #require(reply.body["inventory"]?["uuid"]?.string)
  }

  /// Deletes a server, which ZStack keeps for a while.
  func destroy() throws { #expect(try run("DELETE", "vm-instances/\(Self.machine)").status == 200) }

  var effects: [String] { twin.ledger.map { "\($0.effect) \($0.subject)" } }
}

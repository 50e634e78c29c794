import ZomroCloud
import Runbook
import Simulator
import Testing

/// A Zomro account on a virtual clock, asked byte by byte as a client would.
struct ZomroTwinFixture: Sendable {
  static let server = "5203773"
  static let backup = "5203980"
  static let backupUUID = "b26c0f34-48b2-4cb2-b4eb-388eac959df6"
  static let ubuntu = "f8f2573f-56c4-44c5-8469-84eee4aa64e7"
  /// Of the documents' shape.
  static let session = "43137b5f35a6ba4ee01f4a4e"

  enum Encoding: Sendable, CaseIterable {
    case urlencoded, multipart
  }

  let clock: VirtualClock
  let twin: SimulatedZomro

  init(
    faults: [String] = [], seed: UInt64 = 7, credentials: SimulatedZomro.AcceptedCredentials = .wellFormed,
    withExamples: Bool = true, singlesAsObjects: Bool = true, language: String = "en",
    secondFactor: (@Sendable (String, Timestamp) -> Bool)? = nil
  ) throws {
    clock = VirtualClock(start: try #require(Timestamp("2025-01-16T12:00:00Z")))
    twin = SimulatedZomro(
      clock: clock, seed: seed, credentials: credentials, withExamples: withExamples,
      singlesAsObjects: singlesAsObjects, language: language, secondFactor: secondFactor)
    for fault in faults { try twin.inject(fault) }
  }

  /// The reply to exactly these fields.
  func send(_ fields: [String: String], _ encoding: Encoding = .urlencoded) -> SimulatedReply {
    let body: String
    let type: String
    switch encoding {
    case .urlencoded:
      type = "application/x-www-form-urlencoded"
      body = fields.map { "\($0.key.escaped)=\($0.value.escaped)" }.joined(separator: "&")
    case .multipart:
      type = "multipart/form-data; boundary=----d74496d66958873e"
      body =
        fields.map { name, value in
          "------d74496d66958873e\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }.joined() + "------d74496d66958873e--\r\n"
    }
    return twin.answer(
      SimulatedRequest(
        method: "POST", path: "/", headers: [(name: "content-type", value: type)], body: Array(body.utf8)))
  }

  /// A call with a session, in English; the document's `doc`.
  @discardableResult
  func call(_ function: String, _ fields: [String: String] = [:], _ encoding: Encoding = .urlencoded) throws -> Value {
    let usual = ["func": function, "out": "json", "auth": ZomroTwinFixture.session, "lang": "en"]
    return try doc(send(usual.merging(fields) { _, given in given }, encoding))
  }

  /// Calls it and expects success.
  @discardableResult
  func done(_ function: String, _ fields: [String: String] = [:], _ place: SourceLocation = #_sourceLocation) throws
    -> Value
  {
    let doc = try call(function, fields)
    #expect(doc["error"] == nil, sourceLocation: place)
    return doc
  }

  /// `type/object` of the error a call ends in.
  func refusal(_ function: String, _ fields: [String: String] = [:]) throws -> String {
    let error = try call(function, fields)["error"]
    return [error?["$type"]?.string, error?["$object"]?.string].compactMap { $0 }.joined(separator: "/")
  }

  func doc(_ reply: SimulatedReply) throws -> Value {
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.status == 200)
    #expect(response.header("content-type") == "application/json")
    return try #require(try JSONReader.read(response.body)["doc"])
  }

  /// The lines of a list, however it writes one or none.
  func lines(_ function: String, _ fields: [String: String] = [:]) throws -> [Value] {
    let elements = try done(function, fields)["elem"]
    return elements?.list ?? elements.map { [$0] } ?? []
  }

  var backups: [Value] { get throws { try lines("instances.fleio_bckps", ["elid": ZomroTwinFixture.server]) } }
  var snapshots: [Value] { get throws { try lines("instances.snapshots", ["elid": ZomroTwinFixture.server]) } }

  /// `instance_status` of the server, as its line shows it.
  var status: String? {
    get throws {
      try lines("instances").first { $0["id"]?.text == ZomroTwinFixture.server }?["instance_status"]?.text
    }
  }

  func create(_ word: String, _ name: String = "pre-1") throws {
    let function = word == "backup" ? "instances.fleio_bckps.edit" : "instances.snapshots.edit"
    try done(function, ["plid": ZomroTwinFixture.server, "name": name, "sok": "ok"])
  }

  /// Until everything that was under way has ended.
  func rest() { clock.advance(by: .seconds(1000)) }

  /// Brings the server into a state at rest.
  func bring(to status: String) throws {
    switch status {
    case "active": break
    case "stopped": try done("service.stop", ["elid": ZomroTwinFixture.server])
    case "rescued":
      try done(
        "instances.fleio.rescue",
        ["elid": ZomroTwinFixture.server, "select_boot": ZomroTwinFixture.ubuntu, "zone": "pub", "sok": "ok"])
    default: twin.setStatus(ofServer: ZomroTwinFixture.server, status)
    }
    rest()
  }

  /// `effect subject` of each change, in order.
  var effects: [String] { twin.ledger.map { "\($0.effect) \($0.subject)" } }
}

extension Value {
  /// The text of an element, or of the first of several.
  var text: String? { self["$"]?.string ?? list?.first?["$"]?.string }
}

extension String {
  fileprivate var escaped: String {
    utf8.map { byte in
      let isPlain = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
      let digits = String(byte, radix: 16)
      return isPlain ? String(decoding: [byte], as: UTF8.self) : "%\(digits.count < 2 ? "0" : "")\(digits)"
    }.joined()
  }
}

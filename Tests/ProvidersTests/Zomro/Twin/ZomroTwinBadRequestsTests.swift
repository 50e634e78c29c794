import ZomroCloud
import Runbook
import Simulator
import Testing

/// Whatever arrives is answered: nothing ends the process and nothing is done.
@Suite struct ZomroTwinBadRequestsTests {
  struct Sent: Sendable, CustomTestStringConvertible {
    var what: String
    var type: String?
    var body: [UInt8]
    var testDescription: String { what }
    init(_ what: String, _ type: String?, _ body: String) { self.init(what, type, bytes: Array(body.utf8)) }
    init(_ what: String, _ type: String?, bytes: [UInt8]) {
      self.what = what
      self.type = type
      body = bytes
    }
  }

  static let form = "application/x-www-form-urlencoded"
  static let multipart = "multipart/form-data; boundary=b"
  static let part = "Content-Disposition: form-data; name=\"func\""

  static let sent = [
    Sent("no body", form, ""), Sent("no content type", nil, ""), Sent("no type, a body", nil, "func=instances"),
    Sent("only separators", form, "&&&===&=&"), Sent("no value", form, "func"), Sent("no name", form, "=instances"),
    Sent("a bad escape at the end", form, "func=instances%"), Sent("half an escape", form, "func=instances%2"),
    Sent("no digits", form, "func=%zz%GG%%"), Sent("bytes that are no text", form, "func=%ff%fe%00%c3"),
    Sent("raw bytes", form, bytes: [0xff, 0x00, 0x3d, 0xc3, 0x26, 0x25]),
    Sent("JSON", "application/json", #"{"func":"service.stop","elid":"5203773"}"#),
    Sent("no boundary", "multipart/form-data", "--b\r\n\(part)\r\n\r\nservice.stop\r\n--b--"),
    Sent("an empty boundary", "multipart/form-data; boundary=\"\"", "----\r\n\r\n"),
    Sent("a lone quote as boundary", "multipart/form-data; boundary=\"", "--\"\r\n\(part)\r\n\r\nx\r\n--\"--"),
    Sent("nothing between", multipart, "--b--b--b----b"),
    Sent("no end", multipart, "--b\r\n\(part)\r\n\r\nservice.stop"),
    Sent("no headers", multipart, "--b\r\n\r\nservice.stop\r\n--b--"),
    Sent("no empty line", multipart, "--b\r\n\(part)\r\n--b--"), Sent("only a line", multipart, "--b\r\n"),
    Sent("the boundary alone", multipart, "--b"),
    Sent("a name without an end", multipart, "--b\r\nContent-Disposition: form-data; name=\"\r\n\r\nx\r\n--b--"),
    Sent("an empty name", multipart, "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--b--"),
    Sent("bytes as a part", multipart, bytes: Array("--b\r\n".utf8) + [0xff, 0, 13, 10, 13, 10] + Array("--b--".utf8)),
    Sent("ten megabytes", form, bytes: Array("func=".utf8) + [UInt8](repeating: 0x61, count: 10 << 20)),
    Sent("nothing but separators", form, bytes: [UInt8](repeating: 0x26, count: 1 << 20)),
    Sent("nothing but dashes", multipart, bytes: [UInt8](repeating: 0x2d, count: 1 << 20)),
    Sent(
      "a part of ten megabytes", multipart,
      bytes: Array("--b\r\n\(part)\r\n\r\n".utf8) + [UInt8](repeating: 0x62, count: 10 << 20)
        + Array("\r\n--b--".utf8)),
    Sent(
      "many fields", form, bytes: Array((0..<100_000).map { "f\($0)=1" }.joined(separator: "&").utf8)),
  ]

  @Test(arguments: sent)
  func whatCannotBeReadIsAnsweredAndDoesNothing(_ sent: Sent) throws {
    let zomro = try ZomroTwinFixture()
    let headers = sent.type.map { [(name: "content-type", value: $0)] } ?? []
    let reply = zomro.twin.answer(SimulatedRequest(method: "POST", path: "/", headers: headers, body: sent.body))
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.status == 200)
    #expect(response.body.count < 2000)
    #expect(zomro.twin.ledger == [])
    #expect(zomro.twin.status(ofServer: ZomroTwinFixture.server) == "active")
  }

  /// A text of any length in any field of any function.
  @Test(arguments: [
    "auth", "authinfo", "elid", "plid", "name", "select_boot", "zone", "password", "p_num", "p_cnt", "p_col", "lang",
    "out", "id", "servername", "rdns_record",
  ])
  func aVeryLongFieldIsAnswered(_ field: String) throws {
    let zomro = try ZomroTwinFixture()
    let long = String(repeating: "9", count: 1 << 18)
    for function in ["instances", "instances.fleio.rescue", "instances.fleio_bckps.edit", "instances.filter"] {
      var fields = ["func": function, "out": "json", "auth": ZomroTwinFixture.session, "sok": "ok"]
      fields[field] = long
      let body = fields.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
      let reply = zomro.twin.answer(SimulatedRequest(method: "POST", path: "/", body: Array(body.utf8)))
      guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
      #expect(response.body.count < 4000)
    }
    #expect(zomro.twin.ledger == [])
  }

  @Test(arguments: [
    ("GET", "/", 405), ("PUT", "/", 405), ("POST", "/billmgr", 404), ("GET", "/long/1/billmgr", 404),
    ("GET", "/long/", 404), ("POST", "/../", 404), ("POST", "", 200),
  ])
  func thereIsOneAddress(_ method: String, _ path: String, _ status: Int) throws {
    let zomro = try ZomroTwinFixture()
    let reply = zomro.twin.answer(
      SimulatedRequest(method: method, path: path, body: Array("func=instances&out=json".utf8)))
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.status == status)
  }

  /// Credentials belong into the body: what is in the address is not read.
  @Test func theQueryIsNotRead() throws {
    let zomro = try ZomroTwinFixture()
    let query = [(name: "auth", value: ZomroTwinFixture.session), (name: "elid", value: ZomroTwinFixture.server)]
    let reply = zomro.twin.answer(
      SimulatedRequest(method: "POST", path: "/", query: query, body: Array("func=service.stop&out=json".utf8)))
    #expect(try zomro.doc(reply)["error"]?["$type"] == "access")
    #expect(zomro.twin.ledger == [])
  }

  /// Whoever does not ask for JSON gets a page, but what was asked is done.
  @Test(arguments: [nil, "xml", "xjson", ""] as [String?])
  func withoutOutThereIsAPage(_ out: String?) throws {
    let zomro = try ZomroTwinFixture()
    var fields = ["func": "service.stop", "auth": ZomroTwinFixture.session, "elid": ZomroTwinFixture.server]
    fields["out"] = out
    guard case .response(let response) = zomro.send(fields) else { throw StepFailure(.server, "no response") }
    #expect(response.header("content-type")?.hasPrefix("text/html") == true)
    #expect(zomro.effects == ["server.stop 5203773"])
  }

  @Test(arguments: ZomroTwinFixture.Encoding.allCases)
  func textsArriveAsTheyWereSent(_ encoding: ZomroTwinFixture.Encoding) throws {
    for name in ["a b+c&d=e%41", "\"quoted\"", "naïve ☃ 名前", "x;y--b\r\n--", "100%"] {
      let zomro = try ZomroTwinFixture(withExamples: false)
      try zomro.call(
        "instances.fleio_bckps.edit", ["plid": ZomroTwinFixture.server, "name": name, "sok": "ok"], encoding)
      #expect(try zomro.backups.first?["name"]?.text == name)
    }
  }

  /// As curl writes it: parts in any order, with more headers and without quotes.
  @Test func multipartMayBeWrittenOtherwise() throws {
    let zomro = try ZomroTwinFixture()
    let body = """
      a preamble
      --x
      Content-Type: text/plain
      content-disposition: form-data; name=func

      instances
      --x
      Content-Disposition: form-data; name="out"

      json
      --x
      Content-Disposition: form-data; name="auth"; filename="a"

      \(ZomroTwinFixture.session)
      --x--
      """
    for text in [body, body.replacing("\n", with: "\r\n")] {
      let reply = zomro.twin.answer(
        SimulatedRequest(
          method: "POST", path: "/", headers: [(name: "content-type", value: "multipart/form-data; boundary=\"x\"")],
          body: Array(text.utf8)))
      #expect(try zomro.doc(reply)["elem"]?["id"]?.text == ZomroTwinFixture.server)
    }
  }
}

import ZStackCloud
import Runbook
import Simulator
import Testing

/// Log-ins, the life of a session, and access keys.
@Suite struct ZStackTwinSessionsTests {
  private typealias Fixture = SimulatedZStackFixture

  /// SHA-512 of `password`, as the sources print it.
  static let digest =
    "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb980b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95"
    + "385ffab0cacbc86"
  static let byAccount = #"{"logInByAccount":{"accountName":"admin","password":"\#(digest)"}}"#

  private func logIn(
    _ zstack: Fixture, _ path: String = "accounts/login", _ body: String = byAccount
  ) throws -> (status: Int, body: Value) {
    try zstack.json(zstack.send("PUT", path, body, headers: []))
  }

  private func session(_ zstack: Fixture) throws -> String {
    try #require(try logIn(zstack).body["inventory"]?["uuid"]?.string)
  }

  private func isValid(_ zstack: Fixture, _ session: String) throws -> Bool {
    let reply = try zstack.json(zstack.send("GET", "accounts/sessions/\(session)/valid", headers: []))
    #expect(reply.status == 200)
    #expect(try #require(reply.body.map).count == 1)
    return reply.body["valid"] == true
  }

  private func oauth(_ session: String) -> [(name: String, value: String)] {
    [(name: "authorization", value: "OAuth \(session)")]
  }

  /// The status of a read, and the code of its error.
  private func read(_ zstack: Fixture, _ headers: [(name: String, value: String)]) throws -> String {
    let reply = try zstack.json(zstack.send("GET", "vm-instances", headers: headers))
    return "\(reply.status) \(reply.body["error"]?["code"]?.string ?? "")"
  }

  /// The code's key, the manual's, and the path of newer releases.
  @Test(arguments: [
    ("accounts/login", byAccount), ("accounts/login", #"{"logIn":{"accountName":"admin","password":"\#(digest)"}}"#),
    ("login", #"{"logIn":{"username":"admin","password":"\#(digest)","loginType":"account"}}"#),
  ])
  func aLogInIsAnsweredAsRecorded(path: String, body: String) throws {
    let zstack = try Fixture()
    let reply = try logIn(zstack, path, body)
    #expect(reply.status == 200)
    let sample = """
      {"inventory":{"uuid":"00d038b699b74e76a01705918d48d939","accountUuid":"36c27e8ff05c4780bf6d2fa65700f22e",
      "userUuid":"36c27e8ff05c4780bf6d2fa65700f22e","expiredDate":"Jan 1, 2017 11:31:06 AM",
      "createDate":"Jan 1, 2017 9:31:06 AM"}}
      """
    #expect(ZStackTwinShape(reply.body) == (try ZStackTwinShape.of(sample)))
    // Two hours, on a clock eight hours east of Greenwich.
    #expect(reply.body["inventory"]?["createDate"] == "Jan 16, 2025 8:00:00 PM")
    #expect(reply.body["inventory"]?["expiredDate"] == "Jan 16, 2025 10:00:00 PM")
    let id = try #require(reply.body["inventory"]?["uuid"]?.string)
    #expect(try read(zstack, oauth(id)) == "200 ")
  }

  @Test func aLogInIsRefused() throws {
    let zstack = try Fixture()
    func code(_ fields: String) throws -> String? {
      let reply = try logIn(zstack, "accounts/login", #"{"logInByAccount":\#(fields)}"#)
      #expect(reply.status == 503)
      return reply.body["error"]?["code"]?.string
    }
    let upper = Self.digest.uppercased()
    #expect(try code(#"{"accountName":"admin","password":"password"}"#) == "ID.1000", "the digest is sent")
    #expect(try code(#"{"accountName":"admin","password":"\#(upper)"}"#) == "ID.1000", "in lower case")
    #expect(try code(#"{"accountName":"ops","password":"\#(Self.digest)"}"#) == "ID.1000")
    #expect(try code(#"{"accountName":"admin"}"#) == "SYS.1007")
    #expect(try code(#"{"password":"\#(Self.digest)"}"#) == "SYS.1007")
  }

  /// The key of the body selects the call: without one that is known there is none.
  @Test(arguments: [
    ("accounts/login", ""), ("accounts/login", "{}"), ("accounts/login", #"{"login":{}}"#),
    ("accounts/login", #"{"accountName":"admin","password":"x"}"#), ("login", byAccount),
    ("accounts/login", #"{"logInByAccount":7}"#),
  ])
  func aLogInWithoutItsKeyIsPlainlyRefused(path: String, body: String) throws {
    let zstack = try Fixture()
    #expect(try zstack.text(zstack.send("PUT", path, body, headers: [])).status == 400)
  }

  @Test func aSessionEndsTwoHoursAfterItsLogInHoweverMuchItIsUsed() throws {
    let zstack = try Fixture()
    let id = try session(zstack)
    for _ in 1...7 {
      zstack.clock.advance(by: .seconds(1000))
      #expect(try read(zstack, oauth(id)) == "200 ")
    }
    zstack.clock.advance(by: .seconds(199))
    #expect(try isValid(zstack, id))
    zstack.clock.advance(by: .seconds(1))
    #expect(try !isValid(zstack, id))
    #expect(try read(zstack, oauth(id)) == "503 ID.1001")
  }

  @Test func aSessionIsProlonged() throws {
    let zstack = try Fixture()
    let id = try session(zstack)
    zstack.clock.advance(by: .seconds(7000))
    let renewal = zstack.send(
      "PUT", "accounts/sessions/\(id)/renew", #"{"renewSession":{"duration":7200}}"#, headers: oauth(id))
    let job = try zstack.json(renewal)
    #expect(job.status == 202)
    let done = try zstack.job(String(try #require(job.body["location"]?.string?.split(separator: "/").last)))
    #expect(done.status == 200)
    zstack.clock.advance(by: .seconds(7199))
    #expect(try isValid(zstack, id))
    zstack.clock.advance(by: .seconds(1))
    #expect(try !isValid(zstack, id))
  }

  @Test(arguments: [(59, "SYS.1007"), (60, nil), (31_536_000, nil), (31_536_001, "SYS.1007")])
  func aSessionIsProlongedByAMinuteToAYear(seconds: Int, code: String?) throws {
    let zstack = try Fixture()
    let path = "accounts/sessions/\(try session(zstack))/renew"
    #expect(
      try zstack.refusal("PUT", path, #"{"renewSession":{"duration":\#(seconds)}}"#) == [code].compactMap { $0 })
  }

  @Test func aSessionIsClosed() throws {
    let zstack = try Fixture()
    let id = try session(zstack)
    let reply = try zstack.json(zstack.send("DELETE", "accounts/sessions/\(id)", headers: []))
    #expect(reply.status == 200)
    #expect(reply.body == [:])
    #expect(try !isValid(zstack, id))
    #expect(try read(zstack, oauth(id)) == "503 ID.1001")
  }

  @Test func thereAreFiveHundredSessionsAtMost() throws {
    let zstack = try Fixture()
    var last = ""
    for _ in 1...500 { last = try session(zstack) }
    #expect(try logIn(zstack).body["error"]?["code"] == "ID.1006")
    _ = zstack.send("DELETE", "accounts/sessions/\(last)", headers: [])
    #expect(try logIn(zstack).status == 200)
    #expect(try logIn(zstack).status == 503)
    zstack.clock.advance(by: .seconds(7200))
    #expect(try logIn(zstack).status == 200)
  }

  /// HMAC-SHA1 of method, date and path, made with another program.
  @Test(arguments: [
    ("GET", "vm-instances", "", "58y/DmO4sw9JGBmysykbiS6+KCU="),
    (
      "PUT", "vm-instances/4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b/actions", #"{"stopVmInstance":{}}"#,
      "R/1qEGlf6xEtJTW47u+JYSnyed4="
    ),
  ])
  func aSignatureIsProved(method: String, path: String, body: String, signature: String) throws {
    let zstack = try Fixture()
    func send(_ id: String, _ signature: String) throws -> (status: Int, body: Value) {
      let reply = try zstack.json(
        zstack.send(
          method, path, body, query: [(name: "q", value: "not=signed")],
          headers: [
            (name: "date", value: "Thu, 16 Jan 2025 12:00:00 GMT"),
            (name: "authorization", value: "ZStack \(id):\(signature)"),
          ]))
      guard reply.status == 202 else { return reply }
      zstack.rest()
      return try zstack.job(String(try #require(reply.body["location"]?.string?.split(separator: "/").last)))
    }
    #expect(try send("LTAIzstackexample", signature).status == 200)
    for (id, sent) in [("LTAIother", signature), ("LTAIzstackexample", "AAAA"), ("LTAIzstackexample", "")] {
      let zstack = try Fixture()
      let reply = zstack.send(
        "GET", "vm-instances",
        headers: [
          (name: "date", value: "Thu, 16 Jan 2025 12:00:00 GMT"),
          (name: "authorization", value: "ZStack \(id):\(sent)"),
        ])
      #expect(try zstack.json(reply).body["error"]?["code"] == "ID.1001")
    }
  }

  @Test func aClockThatIsOffIsRefused() throws {
    let zstack = try Fixture()
    func send(_ date: String?) -> SimulatedReply {
      zstack.send(
        "GET", "vm-instances",
        headers: [(name: "authorization", value: "ZStack LTAIzstackexample:c2lnbmF0dXJl")]
          + (date.map { [(name: "date", value: $0)] } ?? []))
    }
    for date in ["Thu, 16 Jan 2025 12:15:01 GMT", "Thu, 16 Jan 2025 11:44:59 GMT"] {
      let skewed = try zstack.text(send(date))
      #expect(skewed.status == 403)
      #expect(skewed.text.contains("requestTimeTooSkewed"))
    }
    #expect(try zstack.text(send("yesterday")).status == 400)
    #expect(try zstack.text(send(nil)).status == 400)
    // Inside of 15 minutes the signature decides.
    #expect(try zstack.json(send("Thu, 16 Jan 2025 12:14:59 GMT")).body["error"]?["code"] == "ID.1001")
  }

  /// There is no 401: a read gets the error object, a change a job that has failed.
  @Test func anInvalidSession() throws {
    let zstack = try Fixture()
    let read = try zstack.json(zstack.send("GET", "vm-instances", headers: oauth("gone")))
    #expect(read.status == 503)
    #expect(read.body["error"]?["code"] == "ID.1001")
    let stop = "vm-instances/\(Fixture.machine)/actions"
    let change = try zstack.json(zstack.send("PUT", stop, #"{"stopVmInstance":{}}"#, headers: oauth("gone")))
    #expect(change.status == 202)
    let job = try zstack.job(String(try #require(change.body["location"]?.string?.split(separator: "/").last)))
    #expect(job.status == 503)
    #expect(job.body["error"]?["code"] == "ID.1001")
    #expect(zstack.effects == [])
  }

  // MARK: The end of a session, as a fault

  /// What was opened elsewhere stays refused; what is opened afterwards is good.
  @Test func aSessionOfElsewhereEndsForGood() throws {
    let zstack = try Fixture(faults: ["token_expires:2"])
    let headers = oauth(Fixture.session)
    #expect(
      try (1...5).map { _ in try read(zstack, headers) } == ["200 ", "200 "] + .init(repeating: "503 ID.1001", count: 3)
    )
    #expect(zstack.twin.firedFaults == ["token_expires:2"])
    let id = try session(zstack)
    #expect(try read(zstack, oauth(id)) == "200 ")
  }

  /// A log-in heeds no session: neither it nor the look at a job uses the fault up.
  @Test func onlyWhatHeedsASessionCounts() throws {
    let zstack = try Fixture(faults: ["token_expires:0"])
    let id = try session(zstack)
    #expect(try isValid(zstack, id))
    #expect(zstack.twin.firedFaults == [])
    #expect(try read(zstack, oauth(id)) == "503 ID.1001")
    #expect(zstack.twin.firedFaults == ["token_expires:0"])
    #expect(try read(zstack, oauth(try session(zstack))) == "200 ")
  }

  @Test func sessionsEndAsOftenAsIsAsked() throws {
    let zstack = try Fixture(faults: ["token_expires:1", "token_expires:3"])
    var seen: [String] = []
    for _ in 1...3 {
      let id = try session(zstack)
      while seen.count < 12 {
        seen.append(try read(zstack, oauth(id)))
        if seen.last != "200 " { break }
      }
    }
    #expect(seen.count { $0 == "503 ID.1001" } == 2)
    #expect(zstack.twin.unfiredFaults == [])
  }
}

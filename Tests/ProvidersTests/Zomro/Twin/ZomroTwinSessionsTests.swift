import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinSessionsTests {
  static let login = ["func": "auth", "username": "ops", "password": "Right1word", "out": "json", "sok": "ok"]

  private func session(_ zomro: ZomroTwinFixture) throws -> String {
    try #require(try zomro.doc(zomro.send(Self.login))["auth"]?["$id"]?.string)
  }

  private func exact(
    faults: [String] = [], secondFactor: (@Sendable (String, Timestamp) -> Bool)? = nil
  ) throws -> ZomroTwinFixture {
    try ZomroTwinFixture(
      faults: faults, credentials: .exactly(username: "ops", password: "Right1word"), secondFactor: secondFactor)
  }

  @Test func aSessionEndsAnHourAfterItsLastRequest() throws {
    let zomro = try exact()
    let id = try session(zomro)
    for _ in 0..<3 {
      zomro.clock.advance(by: .seconds(3599))
      #expect(try zomro.call("keepalive", ["auth": id])["error"] == nil)
    }
    zomro.clock.advance(by: .seconds(3601))
    #expect(try zomro.refusal("keepalive", ["auth": id]) == "access")
    #expect(try zomro.refusal("instances", ["auth": id]) == "access", "it does not come back")
    #expect(try zomro.call("instances", ["auth": try session(zomro)])["error"] == nil)
  }

  @Test func aSessionFromTheWebHoldsUntilItEnds() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.done("instances")
    zomro.clock.advance(by: .seconds(3601))
    #expect(try zomro.refusal("instances") == "access")
    #expect(try zomro.refusal("instances") == "access")
  }

  @Test func whoLogsOutHasNoSession() throws {
    let zomro = try exact()
    let id = try session(zomro)
    try zomro.done("logon", ["auth": id])
    #expect(try zomro.refusal("instances", ["auth": id]) == "access")
  }

  @Test(arguments: [
    [:], ["auth": ""], ["auth": "short"], ["auth": "43137B5F35A6BA4EE01F4A4E"],
    ["auth": "wrong-43137b5f35a6ba4ee01f4a4e"],
  ])
  func aRequestWithoutACredentialIsRefused(_ fields: [String: String]) throws {
    let zomro = try ZomroTwinFixture()
    let usual = ["func": "instances", "out": "json", "lang": "en"]
    let doc = try zomro.doc(zomro.send(usual.merging(fields) { _, given in given }))
    #expect(doc["error"]?["$type"] == "access")
  }

  @Test(arguments: [
    (SimulatedZomro.AcceptedCredentials.wellFormed, "ops:Canary1word", true),
    (.wellFormed, "ops:wrong-Canary1word", false), (.wellFormed, "ops:short1A", false),
    (.wellFormed, ":Canary1word", false),
    (.wellFormed, "ops", false), (.any, "ops:x", true), (.any, "ops:", false),
    (.exactly(username: "ops", password: "a:b"), "ops:a:b", true),
    (.exactly(username: "ops", password: "a:b"), "ops:a", false),
  ])
  func userAndPasswordGoWithEachCall(
    _ credentials: SimulatedZomro.AcceptedCredentials, _ pair: String, _ isGood: Bool
  ) throws {
    let zomro = try ZomroTwinFixture(credentials: credentials)
    let doc = try zomro.doc(
      zomro.send(["func": "instances", "out": "json", "lang": "en", "authinfo": pair]))
    #expect(doc["error"]?["$object"]?.string == (isGood ? nil : "badpassword"))
  }

  @Test func anySessionHoldsInASealedSimulation() throws {
    let zomro = try ZomroTwinFixture(credentials: .any)
    try zomro.done("instances", ["auth": "placeholder"])
    zomro.clock.advance(by: .seconds(3601))
    #expect(try zomro.refusal("instances", ["auth": "placeholder"]) == "access")
  }

  @Test func theSecondFactorMakesATemporarySessionAGoodOne() throws {
    let zomro = try exact(secondFactor: { code, now in code == "123456" && now.seconds > 0 })
    let temporary = try session(zomro)
    #expect(try zomro.done("whoami", ["auth": temporary])["ok"]?["$"] == "func=totp.confirm")
    #expect(try zomro.refusal("instances", ["auth": temporary]) == "access")
    let confirm = ["auth": temporary, "sok": "ok", "clicked_button": "ok"]
    #expect(try zomro.refusal("totp.confirm", confirm) == "missed/qrcode")
    #expect(try zomro.refusal("totp.confirm", confirm.merging(["qrcode": "000000"]) { $1 }) == "value/qrcode")
    let doc = try zomro.done("totp.confirm", confirm.merging(["qrcode": "123456"]) { $1 })
    let id = try #require(doc["auth"]?["$id"]?.string)
    #expect(id != temporary)
    try zomro.done("instances", ["auth": id])
    #expect(try zomro.done("whoami", ["auth": id])["ok"] == nil)
    #expect(try zomro.refusal("whoami", ["auth": temporary]) == "access")
  }

  @Test func aFaultSwitchesTheSecondFactorOn() throws {
    let zomro = try exact(faults: ["second_factor"])
    let temporary = try session(zomro)
    #expect(try zomro.refusal("instances", ["auth": temporary]) == "access")
    let fields = ["auth": temporary, "sok": "ok", "clicked_button": "ok"]
    #expect(try zomro.refusal("totp.confirm", fields.merging(["qrcode": "12345x"]) { $1 }) == "value/qrcode")
    try zomro.done("totp.confirm", fields.merging(["qrcode": "654321"]) { $1 })
  }

  @Test func aSessionThatAFaultEndsIsReplacedByALogIn() throws {
    let zomro = try exact(faults: ["token_expires:2", "session_loss:server.stop"])
    let first = try session(zomro)
    try zomro.done("instances", ["auth": first])
    try zomro.done("keepalive", ["auth": first])
    #expect(try zomro.refusal("instances", ["auth": first]) == "access")
    #expect(try zomro.refusal("instances", ["auth": first]) == "access")
    let second = try session(zomro)
    try zomro.done("instances", ["auth": second])
    #expect(zomro.twin.unfiredFaults == ["session_loss:server.stop"])
    #expect(try zomro.refusal("service.stop", ["auth": second, "elid": ZomroTwinFixture.server]) == "access")
    #expect(zomro.twin.ledger == [])
    #expect(zomro.twin.unfiredFaults == [])
    try zomro.done("service.stop", ["auth": try session(zomro), "elid": ZomroTwinFixture.server])
  }

  @Test func anAddressCanBeDenied() throws {
    let zomro = try exact(faults: ["bad_ip"])
    #expect(try zomro.doc(zomro.send(Self.login))["error"]?["$object"] == "badip")
    _ = try session(zomro)
  }

  /// `access` does not always mean that the session is gone.
  @Test func aPrivilegeCanBeMissing() throws {
    let zomro = try exact(faults: ["no_privilege:server.stop:2"])
    let id = try session(zomro)
    let stop = ["auth": id, "elid": ZomroTwinFixture.server]
    for _ in 0..<2 { #expect(try zomro.refusal("service.stop", stop) == "access") }
    try zomro.done("keepalive", ["auth": id])
    try zomro.done("service.stop", stop)
  }

  /// Whoever tries again and again is blocked for a while, with the right password too.
  @Test func manyFailedLogInsBlockTheClient() throws {
    let zomro = try exact()
    let wrong = Self.login.merging(["password": "Wrong1word"]) { $1 }
    for _ in 0..<9 { #expect(try zomro.doc(zomro.send(wrong))["error"]?["$object"] == "badpassword") }
    let id = try session(zomro)
    for _ in 0..<10 { #expect(try zomro.doc(zomro.send(wrong))["error"]?["$object"] == "badpassword") }
    for fields in [Self.login, ["func": "instances", "auth": id, "out": "json"]] {
      guard case .response(let response) = zomro.send(fields) else { throw StepFailure(.server, "no response") }
      #expect(response.status == 403)
    }
    zomro.clock.advance(by: .seconds(1800))
    try zomro.done("instances", ["auth": id])
  }

  @Test func sessionsDifferAndNeverShowAPassword() throws {
    let zomro = try exact()
    let ids = try (0..<20).map { _ in try session(zomro) }
    #expect(Set(ids).count == 20)
    let doc = try zomro.call(
      "instances.fleio.changepassword",
      ["auth": ids[0], "elid": ZomroTwinFixture.server, "password": "Canary1word", "sok": "ok"])
    let bad = try zomro.call(
      "instances.fleio.changepassword",
      ["auth": ids[0], "elid": ZomroTwinFixture.server, "password": "canary word", "sok": "ok"])
    #expect(bad["error"]?["$object"] == "password")
    #expect(!JSONWriter.text(doc).contains("Canary"))
    #expect(!JSONWriter.text(bad).contains("canary"))
    #expect(!JSONWriter.text(doc).contains(ids[0]))
    #expect(!zomro.twin.ledger.contains { $0.detail.contains("Canary") })
  }
}

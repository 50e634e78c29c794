import ZStackCloud
import Runbook
import Simulator
import Testing

/// Whatever arrives is answered: nothing ends the process and nothing is done.
@Suite struct ZStackTwinBadRequestsTests {
  private typealias Fixture = SimulatedZStackFixture

  private static let paths = [
    ("PUT", "accounts/login"), ("PUT", "login"), ("POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups"),
    ("POST", "volumes/\(SimulatedZStackFixture.root)/volume-backups"), ("POST", "volume-snapshots/group"),
    ("PUT", "volume-snapshots/batch-delete"), ("PUT", "vm-instances/\(SimulatedZStackFixture.machine)/actions"),
    ("PUT", "vm-backups/\(SimulatedZStackFixture.backup)/actions"), ("POST", "system-tags"),
    ("POST", "vm-instances/from/vm-backups/\(SimulatedZStackFixture.backup)"),
  ]
  private static let bodies = [
    "", "{", "[]", "null", "7", "\"x\"", #"{"params":7}"#, #"{"params":[]}"#, #"{"params":{"name":7}}"#,
    #"{"params":null,"systemTags":null}"#, #"{"params":{},"systemTags":{}}"#, #"{"params":{},"userTags":[[]]}"#,
    #"{"params":{"name":"n","rootVolumeUuid":{}}}"#, #"{"rebootVmInstance":"x"}"#, #"{"logInByAccount":[]}"#,
    #"{"logIn":{"username":[],"password":{}}}"#, #"{"batchDeleteVolumeSnapshot":{"uuids":[7,null,{}]}}"#,
    #"{"batchDeleteVolumeSnapshot":{"uuids":"x"}}"#, #"{"setVmBootOrder":{"bootOrder":{"0":"CdRom"}}}"#,
    #"{"revertVmFromVmBackup":{"strategy":[],"backupStorageUuid":7}}"#, #"{"params":{"a":1,"a":2}}"#,
    #"{"params":{"name":"n","cpuNum":1e300,"memorySize":-9223372036854775808,"zoneUuid":[]}}"#,
    #"{"params":{"name":""# + String(repeating: "a", count: 10 << 20) + #""}}"#,
    String(repeating: "[", count: 100_000),
  ]

  @Test func noBodyEndsTheProcess() throws {
    let zstack = try Fixture()
    for (method, path) in Self.paths {
      for body in Self.bodies {
        guard case .response(let response) = zstack.send(method, path, body) else {
          Issue.record("no response")
          continue
        }
        #expect([202, 400, 503].contains(response.status))
        #expect(response.body.count < 2000)
      }
    }
    zstack.rest()
    #expect(zstack.effects == [])
  }

  @Test(arguments: [
    "OAuth \u{0}", "OAuth " + String(repeating: "a", count: 1 << 20), "ZStack :", "ZStack a:", ":", "ZStack",
    "\u{fe0f}",
    "ZStack LTAIzstackexample:\u{1F600}",
  ])
  func aBadCredentialIsAnswered(header: String) throws {
    for date in ["Thu, 16 Jan 2025 12:00:00 GMT", "Thu, 99 Jan 9999999999 99:99:99 GMT", ""] {
      let reply = try Fixture().send(
        "GET", "vm-instances", headers: [(name: "authorization", value: header), (name: "date", value: date)])
      guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
      #expect([400, 403, 503].contains(response.status))
    }
  }

  @Test(arguments: [
    "/zstack/v1", "/zstack/v1/", "/zstack/v1//", "//", "/zstack/v1/vm-instances//actions", "/zstack/v1/volumes///",
    "/zstack/v1/" + String(repeating: "a/", count: 100_000),
    "/zstack/v1/api-jobs/" + String(repeating: "9", count: 1 << 20),
    "/zstack/v1/vm-instances/../../..", "/zstack/v1/vm-instances/\u{0}",
  ])
  func aBadAddressIsAnswered(path: String) throws {
    let zstack = try Fixture()
    for method in ["GET", "POST", "PUT", "DELETE", "", "OPTIONS"] {
      let headers = [(name: "authorization", value: "OAuth \(Fixture.session)")]
      let body = Array(#"{"params":{},"stopVmInstance":{}}"#.utf8)
      let reply = zstack.twin.answer(SimulatedRequest(method: method, path: path, headers: headers, body: body))
      guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
      #expect([200, 202, 400, 404, 405].contains(response.status))
      #expect(response.body.count < 4000)
    }
    zstack.rest()
    #expect(zstack.effects == [])
  }

  @Test(arguments: [
    "", "=", "=x", "name", "!?=", "name>=<", "%", "name~=" + String(repeating: "%", count: 4000), "size>nan",
    "size<-inf",
    "createDate>Foo 99, 99999 99:99:99 XM", "a.b.c.d.e=1", "...=", "name?=,,,", String(repeating: "x=", count: 1 << 20),
  ])
  func aBadConditionIsAnswered(condition: String) throws {
    let zstack = try Fixture()
    for path in ["vm-instances", "volume-backups"] {
      let reply = try zstack.json(
        zstack.send(
          "GET", path, query: [(name: "q", value: condition), (name: "sort", value: "-"), (name: "fields", value: ",")])
      )
      #expect([200, 503].contains(reply.status))
      if reply.status == 503 { #expect(reply.body["error"]?["code"] == "SYS.1007") }
    }
  }

  @Test(arguments: ["-1", "x", "99999999999999999999", "", "1.5", " 1"])
  func aBadNumberIsRefused(number: String) throws {
    for name in ["limit", "start"] {
      let reply = try Fixture().json(Fixture().send("GET", "vm-instances", query: [(name: name, value: number)]))
      #expect(reply.status == 503)
      #expect(reply.body["error"]?["code"] == "SYS.1007")
    }
  }
}

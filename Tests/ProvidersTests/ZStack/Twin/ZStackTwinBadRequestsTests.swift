import Providers
import Runbook
import Simulator
import Testing

/// Whatever arrives is answered: nothing ends the process and nothing is done.
@Suite struct ZStackTwinBadRequestsTests {
  private typealias Fixture = SimulatedZStackFixture

  private static let paths = [
    ("PUT", "accounts/login"), ("POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups"),
    ("POST", "volume-snapshots/group"), ("PUT", "vm-instances/\(SimulatedZStackFixture.machine)/actions"),
    ("PUT", "vm-backups/\(SimulatedZStackFixture.backup)/actions"), ("POST", "system-tags"),
  ]
  private static let bodies = [
    "", "{", "[]", "null", "7", "\"x\"", #"{"params":7}"#, #"{"params":[]}"#, #"{"params":{"name":7}}"#,
    #"{"params":{"name":"n","rootVolumeUuid":{}}}"#, #"{"stopVmInstance":"x"}"#, #"{"logInByAccount":[]}"#,
    #"{"params":{"name":""# + String(repeating: "a", count: 10 << 20) + #""}}"#,
    String(repeating: "[", count: 100_000),
  ]

  @Test func noBodyEndsTheProcess() throws {
    let zstack = try Fixture()
    for (method, path) in Self.paths {
      for body in Self.bodies where body != #"{"stopVmInstance":"x"}"# || method == "PUT" {
        guard case .response(let response) = zstack.send(method, path, body) else {
          Issue.record("no response")
          continue
        }
        #expect([202, 400, 404, 405, 503].contains(response.status))
      }
    }
    zstack.rest()
    #expect(zstack.effects.filter { !$0.hasPrefix("tag.create") } == [])
  }

  @Test(arguments: ["", "=", "=x", "name", "!?=", "name>=<", "%", String(repeating: "x=", count: 1 << 20)])
  func aBadConditionIsAnswered(condition: String) throws {
    let reply = try Fixture().json(
      Fixture().send("GET", "vm-instances", query: [(name: "q", value: condition), (name: "sort", value: "-")]))
    #expect([200, 503].contains(reply.status))
    if reply.status == 503 { #expect(reply.body["error"]?["code"] == "SYS.1007") }
  }

  @Test(arguments: ["-1", "x", "99999999999999999999", ""])
  func aBadNumberIsRefused(number: String) throws {
    for name in ["limit", "start"] {
      let reply = try Fixture().json(Fixture().send("GET", "vm-instances", query: [(name: name, value: number)]))
      #expect(reply.status == 503)
      #expect(reply.body["error"]?["code"] == "SYS.1007")
    }
  }
}

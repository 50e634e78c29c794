import Providers
import Runbook
import Simulator
import Testing

/// The faults that only this cloud has.
@Suite struct ZStackTwinFaultsTests {
  private typealias Fixture = SimulatedZStackFixture
  private let stop = "vm-instances/\(SimulatedZStackFixture.machine)/actions"
  private let body = #"{"stopVmInstance":{}}"#

  @Test func aLostHostLeavesTheServerUnknown() throws {
    let zstack = try Fixture(faults: ["host_lost:server.stop"])
    _ = try zstack.run("PUT", stop, body)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Unknown")
    #expect(zstack.twin.firedFaults == ["host_lost:server.stop"])
  }

  @Test func aJobThatNeverEndsHasItsEffect() throws {
    let zstack = try Fixture(faults: ["job_never_ends:server.stop"])
    #expect(try zstack.run("PUT", stop, body).status == 202)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Stopped")
  }

  @Test func aPurgedJobHasItsEffect() throws {
    let zstack = try Fixture(faults: ["job_purged:server.stop"])
    let id = try zstack.start("PUT", stop, body)
    zstack.rest()
    #expect(try zstack.text(zstack.send("GET", "api-jobs/\(id)")).status == 404)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Stopped")
  }

  @Test(arguments: [("sys1001_done", "Stopped"), ("sys1001_not_done", "Running")])
  func aTimeoutSaysNothingOfTheEffect(fault: String, end: String) throws {
    let zstack = try Fixture(faults: ["\(fault):server.stop"])
    let reply = try zstack.run("PUT", stop, body)
    #expect(reply.status == 503)
    #expect(reply.body["error"]?["code"] == "SYS.1001")
    #expect(zstack.twin.state(ofServer: Fixture.machine) == end)
  }

  @Test(arguments: [([], "10.0.0.1:8080"), (["own_location"], "localhost:8080")])
  func theLocationHasAnotherHost(faults: [String], host: String) throws {
    let zstack = try Fixture(faults: faults)
    let reply = try zstack.json(zstack.send("PUT", stop, body))
    #expect(reply.body["location"]?.string?.hasPrefix("http://\(host)/zstack/v1/api-jobs/") == true)
  }

  @Test func aGroupIsRevertedInPart() throws {
    let zstack = try Fixture(faults: ["partial_revert"])
    try zstack.stop()
    let group = try zstack.run(
      "POST", "volume-snapshots/group", #"{"params":{"rootVolumeUuid":"\#(Fixture.root)","name":"g"}}"#)
    let id = try #require(group.body["inventory"]?["uuid"]?.string)
    let reply = try zstack.run("PUT", "volume-snapshots/group/\(id)/actions", #"{"revertVmFromSnapshotGroup":{}}"#)
    #expect(reply.status == 200)
    let results = try #require(reply.body["results"]?.list)
    #expect(results.count == 2)
    #expect(results.count { $0["success"] == false && $0["error"]?["code"] == "SYS.1006" } == 1)
  }
}

import ZStackCloud
import Runbook
import Simulator
import Testing

/// The faults of every twin, and those that only this cloud has.
@Suite struct ZStackTwinFaultsTests {
  private typealias Fixture = SimulatedZStackFixture
  private static let machine = SimulatedZStackFixture.machine
  private let actions = "vm-instances/\(SimulatedZStackFixture.machine)/actions"
  private let stop = #"{"stopVmInstance":{}}"#
  private let start = #"{"startVmInstance":{}}"#

  private func response(_ reply: SimulatedReply) throws -> HTTPResponse {
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response: \(reply)") }
    return response
  }

  private func isLost(_ reply: SimulatedReply) -> Bool { if case .lost = reply { true } else { false } }

  // MARK: Of every twin

  @Test func aRequestIsLost() throws {
    let zstack = try Fixture(faults: ["request_lost:server.stop"])
    #expect(isLost(zstack.send("PUT", actions, stop)))
    zstack.rest()
    #expect(zstack.effects == [])
    #expect(zstack.twin.requests == ["server.stop"])
    #expect(zstack.twin.firedFaults == ["request_lost:server.stop"])
    try zstack.stop()
  }

  @Test func aRequestComesLate() throws {
    let zstack = try Fixture(faults: ["request_late:server.stop:20s"])
    #expect(isLost(zstack.send("PUT", actions, stop)))
    zstack.clock.advance(by: .seconds(19))
    #expect(zstack.twin.state(ofServer: Self.machine) == "Running")
    zstack.clock.advance(by: .seconds(1))
    #expect(zstack.twin.state(ofServer: Self.machine) == "Stopping")
    #expect(zstack.effects == ["server.stop \(Self.machine)"])
  }

  /// The job goes by the id that was sent with it.
  @Test func aReplyIsLostOrLate() throws {
    let zstack = try Fixture(faults: ["reply_lost:server.stop", "reply_late:server.start:40s"])
    let headers = [
      (name: "authorization", value: "OAuth \(Fixture.session)"), (name: "x-job-uuid", value: Fixture.nothing),
    ]
    #expect(isLost(zstack.send("PUT", actions, stop, headers: headers)))
    #expect(try zstack.job(Fixture.nothing).status == 202)
    zstack.rest()
    #expect(try zstack.job(Fixture.nothing).status == 200)
    guard case .delayed(let delay, let later) = zstack.send("PUT", actions, start) else {
      throw StepFailure(.server, "not delayed")
    }
    #expect(delay == .seconds(40))
    #expect(try response(later).status == 202)
    #expect(zstack.effects == ["server.stop \(Self.machine)", "server.start \(Self.machine)"])
  }

  @Test(arguments: [403, 429, 500, 502, 503])
  func aStatusIsAnsweredBeforeOrAfterTheEffect(_ status: Int) throws {
    let before = try Fixture(faults: ["\(status):server.stop:7s"])
    let refused = try response(before.send("PUT", actions, stop))
    #expect(refused.status == status)
    #expect(refused.header("retry-after") == (status == 429 || status == 503 ? "7" : nil))
    #expect(before.effects == [])
    let after = try Fixture(faults: ["\(status)_after:server.stop"])
    #expect(try response(after.send("PUT", actions, stop)).status == status)
    #expect(after.effects == ["server.stop \(Self.machine)"])
  }

  @Test(arguments: [("html_200", 0), ("html_after", 1)])
  func aPageComesBeforeOrAfterTheEffect(fault: String, effects: Int) throws {
    let zstack = try Fixture(faults: ["\(fault):server.stop"])
    let page = try response(zstack.send("PUT", actions, stop))
    #expect(page.status == 200)
    #expect(page.header("content-type")?.hasPrefix("text/html") == true)
    #expect(zstack.effects.count == effects)
  }

  @Test func aChangeNeverEndsOrShowsAnUnknownWord() throws {
    let zstack = try Fixture(faults: ["unknown_status:server.stop:Quenching", "stuck:server.start"])
    let id = try zstack.start("PUT", actions, stop)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Quenching")
    zstack.rest()
    #expect(try zstack.job(id).status == 200)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Stopped")
    let stuck = try zstack.start("PUT", actions, start)
    zstack.clock.advance(by: .seconds(86_400))
    #expect(try zstack.job(stuck).status == 202)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Starting")
  }

  /// What was to be made is not there, and what was to be changed is as it was.
  @Test(arguments: [
    ("server.stop", "PUT", "vm-instances/\(machine)/actions", #"{"stopVmInstance":{}}"#),
    ("server.reboot", "PUT", "vm-instances/\(machine)/actions", #"{"rebootVmInstance":{}}"#),
    ("iso.attach", "POST", "vm-instances/\(machine)/iso/\(SimulatedZStackFixture.iso)", ""),
    (
      "snapshot.create", "POST", "volume-snapshots/group",
      #"{"params":{"rootVolumeUuid":"\#(SimulatedZStackFixture.root)","name":"g"}}"#
    ),
    (
      "backup.create", "POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups",
      #"{"params":{"backupStorageUuid":"\#(SimulatedZStackFixture.store)","name":"b"}}"#
    ),
    (
      "volume_backup.create", "POST", "volumes/\(SimulatedZStackFixture.root)/volume-backups",
      #"{"params":{"backupStorageUuid":"\#(SimulatedZStackFixture.store)","name":"b"}}"#
    ),
    (
      "backup.restore_as", "POST", "vm-instances/from/vm-backups/\(SimulatedZStackFixture.backup)",
      #"{"params":{"name":"c","cpuNum":1,"memorySize":1,"zoneUuid":"z"}}"#
    ),
  ])
  func aChangeFails(operation: String, method: String, path: String, body: String) throws {
    let zstack = try Fixture(faults: ["fails:\(operation)"])
    func world() throws -> [[Value]] {
      try ["vm-instances", "volume-backups", "volume-snapshots", "volume-snapshots/group"].map { list in
        try zstack.list(list).map { row in .map((row.map ?? [:]).filter { $0.key != "lastOpDate" }) }
      }
    }
    let before = try world()
    #expect(try zstack.refusal(method, path, body) == ["SYS.1006", "HOST.1005"])
    #expect(try world() == before)
    #expect(zstack.twin.unfiredFaults == [])
  }

  /// From the third on, twice.
  @Test func aFaultHasItsTurn() throws {
    let zstack = try Fixture(faults: ["502:server.list:2:#3"])
    let statuses = try (1...6).map { _ in try response(zstack.send("GET", "vm-instances")).status }
    #expect(statuses == [200, 200, 502, 502, 200, 200])
  }

  /// A change that is refused, or has nothing to do, leaves a fault to the next.
  @Test func aRefusalUsesUpNoFault() throws {
    let zstack = try Fixture(faults: ["fails", "reply_lost:server.stop"])
    #expect(try zstack.refusal("PUT", actions, #"{"stopVmInstance":{"type":"hard"}}"#) == ["SYS.1007"])
    #expect(try zstack.run("PUT", actions, start).status == 200)
    #expect(zstack.twin.unfiredFaults == ["fails", "reply_lost:server.stop"])
    #expect(isLost(zstack.send("PUT", actions, stop)))
    #expect(zstack.twin.unfiredFaults == [])
  }

  @Test(arguments: [
    "", "nonsense", "fails:server.fly", "502:x", "host_lost:", "session_loss", "stuck:0", "partial:#0",
  ])
  func whatIsNoFaultIsRefused(text: String) throws {
    let zstack = try Fixture()
    #expect(throws: ExpressionFailure.self) { try zstack.twin.inject(text) }
  }

  // MARK: Of this cloud

  /// Whatever the change was, it has its effect, and the server's state is not known any more.
  @Test(arguments: [
    ("server.stop", "PUT", "vm-instances/\(machine)/actions", #"{"stopVmInstance":{}}"#, "inventory"),
    (
      "server.boot_order", "PUT", "vm-instances/\(machine)/actions", #"{"setVmBootOrder":{"bootOrder":["CdRom"]}}"#,
      "inventory"
    ),
    (
      "backup.create", "POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups",
      #"{"params":{"backupStorageUuid":"\#(SimulatedZStackFixture.store)","name":"b"}}"#, "inventories"
    ),
    (
      "snapshot.create", "POST", "volume-snapshots/group",
      #"{"params":{"rootVolumeUuid":"\#(SimulatedZStackFixture.root)","name":"g"}}"#, "inventory"
    ),
  ])
  func aLostHostLeavesTheServerUnknown(
    operation: String, method: String, path: String, body: String, result: String
  ) throws {
    let zstack = try Fixture(faults: ["host_lost:\(operation)"])
    let reply = try zstack.run(method, path, body)
    #expect(reply.status == 200)
    #expect(reply.body[result] != nil)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Unknown")
    #expect(zstack.twin.firedFaults == ["host_lost:\(operation)"])
    #expect(zstack.effects.count == 1)
  }

  /// A restore, also one that was to start the server; and what failed.
  @Test func aHostIsLostInARestore() throws {
    for fault in ["host_lost:backup.restore", "host_lost:backup.restore fails:backup.restore"] {
      let zstack = try Fixture(faults: fault.split(separator: " ").map { String($0) })
      try zstack.stop()
      let body = #"{"revertVmFromVmBackup":{"strategy":"InstantStart"}}"#
      let status = try zstack.run("PUT", "vm-backups/\(Fixture.oldBackup)/actions", body).status
      #expect(status == (fault.contains("fails") ? 503 : 200))
      #expect(zstack.twin.state(ofServer: Self.machine) == "Unknown")
      #expect(!zstack.effects.contains("server.start \(Self.machine)"))
    }
  }

  /// A change of no server leaves it to the next.
  @Test func onlyAServersHostIsLost() throws {
    let zstack = try Fixture(faults: ["host_lost"])
    _ = try zstack.run("DELETE", "vm-backups/\(Fixture.oldBackup)")
    #expect(zstack.twin.unfiredFaults == ["host_lost"])
    try zstack.stop()
    #expect(zstack.twin.state(ofServer: Self.machine) == "Unknown")
  }

  @Test func aJobThatNeverEndsHasItsEffect() throws {
    let zstack = try Fixture(faults: ["job_never_ends:server.stop"])
    let id = try zstack.start("PUT", actions, stop)
    zstack.clock.advance(by: .seconds(48 * 3600))
    #expect(try zstack.job(id).status == 202)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Stopped")
    #expect(try zstack.run("PUT", actions, start).status == 200, "the next one does not wait for it")
  }

  @Test func aPurgedJobHasItsEffect() throws {
    let zstack = try Fixture(faults: ["job_purged:server.stop"])
    let id = try zstack.start("PUT", actions, stop)
    #expect(try zstack.job(id).status == 202)
    zstack.rest()
    #expect(try zstack.text(zstack.send("GET", "api-jobs/\(id)")).status == 404)
    #expect(zstack.twin.state(ofServer: Self.machine) == "Stopped")
  }

  @Test(arguments: [("sys1001_done", "Stopped", 1), ("sys1001_not_done", "Running", 0)])
  func aTimeoutSaysNothingOfTheEffect(fault: String, end: String, effects: Int) throws {
    let zstack = try Fixture(faults: ["\(fault):server.stop"])
    let reply = try zstack.run("PUT", actions, stop)
    #expect(reply.status == 503)
    #expect(reply.body["error"]?["code"] == "SYS.1001")
    #expect(zstack.twin.state(ofServer: Self.machine) == end)
    #expect(zstack.effects.count == effects)
  }

  @Test(arguments: [([], "10.0.0.1:8080"), (["own_location"], "zstack.example.com:8080")])
  func theLocationHasAnotherHost(faults: [String], host: String) throws {
    let zstack = try Fixture(faults: faults)
    let headers = [
      (name: "authorization", value: "OAuth \(Fixture.session)"), (name: "host", value: "zstack.example.com:8080"),
    ]
    let reply = try zstack.json(zstack.send("PUT", actions, stop, headers: headers))
    #expect(reply.body["location"]?.string?.hasPrefix("http://\(host)/zstack/v1/api-jobs/") == true)
  }

  /// The whole is told as a success; what failed keeps its data, and can be asked for again.
  @Test func aGroupIsRevertedInPart() throws {
    let zstack = try Fixture(faults: ["partial_revert:snapshot.restore"])
    let group = try zstack.snapshotGroup()
    try zstack.stop()
    func paths() throws -> [Value?] {
      (try zstack.list("vm-instances/\(Self.machine)").first?["allVolumes"]?.list ?? []).map { $0["installPath"] }
    }
    let before = try paths()
    let path = "volume-snapshots/group/\(group)/actions"
    let reply = try zstack.run("PUT", path, #"{"revertVmFromSnapshotGroup":{}}"#)
    #expect(reply.status == 200)
    let results = try #require(reply.body["results"]?.list)
    let sample = """
      {"results":[{"snapshotUuid":"\(group)","volumeUuid":"\(group)","success":true},
      {"snapshotUuid":"\(group)","volumeUuid":"\(group)","success":false,"error":{"code":"SYS.1006",
      "description":"An operation failed","details":"…not in Stopped state…","elaboration":null,"opaque":null,
      "cause":null}}]}
      """
    #expect(ZStackTwinShape(reply.body) == (try ZStackTwinShape.of(sample)))
    #expect(results.map { $0["success"] } == [true, false])
    #expect(results.last?["error"]?["code"] == "SYS.1006")
    let after = try paths()
    #expect(zip(before, after).map { $0 != $1 } == [true, false])
    let again = try zstack.run("PUT", path, #"{"revertVmFromSnapshotGroup":{}}"#).body["results"]?.list
    #expect(again?.map { $0["success"] } == [true, true])
  }

  @Test func aGroupIsDeletedInPart() throws {
    let zstack = try Fixture(faults: ["partial_revert:snapshot.delete"])
    let group = try zstack.snapshotGroup()
    let reply = try zstack.run("DELETE", "volume-snapshots/group/\(group)")
    #expect(reply.status == 200)
    #expect(reply.body["results"]?.list?.map { $0["success"] } == [true, false])
    #expect(try zstack.list("volume-snapshots").map { $0["status"] } == ["Ready"])
    #expect(try zstack.list("volume-snapshots/group").count == 1)
  }
}

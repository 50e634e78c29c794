import Providers
import Runbook
import Simulator
import Testing

/// What a restore demands, what it leaves, and which ids may be chosen.
@Suite struct ZStackTwinBackupsTests {
  private typealias Fixture = SimulatedZStackFixture
  private let restore = "vm-backups/\(SimulatedZStackFixture.backup)/actions"

  @Test(arguments: [
    ("", "Stopped"), ("CreateStopped", "Stopped"), ("JustCreate", "Stopped"), ("InstantStart", "Running"),
  ])
  func aRestoreEndsAsItsStrategySays(strategy: String, end: String) throws {
    let zstack = try Fixture()
    try zstack.stop()
    let parameters = strategy.isEmpty ? "{}" : #"{"strategy":"\#(strategy)"}"#
    #expect(try zstack.run("PUT", restore, #"{"revertVmFromVmBackup":\#(parameters)}"#).status == 200)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == end)
  }

  @Test func anUnknownStrategyIsRefused() throws {
    let zstack = try Fixture()
    try zstack.stop()
    #expect(try zstack.refusal("PUT", restore, #"{"revertVmFromVmBackup":{"strategy":"Later"}}"#) == ["SYS.1007"])
  }

  @Test(arguments: [nil, "5e5e5e5e5e5e4e5e8e5e5e5e5e5e5e5e"])
  func aRestoreNeedsEachVolumeWhereItWas(server: String?) throws {
    let zstack = try Fixture()
    if let server { zstack.twin.ensureServer(server) }
    try zstack.stop()
    zstack.twin.moveVolume(Fixture.data, toServer: server)
    #expect(try zstack.refusal("PUT", restore, #"{"revertVmFromVmBackup":{}}"#) == ["SYS.1006"])
    #expect(zstack.effects == ["server.stop \(Fixture.machine)"])
  }

  @Test func aStoppedMachineIsNotBackedUpNorARunningOneRestored() throws {
    let zstack = try Fixture()
    #expect(try zstack.refusal("PUT", restore, #"{"revertVmFromVmBackup":{}}"#) == ["SYS.1006"])
    try zstack.stop()
    let body = #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"b"}}"#
    #expect(
      try zstack.refusal("POST", "volumes/\(Fixture.root)/vm-backups", body) == ["SYS.1006", "VOL_BACKUP.1000"])
  }

  @Test func aChosenIDServesOnce() throws {
    let zstack = try Fixture()
    let id = "0123456789ab4def8123456789abcdef"
    for (path, more) in [
      ("volumes/\(Fixture.root)/vm-backups", #","backupStorageUuid":"\#(Fixture.store)""#),
      ("volumes/\(Fixture.root)/volume-snapshots", ""),
      ("volume-snapshots/group", #","rootVolumeUuid":"\#(Fixture.root)""#),
    ] {
      let used = #"{"params":{"name":"b","resourceUuid":"\#(Fixture.data)"\#(more)}}"#
      #expect(try zstack.refusal("POST", path, used) == ["SYS.1007"])
    }
    let body = #"{"params":{"name":"b","resourceUuid":"\#(id)"}}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/volume-snapshots", body).status == 200)
    #expect(try zstack.refusal("POST", "volumes/\(Fixture.root)/volume-snapshots", body) == ["SYS.1007"])
    #expect(zstack.effects == ["volume_snapshot.create \(id)"])
  }

  @Test func aVolumeIsNotSavedWhileItsMachineChanges() throws {
    let zstack = try Fixture()
    zstack.twin.setState(ofServer: Fixture.machine, "Unknown")
    let body = #"{"params":{"name":"s"}}"#
    #expect(
      try zstack.refusal("POST", "volumes/\(Fixture.root)/volume-snapshots", body) == ["SYS.1006", "VM.1010"])
  }
}

extension ZStackTwinBackupsTests {
  @Test func aMachineFromABackupHasItsDataVolumes() throws {
    let zstack = try SimulatedZStackFixture()
    let body = """
      {"params":{"name":"copy","cpuNum":1,"memorySize":1073741824,"zoneUuid":"z","strategy":"CreateStopped"}}
      """
    let reply = try zstack.run("POST", "vm-instances/from/vm-backups/\(SimulatedZStackFixture.backup)", body)
    #expect(reply.status == 200)
    #expect(reply.body["inventory"]?["state"] == "Stopped")
    #expect(reply.body["inventory"]?["allVolumes"]?.list?.map { $0["type"] } == ["Root", "Data"])
  }

  @Test(arguments: [1023, 1024])
  func aBandwidthHasALeastValue(bandwidth: Int) throws {
    let zstack = try SimulatedZStackFixture()
    let body = """
      {"params":{"name":"b","backupStorageUuid":"\(SimulatedZStackFixture.store)","networkReadBandwidth":\(bandwidth)}}
      """
    #expect(
      try zstack.refusal("POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups", body)
        == (bandwidth < 1024 ? ["SYS.1007"] : []))
  }

  @Test func aStoreThatDoesNotHoldTheBackupLosesNothing() throws {
    let zstack = try SimulatedZStackFixture()
    let before = try zstack.list("volume-backups")
    let reply = try zstack.run(
      "DELETE", "vm-backups/\(SimulatedZStackFixture.oldBackup)",
      query: [(name: "backupStorageUuids", value: SimulatedZStackFixture.store)])
    #expect(reply.status == 200)
    #expect(zstack.effects == [])
    #expect(try zstack.list("volume-backups") == before)
  }

  @Test func tagsAndBootOrders() throws {
    let zstack = try SimulatedZStackFixture()
    let machine = SimulatedZStackFixture.machine
    let tag = try zstack.run(
      "POST", "system-tags",
      #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"\#(machine)","tag":"a::b"}}"#)
    let id = try #require(tag.body["inventory"]?["uuid"]?.string)
    #expect(try zstack.run("DELETE", "tags/\(id)").status == 200)
    let order = #"{"setVmBootOrder":{"bootOrder":["Floppy"]}}"#
    #expect(try zstack.refusal("PUT", "vm-instances/\(machine)/actions", order) == ["SYS.1007"])
    #expect(zstack.effects == ["tag.create \(machine)", "tag.delete \(machine)"])
  }
}

import ZStackCloud
import Runbook
import Simulator
import Testing

/// What a restore demands, what it leaves, and which ids may be chosen.
@Suite struct ZStackTwinBackupsTests {
  private typealias Fixture = SimulatedZStackFixture
  private let restore = "vm-backups/\(SimulatedZStackFixture.backup)/actions"
  private let body = #"{"revertVmFromVmBackup":{}}"#

  @Test(arguments: [
    ("", "Stopped"), ("CreateStopped", "Stopped"), ("JustCreate", "Stopped"), ("InstantStart", "Running"),
  ])
  func aRestoreEndsAsItsStrategySays(strategy: String, end: String) throws {
    let zstack = try Fixture()
    try zstack.stop(Fixture.machine)
    let parameters = strategy.isEmpty ? "{}" : #"{"strategy":"\#(strategy)"}"#
    let id = try zstack.start("PUT", restore, #"{"revertVmFromVmBackup":\#(parameters)}"#)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "VolumeRecovering")
    zstack.rest()
    #expect(try zstack.job(id).status == 200)
    #expect(zstack.twin.state(ofServer: Fixture.machine) == end)
  }

  /// Each of its volumes, and none of another machine, has new data at a new path.
  @Test func aRestoreGivesEachVolumeNewData() throws {
    let zstack = try Fixture()
    func paths(_ machine: String) throws -> [Value?] {
      try #require(try zstack.list("vm-instances/\(machine)").first?["allVolumes"]?.list).map { $0["installPath"] }
    }
    try zstack.stop(Fixture.machine)
    let before = (own: try paths(Fixture.machine), others: try paths(Fixture.other))
    #expect(try zstack.run("PUT", restore, body).status == 200)
    let after = (own: try paths(Fixture.machine), others: try paths(Fixture.other))
    for (old, new) in zip(before.own, after.own) { #expect(old != new) }
    #expect(before.own.count == 2)
    #expect(before.others == after.others)
  }

  @Test(arguments: [nil, "5e5e5e5e5e5e4e5e8e5e5e5e5e5e5e5e"])
  func aRestoreNeedsEachVolumeWhereItWas(server: String?) throws {
    let zstack = try Fixture()
    if let server { zstack.twin.ensureServer(server) }
    try zstack.stop(Fixture.machine)
    zstack.twin.moveVolume(Fixture.data, toServer: server)
    #expect(try zstack.refusal("PUT", restore, body) == ["SYS.1006"])
    let single = #"{"revertVolumeFromVolumeBackup":{}}"#
    #expect(try zstack.refusal("PUT", "volume-backups/\(Fixture.dataBackup)/actions", single) == ["SYS.1006"])
    #expect(zstack.effects == ["server.stop \(Fixture.machine)"])
    #expect(try zstack.refusal("PUT", "volume-backups/\(Fixture.rootBackup)/actions", single) == [])
  }

  @Test func aStoppedMachineIsNotBackedUpNorARunningOneRestored() throws {
    let zstack = try Fixture()
    #expect(try zstack.refusal("PUT", restore, body) == ["SYS.1006"])
    let single = #"{"revertVolumeFromVolumeBackup":{}}"#
    #expect(try zstack.refusal("PUT", "volume-backups/\(Fixture.rootBackup)/actions", single) == ["SYS.1006"])
    try zstack.stop()
    let create = #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"b"}}"#
    for kind in ["vm-backups", "volume-backups"] {
      #expect(
        try zstack.refusal("POST", "volumes/\(Fixture.root)/\(kind)", create) == ["SYS.1006", "VOL_BACKUP.1000"])
    }
  }

  @Test func aPausedMachineIsBackedUp() throws {
    let zstack = try Fixture()
    _ = try zstack.run("PUT", "vm-instances/\(Fixture.machine)/actions", #"{"pauseVmInstance":{}}"#)
    let create = #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"b"}}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/vm-backups", create).status == 200)
  }

  /// The backup of one volume belongs to no group, and is restored alone.
  @Test func aVolumeIsSavedAndPutBackAlone() throws {
    let zstack = try Fixture()
    let create =
      #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"v","resourceUuid":"\#(Fixture.nothing)"}}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.otherData)/volume-backups", create).status == 200)
    #expect(try zstack.list("volume-backups", "volumeUuid=\(Fixture.otherData)").map { $0["groupUuid"] } == [.null])
    // An empty segment in the address of a group finds none.
    #expect(try zstack.refusal("PUT", "vm-backups//actions", body) == ["SYS.1003"])
    try zstack.stop(Fixture.other)
    let path = "volume-backups/\(Fixture.nothing)/actions"
    #expect(try zstack.run("PUT", path, #"{"revertVolumeFromVolumeBackup":{}}"#).status == 200)
    #expect(zstack.twin.state(ofServer: Fixture.other) == "Stopped")
    #expect(
      zstack.effects == [
        "volume_backup.create \(Fixture.nothing)", "server.stop \(Fixture.other)",
        "volume_backup.restore \(Fixture.other)",
      ])
  }

  @Test func aChosenIDServesOnce() throws {
    let zstack = try Fixture()
    for used in [Fixture.data, Fixture.machine, Fixture.rootBackup, Fixture.backup, Fixture.store] {
      for (path, more) in [
        ("volumes/\(Fixture.root)/vm-backups", #","backupStorageUuid":"\#(Fixture.store)""#),
        ("volumes/\(Fixture.root)/volume-backups", #","backupStorageUuid":"\#(Fixture.store)""#),
        ("volumes/\(Fixture.root)/volume-snapshots", ""),
        ("volume-snapshots/group", #","rootVolumeUuid":"\#(Fixture.root)""#),
        ("vm-instances/from/vm-backups/\(Fixture.backup)", #","cpuNum":1,"memorySize":1,"zoneUuid":"z""#),
      ] {
        let body = #"{"params":{"name":"b","resourceUuid":"\#(used)"\#(more)}}"#
        #expect(try zstack.refusal("POST", path, body) == ["SYS.1007"])
      }
    }
    let body = #"{"params":{"name":"b","resourceUuid":"\#(Fixture.nothing)"}}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/volume-snapshots", body).status == 200)
    #expect(try zstack.refusal("POST", "volumes/\(Fixture.root)/volume-snapshots", body) == ["SYS.1007"])
    #expect(zstack.effects == ["volume_snapshot.create \(Fixture.nothing)"])
  }

  @Test func aBackupIsCopiedAndDeletedFromOneStoreAfterAnother() throws {
    let zstack = try Fixture()
    func stores() throws -> [Value?] {
      let refs = try zstack.list("volume-backups", "groupUuid=\(Fixture.oldBackup)").first?["backupStorageRefs"]?.list
      return (refs ?? []).map { $0["backupStorageUuid"] }
    }
    let copy = """
      {"syncVmBackupFromImageStoreBackupStorage":{"srcBackupStorageUuid":"\(Fixture.otherStore)",
      "dstBackupStorageUuid":"\(Fixture.remoteStore)"}}
      """
    #expect(try zstack.run("PUT", "vm-backups/\(Fixture.oldBackup)/actions", copy).status == 200)
    #expect(try stores() == [.string(Fixture.otherStore), .string(Fixture.remoteStore)])
    let path = "vm-backups/\(Fixture.oldBackup)"
    let first = [(name: "backupStorageUuids", value: Fixture.otherStore)]
    #expect(try zstack.run("DELETE", path, query: first).status == 200)
    #expect(try stores() == [.string(Fixture.remoteStore)])
    #expect(try zstack.run("DELETE", path).status == 200)
    #expect(try zstack.list("volume-backups", "groupUuid=\(Fixture.oldBackup)") == [])
    let effects = zstack.effects
    #expect(try zstack.run("DELETE", path).status == 200, "a missing one counts as deleted")
    #expect(zstack.effects == effects)
  }

  /// A list in the query repeats its key.
  @Test func aBackupIsDeletedFromSeveralStores() throws {
    let zstack = try Fixture()
    let query = [Fixture.otherStore, Fixture.store].map { (name: "backupStorageUuids", value: $0) }
    #expect(try zstack.run("DELETE", "vm-backups/\(Fixture.backup)", query: query).status == 200)
    #expect(try zstack.list("volume-backups", "groupUuid=\(Fixture.backup)") == [])
  }

  @Test func aStoreThatDoesNotHoldTheBackupLosesNothing() throws {
    let zstack = try Fixture()
    let before = try zstack.list("volume-backups")
    let reply = try zstack.run(
      "DELETE", "vm-backups/\(Fixture.oldBackup)", query: [(name: "backupStorageUuids", value: Fixture.store)])
    #expect(reply.status == 200)
    #expect(zstack.effects == [])
    #expect(try zstack.list("volume-backups") == before)
  }

  @Test(arguments: [("CreateStopped", "Stopped"), ("InstantStart", "Running"), ("", "Running")])
  func aMachineFromABackupHasItsVolumes(strategy: String, end: String) throws {
    let zstack = try Fixture()
    let more = strategy.isEmpty ? "" : #","strategy":"\#(strategy)""#
    let body = """
      {"params":{"name":"copy","cpuNum":1,"memorySize":1073741824,"zoneUuid":"z"\(more)},"systemTags":["a::b"]}
      """
    let reply = try zstack.run("POST", "vm-instances/from/vm-backups/\(Fixture.backup)", body)
    #expect(reply.status == 200)
    let machine = try #require(reply.body["inventory"])
    #expect(machine["state"] == .string(end))
    #expect(machine["cpuNum"] == 1)
    #expect(machine["allVolumes"]?.list?.map { $0["type"] } == ["Root", "Data"])
    #expect(try zstack.list("vm-instances", "__systemTag__=a::b").map { $0["uuid"] } == [machine["uuid"]])
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Running", "the one that was saved is left alone")
  }
}

import ZStackCloud
import Runbook
import Simulator
import Testing

/// Every other operation that is known of ZStack: the request as its sources print it, and the shape of what comes
/// back.
@Suite struct ZStackTwinOperationsTests {
  private typealias Fixture = SimulatedZStackFixture

  struct Call: Sendable, CustomTestStringConvertible {
    var method: String
    /// `GROUP` and `SNAPSHOT` stand for ids of those that were made before.
    var path: String
    var body = ""
    var query: [(name: String, value: String)] = []
    /// Of the machine the call is about: `Stopped` and `Paused` are reached by the calls for them.
    var from = "Running"
    var to = "Running"
    /// A text of the reply's shape.
    var reply: String
    var effect: String?
    var testDescription: String { "\(method) /\(path) \(body)" }
  }

  private static let machine = SimulatedZStackFixture.machine
  private static let actions = "vm-instances/\(machine)/actions"
  static let volume = """
    {"uuid":"aa6fad9b71af3785a9fdec200bab3ee8","name":"n","vmInstanceUuid":"aa6fad9b71af3785a9fdec200bab3ee8",
    "type":"Root","size":1.5E9,"state":"Enabled","status":"Ready","installPath":"p","deviceId":0}
    """
  /// - Parameter host: null unless it runs.
  static func server(host: String = "null", drives: String = "[]") -> String {
    let id = #""aa6fad9b71af3785a9fdec200bab3ee8""#
    let time = #""Jan 1, 2017 9:31:06 AM""#
    return """
      {"uuid":\(id),"name":"n","description":"","zoneUuid":\(id),"clusterUuid":\(id),"imageUuid":\(id),
      "hostUuid":\(host),"lastHostUuid":\(id),"instanceOfferingUuid":null,"rootVolumeUuid":\(id),"platform":"Linux",
      "architecture":"x","defaultL3NetworkUuid":\(id),"type":"UserVm","hypervisorType":"KVM","memorySize":1,
      "cpuNum":1,"state":"s","vmNics":[{"vmInstanceUuid":\(id),"l3NetworkUuid":\(id),"ip":"i","netmask":"m",
      "gateway":"g"}],"allVolumes":[\(volume)],"vmCdRoms":\(drives),"guestOsType":"Linux","createDate":\(time),
      "lastOpDate":\(time)}
      """
  }
  static let host = #""aa6fad9b71af3785a9fdec200bab3ee8""#
  static let drive = #"[{"deviceId":0,"vmInstanceUuid":\#(host),"isoUuid":\#(host)}]"#
  static func one(_ text: String) -> String { #"{"inventory":\#(text)}"# }
  static func many(_ text: String) -> String { #"{"inventories":[\#(text)]}"# }
  static let running = one(server(host: host))
  static let stopped = one(server())

  static let power: [Call] = [
    Call(
      method: "PUT", path: actions, body: #"{"stopVmInstance":{"type":"grace"}}"#, to: "Stopped", reply: stopped,
      effect: "server.stop"),
    Call(
      method: "PUT", path: actions, body: #"{"stopVmInstance":{"type":"cold","stopHA":"true"}}"#, to: "Stopped",
      reply: stopped, effect: "server.stop"),
    Call(
      method: "PUT", path: actions, body: #"{"stopVmInstance":{}}"#, from: "Stopped", to: "Stopped", reply: stopped),
    Call(
      method: "PUT", path: actions, body: #"{"startVmInstance":{"hostUuid":null,"clusterUuid":null}}"#,
      from: "Stopped", reply: running, effect: "server.start"),
    Call(method: "PUT", path: actions, body: #"{"startVmInstance":{}}"#, reply: running),
    Call(
      method: "PUT", path: actions, body: #"{"rebootVmInstance":{}}"#, reply: running, effect: "server.reboot"),
    Call(
      method: "PUT", path: actions, body: #"{"pauseVmInstance":{}}"#, to: "Paused", reply: stopped,
      effect: "server.pause"),
    Call(
      method: "PUT", path: actions, body: #"{"resumeVmInstance":{}}"#, from: "Paused", reply: running,
      effect: "server.resume"),
    Call(
      method: "DELETE", path: "vm-instances/\(machine)", query: [(name: "deleteMode", value: "Permissive")],
      to: "Destroyed", reply: "{}", effect: "server.delete"),
    Call(
      method: "DELETE", path: "vm-instances/\(machine)", query: [(name: "deleteMode", value: "Enforcing")],
      from: "Stopped", to: "Destroyed", reply: "{}", effect: "server.delete"),
    Call(method: "DELETE", path: "vm-instances/\(SimulatedZStackFixture.nothing)", reply: "{}"),
    Call(
      method: "PUT", path: actions, body: #"{"recoverVmInstance":{}}"#, from: "Destroyed", to: "Stopped",
      reply: stopped, effect: "server.recover"),
    Call(
      method: "PUT", path: actions, body: #"{"expungeVmInstance":{}}"#, from: "Destroyed", to: "", reply: "{}",
      effect: "server.expunge"),
    Call(
      method: "PUT", path: actions,
      body: #"{"setVmBootOrder":{"uuid":"\#(machine)","bootOrder":["CdRom","HardDisk"]}}"#, reply: running,
      effect: "server.boot_order"),
    Call(
      method: "POST", path: "vm-instances/\(machine)/iso/\(SimulatedZStackFixture.iso)",
      reply: one(server(host: host, drives: drive)), effect: "iso.attach"),
    Call(
      method: "DELETE", path: "vm-instances/\(machine)/iso",
      query: [(name: "isoUuid", value: SimulatedZStackFixture.iso)], reply: running, effect: "iso.detach"),
  ]

  static let snapshot = """
    {"uuid":\(host),"name":"n","description":"","type":"Storage","volumeUuid":\(host),"volumeType":"Root",
    "format":"qcow2","latest":true,"size":1.5E9,"state":"Enabled","status":"Ready","groupUuid":null,
    "createDate":"Jan 1, 2017 9:31:06 AM","lastOpDate":"Jan 1, 2017 9:31:06 AM"}
    """
  static let group = """
    {"uuid":\(host),"snapshotCount":2,"name":"g","description":"","vmInstanceUuid":\(host),"volumeSnapshotRefs":[
    {"volumeSnapshotUuid":\(host),"volumeSnapshotGroupUuid":\(host),"snapshotDeleted":false,"volumeUuid":\(host)}],
    "createDate":"Jan 1, 2017 9:31:06 AM","lastOpDate":"Jan 1, 2017 9:31:06 AM"}
    """
  static let results = #"{"results":[{"snapshotUuid":\#(host),"volumeUuid":\#(host),"success":true}]}"#

  static let snapshots: [Call] = [
    Call(
      method: "POST", path: "volumes/\(SimulatedZStackFixture.root)/volume-snapshots",
      body: #"{"params":{"name":"s1","description":"d","resourceUuid":"\#(SimulatedZStackFixture.nothing)"}}"#,
      reply: one(snapshot), effect: "volume_snapshot.create"),
    Call(
      method: "PUT", path: "volume-snapshots/SNAPSHOT/actions", body: #"{"revertVolumeFromSnapshot":{}}"#,
      from: "Stopped", to: "Stopped", reply: "{}", effect: "volume_snapshot.restore"),
    Call(
      method: "DELETE", path: "volume-snapshots/SNAPSHOT", query: [(name: "deleteMode", value: "Permissive")],
      reply: "{}", effect: "volume_snapshot.delete"),
    Call(method: "DELETE", path: "volume-snapshots/\(SimulatedZStackFixture.nothing)", reply: "{}"),
    Call(
      method: "PUT", path: "volume-snapshots/batch-delete",
      body: #"{"batchDeleteVolumeSnapshot":{"uuids":["SNAPSHOT"]}}"#, reply: results,
      effect: "volume_snapshot.delete"),
    Call(
      method: "POST", path: "volume-snapshots/group",
      body: #"{"params":{"rootVolumeUuid":"\#(SimulatedZStackFixture.root)","name":"g1","withMemory":false}}"#,
      reply: one(group), effect: "snapshot.create"),
    Call(
      method: "PUT", path: "volume-snapshots/group/GROUP/actions", body: #"{"revertVmFromSnapshotGroup":{}}"#,
      from: "Stopped", to: "Stopped", reply: results, effect: "snapshot.restore"),
    Call(
      method: "DELETE", path: "volume-snapshots/group/GROUP", reply: results, effect: "snapshot.delete"),
    Call(
      method: "DELETE", path: "volume-snapshots/ungroup/GROUP", reply: "{}", effect: "snapshot.ungroup"),
  ]

  static let backup = """
    {"uuid":\(host),"volumeUuid":\(host),"name":"b","description":"","size":1.5E9,"type":"Root","state":"Enabled",
    "status":"Ready","metadata":"","mode":"full","vmInstanceUuid":\(host),"groupUuid":null,
    "createDate":"Jan 1, 2017 9:31:06 AM","lastOpDate":"Jan 1, 2017 9:31:06 AM","backupStorageRefs":[
    {"volumeBackupUuid":\(host),"backupStorageUuid":\(host),"installPath":"p","status":"Ready",
    "createDate":"Jan 1, 2017 9:31:06 AM","lastOpDate":"Jan 1, 2017 9:31:06 AM"}]}
    """
  static let grouped = backup.replacing(#""groupUuid":null"#, with: #""groupUuid":\#(host)"#)
  private static let copy = """
    {"srcBackupStorageUuid":"\(SimulatedZStackFixture.otherStore)",
    "dstBackupStorageUuid":"\(SimulatedZStackFixture.remoteStore)"}
    """
  private static let old = "92046c016d7c3af7bdd4a5077fb91451"

  static let backups: [Call] = [
    Call(
      method: "PUT", path: "vm-backups/\(SimulatedZStackFixture.oldBackup)/actions",
      body: #"{"revertVmFromVmBackup":{"backupStorageUuid":"\#(SimulatedZStackFixture.otherStore)"}}"#,
      from: "Stopped", to: "Stopped", reply: "{}", effect: "backup.restore"),
    Call(
      method: "POST", path: "vm-instances/from/vm-backups/\(SimulatedZStackFixture.oldBackup)",
      body: #"{"params":{"name":"c","cpuNum":1,"memorySize":1073741824,"zoneUuid":"z"}}"#, reply: running,
      effect: "server.create"),
    Call(
      method: "PUT", path: "vm-backups/\(SimulatedZStackFixture.oldBackup)/actions",
      body: #"{"syncVmBackupFromImageStoreBackupStorage":\#(copy)}"#, reply: many(grouped), effect: "backup.copy"),
    Call(
      method: "PUT", path: "vm-backups/\(SimulatedZStackFixture.oldBackup)/actions",
      body: #"{"recoverVmBackupFromImageStoreBackupStorage":\#(copy)}"#, reply: many(grouped), effect: "backup.copy"),
    Call(
      method: "POST", path: "volumes/\(SimulatedZStackFixture.data)/volume-backups",
      body: #"{"params":{"backupStorageUuid":"\#(SimulatedZStackFixture.store)","name":"v1"}}"#, reply: one(backup),
      effect: "volume_backup.create"),
    Call(
      method: "PUT", path: "volume-backups/\(old)/actions",
      body: #"{"revertVolumeFromVolumeBackup":{"backupStorageUuid":"\#(SimulatedZStackFixture.otherStore)"}}"#,
      from: "Stopped", to: "Stopped", reply: "{}", effect: "volume_backup.restore"),
  ]

  static let tags: [Call] = [
    Call(
      method: "POST", path: "system-tags",
      body: #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"\#(machine)","tag":"a::b"}}"#,
      reply: one(
        """
        {"uuid":\(host),"resourceUuid":\(host),"resourceType":"VmInstanceVO","tag":"a::b","inherent":false,
        "type":"System"}
        """), effect: "tag.create"),
    Call(method: "DELETE", path: "tags/\(SimulatedZStackFixture.nothing)", reply: "{}"),
  ]

  @Test(arguments: power + snapshots + backups + tags)
  func aChangeEndsAsItsSourceSays(_ call: Call) throws {
    let zstack = try Fixture()
    func named(_ text: String) throws -> String {
      var text = text
      if text.contains("GROUP") { text = text.replacing("GROUP", with: try zstack.snapshotGroup()) }
      if text.contains("SNAPSHOT") { text = text.replacing("SNAPSHOT", with: try zstack.snapshot()) }
      return text
    }
    let path = try named(call.path)
    let body = try named(call.body)
    switch call.from {
    case "Stopped": try zstack.stop()
    case "Paused": _ = try zstack.run("PUT", Self.actions, #"{"pauseVmInstance":{}}"#)
    case "Destroyed": try zstack.destroy()
    default: break
    }
    #expect(zstack.twin.state(ofServer: Self.machine) == call.from)
    let before = zstack.effects.count
    let reply = try zstack.run(call.method, path, body, query: call.query)
    #expect(reply.status == 200)
    #expect(ZStackTwinShape(reply.body) == (try ZStackTwinShape.of(call.reply)))
    #expect(zstack.twin.state(ofServer: Self.machine) ?? "" == call.to)
    let effects = zstack.twin.ledger.dropFirst(before).map { $0.effect }
    #expect(effects == (call.effect.map { [$0] } ?? []))
  }

  static let reads: [Call] = [
    Call(
      method: "GET", path: "vm-instances", query: [(name: "q", value: "name=web")],
      reply: many(server(host: host))),
    Call(method: "GET", path: "vm-instances/\(machine)", reply: many(server(host: host))),
    Call(method: "GET", path: "vm-instances/\(SimulatedZStackFixture.nothing)", reply: #"{"inventories":[]}"#),
    Call(
      method: "GET", path: "volume-snapshots", query: [(name: "q", value: "groupUuid not null")],
      reply: many(snapshot.replacing(#""groupUuid":null"#, with: #""groupUuid":\#(host)"#))),
    Call(method: "GET", path: "volume-snapshots/group", reply: many(group)),
    Call(
      method: "GET", path: "volume-snapshots/groups/availabilities", query: [(name: "uuids", value: "GROUP")],
      reply: #"{"results":[{"uuid":\#(host),"available":true,"reason":""}]}"#),
    Call(method: "GET", path: "volume-backups", reply: many(grouped)),
    Call(method: "GET", path: "volume-backups/\(old)", reply: many(grouped)),
    Call(
      method: "GET", path: "backup-storage", query: [(name: "q", value: "type=ImageStoreBackupStorage")],
      reply: many(
        """
        {"uuid":\(host),"name":"s","type":"t","state":"Enabled","status":"Connected","totalCapacity":1.5E9,
        "availableCapacity":1.5E9,"attachedZoneUuids":[\(host)]}
        """)),
    Call(
      method: "GET", path: "images", query: [(name: "q", value: "mediaType=ISO")],
      reply: many(
        """
        {"uuid":\(host),"name":"n","mediaType":"ISO","state":"Enabled","status":"Ready","format":"iso",
        "system":false,"platform":"Linux"}
        """)),
    Call(method: "GET", path: "system-tags", reply: #"{"inventories":[]}"#),
    Call(
      method: "GET", path: "accounts/36c27e8ff05c4780bf6d2fa65700f22e",
      reply: many(#"{"uuid":\#(host),"name":"n","type":"SystemAdmin"}"#)),
  ]

  @Test(arguments: reads)
  func aReadShowsWhatItsSourceSays(_ call: Call) throws {
    let zstack = try Fixture()
    let group = call.path.hasPrefix("volume-snapshots") ? try zstack.snapshotGroup() : ""
    let effects = zstack.effects
    let query = call.query.map { (name: $0.name, value: $0.value.replacing("GROUP", with: group)) }
    let body = try zstack.get(call.path, query)
    #expect(ZStackTwinShape(body) == (try ZStackTwinShape.of(call.reply)))
    #expect(zstack.effects == effects)
  }
}

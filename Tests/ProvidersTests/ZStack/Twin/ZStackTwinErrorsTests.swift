import ZStackCloud
import Runbook
import Simulator
import Testing

/// Refusals before there is a job are plain text; those of a job are error objects.
@Suite struct ZStackTwinErrorsTests {
  private typealias Fixture = SimulatedZStackFixture
  private static let machine = SimulatedZStackFixture.machine
  private static let nothing = SimulatedZStackFixture.nothing
  private static let root = SimulatedZStackFixture.root

  // MARK: Before there is a job

  struct Plain: Sendable, CustomTestStringConvertible {
    var method: String
    var path: String
    var body: String
    var status: Int
    var testDescription: String { "\(method) /\(path) \(body) \(status)" }
    init(_ method: String, _ path: String, _ status: Int) { self.init(method, path, "", status) }
    init(_ method: String, _ path: String, _ body: String, _ status: Int) {
      self.method = method
      self.path = path
      self.body = body
      self.status = status
    }
  }

  static let plain = [
    Plain("GET", "nothing", 404), Plain("GET", "", 404), Plain("GET", "vm-instances/a/b", 404),
    Plain("PUT", "nothing/\(machine)/actions", #"{"stopVmInstance":{}}"#, 404),
    Plain("DELETE", "volume-backups", 405), Plain("POST", "vm-instances", "{}", 405),
    Plain("DELETE", "backup-storage/\(SimulatedZStackFixture.store)", 405),
    Plain("PATCH", "vm-instances/\(machine)", 405), Plain("GET", "vm-instances/\(machine)/actions", 405),
    // The key of a PUT's body selects the call.
    Plain("PUT", "vm-instances/\(machine)/actions", #"{"flyVmInstance":{}}"#, 400),
    Plain("PUT", "vm-instances/\(machine)/actions", "{}", 400), Plain("PUT", "vm-instances/\(machine)/actions", 400),
    Plain("PUT", "vm-instances/\(machine)/actions", #"{"stopvminstance":{}}"#, 400),
    Plain("PUT", "vm-instances/\(machine)/actions", #"{"stopVmInstance":"x"}"#, 400),
    Plain("PUT", "vm-instances/\(machine)/actions", #"{"params":{"stopVmInstance":{}}}"#, 400),
    Plain("PUT", "vm-backups/\(nothing)/actions", #"{"syncVmBackup":{}}"#, 400),
    Plain("PUT", "vm-backups/imageStore/\(nothing)/actions", #"{"revertVmFromVmBackup":{}}"#, 400),
    Plain("PUT", "volume-backups/\(nothing)/actions", #"{"revertVmFromVmBackup":{}}"#, 400),
    Plain("PUT", "volume-snapshots/\(nothing)/actions", #"{"revertVmFromSnapshotGroup":{}}"#, 400),
    Plain("PUT", "volume-snapshots/group/\(nothing)/actions", #"{"revertVolumeFromSnapshot":{}}"#, 400),
    Plain("PUT", "volume-snapshots/batch-delete", #"{"uuids":[]}"#, 400),
    // The parameters of a POST stand under `params`, the tags beside it.
    Plain("POST", "volumes/\(root)/vm-backups", #"{"name":"b"}"#, 400),
    Plain("POST", "volumes/\(root)/volume-backups", "{}", 400),
    Plain("POST", "volumes/\(root)/volume-snapshots", #"{"params":[]}"#, 400),
    Plain("POST", "volume-snapshots/group", "{}", 400), Plain("POST", "system-tags", "{}", 400),
    Plain("POST", "vm-instances/from/vm-backups/\(nothing)", "{}", 400),
    Plain("POST", "volumes/\(root)/volume-snapshots", #"{"params":{"name":"s"},"systemTags":"a::b"}"#, 400),
    Plain("POST", "volumes/\(root)/volume-snapshots", #"{"params":{"name":"s"},"systemTags":[7]}"#, 400),
    Plain("POST", "volumes/\(root)/volume-snapshots", #"{"params":{"name":"s"},"userTags":[""]}"#, 400),
  ]

  @Test(arguments: plain)
  func aRequestIsPlainlyRefused(_ plain: Plain) throws {
    let zstack = try Fixture()
    let refused = try zstack.text(zstack.send(plain.method, plain.path, plain.body))
    #expect(refused.status == plain.status)
    #expect(!refused.text.isEmpty)
    zstack.rest()
    #expect(zstack.effects == [])
  }

  /// The API begins below its context, and every call of it needs a credential.
  @Test func theAddressAndTheCredentialAreNeeded() throws {
    let zstack = try Fixture()
    for path in ["/v1/vm-instances", "/zstack/v2/vm-instances", "/", ""] {
      let reply = zstack.twin.answer(SimulatedRequest(method: "GET", path: path))
      #expect(try zstack.text(reply).status == 404)
    }
    for header in [nil, "Basic b3BzOng=", "ZStack nocolon", "OAuth"] {
      let headers = header.map { [(name: "authorization", value: $0)] } ?? []
      #expect(try zstack.text(zstack.send("GET", "vm-instances", headers: headers)).status == 400)
    }
  }

  // MARK: As the end of a job

  struct Refusal: Sendable, CustomTestStringConvertible {
    var method: String
    var path: String
    var body: String
    var query: [(name: String, value: String)] = []
    /// The state that the machine is in.
    var state: String
    /// Of the error, and of its cause.
    var codes: [String]
    var testDescription: String { "\(method) /\(path) \(body.prefix(100)) \(state) \(codes)" }
    init(
      _ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = [],
      in state: String = "Running", _ codes: String...
    ) {
      self.method = method
      self.path = path
      self.body = body
      self.query = query
      self.state = state
      self.codes = codes
    }
  }

  private static func act(_ name: String, _ state: String, _ codes: (String, String)) -> Refusal {
    Refusal("PUT", "vm-instances/\(machine)/actions", #"{"\#(name)":{}}"#, in: state, codes.0, codes.1)
  }
  /// With parameters, at another machine.
  private static func act(_ name: String, _ fields: String, of id: String = machine, _ code: String) -> Refusal {
    Refusal("PUT", "vm-instances/\(id)/actions", #"{"\#(name)":\#(fields)}"#, code)
  }

  static let states =
    ["Created", "Error", "Starting", "Stopping", "Rebooting", "Destroyed", "Migrating"].map {
      act("stopVmInstance", $0, ("VM.1002", "VM.1010"))
    }
    + ["Paused", "Error", "Stopping", "Destroyed", "Unknown", "NoState"].map {
      act("startVmInstance", $0, ("VM.1001", "VM.1010"))
    }
    + ["Stopped", "Paused", "Unknown", "Destroyed", "Starting"].map {
      act("rebootVmInstance", $0, ("VM.1003", "VM.1010"))
    }
    + ["Stopped", "Paused", "Unknown"].map { act("pauseVmInstance", $0, ("SYS.1006", "VM.1010")) }
    + ["Stopped", "Running"].map { act("resumeVmInstance", $0, ("SYS.1006", "VM.1010")) }
    + ["Running", "Stopped"].map { act("recoverVmInstance", $0, ("SYS.1006", "VM.1010")) }
    + ["Running", "Stopped"].map { act("expungeVmInstance", $0, ("SYS.1006", "VM.1010")) }
    + ["Unknown", "Destroyed", "Starting"].map {
      Refusal(
        "POST", "vm-instances/\(machine)/iso/\(SimulatedZStackFixture.iso)", in: $0, "SYS.1006", "VM.1010")
    }

  static let servers = [
    act("stopVmInstance", "{}", of: nothing, "SYS.1003"), act("startVmInstance", "{}", of: nothing, "SYS.1003"),
    act("rebootVmInstance", "{}", of: nothing, "SYS.1003"), act("setVmBootOrder", "{}", of: nothing, "SYS.1003"),
    act("stopVmInstance", #"{"type":"hard"}"#, "SYS.1007"), act("stopVmInstance", #"{"type":7}"#, "SYS.1007"),
    act("setVmBootOrder", "{}", "SYS.1007"), act("setVmBootOrder", #"{"bootOrder":[]}"#, "SYS.1007"),
    act("setVmBootOrder", #"{"bootOrder":["Floppy"]}"#, "SYS.1007"),
    act("setVmBootOrder", #"{"bootOrder":["CdRom",7]}"#, "SYS.1007"),
    act("setVmBootOrder", #"{"bootOrder":"CdRom"}"#, "SYS.1007"),
    Refusal("POST", "vm-instances/\(machine)/iso/\(nothing)", "", "SYS.1003"),
    Refusal("POST", "vm-instances/\(nothing)/iso/\(SimulatedZStackFixture.iso)", "", "SYS.1003"),
    Refusal("DELETE", "vm-instances/\(nothing)/iso", "", "SYS.1003"),
  ]

  /// Each deletion, with a mode that is none.
  static let modes = [
    "vm-instances/\(machine)", "volume-snapshots/\(nothing)", "volume-snapshots/group/\(nothing)",
    "volume-snapshots/ungroup/\(nothing)", "vm-backups/\(SimulatedZStackFixture.oldBackup)", "tags/\(nothing)",
  ].flatMap { path in
    ["permissive", "Hard", ""].map {
      Refusal("DELETE", path, query: [(name: "deleteMode", value: $0)], "SYS.1007")
    }
  }

  private static let long = String(repeating: "ä", count: 256)
  private static let store = #""backupStorageUuid":"\#(SimulatedZStackFixture.store)""#
  private static func create(_ fields: String, _ codes: String, volume: String = root) -> Refusal {
    Refusal("POST", "volumes/\(volume)/vm-backups", #"{"params":{\#(fields)}}"#, codes)
  }
  private static func revert(_ fields: String, _ code: String, of id: String, in state: String = "Stopped") -> Refusal {
    Refusal("PUT", "vm-backups/\(id)/actions", #"{"revertVmFromVmBackup":{\#(fields)}}"#, in: state, code)
  }
  private static func copy(_ fields: String, _ code: String) -> Refusal {
    Refusal(
      "PUT", "vm-backups/\(SimulatedZStackFixture.oldBackup)/actions",
      #"{"syncVmBackupFromImageStoreBackupStorage":{\#(fields)}}"#, code)
  }
  private static func made(_ fields: String, _ code: String, of id: String = old) -> Refusal {
    Refusal("POST", "vm-instances/from/vm-backups/\(id)", #"{"params":{\#(fields)}}"#, code)
  }
  private static let old = SimulatedZStackFixture.oldBackup

  static let backups = [
    create(store, "SYS.1007"), create(#""name":7,\#(store)"#, "SYS.1007"),
    create(#""name":"\#(long)",\#(store)"#, "SYS.1007"),
    create(#""name":"b","description":"\#(String(repeating: "x", count: 2049))",\#(store)"#, "SYS.1007"),
    create(#""name":"b""#, "SYS.1007"), create(#""name":"b","backupStorageUuid":"\#(nothing)""#, "SYS.1003"),
    // Old releases spelled it so; an unknown parameter is not heeded.
    create(#""name":"b","backupStrogeUuid":"\#(SimulatedZStackFixture.store)""#, "SYS.1007"),
    create(#""name":"b",\#(store)"#, "SYS.1003", volume: nothing),
    create(#""name":"b",\#(store)"#, "SYS.1006", volume: SimulatedZStackFixture.data),
    create(#""name":"b",\#(store),"mode":"incremental""#, "SYS.1007"),
    create(#""name":"b",\#(store),"resourceUuid":"\#(machine)""#, "SYS.1007"),
    create(#""name":"b",\#(store),"resourceUuid":"mine""#, "SYS.1007"),
    create(#""name":"b",\#(store),"resourceUuid":7"#, "SYS.1007"),
    Refusal("POST", "volumes/\(nothing)/volume-backups", #"{"params":{"name":"b",\#(store)}}"#, "SYS.1003"),
    Refusal(
      "POST", "volumes/\(root)/vm-backups", #"{"params":{"name":"b",\#(store)}}"#, in: "Unknown", "SYS.1006",
      "VM.1010"),
    revert("", "SYS.1003", of: nothing), revert("", "SYS.1006", of: old, in: "Running"),
    revert("", "SYS.1006", of: old, in: "Paused"),
    revert(store, "SYS.1006", of: old), revert(#""strategy":"Later""#, "SYS.1007", of: old),
    revert(#""strategy":7"#, "SYS.1007", of: old),
    Refusal(
      "PUT", "volume-backups/\(nothing)/actions", #"{"revertVolumeFromVolumeBackup":{}}"#, in: "Stopped", "SYS.1003"),
    Refusal("PUT", "vm-backups/imageStore/\(nothing)/actions", #"{"syncVmBackup":{}}"#, "SYS.1003"),
    copy("", "SYS.1007"), copy(#""dstBackupStorageUuid":"\#(SimulatedZStackFixture.store)""#, "SYS.1007"),
    copy(#""srcBackupStorageUuid":"\#(SimulatedZStackFixture.otherStore)""#, "SYS.1007"),
    copy(
      #""srcBackupStorageUuid":"\#(nothing)","dstBackupStorageUuid":"\#(SimulatedZStackFixture.store)""#, "SYS.1003"),
    copy(
      #""srcBackupStorageUuid":"\#(SimulatedZStackFixture.store)","dstBackupStorageUuid":"\#(nothing)""#, "SYS.1003"),
    copy(
      """
      "srcBackupStorageUuid":"\(SimulatedZStackFixture.store)",
      "dstBackupStorageUuid":"\(SimulatedZStackFixture.remoteStore)"
      """, "SYS.1006"),
    made(#""cpuNum":1,"memorySize":1,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","cpuNum":1,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","memorySize":1,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","instanceOfferingUuid":"o""#, "SYS.1007"),
    made(#""name":"c","cpuNum":null,"memorySize":1,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","cpuNum":0,"memorySize":1,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","cpuNum":1,"memorySize":1.5,"zoneUuid":"z""#, "SYS.1007"),
    made(#""name":"c","cpuNum":1,"memorySize":1,"zoneUuid":null"#, "SYS.1007"),
    made(#""name":"c","cpuNum":1,"memorySize":1,"zoneUuid":"z","strategy":"Later""#, "SYS.1007"),
    made(#""name":"c","instanceOfferingUuid":"o","zoneUuid":"z""#, "SYS.1003", of: nothing),
  ]
  static let bandwidths = ["volumeRead", "volumeWrite", "networkRead", "networkWrite"].flatMap { kind in
    ["1023", "0", "-1", #""1024""#, "1024.5"].map {
      create(#""name":"b",\#(store),"\#(kind)Bandwidth":\#($0)"#, "SYS.1007")
    }
  }

  private static func group(_ fields: String, _ code: String) -> Refusal {
    Refusal("POST", "volume-snapshots/group", #"{"params":{\#(fields)}}"#, code)
  }
  static let snapshots = [
    group(#""name":"g""#, "SYS.1003"), group(#""rootVolumeUuid":"\#(root)""#, "SYS.1007"),
    group(#""name":"g","rootVolumeUuid":"\#(nothing)""#, "SYS.1003"),
    group(#""name":"g","rootVolumeUuid":"\#(SimulatedZStackFixture.data)""#, "SYS.1006"),
    group(#""name":"\#(long)","rootVolumeUuid":"\#(root)""#, "SYS.1007"),
    Refusal("POST", "volumes/\(nothing)/volume-snapshots", #"{"params":{"name":"s"}}"#, "SYS.1003"),
    Refusal("POST", "volumes/\(root)/volume-snapshots", #"{"params":{}}"#, "SYS.1007"),
    Refusal("PUT", "volume-snapshots/\(nothing)/actions", #"{"revertVolumeFromSnapshot":{}}"#, "SYS.1003"),
    Refusal("PUT", "volume-snapshots/group/\(nothing)/actions", #"{"revertVmFromSnapshotGroup":{}}"#, "SYS.1003"),
    Refusal("DELETE", "volume-snapshots/ungroup/\(nothing)", "", "SYS.1003"),
    Refusal("POST", "system-tags", #"{"params":{"resourceType":"VmInstanceVO","tag":"a::b"}}"#, "SYS.1007"),
    Refusal("POST", "system-tags", #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"x"}}"#, "SYS.1007"),
  ]

  @Test(arguments: states + servers + modes + backups + bandwidths + snapshots)
  func aChangeIsRefused(_ refusal: Refusal) throws {
    let zstack = try Fixture()
    zstack.twin.setState(ofServer: Self.machine, refusal.state)
    #expect(try zstack.refusal(refusal.method, refusal.path, refusal.body, query: refusal.query) == refusal.codes)
    #expect(zstack.effects == [])
    #expect(zstack.twin.state(ofServer: Self.machine) == refusal.state)
  }

  /// The outer code tells what was asked for, the cause why not.
  @Test func anErrorHasItsShape() throws {
    let zstack = try Fixture()
    zstack.twin.setState(ofServer: Self.machine, "Migrating")
    let body = try zstack.run("PUT", "vm-instances/\(Self.machine)/actions", #"{"stopVmInstance":{}}"#).body
    let sample = """
      {"error":{"code":"VM.1002","description":"d","details":"d","elaboration":null,"opaque":null,
      "cause":{"code":"VM.1010","description":"d","details":"d"}}}
      """
    #expect(ZStackTwinShape(body) == (try ZStackTwinShape.of(sample)))
    #expect(body["error"]?["cause"]?["details"]?.string?.contains("Migrating") == true)
  }
}

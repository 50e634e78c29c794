import ZStackCloud
import Runbook
import Simulator
import Testing

/// The published document of VM backups: each of its requests is replayed as it is printed, and the reply has the
/// names, the nesting and the types that the document shows.
@Suite struct ZStackTwinDocumentsTests {
  private typealias Fixture = SimulatedZStackFixture

  /// The reply the document prints for a new backup.
  static let made = """
    {"inventories":[{"uuid":"785edb93bb1b3a31857dac1e69cc8392","volumeUuid":"2ae6b881bb1239cd907d48993e86a2e8",
    "name":"Root-Volume-Backup-1","description":"volume backup","size":1.073741824E9,
    "groupUuid":"2f7c0a5bb86430e8a5ac48312172d70d","createDate":"Nov 14, 2017 10:20:57 PM",
    "lastOpDate":"Nov 14, 2017 10:20:57 PM"},{"uuid":"3084eea905f4311b9d484bfe97142bdf",
    "volumeUuid":"f6c7d5276c873eba8accddd4a09a1ee6","name":"Data-Volume-Backup-1","description":"volume backup",
    "size":2.147483648E9,"createDate":"Nov 14, 2017 10:20:57 PM","lastOpDate":"Nov 14, 2017 10:20:57 PM"}]}
    """
  /// What its tables name beside that, and the two fields that only the code knows.
  static let more: [String: ZStackTwinShape] = [
    "type": .text, "state": .text, "status": .text, "metadata": .text, "mode": .text, "vmInstanceUuid": .uuid,
    "backupStorageRefs": .list([
      .object([
        "volumeBackupUuid": .uuid, "backupStorageUuid": .uuid, "installPath": .text, "status": .text,
        "createDate": .time, "lastOpDate": .time,
      ])
    ]),
  ]
  static let failed = """
    {"error":{"code":"SYS.1001","description":"A message or a operation timeout",
    "details":"Create VM on KVM timeout after 300s"}}
    """

  private func entry(_ sample: Value) throws -> ZStackTwinShape {
    guard case .object(let fields) = ZStackTwinShape(sample) else { throw StepFailure(.server, "no object") }
    return .object(fields.merging(Self.more) { shown, _ in shown })
  }

  /// As in its HTTP sample with empty lists of tags, and as in its `curl` sample without.
  @Test(arguments: [#","systemTags":[],"userTags":[]"#, ""])
  func aBackupIsMadeAsInTheDocument(tags: String) throws {
    let zstack = try Fixture()
    let body = """
      {"params":{"backupStorageUuid":"fc50c1ece4753c1981e3e3f65a151e0e","name":"backup-1",
      "description":"a critical volume backup"}\(tags)}
      """
    let reply = try zstack.run("POST", "volumes/aa6fad9b71af3785a9fdec200bab3ee8/vm-backups", body)
    #expect(reply.status == 200)
    let samples = try #require(try JSONReader.read(Self.made)["inventories"]?.list)
    let entries = try #require(reply.body["inventories"]?.list)
    #expect(try #require(reply.body.map).count == 1)
    #expect(entries.map { ZStackTwinShape($0) } == (try samples.map { try entry($0) }))
    #expect(entries.map { $0["volumeUuid"] } == [.string(Fixture.otherRoot), .string(Fixture.otherData)])
    for entry in entries {
      #expect(entry["description"] == "a critical volume backup")
      #expect(entry["backupStorageRefs"]?.list?.first?["backupStorageUuid"] == .string(Fixture.store))
    }
    let group = try #require(entries.first?["groupUuid"]?.string)
    #expect(try zstack.list("volume-backups", "groupUuid=\(group)").count == 2)
    #expect(zstack.effects == ["backup.create \(group)"])
  }

  /// Every parameter of its table, and its three examples of system tags.
  @Test func everyParameterOfTheTableIsTaken() throws {
    let zstack = try Fixture()
    let tags = [
      "backup::network::cidr::10.0.0.0/8",
      "fsInfo::type::nfs::url::172.32.1.119:/nas/nfs2::options::nolock,vers=3,rsize=32768,wsize=32768",
      "volumeLiveBackup::parallelismDegree::1",
    ]
    let body = """
      {"params":{"backupStorageUuid":"\(Fixture.store)","name":"backup-1","description":"d",
      "resourceUuid":"\(Fixture.nothing)","volumeReadBandwidth":1024,"volumeWriteBandwidth":1048576,
      "networkReadBandwidth":2048,"networkWriteBandwidth":null},
      "systemTags":["\(tags.joined(separator: #"",""#))"],"userTags":["nightly"]}
      """
    let reply = try zstack.run("POST", "volumes/\(Fixture.root)/vm-backups", body)
    #expect(reply.status == 200)
    #expect(reply.body["inventories"]?.list?.first?["uuid"] == .string(Fixture.nothing))
    for tag in tags { #expect(try zstack.list("volume-backups", "__systemTag__=\(tag)").count == 2) }
    #expect(try zstack.list("volume-backups", "__userTag__=nightly").count == 2)
    #expect(try zstack.list("system-tags", "resourceUuid=\(Fixture.nothing)").count == 3)
  }

  /// The backup it shows is there, with the values it prints.
  @Test func theShownBackupIsTheDocuments() throws {
    let samples = try #require(try JSONReader.read(Self.made)["inventories"]?.list)
    let shown = try Fixture().list("volume-backups", "groupUuid=2f7c0a5bb86430e8a5ac48312172d70d", sort: "size")
    #expect(shown.count == 2)
    for (entry, sample) in zip(shown, samples) {
      for (name, value) in try #require(sample.map) { #expect(entry[name] == value, "\(name)") }
    }
  }

  /// As in its `curl` sample; the parameters of its `&` are quoted.
  @Test func aBackupIsDeletedAsInTheDocument() throws {
    let zstack = try Fixture()
    let reply = try zstack.run(
      "DELETE", "vm-backups/92046c016d7c3af7bdd4a5077fb91450",
      query: [
        (name: "backupStorageUuids", value: "255fc896605f3237a22940fa92d8670b"),
        (name: "deleteMode", value: "Permissive"),
      ])
    #expect(reply.status == 200)
    #expect(reply.body == [:])
    #expect(try zstack.list("volume-backups", "groupUuid=\(Fixture.oldBackup)") == [])
    #expect(zstack.effects == ["backup.delete \(Fixture.oldBackup)"])
  }

  /// As the unquoted `curl` sample arrives, and with the tags in a body that its table names: they are not heeded.
  @Test func aDeletionHeedsNoBody() throws {
    let zstack = try Fixture()
    let reply = try zstack.run(
      "DELETE", "vm-backups/\(Fixture.oldBackup)", #"{"systemTags":7,"userTags":["x"]}"#,
      query: [(name: "backupStorageUuids", value: Fixture.otherStore)])
    #expect(reply.status == 200)
    #expect(zstack.effects == ["backup.delete \(Fixture.oldBackup)"])
  }

  /// Its HTTP and `curl` samples, and the stores of its Java and Python samples.
  @Test(arguments: [
    ("087b41055fbc4875aef622142cbe5ac3", #"{"syncVmBackup":{},"systemTags":[],"userTags":[]}"#, 1),
    ("087b41055fbc4875aef622142cbe5ac3", #"{"syncVmBackup":{}}"#, 1),
    ("7c3e52e35de449c9abc1343c83b93cd5", #"{"syncVmBackup":{}}"#, 0),
    ("07270eb0ae25428586b224c33e88e485", #"{"syncVmBackup":{}}"#, 0),
  ])
  func aStoreIsReadAnewAsInTheDocument(store: String, body: String, found: Int) throws {
    let zstack = try Fixture()
    let before = try zstack.list("volume-backups").count
    let reply = try zstack.run("PUT", "vm-backups/imageStore/\(store)/actions", body)
    #expect(reply.status == 200)
    #expect(reply.body == [:])
    #expect(try zstack.list("volume-backups").count == before + found)
    #expect(zstack.effects == ["backup.sync \(store)"])
  }

  /// The one error it prints, under each of its calls. The fields that its table says are kept free are null.
  @Test(arguments: [
    ("backup.create", "POST", "volumes/\(SimulatedZStackFixture.root)/vm-backups"),
    ("backup.delete", "DELETE", "vm-backups/\(SimulatedZStackFixture.oldBackup)"),
    ("backup.sync", "PUT", "vm-backups/imageStore/\(SimulatedZStackFixture.remoteStore)/actions"),
  ])
  func aTimeoutIsTheDocuments(operation: String, method: String, path: String) throws {
    let zstack = try Fixture(faults: ["sys1001_not_done:\(operation)"])
    let create = #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"b"}}"#
    let bodies = ["POST": create, "PUT": #"{"syncVmBackup":{}}"#]
    let reply = try zstack.run(method, path, bodies[method] ?? "")
    #expect(reply.status == 503)
    var shown = try #require(try JSONReader.read(Self.failed)["error"]?.map)
    for free in ["elaboration", "opaque", "cause"] { shown[free] = .null }
    #expect(reply.body == ["error": .map(shown)])
    #expect(zstack.effects == [])
  }
}

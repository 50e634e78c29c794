import Providers
import Runbook
import Simulator
import Testing

/// The examples of the published documents, replayed against the twin: field by field, level by level.
@Suite struct ZStackTwinDocumentsTests {
  private typealias Fixture = SimulatedZStackFixture

  @Test func aBackupIsMadeAsInTheDocument() throws {
    let zstack = try Fixture()
    let reply = try zstack.run(
      "POST", "volumes/\(Fixture.root)/vm-backups",
      """
      {"params":{"backupStorageUuid":"fc50c1ece4753c1981e3e3f65a151e0e","name":"backup-1",
      "description":"a critical volume backup"},"systemTags":[],"userTags":[]}
      """)
    #expect(reply.status == 200)
    #expect(Set(try #require(reply.body.map).keys) == ["inventories"])
    let entries = try #require(reply.body["inventories"]?.list)
    #expect(entries.count == 2)
    let sample: Set = ["uuid", "volumeUuid", "name", "description", "size", "createDate", "lastOpDate"]
    for entry in entries {
      let isRoot = entry["volumeUuid"] == .string(Fixture.root)
      let map = try #require(entry.map)
      #expect(sample.isSubset(of: map.keys))
      #expect((map["groupUuid"] != nil) == isRoot, "only the entry of the root volume names the group")
      #expect(entry["description"] == "a critical volume backup")
      guard case .double? = entry["size"] else {
        Issue.record("the size is printed as a float")
        continue
      }
      let copy = try #require(entry["backupStorageRefs"]?.list?.first?.map)
      #expect(
        Set(copy.keys) == [
          "volumeBackupUuid", "backupStorageUuid", "installPath", "status", "createDate", "lastOpDate",
        ])
      #expect(copy["backupStorageUuid"] == .string(Fixture.store))
    }
    let groups = entries.compactMap { $0["groupUuid"]?.string }
    let group = try #require(groups.first)
    #expect(try zstack.list("volume-backups", "groupUuid=\(group)").count == 2)
    #expect(zstack.effects == ["backup.create \(group)"])
  }

  @Test func aBackupIsDeletedAsInTheDocument() throws {
    let zstack = try Fixture()
    let reply = try zstack.run(
      "DELETE", "vm-backups/\(Fixture.oldBackup)",
      query: [(name: "backupStorageUuids", value: Fixture.otherStore), (name: "deleteMode", value: "Permissive")])
    #expect(reply.status == 200)
    #expect(reply.body == [:])
    #expect(try zstack.list("volume-backups", "groupUuid=\(Fixture.oldBackup)") == [])
    #expect(zstack.effects == ["backup.delete \(Fixture.oldBackup)"])
  }

  @Test func aStoreIsReadAnewAsInTheDocument() throws {
    let zstack = try Fixture()
    let before = try zstack.list("volume-backups").count
    let reply = try zstack.run(
      "PUT", "vm-backups/imageStore/087b41055fbc4875aef622142cbe5ac3/actions",
      #"{"syncVmBackup":{},"systemTags":[],"userTags":[]}"#)
    #expect(reply.status == 200)
    #expect(reply.body == [:])
    #expect(try zstack.list("volume-backups").count == before + 1)
  }

  @Test func aTimeoutIsTheDocuments() throws {
    let zstack = try Fixture(faults: ["sys1001_not_done:backup.delete"])
    let reply = try zstack.run("DELETE", "vm-backups/\(Fixture.oldBackup)")
    #expect(reply.status == 503)
    #expect(
      reply.body
        == (try JSONReader.read(
          """
          {"error":{"code":"SYS.1001","description":"A message or a operation timeout",
          "details":"Create VM on KVM timeout after 300s","elaboration":null,"opaque":null,"cause":null}}
          """)))
    #expect(zstack.effects == [])
  }
}

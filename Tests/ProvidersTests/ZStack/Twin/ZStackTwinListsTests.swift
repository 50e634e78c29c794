import ZStackCloud
import Runbook
import Simulator
import Testing

/// The language of queries: conditions that all hold, numbers as numbers, times by time, tags and tables joined, order,
/// parts, fields.
@Suite struct ZStackTwinListsTests {
  private typealias Fixture = SimulatedZStackFixture

  /// The examples have sizes of 1, 2 and 1 GiB.
  @Test(arguments: [
    ("size>1073741824", 1), ("size>=1073741824", 3), ("size<2147483648", 2), ("size<=2147483648", 3),
    ("size=1073741824", 2), ("size>9", 3), ("size!=2147483648", 2), ("size?=2147483648,5", 1),
    ("size!?=2147483648,5", 2), ("size=1.073741824E9", 2),
    ("createDate<Nov 14, 2017 9:00:00 PM", 1), ("createDate>Nov 14, 2017 9:00:00 PM", 2),
    ("createDate>=Nov 14, 2017 10:20:57 PM", 2), ("createDate<2017-11-14 00:00:00", 1),
    ("name=old", 1), ("name!=old", 2), ("name?=old,Root-Volume-Backup-1,x", 2), ("name!?=old,x", 2), ("name=", 0),
    ("name~=Root%", 1), ("name!~=%Volume%", 1), ("name~=%Volume-Backup-_", 2), ("name~=o_d", 1), ("name~=o_", 0),
    ("name~=%", 3), ("name~=old", 1), ("name~=OLD", 0), ("groupUuid not null", 3), ("groupUuid is null", 0),
    ("unknown is null", 3), ("unknown not null", 0), ("unknown=x", 0), ("unknown>1", 0),
    ("backupStorageRefs.backupStorageUuid=\(SimulatedZStackFixture.otherStore)", 1),
    ("backupStorageRefs.status=Ready", 3), ("backupStorageRefs.nothing=x", 0),
  ])
  func aConditionHolds(condition: String, count: Int) throws {
    #expect(try Fixture().list("volume-backups", condition).count == count)
  }

  @Test func allConditionsHold() throws {
    let zstack = try Fixture()
    #expect(try zstack.list("volume-backups", "size=1073741824", "name!=old").count == 1)
    #expect(try zstack.list("volume-backups", "size=1073741824", "name=old", "name=other") == [])
    // The first operator that is found splits, wherever it stands.
    #expect(try zstack.list("volume-backups", "name=a!=b").count == 3)
  }

  @Test func orderIsByKind() throws {
    let zstack = try Fixture()
    func names(_ sort: String) throws -> [String?] {
      try zstack.list("volume-backups", sort: sort).map { $0["name"]?.string }
    }
    let (root, data, old) = ("Root-Volume-Backup-1", "Data-Volume-Backup-1", "old")
    #expect(try names("-size").first == data)
    #expect(try names("+size").last == data)
    #expect(try names("name") == [data, root, old])
    #expect(try names("+name") == [data, root, old])
    #expect(try names("-name") == [old, root, data])
    #expect(try names("createDate").first == old)
    #expect(try names("-createDate").last == old)
    // Equals keep their order.
    #expect(try names("size") == [root, old, data])
    #expect(try names("state") == [root, data, old])
  }

  @Test func aPartOfAListIsRead() throws {
    let zstack = try Fixture()
    for number in 1...120 { zstack.twin.ensureServer("server\(number)") }
    func page(_ start: Int, _ limit: Int) throws -> [String] {
      let body = try zstack.get(
        "vm-instances",
        [
          (name: "start", value: "\(start)"), (name: "limit", value: "\(limit)"), (name: "sort", value: "-uuid"),
          (name: "replyWithCount", value: "true"),
        ])
      #expect(body["total"] == 122)
      return try #require(body["inventories"]?.list).compactMap { $0["uuid"]?.string }
    }
    let all = try page(0, 50) + page(50, 50) + page(100, 50)
    #expect(all.count == 122)
    #expect(all == all.sorted(by: >))
    #expect(Set(all).count == 122)
    #expect(try page(122, 50) == [])
    #expect(try page(0, 0) == [])
    #expect(try zstack.list("vm-instances").count == 122)
  }

  /// A thousand at once, unless more are asked for.
  @Test func aListHasAnEndByItself() throws {
    let zstack = try Fixture()
    for number in 1...1100 { zstack.twin.ensureServer("s\(number)") }
    let fields = (name: "fields", value: "uuid")
    #expect(try zstack.get("vm-instances", [fields])["inventories"]?.list?.count == 1000)
    #expect(
      try zstack.get("vm-instances", [fields, (name: "limit", value: "2000")])["inventories"]?.list?.count == 1102)
  }

  @Test func onlyTheCountIsRead() throws {
    let zstack = try Fixture()
    let count = (name: "count", value: "true")
    #expect(try zstack.get("volume-backups", [count]) == ["total": 3])
    #expect(try zstack.get("volume-backups", [count, (name: "q", value: "name=old")]) == ["total": 1])
    #expect(try zstack.get("volume-backups", [(name: "limit", value: "1")])["total"] == nil)
  }

  @Test func onlyTheFieldsThatAreNamedAreRead() throws {
    let zstack = try Fixture()
    let rows = try zstack.get("volume-backups", [(name: "fields", value: "uuid,name,unknown")])["inventories"]
    for row in try #require(rows?.list) { #expect(Set(try #require(row.map).keys) == ["uuid", "name"]) }
    #expect(rows?.list?.count == 3)
  }

  @Test func oneIsReadByItsID() throws {
    let zstack = try Fixture()
    for path in [
      "vm-instances/\(Fixture.machine)", "volume-backups/\(Fixture.rootBackup)", "backup-storage/\(Fixture.store)",
      "images/\(Fixture.iso)",
    ] {
      #expect(try zstack.list(path).map { $0["uuid"]?.string } == [path.split(separator: "/").last.map { String($0) }])
      let kind = String(try #require(path.split(separator: "/").first))
      #expect(try zstack.list("\(kind)/\(Fixture.nothing)") == [], "an unknown id is no error")
    }
    let group = try zstack.snapshotGroup()
    #expect(try zstack.list("volume-snapshots/group/\(group)").count == 1)
    #expect(try zstack.list("volume-snapshots", "groupUuid=\(group)").count == 2)
    #expect(try zstack.list("volume-snapshots/group", "vmInstanceUuid=\(Fixture.machine)").count == 1)
    #expect(try zstack.list("volume-snapshots/group", "vmInstanceUuid=\(Fixture.other)") == [])
  }

  @Test func theRootVolumeAndTheTagsAreJoined() throws {
    let zstack = try Fixture()
    #expect(try zstack.list("vm-instances", "rootVolume.uuid=\(Fixture.root)").count == 1)
    #expect(try zstack.list("vm-instances", "rootVolume.uuid=\(Fixture.data)") == [])
    #expect(try zstack.list("vm-instances", "rootVolume.type=Root", "vmNics.ip=192.0.2.10").count == 1)
    #expect(try zstack.list("vm-instances", "allVolumes.uuid=\(Fixture.data)").count == 1)
    #expect(try zstack.list("vm-instances", "__systemTag__=a::b") == [])
    let tag = #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"\#(Fixture.machine)","tag":"a::b"}}"#
    #expect(try zstack.run("POST", "system-tags", tag).status == 200)
    #expect(try zstack.list("vm-instances", "__systemTag__=a::b").count == 1)
    #expect(try zstack.list("vm-instances", "__systemTag__?=x,a::b").count == 1)
    #expect(try zstack.list("vm-instances", "__systemTag__~=a%").first?["__systemTag__"] == nil)
    #expect(try zstack.list("vm-instances", "__userTag__=a::b") == [])
  }
}

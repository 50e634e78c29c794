import Providers
import Runbook
import Simulator
import Testing

/// Conditions and order: numbers as numbers, times by time, tags and tables joined.
@Suite struct ZStackTwinListsTests {
  private typealias Fixture = SimulatedZStackFixture

  /// The examples have sizes of 1, 2 and 1 GiB.
  @Test(arguments: [
    ("size>1073741824", 1), ("size>=1073741824", 3), ("size<2147483648", 2), ("size<=2147483648", 3),
    ("size=1073741824", 2), ("size>9", 3), ("size!=2147483648", 2), ("size?=2147483648,5", 1),
    ("createDate<Nov 14, 2017 9:00:00 PM", 1), ("createDate>Nov 14, 2017 9:00:00 PM", 2),
    ("createDate>=Nov 14, 2017 10:20:57 PM", 2), ("createDate<2017-11-14 00:00:00", 1),
    ("name~=Root%", 1), ("name!~=%Volume%", 1), ("groupUuid not null", 3), ("groupUuid is null", 0),
  ])
  func conditionsCompareByKind(condition: String, count: Int) throws {
    #expect(try Fixture().list("volume-backups", condition).count == count)
  }

  @Test func orderIsByKind() throws {
    let zstack = try Fixture()
    #expect(try zstack.list("volume-backups", sort: "-size").first?["name"] == "Data-Volume-Backup-1")
    #expect(try zstack.list("volume-backups", sort: "createDate").first?["name"] == "old")
    #expect(try zstack.list("volume-backups", sort: "-createDate").last?["name"] == "old")
  }

  @Test func theRootVolumeAndTheTagsAreJoined() throws {
    let zstack = try Fixture()
    #expect(try zstack.list("vm-instances", "rootVolume.uuid=\(Fixture.root)").count == 1)
    #expect(try zstack.list("vm-instances", "rootVolume.uuid=\(Fixture.data)") == [])
    #expect(try zstack.list("vm-instances", "__systemTag__=a::b") == [])
    let tag = #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"\#(Fixture.machine)","tag":"a::b"}}"#
    #expect(try zstack.run("POST", "system-tags", tag).status == 200)
    #expect(try zstack.list("vm-instances", "__systemTag__=a::b").count == 1)
    #expect(try zstack.list("vm-instances", "__systemTag__~=a%").first?["__systemTag__"] == nil)
    #expect(try zstack.list("vm-instances", "__userTag__=a::b") == [])
  }
}

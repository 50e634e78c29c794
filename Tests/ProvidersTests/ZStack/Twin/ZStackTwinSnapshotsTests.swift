import ZStackCloud
import Runbook
import Simulator
import Testing

/// Snapshots of volumes and their groups; what is attached to them; drives.
@Suite struct ZStackTwinSnapshotsTests {
  private typealias Fixture = SimulatedZStackFixture

  /// A group and its snapshots are known from the beginning, and complete at the end.
  @Test func aGroupIsMade() throws {
    let zstack = try Fixture()
    let body = """
      {"params":{"rootVolumeUuid":"\(Fixture.root)","name":"g1","description":"d","resourceUuid":"\(Fixture.nothing)"},
      "systemTags":["a::b"],"userTags":["u"]}
      """
    let id = try zstack.start("POST", "volume-snapshots/group", body)
    func statuses() throws -> [Value?] {
      try zstack.list("volume-snapshots", "groupUuid=\(Fixture.nothing)").map { $0["status"] }
    }
    #expect(try statuses() == ["Creating", "Creating"])
    zstack.rest()
    #expect(try statuses() == ["Ready", "Ready"])
    let group = try #require(try zstack.job(id).body["inventory"])
    #expect(group["uuid"] == .string(Fixture.nothing))
    #expect(group["vmInstanceUuid"] == .string(Fixture.machine))
    #expect(group["snapshotCount"] == 2)
    #expect(
      group["volumeSnapshotRefs"]?.list?.map { $0["volumeUuid"] } == [.string(Fixture.root), .string(Fixture.data)])
    #expect(try zstack.list("volume-snapshots/group", "__systemTag__=a::b", "__userTag__=u").count == 1)
    #expect(zstack.effects == ["snapshot.create \(Fixture.nothing)"])
  }

  @Test(arguments: [("Running", true), ("Paused", true), ("Stopped", false)])
  func memoryIsSavedOfWhatRuns(state: String, isDone: Bool) throws {
    let zstack = try Fixture()
    zstack.twin.setState(ofServer: Fixture.machine, state)
    let body = #"{"params":{"rootVolumeUuid":"\#(Fixture.root)","name":"g","withMemory":true}}"#
    #expect(try zstack.run("POST", "volume-snapshots/group", body).status == (isDone ? 200 : 503))
  }

  @Test func aVolumeIsNotSavedWhileItsMachineIsUnknown() throws {
    let zstack = try Fixture()
    zstack.twin.setState(ofServer: Fixture.machine, "Unknown")
    let body = #"{"params":{"name":"s"}}"#
    #expect(
      try zstack.refusal("POST", "volumes/\(Fixture.root)/volume-snapshots", body) == ["SYS.1006", "VM.1010"])
  }

  /// Refused as a whole when a member was deleted or a volume is elsewhere; `availabilities` tells the reason.
  @Test(arguments: ["deleted", "detached"])
  func aBrokenGroupIsNotReverted(why: String) throws {
    let zstack = try Fixture()
    let group = try zstack.snapshotGroup()
    try zstack.stop()
    func available() throws -> Value? {
      let uuids = [(name: "uuids", value: group), (name: "uuids", value: Fixture.nothing)]
      let answers = try zstack.get("volume-snapshots/groups/availabilities", uuids)["results"]?.list
      #expect(answers?.count == 1)
      return answers?.first
    }
    #expect(try available()?["available"] == true)
    if why == "deleted" {
      let member = try #require(try zstack.list("volume-snapshots", "groupUuid=\(group)").last?["uuid"]?.string)
      #expect(try zstack.run("DELETE", "volume-snapshots/\(member)").status == 200)
    } else {
      zstack.twin.moveVolume(Fixture.data, toServer: Fixture.other)
    }
    #expect(try available()?["available"] == false)
    #expect(try available()?["reason"]?.string?.isEmpty == false)
    let revert = #"{"revertVmFromSnapshotGroup":{}}"#
    #expect(try zstack.refusal("PUT", "volume-snapshots/group/\(group)/actions", revert) == ["SYS.1006"])
    #expect(!zstack.effects.contains { $0.hasPrefix("snapshot.restore") })
    let refs = try zstack.list("volume-snapshots/group/\(group)").first?["volumeSnapshotRefs"]?.list ?? []
    #expect(refs.map { $0["snapshotDeleted"] } == [false, .bool(why == "deleted")])
  }

  @Test func aRevertNeedsAStoppedMachine() throws {
    let zstack = try Fixture()
    let group = try zstack.snapshotGroup()
    let snapshot = try zstack.snapshot()
    let single = #"{"revertVolumeFromSnapshot":{}}"#
    #expect(
      try zstack.refusal("PUT", "volume-snapshots/group/\(group)/actions", #"{"revertVmFromSnapshotGroup":{}}"#)
        == ["SYS.1006"])
    #expect(try zstack.refusal("PUT", "volume-snapshots/\(snapshot)/actions", single) == ["SYS.1006"])
  }

  @Test func aGroupIsDissolved() throws {
    let zstack = try Fixture()
    let group = try zstack.snapshotGroup()
    #expect(try zstack.run("DELETE", "volume-snapshots/ungroup/\(group)").status == 200)
    #expect(try zstack.list("volume-snapshots/group") == [])
    #expect(try zstack.list("volume-snapshots", "groupUuid is null").count == 2)
    #expect(zstack.effects == ["snapshot.create \(group)", "snapshot.ungroup \(group)"])
  }

  /// The snapshots of one volume, all or none.
  @Test func severalSnapshotsAreDeletedAtOnce() throws {
    let zstack = try Fixture()
    let first = try zstack.snapshot()
    let second = try zstack.snapshot()
    let other = try zstack.snapshot(Fixture.data)
    func delete(_ uuids: [String], _ more: String = "") -> String {
      #"{"batchDeleteVolumeSnapshot":{"uuids":["\#(uuids.joined(separator: #"",""#))"]\#(more)}}"#
    }
    let path = "volume-snapshots/batch-delete"
    #expect(try zstack.refusal("PUT", path, delete([first, other])) == ["SYS.1007"])
    #expect(try zstack.refusal("PUT", path, delete([first, Fixture.nothing])) == ["SYS.1003"])
    #expect(try zstack.refusal("PUT", path, delete([first], #","deleteMode":"Hard""#)) == ["SYS.1007"])
    #expect(try zstack.refusal("PUT", path, #"{"batchDeleteVolumeSnapshot":{"uuids":[]}}"#) == ["SYS.1007"])
    #expect(try zstack.refusal("PUT", path, #"{"batchDeleteVolumeSnapshot":{}}"#) == ["SYS.1007"])
    #expect(try zstack.list("volume-snapshots").count == 3)
    let reply = try zstack.run("PUT", path, delete([second, first], #","deleteMode":"Permissive""#))
    #expect(reply.body["results"]?.list?.map { $0["snapshotUuid"] } == [.string(first), .string(second)])
    #expect(try zstack.list("volume-snapshots").map { $0["uuid"] } == [.string(other)])
    #expect(zstack.effects.suffix(2) == ["volume_snapshot.delete \(first)", "volume_snapshot.delete \(second)"])
  }

  /// 200 an account, unless the installation says otherwise.
  @Test func thereAreAsManySnapshotsAsTheQuotaSays() throws {
    let zstack = try Fixture()
    for _ in 1...99 { _ = try zstack.snapshotGroup() }
    _ = try zstack.snapshot()
    let group = #"{"params":{"rootVolumeUuid":"\#(Fixture.root)","name":"g"}}"#
    #expect(try zstack.refusal("POST", "volume-snapshots/group", group) == ["ID.1003"])
    let last = try zstack.snapshot()
    let body = #"{"params":{"name":"s"}}"#
    #expect(try zstack.refusal("POST", "volumes/\(Fixture.root)/volume-snapshots", body) == ["ID.1003"])
    #expect(try zstack.run("DELETE", "volume-snapshots/\(last)").status == 200)
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/volume-snapshots", body).status == 200)
  }

  @Test func tagsAreMadeAndDeleted() throws {
    let zstack = try Fixture()
    let tag = try zstack.run(
      "POST", "system-tags",
      #"{"params":{"resourceType":"VmInstanceVO","resourceUuid":"\#(Fixture.machine)","tag":"a::b"}}"#)
    let id = try #require(tag.body["inventory"]?["uuid"]?.string)
    #expect(try zstack.list("system-tags", "tag=a::b").map { $0["uuid"] } == [.string(id)])
    #expect(try zstack.run("DELETE", "tags/\(id)").status == 200)
    #expect(try zstack.list("system-tags") == [])
    #expect(zstack.effects == ["tag.create \(Fixture.machine)", "tag.delete \(Fixture.machine)"])
  }

  /// Beside `params`, where the documents have them: inside they are an unknown parameter, which is not heeded.
  @Test(arguments: [true, false])
  func tagsStandBesideTheParameters(isBeside: Bool) throws {
    let zstack = try Fixture()
    let tags = #","systemTags":["a::b"]"#
    let body = #"{"params":{"name":"s"\#(isBeside ? "" : tags)}\#(isBeside ? tags : "")}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/volume-snapshots", body).status == 200)
    #expect(try zstack.list("volume-snapshots", "__systemTag__=a::b").count == (isBeside ? 1 : 0))
  }

  /// What failed was not made, and has no tags.
  @Test func aFailureLeavesNothing() throws {
    let zstack = try Fixture(faults: ["fails:volume_snapshot.create"])
    let body = #"{"params":{"name":"s"},"systemTags":["a::b"]}"#
    #expect(try zstack.run("POST", "volumes/\(Fixture.root)/volume-snapshots", body).status == 503)
    #expect(try zstack.list("volume-snapshots") == [])
    #expect(try zstack.list("system-tags") == [])
  }
}

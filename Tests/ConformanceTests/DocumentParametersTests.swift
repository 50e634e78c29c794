import Runbook
import Testing

/// Every parameter that the five founding documents name, transcribed from their tables: what a step gives arrives at
/// the twin under the document's own name. `auth`, `out` and `func` are the client's: they are sent with every call.
@Suite struct DocumentParametersTests {
  struct Row: Sendable, CustomTestStringConvertible {
    /// As the document calls it.
    var parameter: String
    var cloud: String
    var action: String
    var with: [String: Value] = [:]
    /// What arrives; nil: anything.
    var value: Value?
    /// An action before it, whose `id` goes into the field.
    var before: (action: String, with: [String: Value], field: String)?
    var testDescription: String { "\(cloud) \(action): \(parameter)" }
  }

  static let password = Value.secret(Secret("MyPassword1", named: ["pw"]))
  static let rescue: [String: Value] = ["image": "Debian 12", "password": password, "zone": "pub"]
  static let zomro: [Row] = [
    Row(parameter: "plid", cloud: "zomro", action: "backup.create", with: ["name": "MyBackup-2"], value: "5203773"),
    Row(parameter: "name", cloud: "zomro", action: "backup.create", with: ["name": "MyBackup-2"], value: "MyBackup-2"),
    Row(parameter: "sok", cloud: "zomro", action: "backup.create", with: ["name": "MyBackup-2"], value: "ok"),
    Row(parameter: "plid", cloud: "zomro", action: "backup.delete", with: ["backup": "5203980"], value: "5203773"),
    Row(parameter: "elname", cloud: "zomro", action: "backup.delete", with: ["backup": "5203980"], value: "5203980"),
    Row(parameter: "elid", cloud: "zomro", action: "backup.delete", with: ["backup": "5203980"], value: "5203980"),
    Row(parameter: "elid", cloud: "zomro", action: "rescue.enter", with: rescue, value: "5203773"),
    Row(
      parameter: "select_boot", cloud: "zomro", action: "rescue.enter", with: rescue,
      value: "93878ba5-6b9e-4924-a4be-34edb623f808"),
    Row(parameter: "zone", cloud: "zomro", action: "rescue.enter", with: rescue, value: "pub"),
    Row(parameter: "password", cloud: "zomro", action: "rescue.enter", with: rescue),
    // By the name of its system, as the document's table lists it.
    Row(
      parameter: "select_boot", cloud: "zomro", action: "rescue.enter",
      with: ["image": "Centos 9 x64", "password": password, "zone": "own"],
      value: "a9e7c223-5f11-4546-a298-6af546bebde6"),
    Row(
      parameter: "elid", cloud: "zomro", action: "rescue.exit", value: "5203773",
      before: ("rescue.enter", ["image": "Debian 12"], "")),
  ]

  static let made: [String: Value] = [
    "name": "before-update-snapshot", "description": "Snapshot before system update",
  ]
  static let vpsOrg: [Row] = [
    Row(parameter: "server_id", cloud: "vps_org", action: "snapshot.create", with: made, value: "12345"),
    Row(
      parameter: "name", cloud: "vps_org", action: "snapshot.create", with: made, value: "before-update-snapshot"),
    Row(
      parameter: "description", cloud: "vps_org", action: "snapshot.create", with: made,
      value: "Snapshot before system update"),
    Row(
      parameter: "snapshot_id", cloud: "vps_org", action: "snapshot.restore", with: ["snapshot": "801"], value: "801"),
    Row(parameter: "snapshot_id", cloud: "vps_org", action: "snapshot.delete", with: ["snapshot": "801"], value: "801"),
    Row(parameter: "server_id", cloud: "vps_org", action: "backup.create", value: "12345"),
    Row(
      parameter: "description", cloud: "vps_org", action: "backup.create",
      with: ["description": "Pre-deployment backup"]),
    Row(parameter: "backup_id", cloud: "vps_org", action: "backup.delete", with: ["backup": "501"], value: "501"),
    Row(parameter: "backup_id", cloud: "vps_org", action: "backup.restore", with: ["backup": "501"], value: "501"),
  ]

  static let store: Value = "fc50c1ece4753c1981e3e3f65a151e0e"
  static let group: Value = "2f7c0a5bb86430e8a5ac48312172d70d"
  static let system: Value = ["volumeLiveBackup::parallelismDegree::1", "backup::network::cidr::10.0.0.0/8"]
  static let user: Value = ["nightly"]
  static let tags: Value = ["systemTags": system, "userTags": user]
  static let whole: [String: Value] = [
    "name": "backup-1", "description": "a critical volume backup", "storage": store, "tags": tags,
    "options": [
      "resourceUuid": "0123456789ab4def8123456789abcdef", "volumeReadBandwidth": 1_048_576,
      "volumeWriteBandwidth": 2_097_152, "networkReadBandwidth": 4096, "networkWriteBandwidth": 8192,
    ],
  ]
  static let deletion: [String: Value] = [
    "backup": group, "tags": tags, "options": ["backupStorageUuids": .list([store]), "deleteMode": "Enforcing"],
  ]

  private static func rows(
    _ action: String, _ with: [String: Value], _ given: [(String, Value?)]
  ) -> [Row] {
    given.map { Row(parameter: $0.0, cloud: "zstack", action: action, with: with, value: $0.1) }
  }

  static let zstack: [Row] =
    rows(
      "backup.create", whole,
      [
        ("rootVolumeUuid", "2ae6b881bb1239cd907d48993e86a2e8"), ("backupStorageUuid", store), ("name", "backup-1"),
        ("description", nil), ("resourceUuid", "0123456789ab4def8123456789abcdef"),
        ("volumeReadBandwidth", 1_048_576), ("volumeWriteBandwidth", 2_097_152), ("networkReadBandwidth", 4096),
        ("networkWriteBandwidth", 8192), ("systemTags", system), ("userTags", user),
      ])
    + rows(
      "backup.delete", deletion,
      [
        ("groupUuid", group), ("backupStorageUuids", .list([store])), ("deleteMode", "Enforcing"),
        ("systemTags", system), ("userTags", user),
      ])
    + rows(
      "backup.sync", ["storage": "087b41055fbc4875aef622142cbe5ac3", "tags": tags],
      [
        ("imageStoreUuid", "087b41055fbc4875aef622142cbe5ac3"), ("systemTags", system), ("userTags", user),
      ])

  @Test(arguments: zomro + vpsOrg + zstack)
  func aParameterOfTheDocumentsArrives(_ row: Row) async throws {
    let cloud = try #require(CloudUnderTest.all.first { $0.type == row.cloud })
    let world = try CloudWorld(cloud)
    var with = row.with
    if let before = row.before {
      let outputs = try await world.run(before.action, before.with, key: "before")
      if !before.field.isEmpty { with[before.field] = outputs["id"] }
    }
    try await world.run(row.action, with)
    let arrived = try #require(world.twin.ledger.last { $0.effect == row.action }).parameters
    let value = try #require(arrived[row.parameter], "\(arrived)")
    if let wanted = row.value { #expect(value == wanted) }
  }

  /// Filters are read, not kept: what they leave shows that they arrived.
  @Test func theFiltersOfTheDocumentsOfVPSOrgChooseWhatIsListed() async throws {
    let world = try CloudWorld(try #require(CloudUnderTest.all.first { $0.type == "vps_org" }))
    world.twin.ensureServer("777")
    try await world.run("snapshot.create", ["server": "777", "name": "other"])
    let all = try await world.run("snapshot.list", ["server": .null])
    let some = try await world.run("snapshot.list", ["server": "777"])
    #expect(all["snapshots"]?.list?.compactMap { $0["server"]?["id"]?.string }.sorted() == ["12345", "12345", "777"])
    #expect(some["snapshots"]?.list?.compactMap { $0["name"]?.string } == ["other"])
    for (type, number) in [("manual", 1), ("automatic", 2)] {
      let outputs = try await world.run("backup.list", ["type": .string(type)])
      let types = outputs["backups"]?.list?.compactMap { $0["backup_type"]?.string } ?? []
      #expect(types.count >= number && types.allSatisfy { $0 == type })
    }
  }

  /// An id that is taken makes a creation fail before anything is sent; one of a lost call is found again by it.
  @Test func aResourceUuidIsANaturalKey() async throws {
    let world = try CloudWorld(try #require(CloudUnderTest.all.first { $0.type == "zstack" }))
    let id = try #require(try await world.run("backup.create", Self.whole)["id"]?.string)
    let failure = try await world.failure("backup.create", Self.whole.merging(["name": "other"]) { _, new in new })
    #expect(failure.kind == .conflict && failure.effect == .none, "\(failure)")
    #expect(failure.message.contains("`options.resourceUuid`") && failure.message.contains(id), "\(failure.message)")
    #expect(world.effects("backup.create") == 1)
    var options = Self.whole["options"]?.map ?? [:]
    options["resourceUuid"] = "0123456789ab4def8123456789abcd00"
    let lost = try CloudWorld(
      try #require(CloudUnderTest.all.first { $0.type == "zstack" }), faults: ["job_purged:backup.create"])
    let found = try await lost.run("backup.create", Self.whole.merging(["options": .map(options)]) { _, new in new })
    #expect(found["inventories"]?.list?.contains { $0["uuid"] == "0123456789ab4def8123456789abcd00" } == true)
    #expect(lost.effects("backup.create") == 1)
  }
}

import ProviderKit
import Runbook

extension CloudServer {
  /// A virtual machine as ZStack describes it. Fields we do not use are ignored, so that new ones do no harm.
  init(zstack json: Value) throws(SchemaError) {
    let state = try json.text("state").excerpt(64)
    self.init(
      id: try json.id("uuid"), name: try (json.optionalText("name") ?? "").excerpt(1024), nativeState: state,
      state: ZStackWords.server(state), ip: json["vmNics"]?.list?.first?["ip"]?.string?.excerpt(64),
      changeMark: try json.optionalText("lastOpDate")?.excerpt(64))
  }
}

/// What ZStack knows of a virtual machine beyond the vocabulary.
struct ZStackServer: Sendable {
  var server: CloudServer
  var rootVolume: String?
  /// Which data its volumes hold (`installPath`): a revert gives them new paths. nil where it is not told.
  var volumesMark: String?
  /// ISO images in its drives.
  var images: [String]
  private let json: Value

  init(_ json: Value) throws(SchemaError) {
    server = try CloudServer(zstack: json)
    rootVolume = try json.optionalText("rootVolumeUuid")
    let paths = (json["allVolumes"]?.list ?? []).compactMap { volume -> String? in
      guard let uuid = volume["uuid"]?.string, let path = volume["installPath"]?.string else { return nil }
      return "\(uuid)=\(path)".excerpt(300)
    }
    volumesMark = paths.isEmpty ? nil : paths.sorted().prefix(30).joined(separator: " ")
    images = (json["vmCdRoms"]?.list ?? []).compactMap { $0["isoUuid"]?.string }.filter { $0.isZStackID }
    self.json = json
  }

  /// A field of another machine made from it.
  subscript(name: String) -> Value? { json[name].flatMap { $0.isNull ? nil : $0 } }
}

/// A snapshot group: one snapshot of each volume of a machine.
struct ZStackGroup: Sendable {
  var item: CloudItem
  /// How many snapshots it was made of.
  var count: Int64?
  var hasLostOne: Bool

  init(_ json: Value, zone: CloudZone) throws(SchemaError) {
    let (at, error) = try ZStackModel.time(json, zone)
    item = CloudItem(
      kind: .snapshot, id: try json.id("uuid"), server: try json.optionalText("vmInstanceUuid"),
      name: try (json.optionalText("name") ?? "").excerpt(1024),
      description: try (json.optionalText("description") ?? "").excerpt(4096), nativeState: "Ready", state: .ready,
      createdAt: at, createdAtError: error)
    item.details = ["description": .string(item.description)]
    count = try json.wholeNumber("snapshotCount")
    hasLostOne = (json["volumeSnapshotRefs"]?.list ?? []).contains { $0["snapshotDeleted"] == true }
  }

  /// Takes state and size from its members: it is ready when all of them are.
  mutating func take(_ members: [ZStackMember]) {
    if !members.isEmpty { item.sizeMB = members.compactMap { $0.bytes }.reduce(0, ZStackModel.add) / 1_048_576 }
    let order: [ItemState] = [.failed, .deleting, .creating, .absent, .ready]
    if let worst = members.min(by: {
      (order.firstIndex(of: $0.state) ?? 0) < (order.firstIndex(of: $1.state) ?? 0)
    }) {
      item.state = worst.state
      item.nativeState = worst.nativeState
    }
    if item.state == .ready || item.state == .absent, hasLostOne || Int64(members.count) < count ?? 0 {
      item.state = .failed
      item.nativeState = "Deleted"
    }
  }
}

/// One snapshot or backup of one volume.
struct ZStackMember: Sendable {
  var id: String
  var group: String?
  var server: String?
  var volume: String?
  var name: String
  var description: String
  var nativeState: String
  var state: ItemState
  var bytes: Int64?
  var isRoot: Bool
  var stores: [String]
  var createdAt: Timestamp
  var createdAtError: Duration
  /// As the documents show it.
  var inventory: Value

  init(_ json: Value, _ kind: ItemKind, zone: CloudZone) throws(SchemaError) {
    id = try json.id("uuid")
    group = try json.optionalText("groupUuid")
    server = try json.optionalText("vmInstanceUuid")
    volume = try json.optionalText("volumeUuid")
    name = try (json.optionalText("name") ?? "").excerpt(1024)
    description = try (json.optionalText("description") ?? "").excerpt(4096)
    let status = try json.optionalText("status")?.excerpt(64)
    let enabled = try json.optionalText("state")?.excerpt(64)
    let isDisabled = enabled == "Disabled"
    nativeState = isDisabled ? "Disabled" : status ?? enabled ?? "Ready"
    state = isDisabled ? .failed : status.map { ZStackWords.item($0) ?? .creating } ?? .ready
    bytes = try json.wholeNumber("size")
    isRoot = try json.optionalText("type") == "Root"
    stores = (json["backupStorageRefs"]?.list ?? []).compactMap { $0["backupStorageUuid"]?.string }
      .filter { $0.isZStackID }
    (createdAt, createdAtError) = try ZStackModel.time(json, zone)
    inventory = kind == .backup ? ZStackDetails.volume(json) : .null
  }
}

extension CloudItem {
  /// The backup of a machine: all volume backups of one group, described by that of its root volume.
  init?(zstackBackups members: [ZStackMember]) {
    guard let main = members.first(where: { $0.isRoot }) ?? members.first, let group = main.group else { return nil }
    let order: [ItemState] = [.failed, .deleting, .creating, .absent, .ready]
    let worst = members.min { (order.firstIndex(of: $0.state) ?? 0) < (order.firstIndex(of: $1.state) ?? 0) } ?? main
    self.init(
      kind: .backup, id: group, server: main.server, name: main.name, description: main.description,
      nativeState: worst.nativeState, state: worst.state,
      sizeMB: members.compactMap { $0.bytes }.reduce(0, ZStackModel.add) / 1_048_576, createdAt: main.createdAt,
      createdAtError: main.createdAtError)
    details = [
      "description": .string(description),
      "inventories": .list([main.inventory] + members.filter { $0.id != main.id }.map { $0.inventory }),
    ]
  }
}

enum ZStackModel {
  static func time(_ json: Value, _ zone: CloudZone) throws(SchemaError) -> (Timestamp, Duration) {
    guard let local = ZStackTime.local(try json.text("createDate")) else {
      throw SchemaError(message: "`createDate` is not a time")
    }
    let (at, error) = zone.instant(local)
    return (at, error)
  }

  /// Sizes from outside are added without a trap.
  static func add(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(max(right, 0))
    return overflow ? .max : sum
  }
}

/// What the words of ZStack mean; all others are "still changing".
enum ZStackWords {
  /// nil for a word that no document has.
  static func server(_ word: String) -> PowerState? {
    switch word {
    case "Running": .running
    case "Stopped", "Created": .stopped
    case "Paused": .paused
    case "Crashed", "Error": .error
    case "Unknown", "NoState": .unknown
    case "Destroyed", "Expunging": .absent
    case "Starting", "Stopping", "Rebooting", "Pausing", "Resuming", "Migrating", "VolumeMigrating", "VolumeRecovering",
      "Destroying":
      .changing
    default: nil
    }
  }

  static func item(_ word: String) -> ItemState? {
    switch word {
    case "Ready", "Enabled", "Connected": .ready
    case "Error", "Failed": .failed
    case "Deleting": .deleting
    case "Deleted": .absent
    case "Creating": .creating
    default: nil
    }
  }
}

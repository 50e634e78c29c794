import Runbook

/// The tags that a change may be given, as the documents name them.
struct ZStackTags: Sendable {
  var system: [Value] = []
  var user: [Value] = []

  static let names = ["systemTags", "userTags"]

  static let field = Field(
    "tags", .map,
    members: [
      Field("systemTags", .list, help: "texts such as `volumeLiveBackup::parallelismDegree::1`"),
      Field("userTags", .list, help: "texts of one's own"),
    ], help: "tags in ZStack's words: `{systemTags: [...], userTags: [...]}`; default: none")

  init() {}

  /// From the field of a call.
  /// - Throws: `input` where a tag is no text.
  init(_ call: ActionCall) throws(StepFailure) {
    let given = call.with["tags"]?.map ?? [:]
    system = try ZStackTags.texts(given["systemTags"], "systemTags")
    user = try ZStackTags.texts(given["userTags"], "userTags")
  }

  /// Those of the two lists that are not empty.
  var given: [String: Value] {
    var lists: [String: Value] = [:]
    if !system.isEmpty { lists["systemTags"] = .list(system) }
    if !user.isEmpty { lists["userTags"] = .list(user) }
    return lists
  }

  private static func texts(_ value: Value?, _ name: String) throws(StepFailure) -> [Value] {
    guard let value = value?.unwrapped, !value.isNull else { return [] }
    guard let items = value.list, items.allSatisfy({ $0.unwrapped.string.map { !$0.isEmpty } ?? false }) else {
      throw StepFailure.unfit("`tags.\(name)` must be a list of texts")
    }
    return items.map { $0.unwrapped }
  }
}

/// What a backup may be given beyond the vocabulary, by the documents' names.
enum ZStackBackupOptions {
  private static let bandwidths = [
    ("volumeReadBandwidth", "of reading the disks"), ("volumeWriteBandwidth", "of writing the disks"),
    ("networkReadBandwidth", "of the network, downwards"), ("networkWriteBandwidth", "of the network, upwards"),
  ]

  static let create = Field(
    "options", .map,
    members: bandwidths.map { name, what in
      Field(name, .int, bounds: .int(1024 ... .max), help: "bytes a second \(what), 1024 or more")
    } + [
      Field(
        "resourceUuid", .string, pattern: "^[0-9a-f]{32}$",
        help: "id of the new backup of the root volume, 32 of `0-9a-f`: one that is taken is a `conflict`")
    ],
    help: "further parameters in ZStack's words; default: no limits, and an id that follows from the call's key")

  static let delete = Field(
    "options", .map,
    members: [
      Field("backupStorageUuids", .list, help: "ids of the only image stores to delete it from; not with `storage`"),
      Field(
        "deleteMode", .choice(["Permissive", "Enforcing"]),
        help: "`Permissive` checks first, `Enforcing` hides errors; default `Permissive`"),
    ], help: "further parameters in ZStack's words; default: all stores that have it, `Permissive`")

  /// The id of the new backup of the root volume: the author's, or one that follows from the call's key.
  static func resource(_ call: ActionCall) throws(StepFailure) -> String {
    let given = call.with["options"]?["resourceUuid"]?.unwrapped ?? .null
    guard !given.isNull else { return ZStackID.make(call.key, "resource") }
    guard let id = given.string, id.isZStackID else {
      throw StepFailure.unfit("`options.resourceUuid` must be 32 of `0-9a-f`")
    }
    return id
  }

  /// The stores that a deletion is limited to; empty: all that have it.
  static func stores(_ call: ActionCall) throws(StepFailure) -> [String] {
    let storage = try call.with.optionalText("storage").flatMap { $0.isEmpty ? nil : $0 }
    let named = call.with["options"]?["backupStorageUuids"]?.unwrapped ?? .null
    guard !named.isNull else { return storage.map { [$0] } ?? [] }
    guard storage == nil else {
      throw StepFailure.unfit("`storage` and `options.backupStorageUuids` say the same: give one of them")
    }
    let ids = (named.list ?? []).compactMap { $0.unwrapped.string }
    guard !ids.isEmpty, ids.count == named.list?.count, ids.allSatisfy({ $0.isZStackID }) else {
      throw StepFailure.unfit("`options.backupStorageUuids` must be a list of ids of image stores")
    }
    return ids
  }

  static func deleteMode(_ call: ActionCall) -> String {
    call.with["options"]?["deleteMode"]?.unwrapped.string ?? "Permissive"
  }
}

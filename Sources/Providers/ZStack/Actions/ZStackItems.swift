import ProviderKit
import Runbook

/// The mark of a call in a description: `before the update [runbook KEY]`. It tells what is ours among new items of a
/// name.
enum ZStackMark {
  /// ZStack takes 2048 characters.
  static let limit = 2048

  static func description(_ text: String?, key: String) throws(StepFailure) -> String {
    let marked = (text.flatMap { $0.isEmpty ? nil : "\($0) " } ?? "") + mark(key)
    guard marked.count <= limit else {
      throw StepFailure.unfit(
        "`description` is too long: ZStack takes 2048 characters, 60 of them for the run's mark")
    }
    return marked
  }

  /// Of this name, and not with another call's mark.
  static func isOurs(_ item: CloudItem, name: String?, key: String) -> Bool {
    item.name == name && (!item.description.contains("[runbook ") || item.description.contains(mark(key)))
  }

  private static func mark(_ key: String) -> String { "[runbook \(key)]" }
}

/// What creating a snapshot group and a backup have in common.
protocol ZStackItemCreate: ZStackChange {
  var kind: ItemKind { get }
  /// The id that was chosen for what is made.
  func resource(_ call: ActionCall) throws(StepFailure) -> String
}

extension ZStackItemCreate {
  var makesSomething: Bool { true }

  func resource(_ call: ActionCall) throws(StepFailure) -> String { ZStackID.make(call.key, "resource") }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try name(call)
    let resource = try resource(call)
    return try await cloud.captureNames(kind, server: try call.with.text("server")) {
      $0.name == name || $0.isMade(as: resource)
    }
  }

  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    guard let reused = try await cloud.reuse(kind, call) else { return nil }
    return JobNote.done.on(reused)
  }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let name = try name(call)
    let resource = try resource(call)
    return try await cloud.findNew(kind, call) { isOurs($0, name, resource, call) }
  }

  private func isOurs(_ item: CloudItem, _ name: String, _ resource: String, _ call: ActionCall) -> Bool {
    item.isMade(as: resource) || ZStackMark.isOurs(item, name: name, key: call.key)
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    var seen = try await cloud.observeItem(kind, call, after: result)
    seen.result = result.adding(seen.result)
    return seen
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try await isJobOver(call) else { return false }
    let name = try name(call)
    let resource = try resource(call)
    return try await cloud.isNewItemAtRest(kind, call) { isOurs($0, name, resource, call) }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problemsOfCreating(kind, call)
  }

  func name(_ call: ActionCall) throws(StepFailure) -> String {
    let name = try call.with.text("name")
    guard name.count <= 255 else { throw StepFailure.unfit("`name` is too long: ZStack takes 255 characters") }
    return name
  }
}

extension CloudItem {
  /// It, or the backup of one of its volumes, has this id.
  fileprivate func isMade(as resource: String) -> Bool {
    id == resource || (details["inventories"]?.list ?? []).contains { $0["uuid"]?.string == resource }
  }
}

/// One snapshot of each volume of a machine, taken together. Findable by its job, by the id we choose for it, and by
/// name and mark.
struct ZStackSnapshotCreate: ZStackItemCreate {
  let cloud: ZStackClient
  let kind = ItemKind.snapshot
  let declaration: ActionDeclaration
  /// Documented: 3 hours.
  var longestJob: Duration { .seconds(3 * 3600) }
  /// A group tells how many snapshots belong to it.
  var patience: Duration? { .seconds(600) }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let volume = try await cloud.rootVolume(try call.with.text("server"))
    return .create(
      ["volume-snapshots", "group"],
      [
        "rootVolumeUuid": .string(volume), "name": .string(try name(call)), "withMemory": false,
        "description": .string(
          try ZStackMark.description(try call.with.optionalText("description"), key: call.key)),
        "resourceUuid": .string(try resource(call)),
      ])
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? {
    guard let id = body["inventory"]?["uuid"]?.string, id.isZStackID else { return nil }
    return ["id": .string(id), "name": .string(try name(call)), "state": "creating"]
  }
}

/// A backup of all volumes of a running or paused machine, in an image store.
struct ZStackBackupCreate: ZStackItemCreate {
  let cloud: ZStackClient
  let kind = ItemKind.backup
  let declaration: ActionDeclaration
  /// No time is documented; a full backup of a large machine takes hours.
  var longestJob: Duration { .seconds(24 * 3600) }

  func resource(_ call: ActionCall) throws(StepFailure) -> String { try ZStackBackupOptions.resource(call) }

  /// An id that its author chose names one backup, whatever server it is of and however it is called.
  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try name(call)
    let resource = try resource(call)
    let server = try call.with.text("server")
    _ = try ZStackTags(call)
    if call.with["options"]?["resourceUuid"] != nil, let taken = try await cloud.backup(ofVolumeBackup: resource),
      try call.with.optionalText("if_exists") != "reuse" || taken.server != server
    {
      throw StepFailure(
        .conflict,
        "`options.resourceUuid` \(resource) is taken by backup \(taken.id) (\(taken.name.excerpt(64))) of server "
          + "\(taken.server ?? "?"): choose another one")
    }
    return try await cloud.captureNames(kind, server: server) { $0.name == name || $0.isMade(as: resource) }
  }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let machine = try await cloud.machine(try call.with.text("server"))
    guard let volume = machine.rootVolume, volume.isZStackID else {
      throw StepFailure(
        .conflict, "server \(machine.server.id) has no root volume at ZStack: nothing of it can be saved")
    }
    var parameters: [String: Value] = [
      "backupStorageUuid": .string(try await cloud.store(try call.with.optionalText("storage"))),
      "name": .string(try name(call)),
      "description": .string(try ZStackMark.description(try call.with.optionalText("description"), key: call.key)),
    ]
    if try call.with.bool("full") == true { parameters["mode"] = "full" }
    parameters.merge((call.with["options"]?.map ?? [:]).filter { !$0.value.unwrapped.isNull }) { ours, _ in ours }
    parameters["resourceUuid"] = .string(try resource(call))
    return .create(["volumes", volume, "vm-backups"], parameters, tags: try ZStackTags(call))
  }

  /// The number of backups is not limited; the room in their store is told.
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problemsOfCreating(kind, call)
    do throws(StepFailure) {
      _ = try ZStackTags(call)
      let id = try await cloud.store(try call.with.optionalText("storage"))
      let store = try await cloud.stores().first { $0.id == id }
      if let problem = ZStackBackupCreate.problem(of: store, id) {
        if let text = store?.isFull == true ? cloud.lackOfRoom(problem, kind, call) : problem { problems.append(text) }
      } else if store?.available == nil {
        call.report("ZStack does not tell how much room is left in backup storage \(id): that is not asked")
      }
    } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      problems.append(error.message)
    }
    return problems
  }

  private static func problem(of store: ZStackStore?, _ id: String) -> String? {
    guard let store else { return "ZStack has no backup storage \(id)" }
    if !store.isImageStore { return "backup storage \(id) is no image store: backups of servers cannot go there" }
    if !store.isUsable { return "backup storage \(id) is disabled: no backup can go there" }
    return store.isFull ? "backup storage \(id) is full" : nil
  }

  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    if let reused = try await cloud.reuse(kind, call) { return JobNote.done.on(reused) }
    let server = try await cloud.server(try call.with.text("server"))
    guard server.state == .stopped || server.state == .changing,
      case .unknown = try await cloud.outcome(call.key, purpose: declaration.name)
    else {
      return nil
    }
    throw StepFailure(
      .conflict,
      "server \(server.id) is `\(server.nativeState)`: ZStack backs up only running or paused servers; start it first, "
        + "or use `snapshot.create`", retryable: server.state == .changing)
  }

  /// The backup's id is the group's, which stands in the entry of the root volume, and perhaps in no other.
  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? {
    let groups = (body["inventories"]?.list ?? []).compactMap { $0["groupUuid"]?.string }.filter { $0.isZStackID }
    guard let id = groups.first else { return nil }
    return ["id": .string(id), "name": .string(try name(call)), "state": "creating"]
  }
}

extension ZStackClient {
  /// The store that is named, the block's, or the only one there is.
  func store(_ named: String?) async throws(StepFailure) -> String {
    if let id = named.flatMap({ $0.isEmpty ? nil : $0 }) ?? backupStorage {
      try checkID(id, "backup storage")
      return id
    }
    let stores = try await stores().filter { $0.isImageStore && $0.isUsable && $0.id.isZStackID }
    guard let store = stores.first else {
      throw StepFailure(.conflict, "ZStack has no enabled image store that a backup could go to")
    }
    guard stores.count == 1 else {
      throw StepFailure(
        .input,
        "ZStack has \(stores.count) image stores (\(ZStackClient.names(stores))): say which in `storage`, or in "
          + "the block's `backup_storage`")
    }
    return store.id
  }

  static func names(_ stores: [ZStackStore]) -> String {
    stores.prefix(5).map { "\($0.name.excerpt(40)) \($0.id.excerpt(64))" }.joined(separator: ", ")
  }
}

/// A snapshot group or a backup is deleted whole; one that is already gone counts as deleted.
struct ZStackItemDelete: ZStackChange {
  let cloud: ZStackClient
  let kind: ItemKind
  let declaration: ActionDeclaration
  /// Documented for snapshots: 6 hours.
  var longestJob: Duration { .seconds(6 * 3600) }
  var patience: Duration? { .seconds(600) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    try call.refuseIfNeeded(try call.with.text(kind.rawValue), as: kind.rawValue)
    _ = try ZStackTags(call)
    return ["exists": .bool(try await find(call) != nil)]
  }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    try call.refuseIfNeeded(try call.with.text(kind.rawValue), as: kind.rawValue)
    let id = try call.with.text(kind.rawValue)
    guard kind == .backup else { return try await cloud.deletion(kind, id) }
    return try await cloud.deletion(
      kind, id, stores: try ZStackBackupOptions.stores(call), mode: ZStackBackupOptions.deleteMode(call),
      tags: try ZStackTags(call))
  }

  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    guard call.before["exists"] == false else { return nil }
    call.report("\(kind.rawValue) \(try call.with.text(kind.rawValue)) is already gone")
    return JobNote.done.on(ActionResult())
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? {
    let what = "\(kind.rawValue) \(try call.with.text(kind.rawValue)) was not deleted whole"
    if let failure = ZStackPart.failure(in: body, what, cloud.hidden) { throw failure }
    return [:]
  }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    switch try await find(call)?.state {
    case nil, .absent, .deleting: .applied(ActionResult())
    default: .notApplied
    }
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    guard let item = try await find(call), item.state != .absent else { return Observation(.done, result: result) }
    return Observation(.pending, nativeState: item.nativeState, result: result)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [] }

  /// One that belongs to another server than the author says is a `conflict`: neither deleted nor taken for gone. With
  /// `storage`, one that is only in other stores counts as gone.
  private func find(_ call: ActionCall) async throws(StepFailure) -> CloudItem? {
    let id = try call.with.text(kind.rawValue)
    try cloud.checkID(id, kind.rawValue)
    let server = try call.with.optionalText("server").flatMap { $0.isEmpty ? nil : $0 }
    guard let item = try await cloud.found(kind, id) else { return nil }
    if let server, item.server != server {
      let owner = item.server.map { "server \($0)" } ?? "no server that ZStack names"
      throw StepFailure(.conflict, "\(kind.rawValue) \(id) belongs to \(owner), not to \(server)")
    }
    guard kind == .backup else { return item }
    let stores = try ZStackBackupOptions.stores(call)
    if !stores.isEmpty,
      !(try await cloud.members(ofBackup: id)).contains(where: { $0.stores.contains(where: { stores.contains($0) }) })
    {
      return nil
    }
    return item
  }
}

extension ZStackClient {
  func found(_ kind: ItemKind, _ id: String) async throws(StepFailure) -> CloudItem? {
    switch kind {
    case .snapshot: try await item(.snapshot, id, server: nil)
    case .backup: CloudItem(zstackBackups: try await members(ofBackup: id))
    }
  }

  /// - Parameter stores: the only ones to delete it from; empty: all that have it.
  func deletion(
    _ kind: ItemKind, _ id: String, stores named: [String] = [], mode: String = "Permissive",
    tags: ZStackTags = ZStackTags()
  ) async throws(StepFailure) -> ZStackRequest {
    try checkID(id, kind.rawValue)
    guard kind == .backup else { return .delete(["volume-snapshots", "group", id]) }
    var stores = named
    if stores.isEmpty { stores = Set(try await members(ofBackup: id).flatMap { $0.stores }).sorted() }
    for store in named { try checkID(store, "backup storage") }
    return .delete(["vm-backups", id], stores.map { ("backupStorageUuids", $0) }, mode: mode, tags: tags)
  }

  /// The backup to which the backup of one volume belongs; nil if there is none of this id.
  func backup(ofVolumeBackup id: String) async throws(StepFailure) -> CloudItem? {
    try checkID(id, "backup")
    guard let group = try await volumeBackups("uuid=\(id)").first(where: { $0.id == id })?.group else { return nil }
    return CloudItem(zstackBackups: try await members(ofBackup: group))
  }
}

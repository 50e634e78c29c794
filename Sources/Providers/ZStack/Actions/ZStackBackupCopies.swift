import ProviderKit
import Runbook

/// A new machine from a backup, beside the old one. Findable by its job and by the id we choose for it.
struct ZStackRestoreAs: ZStackChange {
  static let declaration = ActionDeclaration(
    "backup.restore_as", "make a new server from a backup and wait until it is as asked",
    fields: [
      Field("backup", .string, required: true, help: "id of the backup"),
      Field("name", .string, required: true, help: "name of the new server, at most 255 characters"),
      Field(
        "power", .choice(["running", "stopped"]), default: "running",
        help: "the state of the new server afterwards; default `running`"),
      Field(
        "options", .map,
        help:
          "further parameters in ZStack's words (`l3NetworkUuids`, `cpuNum`, `memorySize`, `clusterUuid`); default: "
          + "size, network and zone of the server that was backed up"),
    ],
    outputs: ServerVocabulary.facts, effect: .change, class: .keyed,
    wait: WaitDefaults(
      until: "running or stopped, as asked", failsOn: "error, suspended, absent", timeout: .seconds(12 * 3600),
      fastest: .seconds(5)), suggestedUndo: "{action: server.delete, with: {server: \"${{ self.outputs.id }}\"}}",
    before: ["matching": .list(.string)], createsServer: true
  ).setting(\.neededItems, to: ["backup"])
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  /// Documented for creating a machine: 12 hours.
  var longestJob: Duration { .seconds(12 * 3600) }
  var makesSomething: Bool { true }
  var patience: Duration? { .seconds(600) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try name(call)
    let matching = try await cloud.servers().filter { $0.name == name }.map { Value.string($0.id) }
    return ["matching": .list(matching)]
  }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let backup = try call.with.text("backup")
    guard let item = try await cloud.found(.backup, backup) else {
      throw StepFailure(.notFound, "ZStack has no backup \(backup)")
    }
    guard item.state == .ready else {
      throw StepFailure(
        .conflict, "backup \(backup) is `\(item.nativeState)`: only one that is complete and enabled can be used",
        retryable: item.state == .creating)
    }
    let options = try options(call)
    var parameters = try await defaults(of: item, options)
    parameters.merge(options) { _, given in given }
    parameters["name"] = .string(try name(call))
    parameters["strategy"] = try power(call) == .running ? "InstantStart" : "CreateStopped"
    parameters["resourceUuid"] = .string(try resource(call))
    return .create(["vm-instances", "from", "vm-backups", backup], parameters)
  }

  /// What the vocabulary has a field for cannot stand there, where it would be overwritten in silence.
  private func options(_ call: ActionCall) throws(StepFailure) -> [String: Value] {
    let options = call.with["options"]?.map ?? [:]
    for (key, field) in [("name", "name"), ("strategy", "power")] where options[key] != nil {
      throw StepFailure.unfit("`options.\(key)` cannot be given: the field `\(field)` says it")
    }
    return options.filter { !$0.value.unwrapped.isNull }
  }

  /// The id of the new server: the author's, or one that follows from the call's key.
  private func resource(_ call: ActionCall) throws(StepFailure) -> String {
    guard let given = try options(call)["resourceUuid"] else { return ZStackID.make(call.key, "resource") }
    guard let id = given.unwrapped.string, id.isZStackID else {
      throw StepFailure.unfit("`options.resourceUuid` must be 32 of `0-9a-f`")
    }
    return id
  }

  /// Size and place of the machine that was backed up, where the options leave them open and it is still there.
  private func defaults(
    of item: CloudItem, _ options: [String: Value]
  ) async throws(StepFailure) -> [String: Value] {
    let hasSize = options["instanceOfferingUuid"] != nil || (options["cpuNum"] != nil && options["memorySize"] != nil)
    let places = ["l3NetworkUuids", "zoneUuid", "clusterUuid", "hostUuid"]
    let hasPlace = places.contains { options[$0] != nil }
    if hasSize, hasPlace { return [:] }
    let machine: ZStackServer
    do throws(StepFailure) {
      guard let server = item.server else { throw StepFailure(.notFound, "its server is unknown") }
      machine = try await cloud.machine(server)
    } catch {
      guard error.kind == .notFound else { throw error }
      throw StepFailure(
        .input,
        "the server of backup \(item.id) is gone: give its size (`cpuNum` and `memorySize`, or "
          + "`instanceOfferingUuid`) and place (`l3NetworkUuids`, `zoneUuid` or `clusterUuid`) in `options`")
    }
    var defaults: [String: Value] = [:]
    if !hasSize {
      defaults["cpuNum"] = machine["cpuNum"]
      defaults["memorySize"] = machine["memorySize"]
    }
    if !hasPlace {
      defaults["l3NetworkUuids"] = machine["defaultL3NetworkUuid"].map { .list([$0]) }
      defaults["zoneUuid"] = machine["zoneUuid"]
    }
    return defaults
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? {
    let made = body["inventory"] ?? body["inventories"]?.list?.first
    guard let id = made?["uuid"]?.string, id.isZStackID else { return nil }
    return ["id": .string(id), "name": .string(try name(call)), "state": "changing"]
  }

  /// The id we chose, or else a machine of this name that was not there before.
  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let wanted = try resource(call)
    let name = try name(call)
    let known = call.before["matching"]?.list?.compactMap { $0.string } ?? []
    let servers = try await cloud.servers().filter { $0.id == wanted || ($0.name == name && !known.contains($0.id)) }
    guard let made = servers.first(where: { $0.id == wanted }) ?? servers.first else { return .notApplied }
    return .applied(ActionResult(outputs: made.outputs))
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    guard let id = result.outputs["id"]?.string else {
      throw StepFailure(.server, "the id of the new server is not known", effect: .unknown)
    }
    var seen = try await cloud.arrival(id, try power(call), asOf: call.asOf, after: result)
    if seen.verdict == .done {
      seen.result = result.adding(ActionResult(outputs: try await cloud.server(id).outputs))
    }
    return seen
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    do { _ = try options(call) } catch { return [error.message] }
    guard let backup = try call.with.optionalText("backup"), !backup.isEmpty else { return [] }
    return try await cloud.found(.backup, backup) == nil ? ["ZStack has no backup \(backup)"] : []
  }

  private func name(_ call: ActionCall) throws(StepFailure) -> String {
    let name = try call.with.text("name")
    guard name.count <= 255 else { throw StepFailure.unfit("`name` is too long: ZStack takes 255 characters") }
    return name
  }

  private func power(_ call: ActionCall) throws(StepFailure) -> PowerState {
    switch try call.with.optionalText("power") ?? "running" {
    case "running": return .running
    case "stopped": return .stopped
    default: throw StepFailure.unfit("`power` must be running or stopped")
    }
  }
}

/// Reads a store's content anew, so that backups that others put there appear. May be repeated freely.
struct ZStackBackupSync: ZStackChange {
  static let declaration = ActionDeclaration(
    "backup.sync", "rescan a backup store, so that backups of others are listed",
    fields: [
      Field("storage", .string, help: "id of the image store; default: the block's `backup_storage`"),
      ZStackTags.field,
    ],
    effect: .change, class: .keyed,
    wait: WaitDefaults(until: "scanned", failsOn: "–", timeout: .seconds(3600), fastest: .seconds(3)),
    suggestedUndo: "none")
  let cloud: ZStackClient
  let declaration: ActionDeclaration

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let store = try await cloud.store(try call.with.optionalText("storage"))
    return .action(["vm-backups", "imageStore", store], "syncVmBackup", tags: try ZStackTags(call))
  }

  /// A scan leaves no trace that could be looked for.
  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { .unsure }
  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    Observation(.done, result: result)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [] }
}

/// Copies a backup to another image store, or back. One that is there already is not copied again.
struct ZStackBackupCopy: ZStackChange {
  static let declaration = ActionDeclaration(
    "zstack.backup_copy", "copy a backup from one image store to another and wait until it is there",
    fields: [
      Field("backup", .string, required: true, help: "id of the backup"),
      Field("from", .string, required: true, help: "id of the store that has it"),
      Field("to", .string, required: true, help: "id of the store that shall have it"),
      Field(
        "direction", .choice(["out", "back"]), default: "out",
        help: "`out`: from a local store to a remote one; `back`: the other way; default `out`"),
    ],
    effect: .change, class: .keyed,
    wait: WaitDefaults(
      until: "in the other store", failsOn: "absent", timeout: .seconds(24 * 3600), fastest: .seconds(5)),
    suggestedUndo: "{action: backup.delete, with: {backup: …, storage: …}}"
  ).setting(\.neededItems, to: ["backup"])
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  var longestJob: Duration { .seconds(24 * 3600) }
  var makesSomething: Bool { true }
  var patience: Duration? { .seconds(600) }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let backup = try call.with.text("backup")
    let (from, to) = (try call.with.text("from"), try call.with.text("to"))
    for (id, what) in [(backup, "backup"), (from, "backup storage"), (to, "backup storage")] {
      try cloud.checkID(id, what)
    }
    guard from != to else { throw StepFailure.unfit("`from` and `to` are the same store") }
    let isBack = try call.with.optionalText("direction") == "back"
    return .action(
      ["vm-backups", backup],
      isBack ? "recoverVmBackupFromImageStoreBackupStorage" : "syncVmBackupFromImageStoreBackupStorage",
      ["srcBackupStorageUuid": .string(from), "dstBackupStorageUuid": .string(to)])
  }

  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    if case .applied = try await evidence(call) { return JobNote.done.on(ActionResult()) }
    return nil
  }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let to = try call.with.text("to")
    let members = try await cloud.members(ofBackup: try call.with.text("backup"))
    guard !members.isEmpty else {
      throw StepFailure(.notFound, "ZStack has no backup \(try call.with.text("backup"))")
    }
    return members.allSatisfy { $0.stores.contains(to) } ? .applied(ActionResult()) : .notApplied
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    if case .applied = try await evidence(call) { return Observation(.done, result: result) }
    return Observation(.pending, nativeState: "not in the store's list yet", result: result)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [] }
}

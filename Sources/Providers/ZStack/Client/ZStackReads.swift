import ProviderKit
import Runbook

// Everything that is read: servers, their snapshot groups and backups, stores and images.
extension ZStackClient {
  func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer {
    try checkID(id, "server")
    if let asOf, let watch, let server = try await watch.server(id, asOf: asOf) { return server }
    return try await machine(id).server
  }

  func servers() async throws(StepFailure) -> [CloudServer] {
    try await list(["vm-instances"], [], id: { $0.id }) { json throws(SchemaError) in try CloudServer(zstack: json) }
      .filter { $0.state != .absent }
  }

  /// A machine with all that its actions need. ZStack answers a query for one that is not there with an empty list.
  func machine(_ id: String) async throws(StepFailure) -> ZStackServer {
    try checkID(id, "server")
    let missing = "ZStack has no server \(id)"
    let reply: ZStackReply
    do { reply = try await send(.read(["vm-instances", id])) } catch {
      throw error.kind == .notFound ? error.renamed(missing) : error
    }
    guard let json = try ZStackClient.inventories(reply).first else {
      throw StepFailure(.notFound, missing, detail: ["request": .string(reply.request.text)])
    }
    do { return try ZStackServer(json) } catch { throw reply.misshapen(error.message) }
  }

  func rootVolume(_ server: String) async throws(StepFailure) -> String {
    guard let volume = try await machine(server).rootVolume, volume.isZStackID else {
      throw StepFailure(.conflict, "server \(server) has no root volume at ZStack: nothing of it can be saved")
    }
    return volume
  }

  // MARK: Snapshots and backups

  /// Of one server, or of the whole account. ZStack does not tell which were made by a schedule.
  func items(
    _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
  ) async throws(StepFailure) -> [CloudItem] {
    if let server { try checkID(server, "server") }
    if let server, let asOf, let items = try await watch?.items(kind, server: server, asOf: asOf) { return items }
    let found =
      switch kind {
      case .snapshot: try await snapshotGroups(server)
      case .backup: try await backups(server.map { "vmInstanceUuid=\($0)" })
      }
    // A condition that the other side ignores must not give us another server's snapshots, nor one that names none.
    return found.filter { item in server == nil || item.server == server }
  }

  private func snapshotGroups(_ server: String?) async throws(StepFailure) -> [CloudItem] {
    let zone = zone
    var groups = try await list(
      ["volume-snapshots", "group"], server.map { ["vmInstanceUuid=\($0)"] } ?? [], id: { $0.item.id }
    ) { json throws(SchemaError) in try ZStackGroup(json, zone: zone) }
    let ids = groups.map { $0.item.id }.filter { $0.isZStackID }
    var members: [String: [ZStackMember]] = [:]
    for start in stride(from: 0, to: ids.count, by: 40) {
      let some = ids[start..<min(start + 40, ids.count)].joined(separator: ",")
      let snapshots = try await list(["volume-snapshots"], ["groupUuid?=\(some)"], id: { $0.id }) {
        json throws(SchemaError) in try ZStackMember(json, .snapshot, zone: zone)
      }
      for snapshot in snapshots { if let group = snapshot.group { members[group, default: []].append(snapshot) } }
    }
    for index in groups.indices { groups[index].take(members[groups[index].item.id] ?? []) }
    return groups.map { $0.item }
  }

  private func backups(_ condition: String?) async throws(StepFailure) -> [CloudItem] {
    Dictionary(grouping: try await volumeBackups(condition)) { $0.group ?? "" }
      .filter { !$0.key.isEmpty }.values.compactMap { CloudItem(zstackBackups: $0) }
  }

  /// The volume backups of one group: what is deleted and restored together.
  func members(ofBackup id: String) async throws(StepFailure) -> [ZStackMember] {
    try checkID(id, "backup")
    return try await volumeBackups("groupUuid=\(id)").filter { $0.group == id }
  }

  func volumeBackups(_ condition: String?) async throws(StepFailure) -> [ZStackMember] {
    let zone = zone
    return try await list(["volume-backups"], condition.map { [$0] } ?? [], id: { $0.id }) {
      json throws(SchemaError) in try ZStackMember(json, .backup, zone: zone)
    }
  }

  /// Returns whether there was one to delete. Its job is awaited for ten minutes, within the step's time; the
  /// rest shows in the list.
  func delete(
    _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
  ) async throws(StepFailure) -> Bool {
    let request = try await deletion(kind, id)
    let left = max(deadline - connection.clock.now, .zero)
    let end = connection.clock.monotonic + min(left, .seconds(600))
    var job = try await start(request, key: key, purpose: "delete")
    while case .running = job, connection.clock.monotonic < end, !Task.isCancelled {
      await connection.clock.sleep(for: .seconds(3))
      do throws(StepFailure) { job = try await outcome(key, purpose: "delete") } catch {
        guard error.retryable else { return true }
      }
    }
    switch job {
    case .running, .unknown: return true
    case .done(let body):
      if let failure = ZStackPart.failure(in: body, "\(kind.rawValue) \(id) was not deleted whole", hidden) {
        throw failure
      }
      return true
    case .failed(let error):
      let failure = failure(error, of: request)
      if failure.kind == .notFound { return false }
      throw failure
    }
  }

  // MARK: Stores and images

  /// Where backups can go.
  func stores() async throws(StepFailure) -> [ZStackStore] {
    try await list(["backup-storage"], [], id: { $0.id }) { json throws(SchemaError) in try ZStackStore(json) }
  }

  /// ISO images a machine can be started from.
  func isoImages() async throws(StepFailure) -> [Value] {
    try await list(["images"], ["mediaType=ISO"], id: { $0["id"]?.string ?? "" }) {
      json throws(SchemaError) -> Value in
      guard try json.optionalText("mediaType") ?? "ISO" == "ISO", try json.optionalText("state") != "Disabled" else {
        return .null
      }
      return [
        "id": .string(try json.id("uuid")), "name": .string(try (json.optionalText("name") ?? "").excerpt(1024)),
        "scope": .string(json["system"] == true ? "system" : "own"),
      ]
    }.filter { !$0.isNull }
  }

  // MARK: Lists

  /// All pages of a query.
  /// - Parameter conditions: `field=value`, without blanks; all of them hold.
  func list<Model>(
    _ path: [String], _ conditions: [String], id: (Model) -> String, _ model: (Value) throws(SchemaError) -> Model
  ) async throws(StepFailure) -> [Model] {
    var models: [Model] = []
    var ids: Set<String> = []
    var seen = 0
    for page in 1... {
      var request = ZStackRequest.read(path, conditions.map { ("q", $0) })
      request.query += [
        ("limit", String(ZStackClient.pageSize)), ("start", String(seen)), ("replyWithCount", "true"),
        ("sort", "-uuid"),
      ]
      let reply = try await send(request)
      let inventories = try ZStackClient.inventories(reply)
      let known = models.count
      for json in inventories {
        let item: Model
        do { item = try model(json) } catch { throw reply.misshapen(error.message) }
        if ids.insert(id(item)).inserted { models.append(item) }
      }
      seen += inventories.count
      let total = try? reply.json()["total"]?.int
      if inventories.count < ZStackClient.pageSize || total.map({ Int64(seen) >= $0 }) == true { return models }
      guard models.count > known else { throw endless(request, "a page repeats an earlier one") }
      guard page < ZStackClient.pageLimit, models.count <= ZStackClient.itemLimit else {
        throw endless(request, "it has more than \(ZStackClient.pageLimit) pages")
      }
    }
    return models
  }

  private func endless(_ request: ZStackRequest, _ reason: String) -> StepFailure {
    StepFailure(.server, "the list at \(request.text) of ZStack does not end: \(reason)")
  }

  /// What a query found: `inventories`, or the `inventory` that the manual shows for a single one.
  static func inventories(_ reply: ZStackReply) throws(StepFailure) -> [Value] {
    let json = try reply.json()
    switch (json["inventories"], json["inventory"]) {
    case (.list(let found)?, _): return found
    case (nil, .map(let one)?), (.null?, .map(let one)?): return [.map(one)]
    default: throw reply.malformed("`inventories` is not a list")
    }
  }
}

/// A place for backups.
struct ZStackStore: Sendable {
  var id: String
  var name: String
  var type: String
  var isUsable: Bool
  var total: Int64?
  var available: Int64?

  init(_ json: Value) throws(SchemaError) {
    id = try json.id("uuid")
    name = try (json.optionalText("name") ?? "").excerpt(200)
    type = try json.optionalText("type") ?? ""
    isUsable = try json.optionalText("state") ?? "Enabled" == "Enabled"
    total = try json.wholeNumber("totalCapacity")
    available = try json.wholeNumber("availableCapacity")
  }

  var isFull: Bool { available.map { $0 <= 0 } ?? false }
  /// Only these take backups of machines.
  var isImageStore: Bool { type.isEmpty || type.contains("ImageStore") }
}

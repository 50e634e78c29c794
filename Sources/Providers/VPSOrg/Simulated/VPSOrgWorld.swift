import ProviderKit
import Runbook

/// Everything VPS.org knows, as a value: servers, snapshots and backups, each with the change it is in. Time comes in
/// with every call; what a change becomes, and when, is drawn when it begins.
struct VPSOrgWorld: Sendable {
  struct Server: Sendable {
    var id: String
    var name: String
    var hostname: String
    var ip: String
    var status: String
    var createdAt: Timestamp
    var updatedAt: Timestamp
    /// nil at rest. Without an end, the change never ends.
    var change: Change?
    var slow: TwinSlowChange?
  }
  struct Item: Sendable {
    var kind: ItemKind
    var id: String
    var server: String
    var name: String
    var description: String
    var status: String
    var sizeMB: Int64?
    var createdAt: Timestamp
    var expiresAt: Timestamp?
    var isManual: Bool
    var change: Change?
  }
  struct Change: Sendable {
    var endsAt: Timestamp?
    var status: String
    var sizeMB: Int64?
  }
  /// A refusal, as a status and the body's text.
  struct Refusal: Error {
    var status: Int
    var body: Value
    init(_ status: Int, _ body: Value) {
      self.status = status
      self.body = body
    }
    init(_ status: Int, _ detail: String) { self.init(status, ["detail": .string(detail)]) }
  }

  var servers: [Server] = []
  /// Where each server is in `servers`: none is ever taken away.
  private var places: [String: Int] = [:]
  var items: [Item] = []
  /// No change ends before this.
  private var nextEnd: Timestamp?
  var ledger: [LedgerEntry] = []
  /// What a server is after a restore: `stopped` or `active`; no document says which.
  var statusAfterRestore = "stopped"
  var usesUUIDs = false
  /// How long a restart takes.
  var restartSeconds: ClosedRange<Int64> = 20...60
  private var random: TwinRandom
  private var lastNumber: [ItemKind: Int64] = [.snapshot: 801, .backup: 501]

  init(seed: UInt64) { random = TwinRandom(seed: seed) }

  mutating func add(_ server: Server) {
    places[server.id] = servers.count
    servers.append(server)
  }

  /// Ends the changes whose time has come.
  mutating func settle(_ now: Timestamp) {
    guard let due = nextEnd, due <= now else { return }
    nextEnd = nil
    for index in servers.indices {
      showSlow(index, now)
      guard let change = servers[index].change, let end = change.endsAt else { continue }
      guard end <= now else {
        expect(end)
        continue
      }
      servers[index].status = change.status
      servers[index].updatedAt = end
      servers[index].change = nil
    }
    for index in items.indices {
      guard let change = items[index].change, let end = change.endsAt else { continue }
      guard end <= now else {
        expect(end)
        continue
      }
      items[index].status = change.status
      items[index].sizeMB = change.sizeMB
      items[index].change = nil
    }
  }

  private mutating func showSlow(_ index: Int, _ now: Timestamp) {
    guard let slow = servers[index].slow else { return }
    guard slow.showsAt <= now else {
      expect(slow.showsAt)
      return
    }
    servers[index].status = slow.status
    servers[index].updatedAt = slow.showsAt
    servers[index].slow = nil
  }

  private mutating func expect(_ end: Timestamp?) {
    if let end { nextEnd = min(nextEnd ?? end, end) }
  }

  func server(_ id: String) -> Server? { places[id].map { servers[$0] } }

  func serverIndex(_ id: String?) throws(Refusal) -> Int {
    guard let index = id.flatMap({ places[$0] }) else { throw Refusal(404, "Server not found.") }
    return index
  }

  func itemIndex(_ kind: ItemKind, _ id: String?, server: String? = nil) throws(Refusal) -> Int {
    let index = items.firstIndex { $0.kind == kind && $0.id == id && (server == nil || $0.server == server) }
    guard let index else { throw Refusal(404, "\(kind == .snapshot ? "Snapshot" : "Backup") not found.") }
    return index
  }

  /// Begins a change of a server: `word` until it ends, then `result`, or what the twist makes of it.
  private mutating func begin(
    _ index: Int, _ word: String, then result: String, seconds: ClosedRange<Int64>, _ now: Timestamp, _ twist: TwinTwist
  ) {
    let length = random.draw(seconds)
    servers[index].slow = nil
    if let slow = twist.slow {
      servers[index].slow = TwinSlowChange(showsAt: now + slow, status: twist.fails ? "error" : result)
      expect(now + slow)
      return
    }
    servers[index].status = twist.word ?? word
    servers[index].updatedAt = now
    servers[index].change = Change(
      endsAt: twist.isStuck ? nil : now + .seconds(length), status: twist.fails ? "error" : result)
    expect(servers[index].change?.endsAt)
  }

  private mutating func record(
    _ effect: VPSOrgOperation, _ subject: String, _ detail: String = "", _ now: Timestamp,
    _ parameters: [String: Value] = [:]
  ) {
    ledger.append(
      LedgerEntry(at: now, effect: effect.rawValue, subject: subject, detail: detail, parameters: parameters))
  }
}

// MARK: - What can be asked of it

extension VPSOrgWorld {
  /// Start and stop converge: a server that is there already, or on its way there, accepts and nothing happens. One
  /// that is on its way elsewhere refuses (409). Documented nowhere.
  mutating func power(_ operation: VPSOrgOperation, server id: String?, _ now: Timestamp, _ twist: TwinTwist)
    throws(Refusal)
  {
    let index = try serverIndex(id)
    let server = servers[index]
    let isChanging = server.change != nil
    switch operation {
    case .start where server.slow?.status == "active", .stop where server.slow?.status == "stopped": return
    case .start where server.status == "active" || (isChanging && server.change?.status == "active"): return
    case .stop
    where server.status == "stopped"
      || (isChanging && server.change?.status == "stopped" && server.status != "restoring"):
      return
    case .hardStop where server.status == "stopped": return
    case .hardStop where server.status != "restoring" && server.status != "suspended":
      let isStopping = isChanging && server.change?.status == "stopped"
      begin(index, "stopping", then: "stopped", seconds: 2...5, now, twist)
      if !isStopping { record(.stop, server.id, "hard", now) }
      return
    default: break
    }
    if isChanging { throw Refusal(409, "Server is busy: \(server.status).") }
    switch (operation, server.status) {
    case (.start, "stopped"): begin(index, "starting", then: "active", seconds: 10...40, now, twist)
    case (.stop, "active"): begin(index, "stopping", then: "stopped", seconds: 5...30, now, twist)
    case (.reboot, "active"): begin(index, "restarting", then: "active", seconds: restartSeconds, now, twist)
    default: throw Refusal(400, "Server is not in a valid state for this action: \(server.status).")
    }
    record(operation, server.id, operation == .stop ? "clean" : "", now)
  }

  /// At most five snapshots, or ten manual backups, unfinished and failed ones included.
  mutating func create(
    _ kind: ItemKind, server id: String?, name: String, description: String, _ now: Timestamp, _ twist: TwinTwist
  ) throws(Refusal) -> Item {
    let server = servers[try serverIndex(id)]
    if server.status == "restoring" { throw Refusal(409, "Server is busy: restoring.") }
    let count = items.count { $0.kind == kind && $0.server == server.id && $0.isManual }
    guard count < kind.vpsOrgLimit else {
      throw Refusal(400, "\(kind == .snapshot ? "Snapshot" : "Backup") limit reached (\(kind.vpsOrgLimit) per server).")
    }
    let number = (lastNumber[kind] ?? 0) + 1
    lastNumber[kind] = number
    let length = random.draw(kind == .snapshot ? 180...600 : 300...900)
    let size = random.draw(4000...6000)
    var item = Item(
      kind: kind, id: usesUUIDs ? VPSOrgWorld.uuid(number) : String(number), server: server.id, name: name,
      description: description, status: twist.word ?? "in_progress", createdAt: now.wholeSeconds, isManual: true)
    item.change = Change(
      endsAt: twist.isStuck ? nil : now + .seconds(length), status: twist.fails ? "failed" : "completed",
      sizeMB: twist.fails ? nil : size)
    expect(item.change?.endsAt)
    items.append(item)
    var given: [String: Value] = ["server_id": .string(server.id), "description": .string(description)]
    if kind == .snapshot { given[usesUUIDs ? "label" : "name"] = .string(name) }
    record(
      kind == .snapshot ? .snapshotCreate : .backupCreate, item.id, kind == .snapshot ? name : description, now, given)
    return item
  }

  /// Needs a finished item and a server that is active or stopped; stops it by itself.
  mutating func restore(
    _ kind: ItemKind, _ id: String?, server: String?, _ now: Timestamp, _ twist: TwinTwist
  ) throws(Refusal) -> Item {
    let item = items[try itemIndex(kind, id, server: server)]
    let index = try serverIndex(item.server)
    let status = servers[index].status
    guard status == "active" || status == "stopped" else {
      throw Refusal(400, "Server is not in a valid state for restoration: \(status).")
    }
    guard item.status == "completed" else { throw Refusal(400, "The \(kind.rawValue) is not completed.") }
    begin(index, "restoring", then: statusAfterRestore, seconds: 300...900, now, twist)
    record(
      kind == .snapshot ? .snapshotRestore : .backupRestore, item.server, item.id, now,
      ["\(kind.rawValue)_id": .string(item.id), "server_id": .string(item.server)])
    return item
  }

  mutating func delete(_ kind: ItemKind, _ id: String?, server: String?, _ now: Timestamp) throws(Refusal) {
    let item = items.remove(at: try itemIndex(kind, id, server: server))
    record(
      kind == .snapshot ? .snapshotDelete : .backupDelete, item.id, item.name, now,
      ["\(kind.rawValue)_id": .string(item.id)])
  }

  static func uuid(_ number: Int64) -> String {
    let digits = String(number)
    return "5eed0000-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
  }
}

extension Timestamp {
  /// VPS.org tells times to the second.
  var wholeSeconds: Timestamp { Timestamp(seconds: seconds) }
}

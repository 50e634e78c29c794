import ProviderKit
import Runbook

/// What a declared twin knows, as a value: servers, items and jobs, each with the change it is in. Time comes in with
/// every call; what a change becomes, and when, is drawn when it begins.
struct DeclaredWorld: Sendable {
  struct Server: Sendable {
    var id: String
    var name: String
    var state: String
    var createdAt: Timestamp
    var changedAt: Timestamp
    var change: Change?
    var slow: TwinSlowChange?
  }
  struct Item: Sendable {
    var kind: ItemKind
    var id: String
    var server: String
    var name: String
    var mark: String
    var state: String
    var createdAt: Timestamp
    var isHidden: Bool
    var change: Change?
  }
  struct Job: Sendable {
    var id: String
    var server: String
    var name: String
    var state: JobRules.State
    var startedAt: Timestamp
    var change: Change?
  }
  struct Change: Sendable {
    /// nil: it never ends.
    var endsAt: Timestamp?
    /// The word afterwards; nil for an item: it never comes to be.
    var state: String?
    var fails: Bool
  }
  struct Refusal: Error {
    let reason: TwinManifest.Reason
    init(_ reason: TwinManifest.Reason) { self.reason = reason }
  }
  /// What an operation was about.
  struct Subject: Sendable {
    var server: Server?
    var item: Item?
    var job: Job?
  }

  private(set) var servers: [Server] = []
  private(set) var items: [Item] = []
  private(set) var jobs: [Job] = []
  private(set) var ledger: [LedgerEntry] = []
  private let rules: TwinManifest
  private var random: TwinRandom
  private var lastNumber: Int64 = 1000

  init(_ rules: TwinManifest, seed: UInt64, at now: Timestamp) {
    self.rules = rules
    random = TwinRandom(seed: seed)
    for example in rules.examples { add(example.id, example.name, now) }
  }

  /// Those that the cloud itself made, last night.
  private mutating func addBackups(_ names: [String], of server: String, _ now: Timestamp) {
    let state = rules.changes["backup.create"]?.after ?? ""
    for name in names {
      items.append(
        Item(
          kind: .backup, id: nextID(), server: server, name: name, mark: "", state: state,
          createdAt: LastNight.backup(before: now), isHidden: false))
    }
  }

  /// Makes a server known, running; not one whose id cannot be.
  mutating func add(_ id: String, _ name: String?, _ now: Timestamp) {
    let isPossible = rules.usesNumbers ? Int64(id).map { String($0) == id } ?? false : id.isUsableID
    guard isPossible, !servers.contains(where: { $0.id == id }) else { return }
    let created = Timestamp(seconds: now.seconds)
    servers.append(
      Server(id: id, name: name ?? "server-\(id)", state: rules.running, createdAt: created, changedAt: created))
    // A server that the file does not know is backed up as its first one.
    addBackups((rules.examples.first { $0.id == id } ?? rules.examples.first)?.backups ?? [], of: id, now)
  }

  /// Ends the changes whose time has come.
  mutating func settle(_ now: Timestamp) {
    func isOver(_ change: Change?) -> Bool { change?.endsAt.map { $0 <= now } ?? false }
    for index in servers.indices {
      guard let slow = servers[index].slow, slow.showsAt <= now else { continue }
      servers[index].state = slow.status
      servers[index].changedAt = slow.showsAt
      servers[index].slow = nil
    }
    for index in servers.indices where isOver(servers[index].change) {
      servers[index].state = servers[index].change?.state ?? servers[index].state
      servers[index].changedAt = servers[index].change?.endsAt ?? now
      servers[index].change = nil
    }
    for index in jobs.indices where isOver(jobs[index].change) {
      jobs[index].state = jobs[index].change?.fails == true ? .failed : .succeeded
      jobs[index].change = nil
    }
    items.removeAll { isOver($0.change) && $0.change?.state == nil }
    for index in items.indices where isOver(items[index].change) {
      items[index].state = items[index].change?.state ?? items[index].state
      items[index].isHidden = false
      items[index].change = nil
    }
  }

  func server(_ id: String?) throws(Refusal) -> Int {
    guard let index = servers.firstIndex(where: { $0.id == id }) else { throw Refusal(.missing) }
    return index
  }

  func item(_ kind: ItemKind, _ id: String?) throws(Refusal) -> Int {
    guard let index = items.firstIndex(where: { $0.kind == kind && $0.id == id && !$0.isHidden }) else {
      throw Refusal(.missing)
    }
    return index
  }

  /// Another change of the server goes on, or something of it is being made.
  func isBusy(_ server: Server) -> Bool {
    server.change != nil || items.contains { $0.server == server.id && $0.change != nil }
  }

  // MARK: What can be asked of it

  mutating func power(
    _ operation: String, _ id: String?, _ now: Timestamp, _ twist: TwinTwist
  ) throws(Refusal) -> Subject {
    let index = try server(id)
    guard let change = rules.changes[operation] else { throw Refusal(.input) }
    let isHard = operation == "server.hard_stop"
    let isStopping = isHard && servers[index].change?.state == change.after
    if isBusy(servers[index]), !isStopping { throw Refusal(.busy) }
    guard change.from.isEmpty || isStopping || change.from.contains(servers[index].state) else {
      throw Refusal(.state)
    }
    let isAccepted = !isHard && servers[index].slow != nil && servers[index].slow?.status == change.after
    let isThere = isAccepted || servers[index].state == change.after && operation != "server.reboot"
    let job = begin(change, index, isThere ? nil : servers[index].state, now, twist)
    if !isThere, !isStopping {
      record(isHard ? "server.stop" : operation, servers[index].id, isHard ? "hard" : "", now)
    }
    return Subject(server: servers[index], job: job)
  }

  mutating func create(
    _ kind: ItemKind, server id: String?, name: String, mark: String, _ now: Timestamp, _ twist: TwinTwist
  ) throws(Refusal) -> Subject {
    let index = try server(id)
    guard let change = rules.changes["\(kind.rawValue).create"] else { throw Refusal(.input) }
    if isBusy(servers[index]) { throw Refusal(.busy) }
    guard change.from.isEmpty || change.from.contains(servers[index].state) else { throw Refusal(.state) }
    let length = random.draw(change.takes)
    let end = twist.isStuck ? nil : now + .seconds(length)
    let item = Item(
      kind: kind, id: nextID(), server: servers[index].id, name: name, mark: mark,
      state: twist.word ?? change.during ?? "", createdAt: Timestamp(seconds: now.seconds), isHidden: change.isHidden,
      change: Change(endsAt: end, state: twist.fails ? change.failed : change.after ?? "", fails: twist.fails))
    items.append(item)
    record("\(kind.rawValue).create", item.id, name, now)
    let job = job(change.job, servers[index].id, now, Change(endsAt: end, fails: twist.fails))
    return Subject(server: servers[index], item: item, job: job)
  }

  mutating func restore(
    _ kind: ItemKind, _ id: String?, server serverID: String?, _ now: Timestamp, _ twist: TwinTwist
  ) throws(Refusal) -> Subject {
    let index = try server(serverID)
    let item = items[try item(kind, id)]
    guard let change = rules.changes["\(kind.rawValue).restore"] else { throw Refusal(.input) }
    if isBusy(servers[index]) { throw Refusal(.busy) }
    guard change.from.isEmpty || change.from.contains(servers[index].state), item.change == nil else {
      throw Refusal(.state)
    }
    let job = begin(change, index, servers[index].state, now, twist)
    record("\(kind.rawValue).restore", servers[index].id, item.id, now)
    return Subject(server: servers[index], item: item, job: job)
  }

  mutating func delete(_ kind: ItemKind, _ id: String?, _ now: Timestamp) throws(Refusal) -> Subject {
    let item = items.remove(at: try item(kind, id))
    record("\(kind.rawValue).delete", item.id, item.name, now)
    return Subject(item: item)
  }

  /// - Parameter before: the word it had; nil: it is there already, and nothing but the job begins.
  private mutating func begin(
    _ change: TwinManifest.Change, _ index: Int, _ before: String?, _ now: Timestamp, _ twist: TwinTwist
  ) -> Job? {
    let length = before == nil ? 0 : random.draw(change.takes)
    let end = twist.isStuck ? nil : now + .seconds(length)
    if let before {
      let failed = change.failed ?? before
      servers[index].slow = nil
      if let slow = twist.slow {
        let result = twist.fails ? failed : change.after ?? before
        servers[index].slow = TwinSlowChange(showsAt: now + slow, status: result)
        // The request has been passed on to the guest, which does the rest.
        return job(change.job, servers[index].id, now, Change(endsAt: now, fails: false))
      }
      servers[index].state = twist.word ?? change.during ?? before
      servers[index].changedAt = now
      servers[index].change = Change(
        endsAt: end, state: twist.fails ? failed : change.after ?? before, fails: twist.fails)
    }
    return job(change.job, servers[index].id, now, Change(endsAt: end, fails: twist.fails))
  }

  private mutating func job(_ name: String?, _ server: String, _ now: Timestamp, _ change: Change) -> Job? {
    guard let name else { return nil }
    let job = Job(id: nextID(), server: server, name: name, state: .running, startedAt: now, change: change)
    jobs.append(job)
    return job
  }

  private mutating func nextID() -> String {
    lastNumber += 1
    return String(lastNumber)
  }

  private mutating func record(_ effect: String, _ subject: String, _ detail: String, _ now: Timestamp) {
    ledger.append(LedgerEntry(at: now, effect: effect, subject: subject, detail: detail))
  }
}

import ProviderKit
package import Runbook
import Synchronization

/// The twin of VPS.org: its documented limits, durations, replies and refusals behind its own wire format, driven by
/// the clock handed in. Nothing happens between two requests: what is asked for is worked out from the time of asking.
package final class SimulatedVPSOrg: SimulatedSystem {
  package let type = "vps_org"

  package enum AcceptedTokens: Sendable, Equatable {
    /// Begins with `vps_`, as real ones do.
    case wellFormed
    case exactly(String)
    /// Any but an empty one: for sealed simulations with placeholder secrets.
    case any
  }

  fileprivate struct State {
    var world: VPSOrgWorld
    var faults: [TwinFault] = []
    /// Requests whose effect takes place later, in the order of their times.
    var late: [(at: Timestamp, route: VPSOrgRoute)] = []
    var requests: [String] = []
    /// Servers have an automatic backup of last night.
    var hasLastNight = false
  }

  private let clock: any EngineClock
  private let tokens: AcceptedTokens
  private let pageSize: Int?
  private let state: Mutex<State>

  /// - Parameters:
  ///   - seed: draws the durations, inside their documented ranges.
  ///   - withExamples: the documents' snapshots 801, 798 and backups 501, 499, 495 exist.
  ///   - usesUUIDs: new ids are UUIDs and snapshots have a `label`, as in the vendor's own client.
  ///   - pageSize: lists come in pages with `next`; nil: all at once, as in the documents.
  ///   - restartSeconds: how long a restart takes; inside it the seed draws.
  ///   - withLastNight: every server has an automatic backup of last night, by the clock.
  package init(
    clock: any EngineClock, seed: UInt64 = 1, tokens: AcceptedTokens = .wellFormed, withExamples: Bool = true,
    usesUUIDs: Bool = false, pageSize: Int? = nil, restartSeconds: ClosedRange<Int64> = 20...60,
    withLastNight: Bool = false
  ) {
    self.clock = clock
    self.tokens = tokens
    self.pageSize = pageSize
    var world = VPSOrgWorld(seed: seed)
    world.addExamples(withExamples)
    world.usesUUIDs = usesUUIDs
    world.restartSeconds = restartSeconds
    if withLastNight { for server in world.servers { world.addLastNight(server.id, clock.now) } }
    state = Mutex(State(world: world, hasLastNight: withLastNight))
  }

  package var ledger: [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.ledger
    }
  }

  package func backups(of server: String) -> [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.items.filter { $0.kind == .backup && $0.server == server }
        .map { LedgerEntry(at: $0.createdAt, effect: "backup.create", subject: $0.id, detail: $0.description) }
        .sorted { $0.at < $1.at }
    }
  }

  /// Texts of the injected faults that have struck at least once, in the order of their injection.
  package var firedFaults: [String] { state.withLock { $0.faults.filter { $0.hasFired }.map { $0.text } } }
  package var unfiredFaults: [String] { state.withLock { $0.faults.filter { !$0.hasFired }.map { $0.text } } }
  /// Operations asked for, in order, refused ones included: `server.stop`.
  package var requests: [String] { state.withLock { $0.requests } }

  package func ensureServer(_ id: String) {
    let now = clock.now.wholeSeconds
    state.withLock { state in
      guard !id.isEmpty, state.world.server(id) == nil else { return }
      let number = state.world.servers.count
      state.world.add(
        VPSOrgWorld.Server(
          id: id, name: "server-\(id)", hostname: "server-\(id).example.com", ip: "203.0.113.\(10 + number % 200)",
          status: "active", createdAt: now, updatedAt: now))
      if state.hasLastNight { state.world.addLastNight(id, now) }
    }
  }

  static let faults = TwinFault.Vocabulary(operations: VPSOrgOperation.allCases.map { $0.rawValue })

  package func inject(_ fault: String) throws(ExpressionFailure) {
    if fault == "restore_ends:active" || fault == "restore_ends:stopped" {
      state.withLock { $0.world.statusAfterRestore = String(fault.dropFirst("restore_ends:".count)) }
      return
    }
    let parsed = try TwinFault(fault, SimulatedVPSOrg.faults)
    state.withLock { $0.faults.append(parsed) }
  }

  /// The native status of a server: as seen in its list; nil if there is none of this id.
  package func status(ofServer id: String) -> String? {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.server(id)?.status
    }
  }

  /// Sets a server's native status, as somebody at the provider's console does.
  package func setStatus(ofServer id: String, _ status: String) {
    let now = clock.now
    state.withLock { state in
      guard let index = try? state.world.serverIndex(id) else { return }
      state.world.servers[index].status = status
      state.world.servers[index].change = nil
      state.world.servers[index].slow = nil
      state.world.servers[index].updatedAt = now
    }
  }

  package func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      let route: VPSOrgRoute
      do throws(VPSOrgRoute.Refusal) { route = try VPSOrgRoute(request) } catch {
        return .response(error.response(request))
      }
      state.requests.append(route.operation.rawValue)
      if let refusal = refuse(request, route, &state.faults) { return .response(refusal) }
      return state.reply(to: route, at: now, page: Page(request, size: pageSize))
    }
  }

  /// 401 without a token that is accepted.
  private func refuse(_ request: SimulatedRequest, _ route: VPSOrgRoute, _ faults: inout [TwinFault]) -> HTTPResponse? {
    guard let header = request.header("authorization"), header.hasPrefix("Bearer ") else {
      return .json(401, ["detail": "Authentication credentials were not provided."])
    }
    let token = String(header.dropFirst("Bearer ".count))
    let isKnown =
      switch tokens {
      case .wellFormed: token.hasPrefix("vps_") && token.utf8.count > 4
      case .exactly(let known): token == known
      case .any: !token.isEmpty
      }
    let hasExpired = faults.strike(route.operation.rawValue) { $0 == .tokenExpires } != nil
    return isKnown && !hasExpired ? nil : .json(401, ["detail": "Invalid token."])
  }
}

extension SimulatedVPSOrg.State {
  /// Lets what was under way until `now` happen, requests that came late included.
  fileprivate mutating func settle(_ now: Timestamp) {
    while let next = late.first, next.at <= now {
      late.removeFirst()
      world.settle(next.at)
      _ = act(next.route, at: next.at, page: SimulatedVPSOrg.Page())
    }
    world.settle(now)
  }

  fileprivate mutating func reply(to route: VPSOrgRoute, at now: Timestamp, page: SimulatedVPSOrg.Page)
    -> SimulatedReply
  {
    let before = faults.before(route.operation.rawValue)
    switch before?.kind {
    case .requestLost: return .lost
    case .requestLate:
      late.append((at: now + (before?.duration ?? .seconds(30)), route: route))
      late.sort { $0.at < $1.at }
      return .lost
    case .status(let status): return .response(.fault(status, retryAfter: before?.duration))
    case .html: return .response(.html)
    default: break
    }
    let response = act(route, at: now, page: page)
    return faults.reply(route.operation.rawValue, response)
  }

  private mutating func act(_ route: VPSOrgRoute, at now: Timestamp, page: SimulatedVPSOrg.Page) -> HTTPResponse {
    let untouched = (faults: faults, changes: world.ledger.count)
    let response: HTTPResponse
    do throws(VPSOrgWorld.Refusal) { response = try perform(route, at: now, page: page) } catch {
      response = .json(error.status, error.body)
    }
    // A fault of a change that was refused, or had nothing to do, has not struck.
    if world.ledger.count == untouched.changes { faults = untouched.faults }
    return response
  }

  private mutating func perform(
    _ route: VPSOrgRoute, at now: Timestamp, page: SimulatedVPSOrg.Page
  ) throws(VPSOrgWorld.Refusal) -> HTTPResponse {
    switch route.operation {
    case .account:
      return .json(
        200,
        ["account": ["email": "ops@example.com"], "token": ["name": "runbook", "permissions": ["read", "write"]]])
    case .serverList:
      let wanted = route.query["status"]
      return page.response(world.servers.filter { wanted == nil || $0.status == wanted }) { world.document($0) }
    case .serverStatus: return .json(200, world.document(world.servers[try world.serverIndex(route.server)]))
    case .start, .stop, .hardStop, .reboot:
      try world.power(route.operation, server: route.server, now, twist(route.operation))
      return .json(200, world.powerDocument(route.server ?? "", route.operation))
    case .snapshotList: return list(.snapshot, route, page)
    case .backupList: return list(.backup, route, page)
    case .snapshotCreate: return try create(.snapshot, route, now)
    case .backupCreate: return try create(.backup, route, now)
    case .snapshotRestore:
      _ = try world.itemIndex(.snapshot, route.item, server: route.server)
      let item = try world.restore(.snapshot, route.item, server: route.server, now, twist(route.operation))
      return .json(200, world.restoreDocument(item))
    case .backupRestore:
      _ = try world.serverIndex(route.server)
      let id = try text(route.body["backup_id"], "backup_id")
      let item = try world.restore(.backup, id, server: route.server, now, twist(route.operation))
      return .json(200, world.restoreDocument(item))
    case .snapshotDelete: try world.delete(.snapshot, route.item, server: route.server, now)
    case .backupDelete: try world.delete(.backup, route.item, server: route.server, now)
    }
    return HTTPResponse(status: 204)
  }

  private func list(_ kind: ItemKind, _ route: VPSOrgRoute, _ page: SimulatedVPSOrg.Page) -> HTTPResponse {
    let server = route.server ?? route.query["server_id"]
    let type = kind == .backup ? route.query["backup_type"] : nil
    let items = world.items.filter { item in
      item.kind == kind && (server == nil || item.server == server)
        && (type == nil || (type == "manual") == item.isManual)
    }
    return page.response(items) { world.document($0) }
  }

  private mutating func create(
    _ kind: ItemKind, _ route: VPSOrgRoute, _ now: Timestamp
  ) throws(VPSOrgWorld.Refusal) -> HTTPResponse {
    let server = if let server = route.server { server } else { try text(route.body["server_id"], "server_id") }
    var name = ""
    if kind == .snapshot {
      let key = route.server == nil ? "name" : "label"
      name = try text(route.body[key], key)
      guard name.isSnapshotName else { throw VPSOrgWorld.Refusal(400, .map([key: ["Enter a valid value."]])) }
    }
    let item = try world.create(
      kind, server: server, name: name, description: route.body["description"]?.string ?? "", now,
      twist(route.operation))
    return .json(201, world.document(item, message: VPSOrgWorld.creationMessage(kind)))
  }

  /// A required field: a whole number or text.
  private func text(_ value: Value?, _ field: String) throws(VPSOrgWorld.Refusal) -> String {
    switch value {
    case .int(let number)?: return String(number)
    case .string(let text)? where !text.isEmpty: return text
    case nil, .null?: throw VPSOrgWorld.Refusal(400, .map([field: ["This field is required."]]))
    default: throw VPSOrgWorld.Refusal(400, .map([field: ["Enter a valid value."]]))
    }
  }

  private mutating func twist(_ operation: VPSOrgOperation) -> TwinTwist { faults.twist(operation.rawValue) }
}

extension String {
  fileprivate var isSnapshotName: Bool {
    guard let first = utf8.first, (first | 0x20) >= 0x61, (first | 0x20) <= 0x7a else { return false }
    return utf8.allSatisfy { byte in
      let lower = byte | 0x20
      return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x5f
    }
  }
}

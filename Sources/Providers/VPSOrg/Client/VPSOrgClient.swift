import ProviderKit
import Runbook

/// The wire format of VPS.org, and nothing else: requests out, typed models or a `StepFailure` back.
struct VPSOrgClient: RemoteCloud {
  let service = "VPS.org"
  /// More pages, or items, than any account has: a list that goes on is broken.
  static let pageLimit = 100
  static let itemLimit = 100_000

  let connection: Connection
  let dialect: VPSOrgDialect
  let token: Secret
  var watch: CloudWatch?

  private var base: BaseURL { connection.base }

  /// Sends, and throws for every status but 2xx.
  func send(_ request: VPSOrgRequest) async throws(StepFailure) -> VPSOrgReply {
    try await send(request, to: base.path + request.target)
  }

  private func send(_ request: VPSOrgRequest, to target: String) async throws(StepFailure) -> VPSOrgReply {
    let response = try await connection.send(
      request.method, target,
      headers: [
        (name: "Authorization", value: Secret.joined([.plain("Bearer "), .secret(token)])),
        (name: "Accept", value: .plain("application/json")), (name: "Content-Type", value: .plain("application/json")),
      ], body: request.json.map { JSONWriter.revealed($0) }, isRead: request.isRead, text: request.text)
    let reply = VPSOrgReply(
      request: request, response: response, token: token, secrets: connection.secrets + [token],
      now: connection.clock.now)
    if let failure = reply.failure { throw failure }
    return reply
  }

  /// All pages of a list. A missing `next` means there is only one; `next` may lead only to our own host.
  func list<Model>(
    _ request: VPSOrgRequest, _ model: (Value) throws(SchemaError) -> Model, id: (Model) -> String
  ) async throws(StepFailure) -> [Model] {
    var models: [Model] = []
    var ids: Set<String> = []
    var target = base.path + request.target
    var visited: Set<String> = []
    while true {
      guard visited.insert(target).inserted else { throw endless(request, "a page leads back to an earlier one") }
      guard visited.count <= VPSOrgClient.pageLimit else {
        throw endless(request, "it has more than \(VPSOrgClient.pageLimit) pages")
      }
      let reply = try await send(request, to: target)
      var mistake: SchemaError?
      let json = try reply.json { result in
        guard mistake == nil else { return }
        do throws(SchemaError) {
          let item = try model(result)
          if ids.insert(id(item)).inserted { models.append(item) }
        } catch { mistake = error }
      }
      if let mistake { throw reply.misshapen(mistake.message) }
      guard models.count <= VPSOrgClient.itemLimit else {
        throw endless(request, "it has more than \(VPSOrgClient.itemLimit) items")
      }
      switch json["next"] {
      case nil, .null, .string(""): return models
      case .string(let link):
        guard let next = base.target(of: link) else { throw reply.malformed("`next` leads to another host") }
        target = next
      default: throw reply.malformed("`next` is not a link")
      }
    }
  }

  private func endless(_ request: VPSOrgRequest, _ reason: String) -> StepFailure {
    StepFailure(.server, "the list at \(request.text) of VPS.org does not end: \(reason)")
  }

  /// A reply whose shape no document shows: JSON or nothing at all, but no page of a proxy.
  private func looseObject(_ reply: VPSOrgReply) throws(StepFailure) -> Value {
    reply.response.body.isEmpty ? .map([:]) : try reply.json()
  }
}

// MARK: - Servers

extension VPSOrgClient {
  func limit(_ kind: ItemKind) -> Int? { kind.vpsOrgLimit }

  enum PowerAction: String, Sendable {
    case start, stop, restart
    case hardStop = "hard_stop"
  }

  func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer {
    try checkID(id, "server")
    if let asOf, let watch, let server = try await watch.server(id, asOf: asOf) { return server }
    let reply: VPSOrgReply
    do { reply = try await send(VPSOrgRequest(method: "GET", path: dialect.server(id))) } catch {
      throw error.kind == .notFound ? error.renamed("VPS.org has no server \(id)") : error
    }
    return try reply.decode { json throws(SchemaError) in try CloudServer(vpsOrg: json) }
  }

  func servers() async throws(StepFailure) -> [CloudServer] {
    var request = VPSOrgRequest(method: "GET", path: ["servers"])
    if dialect == .d2 { request.query = [("page_size", "100")] }
    return try await list(request, { json throws(SchemaError) in try CloudServer(vpsOrg: json) }, id: { $0.id })
  }

  func power(_ id: String, _ action: PowerAction) async throws(StepFailure) {
    try checkID(id, "server")
    let body: Value = ["action": .string(action.rawValue)]
    do {
      let reply = try await send(VPSOrgRequest(method: "POST", path: dialect.power(id), json: body))
      _ = try looseObject(reply)
    } catch {
      throw error.kind == .notFound ? error.renamed("VPS.org has no server \(id)") : error
    }
  }

  /// Whose token it is; falls back on the list of servers, which tells only that it is accepted, where `/account/me/`
  /// is not offered.
  func whoAmI() async throws(StepFailure) -> VPSOrgIdentity {
    do {
      let reply = try await send(VPSOrgRequest(method: "GET", path: ["account", "me"]))
      return VPSOrgIdentity(try reply.json(), skew: reply.response.clockSkew(now: connection.clock.now))
    } catch {
      guard error.kind == .notFound || error.detail["status"] == 405 else { throw error }
      _ = try await servers()
      return VPSOrgIdentity(.null, skew: nil)
    }
  }

  func checkID(_ id: String, _ what: String) throws(StepFailure) {
    guard id.isUsableID else { throw StepFailure.unfit("`\(id.excerpt(40))` cannot be the id of a \(what)") }
  }
}

// MARK: - Snapshots and backups

extension VPSOrgClient {
  /// Of one server, or of the whole account (which the `d2` dialect does not offer).
  func items(
    _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
  ) async throws(StepFailure) -> [CloudItem] {
    if let server { try checkID(server, "server") } else { try needsServer() }
    if let server, let asOf, type == nil, let items = try await watch?.items(kind, server: server, asOf: asOf) {
      return items
    }
    var (path, query) = dialect.list(kind, server: server)
    if let type { query.append(("backup_type", type)) }
    let items = try await list(
      VPSOrgRequest(method: "GET", path: path, query: query),
      { json throws(SchemaError) in try CloudItem(vpsOrg: json, kind) }, id: { $0.id })
    // A filter that the other side ignores must not give us another server's snapshots, nor one that names no server.
    // Below a server's own path all are its.
    let isOwnPath = dialect == .d2
    return items.filter { item in
      server == nil || item.server == server || isOwnPath && item.server == nil
    }
  }

  func createSnapshot(
    server: String, name: String, description: String?
  ) async throws(StepFailure) -> [String: Value] {
    try checkID(server, "server")
    var body: [String: Value] = [:]
    switch dialect {
    case .d1:
      body = ["server_id": dialect.id(server), "name": .string(name)]
      if let description, !description.isEmpty { body["description"] = .string(description) }
    case .d2: body = ["label": .string(name)]
    }
    return try await create(.snapshot, server: server, body: body)
  }

  func createBackup(server: String, description: String) async throws(StepFailure) -> [String: Value] {
    try checkID(server, "server")
    return try await create(
      .backup, server: server,
      body: dialect == .d1 ? ["server_id": dialect.id(server), "description": .string(description)] : [:])
  }

  /// - Returns: the outputs of the creation.
  private func create(
    _ kind: ItemKind, server: String, body: [String: Value]
  ) async throws(StepFailure) -> [String: Value] {
    let request = VPSOrgRequest(
      method: "POST", path: dialect.create(kind, server: server), json: body.isEmpty ? nil : .map(body))
    do {
      return try await send(request).decode { json throws(SchemaError) in
        try CloudItem(vpsOrg: json, kind).outputs.merging(VPSOrgDetails.creation(json)) { ours, _ in ours }
      }
    } catch {
      throw error.kind == .notFound ? error.renamed("VPS.org has no server \(server)") : error
    }
  }

  /// Accepted, not finished: the server's own status tells the rest.
  /// - Returns: what the reply says.
  func restore(_ kind: ItemKind, _ id: String, server: String) async throws(StepFailure) -> [String: Value] {
    try checkID(id, kind.rawValue)
    try checkID(server, "server")
    let request =
      switch kind {
      case .snapshot: VPSOrgRequest(method: "POST", path: dialect.item(.snapshot, id, server: server) + ["restore"])
      case .backup:
        VPSOrgRequest(method: "POST", path: dialect.server(server) + ["restore"], json: ["backup_id": dialect.id(id)])
      }
    do {
      return VPSOrgDetails.restore(try looseObject(try await send(request)), kind)
    } catch {
      throw error.kind == .notFound
        ? error.renamed("VPS.org has no \(kind.rawValue) \(id) for server \(server)") : error
    }
  }

  /// Returns whether there was one to delete.
  func delete(
    _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
  ) async throws(StepFailure) -> Bool {
    try checkID(id, kind.rawValue)
    if server == nil { try needsServer() }
    do {
      let reply = try await send(VPSOrgRequest(method: "DELETE", path: dialect.item(kind, id, server: server)))
      _ = try looseObject(reply)
      return true
    } catch {
      if error.kind == .notFound { return false }
      throw error
    }
  }

  private func needsServer() throws(StepFailure) {
    if dialect == .d2 { throw StepFailure.unfit("`server` is needed with `api: d2`") }
  }
}

import ProviderKit
import Runbook

/// A request understood by a declared twin: the route that fits it, and what that takes from it.
struct TwinRequest: Sendable {
  let route: TwinManifest.Route
  private let roots: [String: Value]
  private let arguments: [String: String]
  private let path: String
  /// Empty where the request names no host; links are then paths alone.
  private let origin: String

  /// nil if no route fits. `kinds` tells a condition whether an id is of a snapshot or of a backup.
  init?(_ request: SimulatedRequest, _ rules: TwinManifest, below base: String, _ world: DeclaredWorld) {
    var path = request.path
    if !base.isEmpty, path.hasPrefix(base + "/") { path.removeFirst(base.count) }
    let parts = path.split(separator: "/").map { String($0) }
    let body = (try? JSONReader.read(request.body)) ?? .map([:])
    let query = Dictionary(
      request.query.map { ($0.name, Value.string($0.value)) }, uniquingKeysWith: { _, last in last })
    let kinds = Value.map(
      Dictionary(world.items.map { ($0.id, .string($0.kind.rawValue)) }, uniquingKeysWith: { first, _ in first }))
    for route in rules.routes where route.method == request.method {
      guard let parameters = route.parameters(parts) else { continue }
      let roots: [String: Value] = ["path": .map(parameters), "query": .map(query), "body": body, "kinds": kinds]
      let scope = DictionaryScope(roots)
      if let condition = route.condition, (try? condition.evaluate(in: scope))?.bool != true { continue }
      var arguments = parameters.compactMapValues { $0.string }
      for (name, expression) in route.arguments {
        arguments[name] = (try? expression.evaluate(in: scope))?.unwrapped.plainWord
      }
      self.route = route
      self.roots = roots
      self.arguments = arguments
      self.path = request.path
      origin = request.header("host").map { "https://\($0)" } ?? ""
      return
    }
    return nil
  }

  private var kind: ItemKind { route.operation.hasPrefix("backup.") ? .backup : .snapshot }

  func carryOut(
    in world: inout DeclaredWorld, _ now: Timestamp, _ twist: TwinTwist
  ) throws(DeclaredWorld.Refusal) -> DeclaredWorld.Subject {
    let server = arguments["server"]
    if let action = DeclaredAction(route.operation) {
      switch action {
      case .stop, .start, .reboot: return try world.power(route.operation, server, now, twist)
      case .create(let kind):
        guard let name = arguments["name"], !name.isEmpty else { throw DeclaredWorld.Refusal(.input) }
        return try world.create(kind, server: server, name: name, mark: arguments["mark"] ?? "", now, twist)
      case .restore(let kind): return try world.restore(kind, arguments["item"], server: server, now, twist)
      case .delete(let kind): return try world.delete(kind, arguments["item"], now)
      }
    }
    switch route.operation {
    case "server.hard_stop": return try world.power(route.operation, server, now, twist)
    case "server.status": return DeclaredWorld.Subject(server: world.servers[try world.server(server)])
    default:
      // A list of one server's things is of a server that is there.
      if server != nil { _ = try world.server(server) }
      return DeclaredWorld.Subject()
    }
  }

  // MARK: The reply

  func response(
    _ rules: TwinManifest, _ world: DeclaredWorld, _ subject: DeclaredWorld.Subject
  ) -> HTTPResponse {
    guard let reply = route.reply else { return HTTPResponse(status: route.status) }
    let render = TwinDocuments(rules, world)
    do throws(ExpressionFailure) {
      var roots = roots
      if let server = subject.server { roots["server"] = try render.server(server) }
      if let item = subject.item { roots["item"] = try render.item(item) }
      if let job = subject.job { roots["job"] = try render.job(job) }
      let server = arguments["server"]
      switch route.operation {
      case "server.list": roots["servers"] = .list(try page(world.servers, rules, &roots, render.server))
      case "snapshot.list", "backup.list":
        let items = world.items.filter { $0.kind == kind && !$0.isHidden && (server == nil || $0.server == server) }
        roots["items"] = .list(try page(items, rules, &roots, render.item))
      case "job.list":
        let jobs = world.jobs.filter { server == nil || $0.server == server }
        roots["jobs"] = .list(try page(jobs.reversed(), rules, &roots, render.job))
      default: break
      }
      return .json(route.status, try reply.evaluate(in: DictionaryScope(roots)))
    } catch {
      return .json(500, ["error": .string("the twin cannot answer \(route.operation): \(error.message)")])
    }
  }

  /// The part of a list that was asked for, and `page`, which tells of the rest.
  private func page<Model>(
    _ models: [Model], _ rules: TwinManifest, _ roots: inout [String: Value],
    _ render: (Model) throws(ExpressionFailure) -> Value
  ) throws(ExpressionFailure) -> [Value] {
    func asked(_ name: String?) -> Int? { name.flatMap { roots["query"]?[$0]?.string }.flatMap { Int($0) } }
    let size = min(max(asked(rules.pageSize) ?? rules.defaultPageSize, 1), 1000)
    let number = min(max(asked(rules.pageNumber) ?? 1, 1), 1_000_000)
    let part = models.dropFirst((number - 1) * size).prefix(size)
    let hasMore = (number - 1) * size + part.count < models.count
    var query = roots["query"]?.map ?? [:]
    if let name = rules.pageNumber { query[name] = .string(String(number + 1)) }
    let text = query.sorted { $0.key < $1.key }
      .map { "\($0.key.percentEncoded)=\(($0.value.string ?? "").percentEncoded)" }.joined(separator: "&")
    roots["page"] = [
      "number": .int(Int64(number)), "size": .int(Int64(size)), "total": .int(Int64(models.count)),
      "next": hasMore ? .int(Int64(number + 1)) : .null,
      "next_url": hasMore ? .string("\(origin)\(path)?\(text)") : .null,
    ]
    var documents: [Value] = []
    for model in part { documents.append(try render(model)) }
    return documents
  }
}

extension TwinManifest.Route {
  /// What stands where the path has parameters; nil if the path is another.
  fileprivate func parameters(_ parts: [String]) -> [String: Value]? {
    guard parts.count == path.count else { return nil }
    var found: [String: Value] = [:]
    for (segment, part) in zip(path, parts) {
      switch segment {
      case .literal(let text): if text != part { return nil }
      case .parameter(let name): found[name] = .string(part)
      }
    }
    return found
  }
}

/// What the twin knows, in the documents of its file.
private struct TwinDocuments {
  let rules: TwinManifest
  let world: DeclaredWorld

  init(_ rules: TwinManifest, _ world: DeclaredWorld) {
    self.rules = rules
    self.world = world
  }

  func server(_ server: DeclaredWorld.Server) throws(ExpressionFailure) -> Value {
    let number = world.servers.firstIndex { $0.id == server.id } ?? 0
    return try document(
      "server", as: "server",
      [
        "id": id(server.id), "name": .string(server.name), "state": .string(server.state),
        "locked": .bool(world.isBusy(server)), "ip": .string("203.0.113.\(10 + number % 200)"),
        "created_at": .string(server.createdAt.description), "changed_at": .string(server.changedAt.description),
      ])
  }

  func item(_ item: DeclaredWorld.Item) throws(ExpressionFailure) -> Value {
    try document(
      item.kind.rawValue, as: "item",
      [
        "id": id(item.id), "server": id(item.server), "name": .string(item.name), "mark": .string(item.mark),
        "server_name": .string(world.servers.first { $0.id == item.server }?.name ?? ""),
        "state": .string(item.state), "size_mb": 5120, "created_at": .string(item.createdAt.description),
      ])
  }

  func job(_ job: DeclaredWorld.Job) throws(ExpressionFailure) -> Value {
    try document(
      "job", as: "job",
      [
        "id": id(job.id), "server": id(job.server), "name": .string(job.name),
        "state": .string(rules.jobStates[job.state] ?? job.state.rawValue), "failed": .bool(job.state == .failed),
        "started_at": .string(job.startedAt.description),
      ])
  }

  private func document(_ name: String, as root: String, _ value: Value) throws(ExpressionFailure) -> Value {
    guard let template = rules.documents[name] else {
      throw ExpressionFailure("`twin.documents` has no `\(name)`")
    }
    return try template.evaluate(in: DictionaryScope([root: value]))
  }

  private func id(_ text: String) -> Value {
    if rules.usesNumbers, let number = Int64(text) { return .int(number) }
    return .string(text)
  }
}

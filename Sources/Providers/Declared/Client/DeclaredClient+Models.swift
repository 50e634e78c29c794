import ProviderKit
import Runbook

/// Servers, items and jobs, as the file says they are read.
extension DeclaredClient {
  func limit(_ kind: ItemKind) -> Int? { manifest.items(kind)?.limit }

  func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer {
    try checkID(id, "server")
    let rules = manifest.servers
    let reply: DeclaredReply
    do { reply = try await send(rules.get, Roots(with: ["server": .string(id)])) } catch {
      throw error.kind == .notFound ? error.renamed("\(service) has no server \(id)") : error
    }
    let result = DictionaryScope(["result": try reply.json()], masker: masker)
    do throws(SchemaError) { return try CloudServer(try rules.item.value(in: result), rules) } catch {
      throw reply.misshapen(error.message)
    }
  }

  func servers() async throws(StepFailure) -> [CloudServer] {
    let rules = manifest.servers
    return try await list(rules.list, Roots(), id: { $0.id }) { item throws(SchemaError) in
      try CloudServer(item, rules)
    }
  }

  func items(
    _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
  ) async throws(StepFailure) -> [CloudItem] {
    if let server { try checkID(server, "server") }
    guard let rules = manifest.items(kind) else { return [] }
    guard server != nil || rules.listsAccount else { throw StepFailure.unfit("`server` is needed at \(service)") }
    let rule = server == nil ? rules.listAll ?? rules.list : rules.list
    let roots = Roots(with: ["server": server.map { .string($0) } ?? .null])
    let items = try await list(rule, roots, id: { $0.id }) { item throws(SchemaError) in
      try CloudItem(item, kind, rules)
    }
    // A filter that the other side ignores must not give us another server's items, nor one that names no server. Where
    // the file reads no server of an item, the list is of one server.
    guard let server, rules.read.members["server"] != nil else { return items }
    return items.filter { $0.server == server }
  }

  func delete(
    _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
  ) async throws(StepFailure) -> Bool {
    try checkID(id, kind.rawValue)
    guard let rule = manifest.action("\(kind.rawValue).delete") else { return false }
    let with: [String: Value] = [kind.rawValue: .string(id), "server": server.map { .string($0) } ?? .null]
    do {
      let reply = try await send(rule.request, Roots(with: with, key: key))
      if !reply.response.body.isEmpty { _ = try reply.json() }
      return true
    } catch {
      if error.kind == .notFound { return false }
      throw error
    }
  }

  // MARK: Jobs

  /// The server's jobs of this name, in the order of the list.
  func jobs(named name: String, server: String) async throws(StepFailure) -> [DeclaredJob] {
    guard let rules = manifest.jobs else { return [] }
    try checkID(server, "server")
    return try await list(rules.list, Roots(with: ["server": .string(server)]), id: { $0.id }) {
      item throws(SchemaError) in try DeclaredJob(item, rules)
    }.filter { $0.name == name }
  }

  /// The oldest job of this name that was not there when the intent was journaled; nil if there is none.
  func newJob(_ name: String, _ call: ActionCall) async throws(StepFailure) -> DeclaredJob? {
    try await newJobs(name, call, server: try call.with.text("server")).first
  }

  /// The jobs of this name that were not there when the intent was journaled, oldest first.
  func newJobs(_ name: String, _ call: ActionCall, server: String) async throws(StepFailure) -> [DeclaredJob] {
    let known = Set(call.before["jobs"]?.list?.compactMap { $0.string } ?? [])
    return try await jobs(named: name, server: server)
      .filter { !known.contains($0.id) }
      .sorted { ($0.id.utf8.count, $0.id) < ($1.id.utf8.count, $1.id) }
  }

  /// `before` of what leaves a job.
  func captureJobs(_ name: String?, _ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    guard let name else { return [:] }
    return try await captureJobs(name, server: try call.with.text("server"))
  }

  func captureJobs(_ name: String, server: String) async throws(StepFailure) -> [String: Value] {
    let jobs = try await jobs(named: name, server: server)
    return ["jobs": .list(jobs.map { .string($0.id) })]
  }
}

/// What the other side keeps of one request.
struct DeclaredJob: Sendable {
  var id: String
  var name: String
  var state: JobRules.State
  var nativeState: String
  var error: String?

  init(_ item: Value, _ rules: JobRules) throws(SchemaError) {
    let read = ReadItem(item, rules.read)
    id = try read.id("id")
    name = try read.text("name")
    let word = try read.text("state")
    nativeState = word.excerpt(64)
    state = rules.states[word] ?? .running
    error = try read.optionalText("error")
  }
}

extension CloudServer {
  init(_ item: Value, _ rules: ServerRules) throws(SchemaError) {
    let read = ReadItem(item, rules.read)
    let word = try read.text("state")
    self.init(
      id: try read.id("id"), name: try read.text("name"), nativeState: word, state: rules.states[word],
      ip: try read.optionalText("ip"), changeMark: try read.optionalText("changed"))
  }
}

extension CloudItem {
  /// The mark of the call that made it, if it has one, is kept as its description.
  init(_ item: Value, _ kind: ItemKind, _ rules: ItemRules) throws(SchemaError) {
    let read = ReadItem(item, rules.read)
    let word = try read.text("state")
    self.init(
      kind: kind, id: try read.id("id"), server: try read.optionalText("server"),
      name: try read.optionalText("name") ?? "", description: try read.optionalText("mark") ?? "", nativeState: word,
      state: rules.states[word], sizeMB: try read.wholeNumber("size_mb"),
      createdAt: try read.time("created_at"), isManual: try read.flag("manual") ?? true,
      isProtected: try read.flag("protected") ?? false)
  }
}

/// One item of a reply, read by the expressions of the file.
private struct ReadItem {
  private let scope: DictionaryScope
  private let rule: ReadRule

  init(_ item: Value, _ rule: ReadRule) {
    scope = DictionaryScope(["item": item])
    self.rule = rule
  }

  private func value(_ key: String) throws(SchemaError) -> Value {
    guard let expression = rule.members[key] else { return .null }
    return try expression.value(in: scope)
  }

  func optionalText(_ key: String) throws(SchemaError) -> String? {
    let value = try value(key)
    if value.isNull { return nil }
    guard let text = value.plainWord else { throw SchemaError(message: "`\(key)` is not text") }
    return text
  }

  func text(_ key: String) throws(SchemaError) -> String {
    guard let text = try optionalText(key) else { throw SchemaError(message: "`\(key)` is missing") }
    return text
  }

  func id(_ key: String) throws(SchemaError) -> String {
    let id = try text(key)
    guard id.isUsableID else { throw SchemaError(message: "`\(key)` is not an id") }
    return id
  }

  func wholeNumber(_ key: String) throws(SchemaError) -> Int64? {
    switch try value(key) {
    case .null: return nil
    case .int(let number): return number
    case .double(let number): return Int64(exactly: number.rounded())
    default: throw SchemaError(message: "`\(key)` is not a number")
    }
  }

  func flag(_ key: String) throws(SchemaError) -> Bool? {
    switch try value(key) {
    case .null: return nil
    case .bool(let flag): return flag
    default: throw SchemaError(message: "`\(key)` is neither true nor false")
    }
  }

  func time(_ key: String) throws(SchemaError) -> Timestamp {
    switch try value(key) {
    case .timestamp(let time): return time
    case .string(let text):
      if let time = Timestamp(text) { return time }
      fallthrough
    default: throw SchemaError(message: "`\(key)` is not a time such as `2025-01-16T16:15:00Z`")
    }
  }
}

import ProviderKit
import Runbook

/// `twin`: the simulated side, with its own words. It reads nothing of what the client reads.
extension ManifestReader {
  static let documentRoots: [String: ValueType] = [
    "server": .object([
      "id": .any, "name": .string, "state": .string, "locked": .bool, "ip": .string, "created_at": .string,
      "changed_at": .string,
    ]),
    "item": .object([
      "id": .any, "server": .any, "server_name": .string, "name": .string, "mark": .string, "state": .string,
      "size_mb": .int, "created_at": .string,
    ]),
    "job": .object([
      "id": .any, "server": .any, "name": .string, "state": .string, "started_at": .string, "failed": .bool,
    ]),
    "error": .object(["code": .string, "message": .string]),
  ]

  func twin(_ node: Node, credential: (header: String, prefix: String)?) -> TwinManifest? {
    guard var fields = FieldReader(node, "`twin`", sink) else { return nil }
    let ids = fields.take("ids").flatMap { read.choice($0, "twin.ids", ["number", "text"]) } ?? "text"
    let examples = list(fields.take("servers"), "twin.servers").compactMap { example($0) }
    let running = fields.require("running", at: node.range, hint: "the provider's word for a server that runs")
      .flatMap { read.text($0, "twin.running", limit: 60) }
    let jobStates = jobStates(fields.take("jobs"))
    let documents = documents(&fields, at: node.range)
    let refusals = refusals(&fields, at: node.range)
    let page = fields.take("paging").flatMap { FieldReader($0, "`twin.paging`", sink) }.map { paging($0) }
    let changes = changes(fields.take("changes"))
    let routes = list(fields.require("routes", at: node.range, hint: "the answers of the twin"), "twin.routes")
      .compactMap { route($0) }
    let token = fields.take("token").flatMap { node -> Pattern? in
      guard let text = read.text(node, "twin.token", limit: 300) else { return nil }
      if let pattern = try? Pattern(text) { return pattern }
      return read.refuse(.pattern, node, "`twin.token` is no regular expression")
    }
    fields.finish(known: [
      "ids", "servers", "running", "jobs", "documents", "refusals", "paging", "changes", "routes", "token",
    ])
    guard let running else { return nil }
    return TwinManifest(
      usesNumbers: ids == "number", examples: examples, running: running, jobStates: jobStates, documents: documents,
      refusals: refusals, pageNumber: page?.number, pageSize: page?.size, defaultPageSize: page?.usual ?? 25,
      changes: changes, routes: routes, token: token, credential: credential)
  }

  private func example(_ node: Node) -> TwinManifest.Example? {
    guard var fields = FieldReader(node, "a server of the twin", sink) else { return nil }
    let id = text(&fields, "id", at: node.range, hint: "its id")
    let name = text(&fields, "name", at: node.range, hint: "its name")
    let backups = list(fields.take("backups"), "twin.servers.backups")
      .compactMap { read.text($0, "a backup", limit: 200) }
    fields.finish(known: ["id", "name", "backups"])
    guard let id, let name else { return nil }
    return TwinManifest.Example(id: id, name: name, backups: backups)
  }

  private func jobStates(_ node: Node?) -> [JobRules.State: String] {
    guard let node, var fields = FieldReader(node, "`twin.jobs`", sink) else { return [:] }
    var words: [JobRules.State: String] = [:]
    for state in JobRules.State.allCases {
      words[state] = text(&fields, state.rawValue, at: node.range, hint: "the provider's word for it")
    }
    fields.finish(known: JobRules.State.allCases.map { $0.rawValue })
    return words
  }

  private func documents(_ fields: inout FieldReader, at place: SourceRange) -> [String: Template] {
    let node = fields.require("documents", at: place, hint: "what a server, a snapshot and an error look like")
    var documents: [String: Template] = [:]
    for entry in map(node, "twin.documents") {
      guard TwinManifest.documentNames.contains(entry.key) else {
        sink.error(
          .keyUnknown, at: entry.keyRange, "`twin.documents` has no key `\(entry.key.excerpt(60))`",
          hint: Suggestion.hint(for: entry.key, among: TwinManifest.documentNames))
        continue
      }
      let root = entry.key == "snapshot" || entry.key == "backup" ? "item" : entry.key
      documents[entry.key] = inRoots([root: ManifestReader.documentRoots[root] ?? .any]) {
        template(entry.value, "twin.documents.\(entry.key)")
      }
    }
    for name in ["server", "error"] where node != nil && documents[name] == nil && !sink.hasErrors {
      sink.error(.keyMissing, at: place, "`twin.documents` needs `\(name)`")
    }
    return documents
  }

  private func refusals(
    _ fields: inout FieldReader, at place: SourceRange
  ) -> [TwinManifest.Reason: TwinManifest.Refusal] {
    let words = TwinManifest.Reason.allCases.map { $0.rawValue }
    var refusals: [TwinManifest.Reason: TwinManifest.Refusal] = [:]
    let node = fields.require("refusals", at: place, hint: "one for each of \(words.joined(separator: ", "))")
    guard let node, var reader = FieldReader(node, "`twin.refusals`", sink) else { return [:] }
    for reason in TwinManifest.Reason.allCases {
      guard let node = reader.require(reason.rawValue, at: node.range, hint: "{status: 404, code: …, message: …}"),
        var fields = FieldReader(node, "`twin.refusals.\(reason.rawValue)`", sink)
      else { continue }
      let status = fields.require("status", at: node.range).flatMap { read.int($0, "status", in: 400...599) }
      let code = fields.take("code").flatMap { read.text($0, "code", limit: 100) } ?? ""
      let message = text(&fields, "message", at: node.range, hint: "in the provider's words")
      fields.finish(known: ["status", "code", "message"])
      guard let status, let message else { continue }
      refusals[reason] = TwinManifest.Refusal(status: Int(clamping: status), code: code, message: message)
    }
    reader.finish(known: words)
    return refusals
  }

  private func paging(_ reader: FieldReader) -> (number: String?, size: String?, usual: Int) {
    var fields = reader
    let number = fields.take("number").flatMap { read.text($0, "twin.paging.number", limit: 60) }
    let size = fields.take("size").flatMap { read.text($0, "twin.paging.size", limit: 60) }
    let usual = fields.take("default").flatMap { read.int($0, "twin.paging.default", in: 1...1000) } ?? 25
    fields.finish(known: ["number", "size", "default"])
    return (number, size, Int(clamping: usual))
  }

  private func changes(_ node: Node?) -> [String: TwinManifest.Change] {
    var changes: [String: TwinManifest.Change] = [:]
    for entry in map(node, "twin.changes") {
      guard TwinManifest.operations.contains(entry.key) else {
        sink.error(
          .action, at: entry.keyRange, "no action `\(entry.key.excerpt(60))` can be simulated",
          hint: Suggestion.hint(for: entry.key, among: TwinManifest.operations))
        continue
      }
      let name = "twin.changes.\(entry.key)"
      guard var fields = FieldReader(entry.value, "`\(name)`", sink) else { continue }
      let from = texts(fields.take("from"), "\(name).from")
      func word(_ key: String) -> String? { fields.take(key).flatMap { read.text($0, "\(name).\(key)", limit: 60) } }
      let during = word("while")
      let after = word("then")
      let failed = word("failed")
      let job = word("job")
      let takes = fields.take("takes").map { range($0, "\(name).takes") } ?? 0...0
      let isHidden = fields.take("hidden").flatMap { read.bool($0, "\(name).hidden") } ?? false
      fields.finish(known: ["from", "while", "then", "failed", "job", "takes", "hidden"])
      changes[entry.key] = TwinManifest.Change(
        from: from, during: during, after: after, failed: failed, takes: takes ?? 0...0, job: job, isHidden: isHidden)
    }
    return changes
  }

  /// `[5s, 30s]`.
  private func range(_ node: Node, _ name: String) -> ClosedRange<Int64>? {
    let ends = list(node, name).compactMap { read.duration($0, name, in: .zero ... .seconds(86_400)) }
      .map { $0.components.seconds }
    guard ends.count == 2, ends[0] <= ends[1] else {
      return read.refuse(.type, node, "`\(name)` must be the least and the most, like `[5s, 30s]`")
    }
    return ends[0]...ends[1]
  }

  private func route(_ node: Node) -> TwinManifest.Route? {
    guard var fields = FieldReader(node, "a route of the twin", sink) else { return nil }
    let asked = fields.require("request", at: node.range, hint: "`GET /servers/{server}`")
      .flatMap { route(of: $0) }
    let operation = fields.require("does", at: node.range, hint: "`server.status`")
      .flatMap { read.choice($0, "does", TwinManifest.operations) }
    let condition = fields.take("if").flatMap {
      expression($0, "if", reading: ["path", "query", "body", "kinds"], expecting: .bool)
    }
    var arguments: [String: Expression] = [:]
    if let with = fields.take("with"), var reader = FieldReader(with, "`with` of a route", sink) {
      for name in ["server", "item", "name", "mark"] {
        arguments[name] = reader.take(name).flatMap { expression($0, name, reading: ["path", "query", "body"]) }
      }
      reader.finish(known: ["server", "item", "name", "mark"])
    }
    let status = fields.take("status").flatMap { read.int($0, "status", in: 200...299) } ?? 200
    let roots = ["server", "item", "job", "servers", "items", "jobs", "page", "path", "query", "body"]
    let reply = inRoots(Dictionary(roots.map { ($0, ValueType.any) }, uniquingKeysWith: { first, _ in first })) {
      fields.take("reply").flatMap { template($0, "reply") }
    }
    fields.finish(known: ["request", "does", "if", "with", "status", "reply"])
    guard let asked, let operation else { return nil }
    return TwinManifest.Route(
      method: asked.method, path: asked.path, condition: condition, operation: operation, arguments: arguments,
      status: Int(clamping: status), reply: reply)
  }

  private func route(of node: Node) -> (method: String, path: [TwinManifest.Route.Segment])? {
    guard let text = read.text(node, "request", limit: 300) else { return nil }
    let words = text.split(separator: " ")
    guard words.count == 2, ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(words[0]), words[1].hasPrefix("/") else {
      return read.refuse(.type, node, "`request` must be a method and a path, like `GET /servers/{server}`")
    }
    let path = words[1].split(separator: "/").map { part -> TwinManifest.Route.Segment in
      part.hasPrefix("{") && part.hasSuffix("}")
        ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
    }
    return (String(words[0]), path)
  }

  private func inRoots<Result>(_ roots: [String: ValueType], _ body: () -> Result) -> Result {
    let outer = environment
    environment = TypeEnvironment(roots: roots)
    defer { environment = outer }
    return body()
  }
}

import ProviderKit
import Runbook

/// Reads a provider file and tells of every mistake in it at once, each at its place.
final class ManifestReader {
  let document: ParsedDocument
  let sink: DiagnosticSink
  let read: ScalarReader
  /// What a template at the present place may read.
  var environment = TypeEnvironment()

  static let keys = [
    "provider", "type", "name", "summary", "url", "fields", "headers", "errors", "paging", "servers", "snapshots",
    "backups", "jobs", "check", "actions", "facts", "twin",
  ]

  init(_ document: ParsedDocument) {
    self.document = document
    sink = DiagnosticSink(document.mistakes)
    read = ScalarReader(sink: sink)
  }

  /// - Throws: all mistakes, in the order of the file, at most 50.
  static func manifest(_ document: ParsedDocument) throws(Diagnostics) -> ProviderManifest {
    let reader = ManifestReader(document)
    let manifest = reader.manifest()
    let found = Diagnostics(reader.sink.items).inFileOrder
    guard let manifest, !found.hasErrors else { throw found }
    return manifest
  }

  private func manifest() -> ProviderManifest? {
    if document.root.isNull {
      sink.error(.empty, at: .beginning, "the file is empty", hint: "begin with `provider: v1`")
      return nil
    }
    guard var top = FieldReader(document.root, "a provider", sink) else { return nil }
    version(&top)
    let type = text(&top, "type", at: .beginning, hint: "the word after `type:` in a runbook")
    if let type, let entry = top.entries.first(where: { $0.key == "type" }) {
      _ = Names.check(type, at: entry.value.range, "the type", sink)
    }
    let summary = text(&top, "summary", at: .beginning, hint: "one line for lists")
    let name = top.take("name").flatMap { read.text($0, "name", limit: 60) } ?? type ?? ""
    let url = address(&top)
    let fields = fields(top.take("fields"))
    environment.roots["fields"] = .object(
      Dictionary(fields.map { ($0.name, $0.valueType) }, uniquingKeysWith: { first, _ in first }))
    let headers = headers(top.takeEntry("headers"))
    let errors = top.take("errors").map { self.errors($0) } ?? ErrorRules()
    let paging = top.take("paging").flatMap { self.paging($0) }
    let servers = top.require("servers", at: .beginning, hint: "how servers are read: `get`, `list`, `read`, `states`")
      .flatMap { self.servers($0) }
    let snapshots = top.take("snapshots").flatMap { items($0, "snapshots") }
    let backups = top.take("backups").flatMap { items($0, "backups") }
    let jobs = top.take("jobs").flatMap { self.jobs($0) }
    let check = top.take("check").flatMap { self.check($0) }
    let kept = Kept(
      snapshots: snapshots, backups: backups, jobs: jobs, showsChanges: servers?.read.members["changed"] != nil)
    let actions = actions(top.take("actions"), kept)
    let facts = top.take("facts").map { self.facts($0) } ?? ProviderFacts()
    let twin = top.take("twin").flatMap { self.twin($0, credential: credential(headers)) }
    top.finish(known: ManifestReader.keys)
    sendsSecrets(fields, top, headers, actions)
    guard let type, let summary, let url, let servers else { return nil }
    return ProviderManifest(
      type: type, service: name, summary: summary, url: url, fields: fields, headers: headers, errors: errors,
      paging: paging, servers: servers, snapshots: snapshots, backups: backups, jobs: jobs, check: check,
      actions: actions, facts: facts, twin: twin)
  }

  private func version(_ top: inout FieldReader) {
    guard let node = top.require("provider", at: .beginning, hint: "begin with `provider: v1`") else { return }
    if node.scalar?.text != "v1", !node.isUnreadable {
      sink.error(
        .version, at: node.range, "`provider` is the version of the format, not \(node.kindInWords)",
        hint: "write `v1`")
    }
  }

  /// `https`, since credentials go there; loopback may be plain.
  private func address(_ top: inout FieldReader) -> String? {
    guard let node = top.require("url", at: .beginning, hint: "where the API is: `https://api.example.com/v1`"),
      let text = read.text(node, "url", limit: 500)
    else { return nil }
    guard let base = BaseURL(text) else {
      return read.refuse(
        .url, node, "`url` must be an address such as `https://api.example.com/v1`, not `\(text.excerpt(60))`")
    }
    let isPlain = base.origin.lowercased().hasPrefix("http://")
    let name = base.host.prefix { $0 != ":" }
    if isPlain, name != "localhost", name != "127.0.0.1" {
      return read.refuse(.url, node, "`url` would send credentials unencrypted", hint: "write `https://`")
    }
    return text
  }

  private func check(_ node: Node) -> CheckRule? {
    guard var fields = FieldReader(node, "`check`", sink) else { return nil }
    let identity = fields.take("identity").flatMap { expression($0, "check.identity", reading: ["result"]) }
    let request = request(&fields, "check", at: node.range, reads: true)
    fields.finish(known: ["identity"] + ManifestReader.requestKeys)
    return request.map { CheckRule(request: $0, identity: identity) }
  }

  private func paging(_ node: Node) -> PagingRule? {
    guard var fields = FieldReader(node, "`paging`", sink) else { return nil }
    let next = fields.require("next", at: node.range, hint: "where the reply names the next page: `result.?next`")
      .flatMap { expression($0, "paging.next", reading: ["result"]) }
    let query = fields.take("query").flatMap { read.text($0, "paging.query", limit: 60) }
    fields.finish(known: ["next", "query"])
    return next.map { PagingRule(next: $0, query: query) }
  }

  private func errors(_ node: Node) -> ErrorRules {
    var rules = ErrorRules()
    guard var fields = FieldReader(node, "`errors`", sink) else { return rules }
    rules.message = fields.take("message").flatMap { expression($0, "errors.message", reading: ["result"]) }
    for node in list(fields.take("when"), "errors.when") {
      guard var fields = FieldReader(node, "an entry of `errors.when`", sink) else { continue }
      let status = fields.take("status").flatMap { read.int($0, "status", in: 200...599) }
      let condition = fields.take("if").flatMap {
        expression($0, "if", reading: ["result", "status"], expecting: .bool)
      }
      let words = StepFailure.Kind.allCases.map { $0.rawValue }
      let kind = fields.require("kind", at: node.range, hint: "one of \(words.joined(separator: ", "))")
        .flatMap { read.choice($0, "kind", words) }.flatMap { StepFailure.Kind(rawValue: $0) }
      let isRetryable = fields.take("retryable").flatMap { read.bool($0, "retryable") } ?? false
      let effect = fields.take("effect").flatMap { read.choice($0, "effect", ["none", "applied", "unknown"]) }
      let hint = fields.take("hint").flatMap { read.text($0, "hint", limit: 300) }
      fields.finish(known: ["status", "if", "kind", "retryable", "effect", "hint"])
      if condition == nil, status.map({ $0 < 300 }) ?? true {
        sink.error(
          .keyMissing, at: node.range,
          status == nil
            ? "an entry of `errors.when` needs `status`, `if` or both"
            : "an entry of `errors.when` for a status of success needs `if`: the condition that makes it an error")
      }
      guard let kind else { continue }
      rules.rules.append(
        ErrorRules.Rule(
          status: status.map { Int(clamping: $0) }, condition: condition, kind: kind, isRetryable: isRetryable,
          effect: effect.flatMap { StepFailure.Effect(rawValue: $0) }, hint: hint))
    }
    fields.finish(known: ["message", "when"])
    return rules
  }

  private func facts(_ node: Node) -> ProviderFacts {
    guard var fields = FieldReader(node, "`facts`", sink) else { return ProviderFacts() }
    let limits = texts(fields.take("limits"), "facts.limits")
    let hazards = texts(fields.take("hazards"), "facts.hazards")
    var gaps: [(gap: String, assumed: String)] = []
    for entry in map(fields.take("undocumented"), "facts.undocumented") {
      if let assumed = read.text(entry.value, "facts.undocumented", limit: 1000) { gaps.append((entry.key, assumed)) }
    }
    fields.finish(known: ["limits", "hazards", "undocumented"])
    return ProviderFacts(limits: limits, hazards: hazards, undocumented: gaps)
  }
}

/// What the actions of a file may build on.
struct Kept {
  var snapshots: ItemRules?
  var backups: ItemRules?
  var jobs: JobRules?
  /// Servers have a sign of their last change.
  var showsChanges: Bool

  func items(_ kind: ItemKind) -> ItemRules? {
    switch kind {
    case .snapshot: snapshots
    case .backup: backups
    }
  }
}

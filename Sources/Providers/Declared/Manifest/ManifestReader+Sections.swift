import ProviderKit
import Runbook

/// `fields`, `headers`, and what the provider keeps: servers, snapshots, backups, jobs.
extension ManifestReader {
  private static let kinds = ["string", "int", "number", "bool", "duration"]

  func fields(_ node: Node?) -> [Field] {
    map(node, "fields").compactMap { entry in
      guard Names.check(entry.key, at: entry.keyRange, "the field", sink) else { return nil }
      if entry.key == "type" {
        sink.error(
          .nameReserved, at: entry.keyRange, "`type` names the provider itself", hint: "write another name")
        return nil
      }
      return field(entry)
    }
  }

  private func field(_ entry: Node.Entry) -> Field? {
    let name = "fields.\(entry.key)"
    guard var fields = FieldReader(entry.value, "`\(name)`", sink) else { return nil }
    let word = fields.take("type").map { read.choice($0, "\(name).type", ManifestReader.kinds) } ?? "string"
    let isSecret = fields.take("secret").flatMap { read.bool($0, "\(name).secret") } ?? false
    let isRequired = fields.take("required").flatMap { read.bool($0, "\(name).required") } ?? false
    let help = fields.require("help", at: entry.keyRange, hint: "one line: meaning, unit, default")
      .flatMap { read.text($0, "\(name).help", limit: 300) }
    let choices = fields.take("choices").map { texts($0, "\(name).choices") }
    let kind: Field.Kind? =
      switch word {
      case "int": .int
      case "number": .number
      case "bool": .bool
      case "duration": .duration
      case "string": choices.map { .choice($0) } ?? .string
      default: nil
      }
    let value = fields.take("default").flatMap { node in kind.flatMap { defaultValue(node, "\(name).default", $0) } }
    fields.finish(known: ["type", "secret", "required", "help", "choices", "default"])
    if isSecret, word != "string" || choices != nil || value != nil {
      sink.error(.secret, at: entry.keyRange, "`\(name)` is secret, so it is text without choices or default")
    }
    guard let kind, let help else { return nil }
    return Field(
      entry.key, kind, required: isRequired, acceptsSecret: isSecret, default: value, help: help)
  }

  private func defaultValue(_ node: Node, _ name: String, _ kind: Field.Kind) -> Value? {
    switch kind {
    case .int: read.int(node, name, in: .min ... .max).map { .int($0) }
    case .number: read.number(node, name, in: -1e15...1e15).map { .double($0) }
    case .bool: read.bool(node, name).map { .bool($0) }
    case .duration: read.duration(node, name, in: .zero ... .seconds(366 * 86_400)).map { .duration($0) }
    case .choice(let words): read.choice(node, name, words).map { .string($0) }
    default: read.text(node, name).map { .string($0) }
    }
  }

  func headers(_ entry: Node.Entry?) -> [(name: String, value: Template)] {
    var names: Set<String> = []
    return map(entry?.value, "headers").compactMap { entry in
      guard names.insert(entry.key.lowercased()).inserted else {
        sink.error(
          .name, at: entry.keyRange, "`headers` names `\(entry.key.excerpt(40))` twice: case means nothing there",
          hint: "take one of them out")
        return nil
      }
      let isToken = entry.key.utf8.allSatisfy { byte in
        let lower = byte | 0x20
        return lower >= 0x61 && lower <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x2d || byte == 0x5f
      }
      guard isToken, !entry.key.isEmpty, !["host", "content-length"].contains(entry.key.lowercased()) else {
        sink.error(.name, at: entry.keyRange, "`\(entry.key.excerpt(40))` is no header that a file may set")
        return nil
      }
      guard let scalar = read.scalar(entry.value, "headers.\(entry.key)", "text") else { return nil }
      let value = scalar.text.hasExpression ? template(entry.value, entry.key) : .literal(.string(scalar.text))
      guard let value else { return nil }
      let isCredential = ["authorization", "x-auth-token", "x-api-key"].contains(entry.key.lowercased())
      if isCredential, !value.isTainted {
        sink.error(
          .secret, at: entry.value.range, "`headers.\(entry.key)` holds no secret field",
          hint: "declare one under `fields` with `secret: true`, and write `\"Bearer ${{ fields.token }}\"`")
        return nil
      }
      return (name: entry.key, value: value)
    }
  }

  /// A credential that is asked for and sent nowhere is a mistake.
  func sendsSecrets(
    _ fields: [Field], _ top: FieldReader, _ headers: [(name: String, value: Template)], _ actions: [ActionRule]
  ) {
    let sent = headers.map { $0.value } + actions.compactMap { $0.request.json }
    guard let secret = fields.first(where: { $0.acceptsSecret }), !sent.contains(where: { $0.isTainted }),
      !sink.hasErrors, let entry = top.entries.first(where: { $0.key == "fields" })
    else { return }
    sink.error(
      .secret, at: entry.keyRange, "nothing sends the secret `\(secret.name)`",
      hint: "add `headers: {Authorization: \"Bearer ${{ fields.\(secret.name) }}\"}`")
  }

  /// Where the twin finds the credential: the first header with a secret.
  func credential(_ headers: [(name: String, value: Template)]) -> (header: String, prefix: String)? {
    guard let header = headers.first(where: { $0.value.isTainted }) else { return nil }
    return (header.name.lowercased(), header.value.leadingText)
  }

  // MARK: What the provider keeps

  func servers(_ node: Node) -> ServerRules? {
    guard var fields = FieldReader(node, "`servers`", sink) else { return nil }
    environment.roots["with"] = .object(["server": .string])
    defer { environment.roots["with"] = nil }
    var item: Expression?
    let get = fields.require(
      "get", at: node.range, hint: "{path: \"/servers/${{ with.server }}\", item: result.server}"
    )
    .flatMap { node -> RequestRule? in
      guard var fields = FieldReader(node, "`servers.get`", sink) else { return nil }
      item = fields.require("item", at: node.range, hint: "where the reply holds the server: `result.server`")
        .flatMap { expression($0, "servers.get.item", reading: ["result"]) }
      let request = request(&fields, "servers.get", at: node.range, reads: true)
      fields.finish(known: ["item"] + ManifestReader.requestKeys)
      return request
    }
    let list = fields.require("list", at: node.range, hint: "{path: /servers, items: result.servers}")
      .flatMap { listRule($0, "servers.list") }
    let read = readRule(
      &fields, "servers", at: node.range, required: ["id", "name", "state"], optional: ["ip", "changed"])
    let states: [String: PowerState]? = states(&fields, "servers", at: node.range)
    fields.finish(known: ["get", "list", "read", "states"])
    guard let get, let item, let list, let read, let states else { return nil }
    return ServerRules(get: get, item: item, list: list, read: read, states: states)
  }

  func items(_ node: Node, _ name: String) -> ItemRules? {
    guard var fields = FieldReader(node, "`\(name)`", sink) else { return nil }
    environment.roots["with"] = .object(["server": .string])
    let list = fields.require("list", at: node.range, hint: "{path: /snapshots, items: result.snapshots}")
      .flatMap { listRule($0, "\(name).list") }
    environment.roots["with"] = nil
    let listAll = fields.take("list_all").flatMap { listRule($0, "\(name).list_all") }
    let readRule = readRule(
      &fields, name, at: node.range, required: ["id", "name", "state", "created_at"],
      optional: ["server", "size_mb", "mark", "manual", "protected"])
    let states: [String: ItemState]? = states(&fields, name, at: node.range)
    let limit = fields.take("limit").flatMap { read.int($0, "\(name).limit", in: 1...10_000) }
    fields.finish(known: ["list", "list_all", "read", "states", "limit"])
    guard let list, let readRule, let states else { return nil }
    if readRule.members["server"] == nil, !list.request.namesServer || listAll != nil {
      sink.error(
        .keyMissing, at: node.range, "`\(name).read` needs `server`: the list is of the whole account",
        hint: "which server an item is of: `server: item.server_id`")
    }
    return ItemRules(
      list: list, listAll: listAll, read: readRule, states: states, limit: limit.map { Int(clamping: $0) })
  }

  func jobs(_ node: Node) -> JobRules? {
    guard var fields = FieldReader(node, "`jobs`", sink) else { return nil }
    environment.roots["with"] = .object(["server": .string])
    let list = fields.require("list", at: node.range, hint: "{path: \"/servers/${{ with.server }}/jobs\", items: …}")
      .flatMap { listRule($0, "jobs.list") }
    environment.roots["with"] = nil
    let read = readRule(&fields, "jobs", at: node.range, required: ["id", "name", "state"], optional: ["error"])
    let states: [String: JobRules.State]? = states(&fields, "jobs", at: node.range)
    fields.finish(known: ["list", "read", "states"])
    guard let list, let read, let states else { return nil }
    return JobRules(list: list, read: read, states: states)
  }

  private func listRule(_ node: Node, _ name: String) -> ListRule? {
    guard var fields = FieldReader(node, "`\(name)`", sink) else { return nil }
    let items = fields.require("items", at: node.range, hint: "where the reply holds the list: `result.servers`")
      .flatMap { expression($0, "\(name).items", reading: ["result"]) }
    let isFirst = fields.take("first_page_is_enough").flatMap { read.bool($0, "\(name).first_page_is_enough") }
    let request = request(&fields, name, at: node.range, reads: true)
    fields.finish(known: ["items", "first_page_is_enough"] + ManifestReader.requestKeys)
    guard let items, let request else { return nil }
    return ListRule(request: request, items: items, isFirstPageEnough: isFirst ?? false)
  }

  private func readRule(
    _ fields: inout FieldReader, _ name: String, at place: SourceRange, required: [String], optional: [String]
  ) -> ReadRule? {
    let hint = "expressions over `item`: {\(required.map { "\($0): item.\($0)" }.joined(separator: ", "))}"
    guard let node = fields.require("read", at: place, hint: hint),
      var reader = FieldReader(node, "`\(name).read`", sink)
    else { return nil }
    var members: [String: Expression] = [:]
    for key in required {
      members[key] = reader.require(key, at: node.range, hint: "`\(key): item.\(key)`")
        .flatMap { expression($0, "\(name).read.\(key)", reading: ["item"]) }
    }
    for key in optional {
      members[key] = reader.take(key).flatMap { expression($0, "\(name).read.\(key)", reading: ["item"]) }
    }
    reader.finish(known: required + optional)
    return ReadRule(members: members)
  }

  private func states<State: RawRepresentable & CaseIterable>(
    _ fields: inout FieldReader, _ name: String, at place: SourceRange
  ) -> [String: State]? where State.RawValue == String {
    let words = State.allCases.map { $0.rawValue }
    guard let node = fields.require("states", at: place, hint: "the provider's words and what they mean here") else {
      return nil
    }
    let entries = map(node, "\(name).states")
    return Dictionary(
      entries.compactMap { entry in
        read.choice(entry.value, "\(name).states.\(entry.key.excerpt(40))", words)
          .flatMap { State(rawValue: $0) }.map { (entry.key, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }
}

extension Field {
  /// What an expression sees of it.
  var valueType: ValueType {
    if acceptsSecret { return .secret }
    return switch kind {
    case .int: .int
    case .number: .double
    case .bool: .bool
    case .duration: .duration
    case .string, .choice, .url: .string
    default: .any
    }
  }
}

import ProviderKit
import Runbook

/// Typed reads of values, templates and expressions.
extension ManifestReader {
  func text(_ fields: inout FieldReader, _ key: String, at place: SourceRange, hint: String) -> String? {
    fields.require(key, at: place, hint: hint).flatMap { read.text($0, key, limit: 300) }
  }

  func list(_ node: Node?, _ name: String) -> [Node] {
    guard let node else { return [] }
    if let items = node.items { return items }
    if !node.isUnreadable {
      sink.error(.type, at: node.range, "`\(name)` must be a list (`- …` lines), not \(node.kindInWords)")
    }
    return []
  }

  func map(_ node: Node?, _ name: String) -> [Node.Entry] {
    guard let node else { return [] }
    if let entries = node.entries { return entries }
    if !node.isUnreadable {
      sink.error(.type, at: node.range, "`\(name)` must be a map (`key: value` lines), not \(node.kindInWords)")
    }
    return []
  }

  func texts(_ node: Node?, _ name: String) -> [String] {
    list(node, name).compactMap { read.text($0, name, limit: 1000) }
  }

  /// A bare expression that may read these roots, each of any type.
  func expression(
    _ node: Node, _ name: String, reading roots: [String], expecting type: ValueType = .any
  ) -> Expression? {
    guard let scalar = read.scalar(node, name, "an expression") else { return nil }
    if scalar.text.isEmpty { return read.refuse(.type, node, "`\(name)` is empty", hint: "write an expression") }
    let types = Dictionary(roots.map { ($0, ValueType.any) }, uniquingKeysWith: { first, _ in first })
    switch Expression.parse(scalar.text, at: node.range, in: TypeEnvironment(roots: types), expecting: type) {
    case .success(let expression): return expression
    case .failure(let mistakes):
      sink.report(mistakes)
      return nil
    }
  }

  /// Any value, with `${{ }}` in any text of it.
  func template(_ node: Node, _ name: String) -> Template? {
    switch node.content {
    case .unreadable: return nil
    case .scalar(let scalar):
      guard scalar.text.hasExpression else { return node.value(sink).map { .literal($0) } }
      switch Template.scalar(scalar.text, at: node.range, in: environment) {
      case .success(let template): return template
      case .failure(let mistakes):
        sink.report(mistakes)
        return nil
      }
    case .sequence(let items): return .list(items.compactMap { template($0, name) })
    case .mapping(let entries):
      return .map(
        Dictionary(
          entries.compactMap { entry in template(entry.value, name).map { (entry.key, $0) } },
          uniquingKeysWith: { first, _ in first }))
    }
  }

  /// A template of text that shows no secret.
  func openTemplate(_ node: Node, _ name: String) -> Template? {
    guard let scalar = read.scalar(node, name, "text") else { return nil }
    if scalar.text.isEmpty { return read.refuse(.type, node, "`\(name)` is empty", hint: "write its text") }
    guard let template = scalar.text.hasExpression ? template(node, name) : .literal(.string(scalar.text)) else {
      return nil
    }
    guard !template.isTainted else {
      return read.refuse(
        .secret, node, "`\(name)` would show a secret: addresses are logged on the way",
        hint: "secrets go only into `headers` and `json`")
    }
    return template
  }

  // MARK: Requests

  static let requestKeys = ["method", "path", "query", "json", "text"]

  func request(_ node: Node, _ name: String) -> RequestRule? {
    guard var fields = FieldReader(node, "`\(name)`", sink) else { return nil }
    let request = request(&fields, name, at: node.range, reads: false)
    fields.finish(known: ManifestReader.requestKeys)
    return request
  }

  /// - Parameter reads: only `GET` makes sense, and is the default.
  func request(_ fields: inout FieldReader, _ name: String, at place: SourceRange, reads: Bool) -> RequestRule? {
    let methods = reads ? ["GET"] : ["GET", "POST", "PUT", "PATCH", "DELETE"]
    var method = reads ? "GET" : nil
    if let node = fields.take("method") {
      method = read.choice(node, "\(name).method", methods)
    } else if !reads {
      _ = fields.require("method", at: place, hint: "one of \(methods.joined(separator: ", "))")
    }
    let node = fields.require("path", at: place, hint: "below `url`, beginning with `/`: `/servers/${{ with.server }}`")
    let path = node.flatMap { self.path($0, "\(name).path") }
    let query = map(fields.take("query"), "\(name).query").compactMap { entry in
      openTemplate(entry.value, "\(name).query.\(entry.key.excerpt(40))").map { (name: entry.key, value: $0) }
    }
    let json = fields.takeEntry("json")
    if reads, let json {
      sink.error(.context, at: json.keyRange, "a read has no body", hint: "put arguments into `query`")
    }
    let body = json.flatMap { template($0.value, "\(name).json") }
    let text = fields.take("text").flatMap { read.text($0, "\(name).text", limit: 120) }
    guard let method, let path else { return nil }
    let shown = ManifestReader.shown(node?.scalar?.text ?? "")
    return RequestRule(method: method, path: path, query: query, json: body, text: text ?? "\(method) \(shown)")
  }

  private func path(_ node: Node, _ name: String) -> Template? {
    guard let template = openTemplate(node, name) else { return nil }
    let text = node.scalar?.text ?? ""
    guard text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.allSatisfy({ $0 > 0x1f && $0 != 0x7f }) else {
      return read.refuse(
        .url, node, "`\(name)` must begin with one `/`: requests go to the provider's own address only")
    }
    if template.isConstant, text.contains(where: { "?# \\".contains($0) }) {
      return read.refuse(.url, node, "`\(name)` is a path alone", hint: "arguments go into `query`")
    }
    return template
  }

  /// `/servers/${{ with.server }}` as `/servers/{server}`.
  static func shown(_ path: String) -> String {
    var shown = ""
    for (index, part) in path.split(separator: "${{", omittingEmptySubsequences: false).enumerated() {
      guard index > 0, let end = part.firstRange(of: "}}") else {
        shown += part
        continue
      }
      let words = part[..<end.lowerBound].split { !($0.isLetter || $0.isNumber || $0 == "_") }
      let isPlain = words.count == 2 && words[0] == "with" || words.count == 3 && words[1] == "with"
      let name = isPlain ? String(words[words.count - 1]) : "…"
      shown += "{\(name)}" + part[end.upperBound...]
    }
    return shown
  }
}

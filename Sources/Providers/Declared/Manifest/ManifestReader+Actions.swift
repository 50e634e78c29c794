import ProviderKit
import Runbook

/// `actions`: names of the vocabulary, each with the request that does it.
extension ManifestReader {
  func actions(_ node: Node?, _ kept: Kept) -> [ActionRule] {
    let entries = map(node, "actions")
    let rules = entries.compactMap { entry -> ActionRule? in
      guard let declared = DeclaredAction(entry.key) else {
        sink.error(
          .action, at: entry.keyRange, "no action `\(entry.key.excerpt(60))` can be declared",
          hint: Suggestion.hint(for: entry.key, among: DeclaredAction.names)
            ?? "declare some of \(DeclaredAction.names.joined(separator: ", ")); the rest follows")
        return nil
      }
      return action(entry, declared, kept)
    }
    for (entry, kind) in entries.compactMap({ entry in DeclaredAction(entry.key).map { (entry, $0) } }) {
      guard case .restore = kind else { continue }
      for name in ["server.start", "server.stop"] where !entries.contains(where: { $0.key == name }) {
        sink.error(
          .keyMissing, at: entry.keyRange, "`\(entry.key)` needs `\(name)` to bring the power to the wanted state",
          hint: "declare `\(name)` as well")
      }
    }
    return rules
  }

  private func action(_ entry: Node.Entry, _ kind: DeclaredAction, _ kept: Kept) -> ActionRule? {
    guard var fields = FieldReader(entry.value, "`\(entry.key)`", sink) else { return nil }
    let declaration = kind.declaration(name: nil, within: .seconds(900), class: .opaque)
    environment.roots["with"] = .object(
      Dictionary(declaration.fields.map { ($0.name, $0.valueType) }, uniquingKeysWith: { first, _ in first }))
    environment.roots["before"] = .object(declaration.before)
    environment.roots["call"] = .object(["key": .string, "run": .string])
    defer { for root in ["with", "before", "call"] { environment.roots[root] = nil } }

    let request = fields.require("request", at: entry.keyRange, hint: "{method: POST, path: …, json: {…}}")
      .flatMap { self.request($0, "\(entry.key).request") }
    var rule = ActionRule(
      name: entry.key, request: request ?? .none, needs: needs(&fields, kind, entry.key),
      timeout: fields.take("timeout").flatMap { read.duration($0, "timeout", in: .seconds(1) ... .seconds(86_400)) }
        ?? kind.usualTimeout,
      evidence: fields.take("evidence").flatMap { read.choice($0, "evidence") } ?? .documented,
      note: fields.take("note").flatMap { read.text($0, "note") })
    var known = ["request", "needs", "timeout", "evidence", "note", "class", "job"]
    rule.job = fields.takeEntry("job").flatMap { job($0, kept) }
    if case .create(let item) = kind {
      known += ["found_by", "reply", "name_pattern"]
      creation(&fields, &rule, item, kept, entry)
    }
    if case .restore = kind, !rule.needs.isEmpty, rule.needs.isDisjoint(with: [.running, .stopped]) {
      sink.error(
        .state, at: entry.keyRange,
        "`\(entry.key)` needs a state that `server.start` and `server.stop` do not lead to",
        hint: "`needs` of a restore must hold `running`, `stopped` or both")
    }
    if let item = kind.item, kept.items(item) == nil {
      sink.error(
        .keyMissing, at: entry.keyRange, "`\(entry.key)` needs `\(item.rawValue)s`: how they are listed and read")
    }
    if let node = fields.take("class") { checkClass(node, kind, rule, kept, entry) }
    fields.finish(known: known)
    return request == nil ? nil : rule
  }

  private func needs(_ fields: inout FieldReader, _ kind: DeclaredAction, _ name: String) -> Set<PowerState> {
    guard let node = fields.take("needs") else { return kind.usualNeeds }
    let words = ["running", "stopped", "paused", "rescue"]
    return Set(
      list(node, "\(name).needs").compactMap { read.choice($0, "\(name).needs", words) }
        .compactMap { PowerState(rawValue: $0) })
  }

  private func job(_ entry: Node.Entry, _ kept: Kept) -> String? {
    if kept.jobs == nil {
      sink.error(.keyMissing, at: entry.keyRange, "`job` needs `jobs` at the top: how they are listed and read")
    }
    return read.text(entry.value, "job", limit: 100)
  }

  private func creation(
    _ fields: inout FieldReader, _ rule: inout ActionRule, _ item: ItemKind, _ kept: Kept, _ entry: Node.Entry
  ) {
    rule.reply = fields.take("reply").flatMap { expression($0, "\(entry.key).reply", reading: ["result"]) }
    rule.foundBy = fields.take("found_by").flatMap { read.choice($0, "\(entry.key).found_by") }
    if let node = fields.take("name_pattern"), let pattern = read.text(node, "\(entry.key).name_pattern", limit: 300) {
      do { _ = try Pattern(pattern) } catch {
        sink.error(.pattern, at: node.range, "`\(entry.key).name_pattern` is no regular expression")
      }
      rule.namePattern = pattern
    }
    guard rule.foundBy == .mark, let items = kept.items(item) else { return }
    let sent = rule.request.templates.contains { $0.references.roots.contains("call") }
    if items.read.members["mark"] == nil || !sent {
      sink.error(
        .probe, at: entry.keyRange,
        "`\(entry.key)` is to be found by its mark, and "
          + (sent ? "`\(item.rawValue)s.read` does not say where that is" : "its request sends none"),
        hint: sent ? "`mark: item.labels.?runbook`" : "put `${{ call.key }}` into a label or a description")
    }
  }

  /// The class follows from the rest; a file may only say the same.
  private func checkClass(
    _ node: Node, _ kind: DeclaredAction, _ rule: ActionRule, _ kept: Kept, _ entry: Node.Entry
  ) {
    let words = ["E2", "E3", "E4"]
    guard let word = read.choice(node, "\(entry.key).class", words) else { return }
    let found = kind.effectClass(rule, showsChanges: kept.showsChanges)
    guard word != found.rawValue else { return }
    sink.error(
      .probe, at: node.range, "`\(entry.key)` is \(found.rawValue), not \(word)",
      hint: found == .opaque ? "say how a lost call is found again: `found_by` or `job`" : "leave `class` out")
  }
}

extension RequestRule {
  /// Stands where the request is missing; the mistake has been told.
  fileprivate static var none: RequestRule { RequestRule(method: "GET", path: .literal("/"), text: "") }
}

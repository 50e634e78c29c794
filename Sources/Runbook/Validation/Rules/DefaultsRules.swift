/// `defaults:` globs of actions to keys of steps.
struct DefaultsTable {
  /// Longest glob first.
  var rows: [(glob: String, keys: [Node.Entry])] = []
  /// What applies to an action, once it has been asked for.
  private var merged: [String: [Node.Entry]] = [:]

  mutating func keys(for action: String) -> [Node.Entry] {
    if rows.isEmpty { return [] }
    if let known = merged[action] { return known }
    var result: [Node.Entry] = []
    for row in rows where Glob.matches(row.glob, action) { result = Node.merged(result, over: row.keys) }
    merged[action] = result
    return result
  }
}

extension Node {
  /// `entries`, and what they leave out of `base`; maps that both have are merged likewise.
  static func merged(_ entries: [Entry], over base: [Entry]) -> [Entry] {
    var result = entries
    for entry in base {
      guard let index = result.firstIndex(where: { $0.key == entry.key }) else {
        result.append(entry)
        continue
      }
      if case .mapping(let own) = result[index].value.content, case .mapping(let other) = entry.value.content {
        let value = Node(.mapping(merged(own, over: other)), at: result[index].value.place)
        result[index] = Entry(key: entry.key, keyPlace: result[index].keyPlace, value: value)
      }
    }
    return result
  }
}

extension Validation {
  /// Keys that may have a default.
  static let defaultKeys = [
    "with", "env", "retry", "wait", "timeout", "rollback", "idempotent", "on_crash", "continue_on_error", "provider",
  ]

  func defaultsTable(_ node: Node?) -> DefaultsTable {
    var table = DefaultsTable()
    guard let node, let entries = map(node, "`defaults`") else { return table }
    for entry in entries {
      var matching = catalog.used.filter { Glob.matches(entry.key, $0.declaration.name) }
      if matching.isEmpty || !hasFields(entry.value, matching) {
        matching = catalog.all.filter { Glob.matches(entry.key, $0.declaration.name) }
      }
      if matching.isEmpty {
        sink.error(
          .action, at: entry.keyRange, "`\(entry.key.excerpt(60))` matches no action",
          hint: Suggestion.nearest(to: entry.key, among: catalog.all.map { $0.declaration.name }).map {
            "did you mean `\($0)`?"
          })
      }
      guard var fields = FieldReader(entry.value, "`defaults.\(entry.key)`", sink) else { continue }
      let keys = Validation.defaultKeys.compactMap { fields.takeEntry($0) }
      fields.finish(known: Validation.defaultKeys)
      checkFields(keys.first { $0.key == "with" }, matching)
      table.rows.append((entry.key, keys))
    }
    table.rows = table.rows.enumerated().sorted { left, right in
      let lengths = (left.element.glob.utf8.count, right.element.glob.utf8.count)
      return lengths.0 != lengths.1 ? lengths.0 > lengths.1 : left.offset < right.offset
    }.map { $0.element }
    return table
  }

  private func hasFields(_ keys: Node, _ actions: [ActionInfo]) -> Bool {
    let fields = keys.entries?.first { $0.key == "with" }?.value.entries ?? []
    return fields.allSatisfy { field in actions.contains { $0.field(field.key) != nil } }
  }

  /// A default goes only where the action has the field; one that no action has is a slip of the hand.
  private func checkFields(_ with: Node.Entry?, _ actions: [ActionInfo]) {
    guard let with, let entries = map(with.value, "`with`"), !actions.isEmpty else { return }
    for entry in entries where !actions.contains(where: { $0.field(entry.key) != nil }) {
      let known = Set(actions.flatMap { $0.fieldNames }).sorted()
      sink.error(
        .keyUnknown, at: entry.keyRange, "none of these actions has a field `\(entry.key.excerpt(60))`",
        hint: Suggestion.nearest(to: entry.key, among: known).map { "did you mean `\($0)`?" })
    }
  }
}

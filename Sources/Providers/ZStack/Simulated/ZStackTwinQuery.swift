import Runbook

/// `GET /v1/<plural>?q=…`: conditions that are all to hold, order, part, fields.
extension ZStackWorld {
  func read(_ call: ZStackTwinCall) throws(ZStackTwinError) -> Value {
    if call.operation == .snapshotAvailability { return availabilities(call) }
    let rows: [Value] =
      switch call.operation {
      case .serverList, .serverStatus: machines.map { document($0) }
      case .snapshotList: groups.map { document($0) }
      case .volumeSnapshotList: snapshots.map { document($0) }
      case .backupList: backups.map { document($0) }
      case .storeList: stores.map { document($0) }
      case .imageList: images.map { document($0) }
      case .tagList: tags.map { document($0) }
      case .accountRead:
        [["uuid": .string(ZStackTwinSessions.account), "name": "ops", "type": "SystemAdmin"]]
      default: []
      }
    if !call.subject.isEmpty {
      return ["inventories": .list(rows.filter { $0["uuid"]?.string == call.subject })]
    }
    return try query(rows, call.query)
  }

  private func query(
    _ all: [Value], _ arguments: [(name: String, value: String)]
  ) throws(ZStackTwinError) -> Value {
    var rows = all
    for argument in arguments where argument.name == "q" {
      let condition = try ZStackTwinCondition(argument.value)
      rows = rows.filter { condition.holds(for: $0) }
    }
    let total = rows.count
    if let sort = value("sort", arguments) {
      let isDescending = sort.hasPrefix("-")
      let field = sort.hasPrefix("-") || sort.hasPrefix("+") ? String(sort.dropFirst()) : sort
      let keyed = rows.enumerated().map {
        (index: $0.offset, key: ZStackTwinCondition.text($0.element[field]), row: $0.element)
      }
      rows = keyed.sorted { left, right in
        left.key == right.key ? left.index < right.index : (left.key < right.key) != isDescending
      }.map { $0.row }
    }
    let start = try number("start", arguments) ?? 0
    let limit = try number("limit", arguments) ?? 1000
    rows = Array(rows.dropFirst(start).prefix(limit))
    if let fields = value("fields", arguments) {
      let wanted = Set(fields.split(separator: ",").map { String($0) })
      rows = rows.map { row in .map((row.map ?? [:]).filter { wanted.contains($0.key) }) }
    }
    if value("count", arguments) == "true" { return ["total": .int(Int64(total))] }
    var reply: [String: Value] = ["inventories": .list(rows)]
    if value("replyWithCount", arguments) == "true" { reply["total"] = .int(Int64(total)) }
    return .map(reply)
  }

  private func value(_ name: String, _ arguments: [(name: String, value: String)]) -> String? {
    arguments.last { $0.name == name }?.value
  }

  private func number(
    _ name: String, _ arguments: [(name: String, value: String)]
  ) throws(ZStackTwinError) -> Int? {
    guard let text = value(name, arguments) else { return nil }
    guard let number = Int(text), number >= 0 else { throw .invalid("\(name) must be a whole number, 0 or more") }
    return number
  }

  private func availabilities(_ call: ZStackTwinCall) -> Value {
    let wanted = call.query.filter { $0.name == "uuids" }.map { $0.value }
    let answers = groups.filter { wanted.contains($0.uuid) }.map { group -> Value in
      let reason = reason(group)
      return [
        "uuid": .string(group.uuid), "available": .bool(reason == nil), "reason": .string(reason ?? ""),
      ]
    }
    return ["results": .list(answers)]
  }
}

/// One condition: `state=Running`, `name~=web%`, `uuid?=a,b`, `description is null`.
struct ZStackTwinCondition: Sendable {
  enum Operator: String, Sendable, CaseIterable {
    // In the order in which ZStack's parser looks for them: the first that is found anywhere splits.
    case notIn = "!?="
    case notLike = "!~="
    case isIn = "?="
    case isLike = "~="
    case isNot = "!="
    case atLeast = ">="
    case atMost = "<="
    case equals = "="
    case above = ">"
    case below = "<"
    case isNull = " is null"
    case notNull = " not null"
  }

  var field: String
  var comparison: Operator
  var value: String

  init(_ text: String) throws(ZStackTwinError) {
    for candidate in Operator.allCases {
      guard let range = text.firstRange(of: candidate.rawValue) else { continue }
      field = String(text[..<range.lowerBound])
      comparison = candidate
      value = String(text[range.upperBound...])
      guard !field.isEmpty else { break }
      return
    }
    throw .invalid("invalid query condition: \(text.excerpt(100))")
  }

  func holds(for row: Value) -> Bool {
    let found = ZStackTwinCondition.values(of: field.split(separator: ".").map { String($0) }[...], in: row)
    switch comparison {
    case .isNull: return found.allSatisfy { $0.isNull }
    case .notNull: return found.contains { !$0.isNull }
    case .equals: return found.contains { ZStackTwinCondition.text($0) == value }
    case .isNot: return !found.contains { ZStackTwinCondition.text($0) == value }
    case .isIn: return found.contains { wanted.contains(ZStackTwinCondition.text($0)) }
    case .notIn: return !found.contains { wanted.contains(ZStackTwinCondition.text($0)) }
    case .isLike: return found.contains { isLike(ZStackTwinCondition.text($0)) }
    case .notLike: return !found.contains { isLike(ZStackTwinCondition.text($0)) }
    case .above: return found.contains { ZStackTwinCondition.text($0) > value }
    case .below: return found.contains { ZStackTwinCondition.text($0) < value }
    case .atLeast: return found.contains { ZStackTwinCondition.text($0) >= value }
    case .atMost: return found.contains { ZStackTwinCondition.text($0) <= value }
    }
  }

  private var wanted: [String] {
    value.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
  }

  /// `%` stands for any text, `_` for one character.
  private func isLike(_ text: String) -> Bool {
    var states: Set<Int> = [0]
    let pattern = Array(value.unicodeScalars.prefix(1000))
    func closed(_ states: Set<Int>) -> Set<Int> {
      var all = states
      for var state in states {
        while state < pattern.count, pattern[state] == "%" {
          state += 1
          all.insert(state)
        }
      }
      return all
    }
    states = closed(states)
    for scalar in text.unicodeScalars {
      var next: Set<Int> = []
      for state in states where state < pattern.count {
        if pattern[state] == "%" { next.insert(state) }
        if pattern[state] == "_" || pattern[state] == scalar { next.insert(state + 1) }
      }
      states = closed(next)
    }
    return states.contains(pattern.count)
  }

  /// Dotted paths look into objects and lists.
  private static func values(of path: ArraySlice<String>, in value: Value) -> [Value] {
    guard let key = path.first else { return [value] }
    if let items = value.list { return items.flatMap { values(of: path, in: $0) } }
    guard let next = value[key] else { return [.null] }
    return values(of: path.dropFirst(), in: next)
  }

  static func text(_ value: Value?) -> String {
    switch value {
    case .string(let text)?: text
    case .int(let number)?: String(number)
    case .bool(let flag)?: String(flag)
    case nil, .null?: ""
    case .some(let other): JSONWriter.text(other)
    }
  }
}

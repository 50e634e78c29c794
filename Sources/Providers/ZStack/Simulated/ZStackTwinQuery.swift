import ProviderKit
import Runbook

/// `GET /v1/<plural>?q=…`: conditions that are all to hold, order, part, fields.
extension ZStackWorld {
  func read(_ call: ZStackTwinCall) throws(ZStackTwinError) -> Value {
    if call.operation == .snapshotAvailability { return availabilities(call) }
    let rows: [(shown: Value, joined: [String: Value])] = documents(call).map { document in
      (document, joined(document))
    }
    if !call.subject.isEmpty {
      return ["inventories": .list(rows.map { $0.shown }.filter { $0["uuid"]?.string == call.subject })]
    }
    return try query(rows, call.query)
  }

  private func documents(_ call: ZStackTwinCall) -> [Value] {
    switch call.operation {
    case .serverList, .serverStatus: machines.map { document($0) }
    case .snapshotList: groups.map { document($0) }
    case .volumeSnapshotList: snapshots.map { document($0) }
    case .backupList: backups.map { document($0) }
    case .storeList: stores.map { document($0) }
    case .imageList: images.map { document($0) }
    case .tagList: tags.filter { !$0.isUser }.map { document($0) }
    case .accountRead:
      [["uuid": .string(ZStackTwinSessions.account), "name": "ops", "type": "SystemAdmin"]]
    default: []
    }
  }

  /// What conditions may name beside the fields shown: the root volume of a machine, and the tags.
  private func joined(_ document: Value) -> [String: Value] {
    var all = document.map ?? [:]
    guard let uuid = document["uuid"]?.string else { return all }
    if let root = document["rootVolumeUuid"]?.string, let volume = volumes.first(where: { $0.uuid == root }) {
      all["rootVolume"] = self.document(volume)
    }
    let own = tags.filter { $0.resource == uuid }
    all["__systemTag__"] = .list(own.filter { !$0.isUser }.map { .string($0.tag) })
    all["__userTag__"] = .list(own.filter { $0.isUser }.map { .string($0.tag) })
    return all
  }

  private func query(
    _ found: [(shown: Value, joined: [String: Value])], _ arguments: [(name: String, value: String)]
  ) throws(ZStackTwinError) -> Value {
    var matching = found
    for argument in arguments where argument.name == "q" {
      let condition = try ZStackTwinCondition(argument.value)
      matching = matching.filter { condition.holds(for: .map($0.joined)) }
    }
    var rows = matching.map { $0.shown }
    let total = rows.count
    if let sort = value("sort", arguments) {
      let isDescending = sort.hasPrefix("-")
      let field = sort.hasPrefix("-") || sort.hasPrefix("+") ? String(sort.dropFirst()) : sort
      let keyed = rows.enumerated().map {
        (index: $0.offset, key: ZStackTwinOperand($0.element[field]), row: $0.element)
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
    guard text.utf8.count <= 8192 else { throw .invalid("a query condition exceeds max length of 8192") }
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
    case .equals: return found.contains { ZStackTwinOperand($0).compared(with: value) == 0 }
    case .isNot: return !found.contains { ZStackTwinOperand($0).compared(with: value) == 0 }
    case .isIn: return found.contains { isWanted(ZStackTwinOperand($0)) }
    case .notIn: return !found.contains { isWanted(ZStackTwinOperand($0)) }
    case .isLike: return found.contains { isLike(ZStackTwinCondition.text($0)) }
    case .notLike: return !found.contains { isLike(ZStackTwinCondition.text($0)) }
    case .above: return found.contains { compare($0) { $0 > 0 } }
    case .below: return found.contains { compare($0) { $0 < 0 } }
    case .atLeast: return found.contains { compare($0) { $0 >= 0 } }
    case .atMost: return found.contains { compare($0) { $0 <= 0 } }
    }
  }

  /// Nothing is above or below what has no value.
  private func compare(_ found: Value, _ isRight: (Int) -> Bool) -> Bool {
    !found.isNull && isRight(ZStackTwinOperand(found).compared(with: value))
  }

  private func isWanted(_ found: ZStackTwinOperand) -> Bool { wanted.contains { found.compared(with: $0) == 0 } }

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
    guard let key = path.first else { return value.list ?? [value] }
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

/// What conditions and `sort` compare: numbers as numbers, times by time, anything else as text.
enum ZStackTwinOperand: Sendable, Comparable {
  case none
  case number(Double)
  /// Seconds, of the management node's clock.
  case time(Int64)
  case text(String)

  init(_ value: Value?) {
    switch value {
    case nil, .null?: self = .none
    case .int(let number)?: self = .number(Double(number))
    case .double(let number)?: self = .number(number)
    case .some(let other):
      let text = ZStackTwinCondition.text(other)
      self = ZStackTwinTime.seconds(text).map { .time($0) } ?? .text(text)
    }
  }

  /// - Returns: -1, 0 or 1. What cannot be read as the same kind is compared as text.
  func compared(with wanted: String) -> Int {
    switch self {
    case .number(let own):
      if let other = Double(wanted) { return own < other ? -1 : own == other ? 0 : 1 }
    case .time(let own):
      if let other = ZStackTwinTime.seconds(wanted) { return own < other ? -1 : own == other ? 0 : 1 }
    case .none, .text: break
    }
    return text < wanted ? -1 : text == wanted ? 0 : 1
  }

  private var text: String {
    switch self {
    case .none: ""
    case .number(let number): String(number)
    case .time(let seconds): String(seconds)
    case .text(let text): text
    }
  }
}

import Runbook

/// Which fields a document of JSON has, and of which types: of one reply, or of several together.
struct ReplyShape: Equatable {
  /// Types that were seen here, in the words of JSON.
  var types: Set<String> = []
  var fields: [String: ReplyShape] = [:]
  /// Of the elements of a list together.
  private var elements: [ReplyShape] = []
  /// How many objects were seen here, and in how many of them each field was.
  private var objects = 0
  private var counts: [String: Int] = [:]

  init() {}

  init(_ value: Value) { add(value) }

  var element: ReplyShape? { elements.first }

  /// Whether every object that was seen has the field.
  func isAlwaysThere(_ field: String) -> Bool { objects > 0 && counts[field] == objects }

  mutating func add(_ value: Value) {
    types.insert(ReplyShape.type(of: value))
    switch value {
    case .map(let entries):
      objects += 1
      for (name, inner) in entries {
        counts[name, default: 0] += 1
        fields[name, default: ReplyShape()].add(inner)
      }
    case .list(let items):
      for item in items {
        if elements.isEmpty { elements.append(ReplyShape()) }
        elements[0].add(item)
      }
    default: break
    }
  }

  /// Whole numbers and fractions are one type to JSON.
  static func type(of value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool: "true or false"
    case .int, .double: "number"
    case .list: "list"
    case .map: "object"
    default: "text"
    }
  }

  /// Every field below it: `servers[].id`.
  var paths: [FieldPath] { paths(FieldPath()) }

  private func paths(_ above: FieldPath) -> [FieldPath] {
    var found: [FieldPath] = []
    for (name, inner) in fields.sorted(by: { $0.key < $1.key }) {
      let path = above.appending(name)
      found.append(path)
      found += inner.paths(path)
    }
    if let element { found += element.paths(above.inList) }
    return found
  }

  func shape(at path: FieldPath) -> ReplyShape? {
    path.parts.reduce(Optional(self)) { shape, part in
      switch part {
      case .field(let name): shape?.fields[name]
      case .elements: shape?.element
      }
    }
  }
}

/// A field of a document: `servers[].id`.
struct FieldPath: Hashable, CustomStringConvertible {
  enum Part: Hashable {
    case field(String)
    case elements
  }
  var parts: [Part] = []

  func appending(_ name: String) -> FieldPath { FieldPath(parts: parts + [.field(name)]) }
  var inList: FieldPath { FieldPath(parts: parts + [.elements]) }
  /// The object or list that it is in.
  var parent: FieldPath { FieldPath(parts: Array(parts.dropLast())) }

  var description: String {
    var text = ""
    for part in parts {
      switch part {
      case .field(let name): text += (text.isEmpty ? "" : ".") + DisplayText.escaped(name, limit: 80)
      case .elements: text += "[]"
      }
    }
    return text
  }

  /// The document without this field, wherever it is.
  func removed(from value: Value) -> Value { FieldPath.remove(parts[...], from: value) }

  private static func remove(_ parts: ArraySlice<Part>, from value: Value) -> Value {
    switch (parts.first, value) {
    case (.field(let name), .map(var entries)):
      if parts.count == 1 {
        entries[name] = nil
      } else if let inner = entries[name] {
        entries[name] = remove(parts.dropFirst(), from: inner)
      }
      return .map(entries)
    case (.elements, .list(let items)): return .list(items.map { remove(parts.dropFirst(), from: $0) })
    default: return value
    }
  }
}

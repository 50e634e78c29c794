import Runbook

/// Why a reply does not have the shape it should: "`status` is missing".
struct SchemaError: Error {
  let message: String
}

/// A server as VPS.org describes it. Fields we do not use are ignored, so that new ones do no harm.
struct VPSOrgServer: Sendable {
  let id: String
  let name: String
  let nativeState: String
  let ip: String?
  /// As it was sent: compared, never calculated with.
  let updatedAt: String?

  init(_ json: Value) throws(SchemaError) {
    id = try json.id("id")
    name = try json.firstText("name", "label", "hostname") ?? ""
    nativeState = try json.text("status")
    ip = try json.optionalText("ip_address")
    updatedAt = try json.optionalText("updated_at")
  }

  /// The documented words, the obvious ones for states that no document names, and `changing` for all others.
  var state: PowerState {
    switch nativeState {
    case "active", "running": .running
    case "stopped", "off": .stopped
    case "suspended": .suspended
    case "paused": .paused
    case "rescue": .rescue
    case "error", "failed", "crashed": .error
    default: .changing
    }
  }

  var outputs: [String: Value] {
    [
      "id": .string(id), "name": .string(name), "state": .string(state.rawValue), "native_state": .string(nativeState),
      "ip": ip.map { .string($0) } ?? .null,
    ]
  }
}

/// A snapshot or a backup as VPS.org describes it.
struct VPSOrgItem: Sendable {
  let id: String
  /// nil if the reply does not say (the other dialect names the server in the path).
  let server: String?
  let name: String
  let description: String
  let nativeState: String
  let sizeMB: Int64?
  let createdAt: Timestamp
  /// Made by a person or a run, not by the provider's schedule.
  let isManual: Bool

  init(_ json: Value, _ kind: VPSOrgItemKind) throws(SchemaError) {
    id = try json.id("id")
    server = if let server = json["server"], server["id"] != nil { try server.id("id") } else { nil }
    description = try json.optionalText("description") ?? ""
    nativeState = try json.text("status")
    switch json["size_mb"] {
    case .int(let size): sizeMB = size
    case .double(let size): sizeMB = Int64(exactly: size.rounded())
    case nil, .null: sizeMB = nil
    default: throw SchemaError(message: "`size_mb` is not a number")
    }
    guard let createdAt = Timestamp(try json.text("created_at")) else {
      throw SchemaError(message: "`created_at` is not a time")
    }
    self.createdAt = createdAt
    switch kind {
    case .snapshot:
      guard let name = try json.firstText("name", "label") else {
        throw SchemaError(message: "`name` is missing")
      }
      self.name = name
      isManual = true
    case .backup:
      name = BackupMarker.name(in: description)
      isManual = try json.optionalText("backup_type") == "manual"
    }
  }

  var state: ItemState {
    switch nativeState {
    case "completed", "ready", "available": .ready
    case "failed", "error": .failed
    case "deleting": .deleting
    case "deleted": .absent
    default: .creating
    }
  }

  /// Times of VPS.org are exact, so `created_at_error` is zero.
  var outputs: [String: Value] {
    [
      "id": .string(id), "name": .string(name), "state": .string(state.rawValue), "native_state": .string(nativeState),
      "size_mb": sizeMB.map { .int($0) } ?? .null, "created_at": .timestamp(createdAt),
      "created_at_error": .duration(.zero),
    ]
  }

  /// Newest first; of equally old ones the higher id, which VPS.org gave later.
  static func newestFirst(_ left: VPSOrgItem, _ right: VPSOrgItem) -> Bool {
    if left.createdAt != right.createdAt { return left.createdAt > right.createdAt }
    return (left.id.utf8.count, left.id) > (right.id.utf8.count, right.id)
  }
}

/// A backup has no name at VPS.org, so name and call key travel in its description: `nightly: before the audit [runbook
/// KEY]`. The key lets a backup whose reply was lost be found again.
enum BackupMarker {
  static func description(name: String?, text: String?, key: String) -> String {
    let parts = [name, text].compactMap { $0 }.filter { !$0.isEmpty }
    return (parts.isEmpty ? "" : parts.joined(separator: ": ") + " ") + mark(key)
  }

  static func mark(_ key: String) -> String { "[runbook \(key)]" }

  /// The name in a description that carries our mark; any other description as a whole.
  static func name(in description: String) -> String {
    guard description.hasSuffix("]"), let mark = description.ranges(of: "[runbook ").last else { return description }
    let text = description[..<mark.lowerBound]
    let name = text.firstRange(of: ": ").map { text[..<$0.lowerBound] } ?? text
    return String(name.last == " " ? name.dropLast() : name)
  }
}

/// Typed reads of a reply. A wrong type is an error that names the field.
extension Value {
  func text(_ key: String) throws(SchemaError) -> String {
    guard let text = try optionalText(key) else { throw SchemaError(message: "`\(key)` is missing") }
    return text
  }

  func optionalText(_ key: String) throws(SchemaError) -> String? {
    guard case .map(let entries) = self else { throw SchemaError(message: "an object was expected") }
    switch entries[key] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw SchemaError(message: "`\(key)` is not text")
    }
  }

  /// The first of these fields that is there.
  func firstText(_ keys: String...) throws(SchemaError) -> String? {
    for key in keys {
      if let text = try optionalText(key) { return text }
    }
    return nil
  }

  /// An id is opaque: a whole number or any text that can stand in a path once it is encoded.
  func id(_ key: String) throws(SchemaError) -> String {
    guard case .map(let entries) = self else { throw SchemaError(message: "an object was expected") }
    switch entries[key] {
    case .int(let number): return String(number)
    case .string(let text) where text.isUsableID: return text
    case nil, .null: throw SchemaError(message: "`\(key)` is missing")
    default: throw SchemaError(message: "`\(key)` is not an id")
    }
  }
}

extension String {
  /// 1 to 128 bytes, no control characters, and nothing that a path would swallow.
  var isUsableID: Bool {
    !isEmpty && utf8.count <= 128 && self != "." && self != ".." && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }
}

import ProviderKit
import Runbook

/// What the documents of VPS.org tell beyond the vocabulary, under their own names.
enum VPSOrgDetails {
  private static let reference: [String: ValueType] = ["id": .string, "name": .string]

  /// Of snapshots and backups.
  static let common: [String: ValueType] = ["description": .string, "server": .object(reference)]
  static let ofBackups = common.merging(["backup_type": .string, "expires_at": .timestamp]) { first, _ in first }
  /// Of the reply to a creation.
  static let ofCreation: [String: ValueType] = ["message": .string]

  /// Of the reply to a restore. Null where its reply was lost.
  static func ofRestore(_ kind: ItemKind) -> [String: ValueType] {
    [
      "status": .string, "message": .string,
      "server": .object(reference.merging(["status": .string]) { old, _ in old }),
      kind.rawValue: .object(reference.merging(["created_at": .timestamp]) { old, _ in old }),
    ]
  }

  /// A detail of another type than it should have is told as null: it must not stand in the way of a restore.
  static func item(_ json: Value, _ kind: ItemKind) -> [String: Value] {
    var details: [String: Value] = [
      "description": text(json["description"]), "server": thing(json["server"], reference),
    ]
    if kind == .backup {
      details["backup_type"] = text(json["backup_type"])
      details["expires_at"] = time(json["expires_at"])
    }
    return details
  }

  static func creation(_ json: Value) -> [String: Value] { ["message": text(json["message"])] }

  static func restore(_ json: Value, _ kind: ItemKind) -> [String: Value] {
    Dictionary(
      ofRestore(kind).map { name, type in
        if case .object(let members) = type { return (name, thing(json[name], members)) }
        return (name, text(json[name]))
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Null unless it is an object; ids are text, whatever they are there.
  private static func thing(_ json: Value?, _ members: [String: ValueType]) -> Value {
    guard let json, json.map != nil else { return .null }
    return .map(
      Dictionary(
        members.map { name, type in
          if name == "id" { return (name, ((try? json.id(name)) ?? nil).map { .string($0) } ?? .null) }
          return (name, type == .timestamp ? time(json[name]) : text(json[name]))
        }, uniquingKeysWith: { first, _ in first }))
  }

  private static func text(_ value: Value?) -> Value { value?.string.map { .string($0) } ?? .null }

  private static func time(_ value: Value?) -> Value {
    value?.string.flatMap { Timestamp($0) }.map { .timestamp($0) } ?? .null
  }
}

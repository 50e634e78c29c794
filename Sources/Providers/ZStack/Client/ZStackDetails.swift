import ProviderKit
import Runbook

/// What the documents of ZStack tell of a backup beyond the vocabulary, under their own names.
enum ZStackDetails {
  static let ofSnapshots: [String: ValueType] = ["description": .string]
  /// `inventories` are the backups of its volumes, the root volume's first.
  static let ofBackups: [String: ValueType] = ["description": .string, "inventories": .list(.object(volume))]

  private static let texts = [
    "uuid", "volumeUuid", "name", "description", "type", "state", "status", "metadata", "createDate", "lastOpDate",
    "groupUuid", "vmInstanceUuid", "mode",
  ]
  private static let referenceTexts = [
    "volumeBackupUuid", "backupStorageUuid", "installPath", "status", "createDate", "lastOpDate",
  ]

  private static let volume: [String: ValueType] = {
    let reference = Dictionary(referenceTexts.map { ($0, ValueType.string) }, uniquingKeysWith: { first, _ in first })
    var types: [String: ValueType] = ["size": .int, "backupStorageRefs": .list(.object(reference))]
    for name in texts { types[name] = .string }
    return types
  }()

  /// The backup of one volume. A detail of another type than it should have is told as null: it must not stand in the
  /// way of a restore.
  static func volume(_ json: Value) -> Value {
    var details = pick(texts, json)
    details["size"] = ((try? json.wholeNumber("size")) ?? nil).map { .int($0) } ?? .null
    details["backupStorageRefs"] = .list(
      (json["backupStorageRefs"]?.list ?? []).filter { $0.map != nil }.map { .map(pick(referenceTexts, $0)) })
    return .map(details)
  }

  private static func pick(_ names: [String], _ json: Value) -> [String: Value] {
    Dictionary(
      names.map { name in (name, json[name]?.string.map { .string($0) } ?? .null) },
      uniquingKeysWith: { first, _ in first })
  }
}

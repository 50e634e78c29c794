import Runbook

/// What the documents of Zomro tell of a backup, a snapshot or an image beyond the vocabulary, under their own names.
enum ZomroDetails {
  /// - `min_disk`, `min_ram`: the smallest server that can take it, in GB.
  /// - `backup_type`: `manual`, or how a schedule is called; null of a snapshot.
  /// - `item_real_status`: the billing's number for its state; `2` is the usual one.
  static let facts: [String: ValueType] = {
    var facts: [String: ValueType] = ["min_disk": .int, "min_ram": .int, "protected": .bool]
    for name in texts { facts[name] = .string }
    return facts
  }()

  private static let texts = [
    "architecture", "backup_type", "disk_format", "fleio_id", "hypervisor_type", "item_real_status", "os_distro",
    "os_version", "region", "visibility",
  ]

  /// From a line of a list or the form `image.edit`. A detail of another shape than it should have is told as null: it
  /// must not stand in the way of a restore.
  static func image(_ line: Value) -> [String: Value] {
    func code(_ name: String) -> String? { (try? line.code(name)) ?? nil }
    var details: [String: Value] = ["protected": .bool(code("protected") == "on")]
    for name in texts { details[name] = code(name).map { .string($0) } ?? .null }
    for name in ["min_disk", "min_ram"] { details[name] = code(name).flatMap { Int64($0) }.map { .int($0) } ?? .null }
    return details
  }
}

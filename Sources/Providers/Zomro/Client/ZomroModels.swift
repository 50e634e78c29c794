import ProviderKit
import Runbook

/// What the words of Zomro mean: the documented ones, and "still changing" for all others.
enum ZomroWords {
  /// nil for a word that no document and no panel has.
  static func server(_ word: String) -> PowerState? {
    switch word {
    case "active": .running
    case "stopped": .stopped
    // Both run from another disk, and `unrescue` leads out of both.
    case "rescued", "booted_from_iso": .rescue
    case "suspended": .suspended
    case "error": .error
    case "deleted": .absent
    // Waits for a person to confirm the new size.
    case "resized": .unknown
    case "stopping", "starting", "rebooting", "rescuing", "unrescuing", "rebuilding", "building", "creating",
      "resizing",
      "processing", "suspending", "booting_from_iso", "image_uploading", "restoring":
      .changing
    default: nil
    }
  }

  static func item(_ word: String) -> ItemState? {
    switch word.lowercased() {
    case "active": .ready
    case "killed", "suspended", "deactivated", "error", "failed": .failed
    case "pending_delete", "deleting": .deleting
    case "deleted": .absent
    case "saving", "queued", "importing", "uploading": .creating
    default: nil
    }
  }
}

extension CloudServer {
  /// A line of `instances`. Whether it runs is told by `instance_status` alone: the billing calls a stopped server
  /// suspended.
  init(zomro line: Value) throws(SchemaError) {
    let billing = try line.code("item_status")
    var status = try line.code("instance_status").map { ZomroWords.trimmed($0) } ?? ""
    if billing == "4" { status = "deleted" }
    if status.isEmpty { status = billing == "5_open" ? "creating" : "unknown" }
    self.init(
      id: try ZomroWords.id(line), name: try line.firstElement("servername", "name") ?? "",
      nativeState: status, state: ZomroWords.server(status), ip: try line.element("ip"))
  }
}

extension ZomroWords {
  static func trimmed(_ word: String) -> String {
    String(word.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()).lowercased()
  }

  static func id(_ line: Value) throws(SchemaError) -> String {
    let id = try line.requiredElement("id")
    guard id.isUsableID else { throw SchemaError(message: "`id` is not an id") }
    return id
  }
}

/// A backup, a snapshot or an image of the account: all are images of Glance, and their ids share one space.
struct ZomroImage: Sendable {
  var item: CloudItem
  /// What a restore names it by.
  var fleioID: String
  /// The smallest disk that can take it, in GB.
  var minDiskGB: Int64?

  /// A line of a list, or the form `image.edit`.
  init(_ line: Value, _ kind: ItemKind, server: String?, zone: CloudZone, id: String? = nil) throws(SchemaError) {
    let status = try line.code("fleio_status") ?? "Queued"
    let created: (at: Timestamp, error: Duration)
    if let date = try line.element("createdate") {
      guard let day = ZomroImage.day(date) else { throw SchemaError(message: "`createdate` is not a date") }
      created = zone.instant(day, precision: .seconds(86_400))
    } else {
      // It may have been made at any time: never old enough for anything.
      created = (Timestamp(seconds: 0), ZomroImage.anyTime)
    }
    let gigabytes = try line.element("image_size").flatMap { Int64($0) }
    let known = if let id { id } else { try ZomroWords.id(line) }
    item = CloudItem(
      kind: kind, id: known, server: server,
      name: try line.firstElement("name", "image_name") ?? "", nativeState: status,
      state: ZomroWords.item(status), sizeMB: gigabytes.flatMap { $0 < 1 << 40 ? $0 * 1024 : nil },
      createdAt: created.at, createdAtError: created.error,
      isManual: try line.code("backup_type")?.lowercased() ?? "manual" == "manual",
      isProtected: try line.code("protected") == "on")
    item.details = ZomroDetails.image(line)
    fleioID = try line.element("fleio_id") ?? ""
    minDiskGB = try line.element("min_disk").flatMap { Int64($0) }
  }

  /// Two hundred years.
  private static let anyTime: Duration = .seconds(200 * 365 * 86_400)

  /// `2024-07-23`, with or without a time after it: the day's beginning, as if in UTC.
  static func day(_ text: String) -> Timestamp? { Timestamp(text.prefix(10) + "T00:00:00Z") }
}

/// What the lists of backups and snapshots say of the day's limit.
struct ZomroCounters: Sendable {
  var today: Int64?
  var total: Int64?

  init(_ document: Value) {
    today = ((try? document.element("manual_created_today")) ?? nil).flatMap { Int64($0) }
    total = ((try? document.element("manual_created_total")) ?? nil).flatMap { Int64($0) }
  }
}

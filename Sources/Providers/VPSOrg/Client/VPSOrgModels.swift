import ProviderKit
import Runbook

extension CloudServer {
  /// A server as VPS.org describes it. Fields we do not use are ignored, so that new ones do no harm.
  init(vpsOrg json: Value) throws(SchemaError) {
    let status = try json.text("status")
    self.init(
      id: try json.id("id"), name: try json.firstText("name", "label", "hostname") ?? "", nativeState: status,
      state: VPSOrgWords.server(status), ip: try json.optionalText("ip_address"),
      changeMark: try json.optionalText("updated_at"))
  }
}

extension CloudItem {
  /// A snapshot or a backup as VPS.org describes it. Its times are exact.
  init(vpsOrg json: Value, _ kind: ItemKind) throws(SchemaError) {
    let server: String? =
      if let named = json["server"], named["id"]?.isNull == false { try named.id("id") } else { nil }
    let description = try json.optionalText("description") ?? ""
    let status = try json.text("status")
    guard let createdAt = Timestamp(try json.text("created_at")) else {
      throw SchemaError(message: "`created_at` is not a time")
    }
    self.init(
      kind: kind, id: try json.id("id"), server: server, name: "", description: description, nativeState: status,
      state: VPSOrgWords.item(status), sizeMB: try json.wholeNumber("size_mb"), createdAt: createdAt)
    switch kind {
    case .snapshot:
      guard let name = try json.firstText("name", "label") else { throw SchemaError(message: "`name` is missing") }
      self.name = name.excerpt(1024)
    case .backup:
      name = BackupMarker.name(in: description).excerpt(1024)
      isManual = try json.optionalText("backup_type") == "manual"
    }
    details = VPSOrgDetails.item(json, kind)
  }
}

/// What the words of VPS.org mean: the documented ones, the obvious ones for states that no document names, and
/// "still changing" for all others.
enum VPSOrgWords {
  /// nil for a word that was never heard of.
  static func server(_ word: String) -> PowerState? {
    switch word {
    case "active", "running": .running
    case "stopped", "off": .stopped
    case "suspended": .suspended
    case "paused": .paused
    case "rescue": .rescue
    case "error", "failed", "crashed": .error
    case "restoring", "starting", "stopping", "restarting", "rebooting", "creating", "provisioning":
      .changing
    default: nil
    }
  }

  static func item(_ word: String) -> ItemState? {
    switch word {
    case "completed", "ready", "available": .ready
    case "failed", "error": .failed
    case "deleting": .deleting
    case "deleted": .absent
    case "in_progress", "pending", "creating", "queued": .creating
    default: nil
    }
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

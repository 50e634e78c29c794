import ProviderKit
import Runbook

/// The replies of VPS.org, field by field as the documents show them.
extension VPSOrgWorld {
  func document(_ server: Server) -> Value {
    [
      "id": id(server.id), "name": .string(server.name), "hostname": .string(server.hostname),
      "status": .string(server.status), "ip_address": .string(server.ip), "location": "us-west",
      "plan": ["id": 1, "name": "Standard VPS", "vcpus": 2, "memory": 4096, "storage": 80],
      "os": ["id": 5, "name": "Ubuntu 22.04 LTS"], "created_at": time(server.createdAt),
      "updated_at": time(server.updatedAt),
    ]
  }

  func document(_ item: Item, message: String? = nil) -> Value {
    var fields: [String: Value] = [
      "id": id(item.id), "server": reference(item.server), "status": .string(item.status),
      "size_mb": item.sizeMB.map { .int($0) } ?? .null, "created_at": time(item.createdAt),
      "description": .string(item.description),
    ]
    switch item.kind {
    case .snapshot: fields[usesUUIDs ? "label" : "name"] = .string(item.name)
    case .backup:
      fields["backup_type"] = item.isManual ? "manual" : "automatic"
      fields["expires_at"] = item.expiresAt.map { time($0) } ?? .null
    }
    if let message { fields["message"] = .string(message) }
    return .map(fields)
  }

  static func creationMessage(_ kind: ItemKind) -> String {
    switch kind {
    case .snapshot: "Snapshot is being created. This may take 3-10 minutes depending on server size."
    case .backup: "Backup is being created. This may take several minutes depending on server size."
    }
  }

  func restoreDocument(_ item: Item) -> Value {
    let (source, duration) = item.kind == .snapshot ? ("snapshot", "5-15 minutes") : ("backup", "several minutes")
    var summary: [String: Value] = ["id": id(item.id), "created_at": time(item.createdAt)]
    if item.kind == .snapshot { summary["name"] = .string(item.name) }
    return [
      "status": "success", "message": .string("Server is being restored from \(source). This may take \(duration)."),
      source: .map(summary), "server": stateReference(item.server),
    ]
  }

  func powerDocument(_ server: String, _ operation: VPSOrgOperation) -> Value {
    let verb =
      switch operation {
      case .start: "started"
      case .reboot: "restarted"
      default: "stopped"
      }
    return [
      "status": "success", "message": .string("Server is being \(verb)."), "server": stateReference(server),
    ]
  }

  private func reference(_ server: String) -> Value {
    ["id": id(server), "name": .string(self.server(server)?.name ?? "")]
  }

  private func stateReference(_ server: String) -> Value {
    let known = self.server(server)
    return ["id": id(server), "name": .string(known?.name ?? ""), "status": .string(known?.status ?? "")]
  }

  /// Whole numbers as numbers, as the published documents have them.
  private func id(_ text: String) -> Value {
    if let number = Int64(text), String(number) == text { return .int(number) }
    return .string(text)
  }

  private func time(_ time: Timestamp) -> Value { .string(time.wholeSeconds.description) }

  /// The documents' example server, and with `examples` its two snapshots and three backups, in the documents' order.
  mutating func addExamples(_ examples: Bool) {
    func time(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(seconds: 0) }
    self.add(
      Server(
        id: "12345", name: "web-server-01", hostname: "web01.example.com", ip: "203.0.113.10", status: "active",
        createdAt: time("2025-01-10T14:30:00Z"), updatedAt: time("2025-01-15T10:20:00Z")))
    guard examples else { return }
    func add(
      _ kind: ItemKind, _ id: String, _ name: String, _ description: String, _ size: Int64, _ created: String,
      expires: String? = nil, manual: Bool = true
    ) {
      items.append(
        Item(
          kind: kind, id: id, server: "12345", name: name, description: description, status: "completed", sizeMB: size,
          createdAt: time(created), expiresAt: expires.map { time($0) }, isManual: manual))
    }
    add(.snapshot, "801", "pre-migration-snapshot", "Before major migration", 5120, "2025-01-15T18:30:00Z")
    add(.snapshot, "798", "weekly-snapshot-2025-01-08", "Weekly snapshot", 4856, "2025-01-08T12:00:00Z")
    add(
      .backup, "501", "", "Automatic daily backup", 4523, "2025-01-16T03:00:00Z", expires: "2025-02-16T03:00:00Z",
      manual: false)
    add(.backup, "499", "", "Pre-update backup", 4456, "2025-01-14T10:30:00Z")
    add(
      .backup, "495", "", "Automatic daily backup", 4389, "2025-01-15T03:00:00Z", expires: "2025-02-15T03:00:00Z",
      manual: false)
  }
}

extension VPSOrgWorld {
  /// An automatic backup of last night, by the clock: what a drill restores. It expires a month later, as the
  /// documents' ones do.
  mutating func addLastNight(_ server: String, _ now: Timestamp) {
    let made = LastNight.backup(before: now)
    // On their own day the documents' server has one.
    guard !items.contains(where: { $0.kind == .backup && $0.server == server && $0.createdAt == made }) else { return }
    let number = Int64(400 + items.count { $0.kind == .backup })
    items.append(
      Item(
        kind: .backup, id: usesUUIDs ? VPSOrgWorld.uuid(number) : String(number), server: server, name: "",
        description: "Automatic daily backup", status: "completed", sizeMB: 4523, createdAt: made,
        expiresAt: made + .seconds(31 * 86_400), isManual: false))
  }
}

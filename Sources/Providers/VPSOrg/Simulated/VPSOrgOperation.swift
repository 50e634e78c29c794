import Runbook

/// What a request to VPS.org asks for, in the words of the language: faults and the ledger name operations so.
enum VPSOrgOperation: String, Sendable, CaseIterable {
  case account
  case serverList = "server.list"
  case serverStatus = "server.status"
  case start = "server.start"
  case stop = "server.stop"
  case hardStop = "server.hard_stop"
  case reboot = "server.reboot"
  case snapshotList = "snapshot.list"
  case snapshotCreate = "snapshot.create"
  case snapshotRestore = "snapshot.restore"
  case snapshotDelete = "snapshot.delete"
  case backupList = "backup.list"
  case backupCreate = "backup.create"
  case backupRestore = "backup.restore"
  case backupDelete = "backup.delete"
}

/// A request understood: the operation, the ids in its path, its arguments and its body.
struct VPSOrgRoute: Sendable {
  var operation: VPSOrgOperation
  var server: String?
  var item: String?
  var query: [String: String]
  var body: [String: Value]

  enum Refusal: Error {
    case notFound, methodNotAllowed, badBody
    /// The power path got a word it does not know.
    case badAction
  }

  /// Both dialects are understood. Every path ends with a slash.
  init(_ request: SimulatedRequest) throws(Refusal) {
    var path = request.path
    if path.hasPrefix("/api/v1/") { path.removeFirst("/api/v1".count) }
    guard path.hasSuffix("/") else { throw .notFound }
    let parts = path.split(separator: "/").map { String($0) }
    query = Dictionary(request.query.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    body = [:]
    if !request.body.isEmpty {
      guard let entries = (try? JSONReader.read(request.body))?.map else { throw .badBody }
      body = entries
    }
    let allowed = VPSOrgRoute.table(parts)
    guard !allowed.isEmpty else { throw .notFound }
    guard let found = allowed.first(where: { $0.method == request.method }) else { throw .methodNotAllowed }
    operation = found.operation
    server = found.server
    item = found.item
    if parts.count == 3, parts[2] == "power" {
      switch body["action"]?.string {
      case "start": operation = .start
      case "stop": operation = .stop
      case "hard_stop": operation = .hardStop
      case "restart": operation = .reboot
      default: throw .badAction
      }
    }
  }

  private struct Row {
    var method: String
    var operation: VPSOrgOperation
    var server: String?
    var item: String?
    init(_ method: String, _ operation: VPSOrgOperation, server: String? = nil, item: String? = nil) {
      self.method = method
      self.operation = operation
      self.server = server
      self.item = item
    }
  }

  private static func table(_ parts: [String]) -> [Row] {
    switch parts.count {
    case 1 where parts[0] == "servers": [Row("GET", .serverList)]
    case 1 where parts[0] == "snapshots": [Row("GET", .snapshotList), Row("POST", .snapshotCreate)]
    case 1 where parts[0] == "backups": [Row("GET", .backupList), Row("POST", .backupCreate)]
    case 2 where parts == ["account", "me"]: [Row("GET", .account)]
    case 2 where parts[0] == "servers": [Row("GET", .serverStatus, server: parts[1])]
    case 2 where parts[0] == "snapshots": [Row("DELETE", .snapshotDelete, item: parts[1])]
    case 2 where parts[0] == "backups": [Row("DELETE", .backupDelete, item: parts[1])]
    case 3 where parts[0] == "snapshots" && parts[2] == "restore": [Row("POST", .snapshotRestore, item: parts[1])]
    case 3... where parts[0] == "servers": below(server: parts[1], Array(parts.dropFirst(2)))
    default: []
    }
  }

  private static func below(server: String, _ parts: [String]) -> [Row] {
    switch parts.count {
    case 1 where parts[0] == "power": [Row("POST", .start, server: server)]
    case 1 where parts[0] == "restore": [Row("POST", .backupRestore, server: server)]
    case 1 where parts[0] == "snapshot": [Row("POST", .snapshotCreate, server: server)]
    case 1 where parts[0] == "backup": [Row("POST", .backupCreate, server: server)]
    case 1 where parts[0] == "snapshots": [Row("GET", .snapshotList, server: server)]
    case 1 where parts[0] == "backups": [Row("GET", .backupList, server: server)]
    case 2 where parts[0] == "snapshots": [Row("DELETE", .snapshotDelete, server: server, item: parts[1])]
    case 2 where parts[0] == "backups": [Row("DELETE", .backupDelete, server: server, item: parts[1])]
    case 3 where parts[0] == "snapshots" && parts[2] == "restore":
      [Row("POST", .snapshotRestore, server: server, item: parts[1])]
    default: []
    }
  }
}

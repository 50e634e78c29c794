import Runbook

/// What a request asks for in the words of the language, which faults, `requests` and the ledger use.
enum ZStackTwinOperation: String, Sendable, CaseIterable {
  case login, logout
  case sessionValid = "session.valid"
  case sessionRenew = "session.renew"
  case jobRead = "job.read"
  case accountRead = "account.read"
  case serverList = "server.list"
  case serverStatus = "server.status"
  case stop = "server.stop"
  case start = "server.start"
  case reboot = "server.reboot"
  case pause = "server.pause"
  case resume = "server.resume"
  case destroy = "server.delete"
  case recover = "server.recover"
  case expunge = "server.expunge"
  case bootOrder = "server.boot_order"
  case isoAttach = "iso.attach"
  case isoDetach = "iso.detach"
  case volumeSnapshotList = "volume_snapshot.list"
  case volumeSnapshotCreate = "volume_snapshot.create"
  case volumeSnapshotRestore = "volume_snapshot.restore"
  case volumeSnapshotDelete = "volume_snapshot.delete"
  case snapshotList = "snapshot.list"
  case snapshotAvailability = "snapshot.availability"
  case snapshotCreate = "snapshot.create"
  case snapshotRestore = "snapshot.restore"
  case snapshotDelete = "snapshot.delete"
  case snapshotUngroup = "snapshot.ungroup"
  case backupList = "backup.list"
  case backupCreate = "backup.create"
  case backupRestore = "backup.restore"
  case backupRestoreAs = "backup.restore_as"
  case backupDelete = "backup.delete"
  case backupSync = "backup.sync"
  case backupCopy = "backup.copy"
  case storeList = "store.list"
  case imageList = "image.list"
  case tagList = "tag.list"
  case tagCreate = "tag.create"
  case tagDelete = "tag.delete"

  /// A change, carried out as a job.
  var isJob: Bool {
    switch self {
    case .login, .logout, .sessionValid, .jobRead, .accountRead, .serverList, .serverStatus, .volumeSnapshotList,
      .snapshotList, .snapshotAvailability, .backupList, .storeList, .imageList, .tagList:
      false
    default: true
    }
  }
}

/// A refusal before there is a job: plain text.
struct ZStackTwinRefusal: Error, Equatable {
  var status: Int
  var text: String
  init(_ status: Int, _ text: String) {
    self.status = status
    self.text = text
  }

  var response: HTTPResponse {
    HTTPResponse(
      status: status, headers: [(name: "content-type", value: "text/plain;charset=UTF-8")], body: Array(text.utf8))
  }
}

/// A request, understood: what it asks for, of what, with which parameters.
struct ZStackTwinCall: Sendable {
  var operation: ZStackTwinOperation
  /// The id in the path.
  var subject: String
  /// A second id in the path: the image of `iso/{uuid}`.
  var object: String?
  /// Of the body: what stands beside the tags.
  var parameters: [String: Value]
  var query: [(name: String, value: String)]
  var jobID: String?
  var authorization: String?
  var date: String?
  /// What access keys sign: `METHOD`, and the path from `/v1` on.
  var method: String
  var signedPath: String
  var host: String

  init(_ request: SimulatedRequest) throws(ZStackTwinRefusal) {
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
    guard parts.count >= 3, parts[0] == "zstack", parts[1] == "v1" else {
      throw ZStackTwinRefusal(404, "no such path: \(request.path.excerpt(200))")
    }
    let path = Array(parts.dropFirst(2))
    let body = try ZStackTwinCall.body(request)
    guard let route = ZStackTwinRoute.find(request.method, path, body) else {
      let isKnown = ["GET", "POST", "PUT", "DELETE"].contains { ZStackTwinRoute.find($0, path, body) != nil }
      throw isKnown
        ? ZStackTwinRefusal(405, "\(request.method) is not supported here")
        : ZStackTwinRefusal(
          path.last == "actions" && request.method == "PUT" ? 400 : 404,
          path.last == "actions" && request.method == "PUT"
            ? "invalid action in the body" : "no such path: \(request.path.excerpt(200))")
    }
    operation = route.operation
    subject = route.subject
    object = route.object
    switch route.parameters {
    case nil, .null?: parameters = [:]
    case .map(let map)?: parameters = map
    default: throw ZStackTwinRefusal(400, "the parameters must be an object")
    }
    query = request.query
    jobID = request.header("x-job-uuid")
    authorization = request.header("authorization")
    date = request.header("date")
    method = request.method
    signedPath = "/v1/" + path.joined(separator: "/")
    host = request.header("host") ?? "localhost:8080"
    if let jobID, !jobID.isZStackTwinID {
      throw ZStackTwinRefusal(400, "invalid job uuid: \(jobID.excerpt(64)); it must be a v4 uuid without dashes")
    }
  }

  private static func body(_ request: SimulatedRequest) throws(ZStackTwinRefusal) -> [String: Value] {
    guard !request.body.isEmpty, request.method == "POST" || request.method == "PUT" else { return [:] }
    guard let map = (try? JSONReader.read(request.body))?.map else {
      throw ZStackTwinRefusal(400, "the body is not a JSON object")
    }
    return map
  }

  func text(_ name: String) -> String? {
    if case .string(let text)? = parameters[name], !text.isEmpty { return text }
    return nil
  }
}

/// Where each call is found.
struct ZStackTwinRoute {
  var operation: ZStackTwinOperation
  var subject = ""
  var object: String?
  var parameters: Value?

  private static let powers: [String: ZStackTwinOperation] = [
    "stopVmInstance": .stop, "startVmInstance": .start, "rebootVmInstance": .reboot, "pauseVmInstance": .pause,
    "resumeVmInstance": .resume, "recoverVmInstance": .recover, "expungeVmInstance": .expunge,
    "setVmBootOrder": .bootOrder,
  ]
  private static let copies: [String: ZStackTwinOperation] = [
    "revertVmFromVmBackup": .backupRestore, "syncVmBackupFromImageStoreBackupStorage": .backupCopy,
    "recoverVmBackupFromImageStoreBackupStorage": .backupCopy,
  ]

  static func find(_ method: String, _ path: [String], _ body: [String: Value]) -> ZStackTwinRoute? {
    let second = path.count > 1 ? path[1] : ""
    switch (method, path.first ?? "", path.count) {
    case ("PUT", "accounts", 2) where second == "login":
      return ZStackTwinRoute(operation: .login, parameters: body["logInByAccount"])
    case ("GET", "accounts", 4) where second == "sessions" && path[3] == "valid":
      return ZStackTwinRoute(operation: .sessionValid, subject: path[2])
    case ("PUT", "accounts", 4) where second == "sessions" && path[3] == "renew":
      return ZStackTwinRoute(operation: .sessionRenew, subject: path[2], parameters: body["renewSession"])
    case ("DELETE", "accounts", 3) where second == "sessions":
      return ZStackTwinRoute(operation: .logout, subject: path[2])
    case ("GET", "accounts", 1...2): return ZStackTwinRoute(operation: .accountRead, subject: second)
    case ("GET", "api-jobs", 2): return ZStackTwinRoute(operation: .jobRead, subject: second)
    case ("GET", "backup-storage", 1...2): return ZStackTwinRoute(operation: .storeList, subject: second)
    case ("GET", "images", 1...2): return ZStackTwinRoute(operation: .imageList, subject: second)
    case ("GET", "system-tags", 1...2): return ZStackTwinRoute(operation: .tagList, subject: second)
    case ("POST", "system-tags", 1): return ZStackTwinRoute(operation: .tagCreate, parameters: body["params"])
    case ("DELETE", "tags", 2), ("DELETE", "system-tags", 2):
      return ZStackTwinRoute(operation: .tagDelete, subject: second)
    case (_, "vm-instances", _): return machine(method, path, body)
    case (_, "volumes", 3): return volume(method, path, body)
    case (_, "volume-snapshots", _): return snapshot(method, path, body)
    case (_, "volume-backups", _), (_, "vm-backups", _): return backup(method, path, body)
    default: return nil
    }
  }

  private static func machine(_ method: String, _ path: [String], _ body: [String: Value]) -> ZStackTwinRoute? {
    switch (method, path.count) {
    case ("GET", 1): return ZStackTwinRoute(operation: .serverList)
    case ("GET", 2): return ZStackTwinRoute(operation: .serverStatus, subject: path[1])
    case ("DELETE", 2): return ZStackTwinRoute(operation: .destroy, subject: path[1])
    case ("PUT", 3) where path[2] == "actions":
      return action(body, powers).map { ZStackTwinRoute(operation: $0.0, subject: path[1], parameters: $0.1) }
    case ("DELETE", 3) where path[2] == "iso": return ZStackTwinRoute(operation: .isoDetach, subject: path[1])
    case ("POST", 4) where path[2] == "iso":
      return ZStackTwinRoute(operation: .isoAttach, subject: path[1], object: path[3])
    case ("POST", 4) where path[1] == "from" && path[2] == "vm-backups":
      return ZStackTwinRoute(operation: .backupRestoreAs, subject: path[3], parameters: body["params"] ?? .null)
    default: return nil
    }
  }

  private static func volume(_ method: String, _ path: [String], _ body: [String: Value]) -> ZStackTwinRoute? {
    guard method == "POST", let parameters = body["params"] else { return nil }
    switch path[2] {
    case "volume-snapshots":
      return ZStackTwinRoute(operation: .volumeSnapshotCreate, subject: path[1], parameters: parameters)
    case "vm-backups": return ZStackTwinRoute(operation: .backupCreate, subject: path[1], parameters: parameters)
    default: return nil
    }
  }

  private static func snapshot(_ method: String, _ path: [String], _ body: [String: Value]) -> ZStackTwinRoute? {
    let isGroup = path.count > 1 && path[1] == "group"
    switch (method, path.count) {
    case ("POST", 2) where isGroup:
      return body["params"].map { ZStackTwinRoute(operation: .snapshotCreate, parameters: $0) }
    case ("GET", 2) where isGroup: return ZStackTwinRoute(operation: .snapshotList)
    case ("GET", 3) where isGroup: return ZStackTwinRoute(operation: .snapshotList, subject: path[2])
    case ("GET", 3) where path[1] == "groups" && path[2] == "availabilities":
      return ZStackTwinRoute(operation: .snapshotAvailability)
    case ("PUT", 4) where isGroup && path[3] == "actions":
      return action(body, ["revertVmFromSnapshotGroup": .snapshotRestore])
        .map { ZStackTwinRoute(operation: $0.0, subject: path[2], parameters: $0.1) }
    case ("DELETE", 3) where isGroup: return ZStackTwinRoute(operation: .snapshotDelete, subject: path[2])
    case ("DELETE", 3) where path[1] == "ungroup":
      return ZStackTwinRoute(operation: .snapshotUngroup, subject: path[2])
    case ("GET", 1): return ZStackTwinRoute(operation: .volumeSnapshotList)
    case ("GET", 2): return ZStackTwinRoute(operation: .volumeSnapshotList, subject: path[1])
    case ("DELETE", 2): return ZStackTwinRoute(operation: .volumeSnapshotDelete, subject: path[1])
    case ("PUT", 3) where path[2] == "actions":
      return action(body, ["revertVolumeFromSnapshot": .volumeSnapshotRestore])
        .map { ZStackTwinRoute(operation: $0.0, subject: path[1], parameters: $0.1) }
    default: return nil
    }
  }

  private static func backup(_ method: String, _ path: [String], _ body: [String: Value]) -> ZStackTwinRoute? {
    switch (method, path[0], path.count) {
    case ("GET", "volume-backups", 1...2):
      return ZStackTwinRoute(operation: .backupList, subject: path.count > 1 ? path[1] : "")
    case ("DELETE", "vm-backups", 2): return ZStackTwinRoute(operation: .backupDelete, subject: path[1])
    case ("PUT", "vm-backups", 4) where path[1] == "imageStore" && path[3] == "actions":
      return action(body, ["syncVmBackup": .backupSync])
        .map { ZStackTwinRoute(operation: $0.0, subject: path[2], parameters: $0.1) }
    case ("PUT", "vm-backups", 3) where path[2] == "actions":
      return action(body, copies).map { ZStackTwinRoute(operation: $0.0, subject: path[1], parameters: $0.1) }
    default: return nil
    }
  }

  /// The key of the body selects the call.
  private static func action(
    _ body: [String: Value], _ known: [String: ZStackTwinOperation]
  ) -> (ZStackTwinOperation, Value)? {
    for (name, parameters) in body.sorted(by: { $0.key < $1.key }) {
      if let operation = known[name] { return (operation, parameters) }
    }
    return nil
  }
}

extension String {
  /// A UUID without its dashes.
  var isZStackTwinID: Bool {
    let bytes = Array(utf8)
    guard bytes.count == 32 else { return false }
    return bytes.enumerated().allSatisfy { index, byte in
      let isDigit = (0x30...0x39).contains(byte)
      switch index {
      case 12: return (0x31...0x35).contains(byte)
      case 16: return byte == 0x38 || byte == 0x39 || byte == 0x61 || byte == 0x62
      default: return isDigit || (0x61...0x66).contains(byte)
      }
    }
  }
}

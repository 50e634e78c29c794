import ProviderKit
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
  case volumeSnapshotBatchDelete = "volume_snapshot.batch_delete"
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
  case volumeBackupCreate = "volume_backup.create"
  case volumeBackupRestore = "volume_backup.restore"
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

extension ZStackTwinOperation {
  /// How many seconds ZStack gives a job unless it is told otherwise.
  var timeout: Int64 {
    switch self {
    case .backupRestoreAs: 12 * 3600
    case .snapshotCreate, .volumeSnapshotCreate: 3 * 3600
    case .snapshotDelete, .volumeSnapshotDelete, .volumeSnapshotBatchDelete: 6 * 3600
    case .snapshotRestore, .volumeSnapshotRestore: 24 * 3600
    case .backupRestore: 72 * 3600
    default: 1800
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
  /// Of the body: what is to be attached to what is made.
  var systemTags: [String]
  var userTags: [String]
  var query: [(name: String, value: String)]
  var jobID: String?
  /// In seconds, where the caller names one.
  var timeout: Int64?
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
    guard let route = try ZStackTwinRoute.find(request.method, path, body) else {
      throw ZStackTwinRoute.isKnown(path)
        ? ZStackTwinRefusal(405, "\(request.method) is not supported here")
        : ZStackTwinRefusal(404, "no such path: \(request.path.excerpt(200))")
    }
    operation = route.operation
    subject = route.subject
    object = route.object
    switch route.parameters {
    case nil, .null?: parameters = [:]
    case .map(let map)?: parameters = map
    default: throw ZStackTwinRefusal(400, "the parameters must be an object")
    }
    let isHeeded = request.method != "DELETE"
    systemTags = try isHeeded ? ZStackTwinCall.tags(body["systemTags"], "systemTags") : body.noted("systemTags")
    userTags = try isHeeded ? ZStackTwinCall.tags(body["userTags"], "userTags") : body.noted("userTags")
    query = request.query
    jobID = request.header("x-job-uuid")
    if let text = request.header("x-api-timeout") {
      guard let seconds = Int64(text), (1...31_536_000).contains(seconds) else {
        throw ZStackTwinRefusal(400, "invalid X-API-Timeout: \(text.excerpt(64)); it must be a number of seconds")
      }
      timeout = seconds
    }
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
    guard !request.body.isEmpty, request.method != "GET" else { return [:] }
    guard let map = (try? JSONReader.read(request.body))?.map else {
      // A deletion heeds no body; the tags that the documents put there are noted.
      if request.method == "DELETE" { return [:] }
      throw ZStackTwinRefusal(400, "the body is not a JSON object")
    }
    return map
  }

  private static func tags(_ value: Value?, _ name: String) throws(ZStackTwinRefusal) -> [String] {
    guard let value, !value.isNull else { return [] }
    let tags = (value.list ?? [.null]).map { $0.string ?? "" }
    guard !tags.contains("") else { throw ZStackTwinRefusal(400, "field[\(name)] must be a list of texts") }
    return tags
  }

  /// For the ledger: what it gave, by the documents' names.
  var given: [String: Value] {
    var given = parameters.filter { !$0.value.isNull }
    let names: [ZStackTwinOperation: String] = [
      .backupCreate: "rootVolumeUuid", .backupDelete: "groupUuid", .backupRestore: "groupUuid",
      .backupRestoreAs: "groupUuid", .backupCopy: "groupUuid", .backupSync: "imageStoreUuid",
    ]
    given[names[operation] ?? "uuid"] = .string(subject)
    if !systemTags.isEmpty { given["systemTags"] = .list(systemTags.map { .string($0) }) }
    if !userTags.isEmpty { given["userTags"] = .list(userTags.map { .string($0) }) }
    let stores = query.filter { $0.name == "backupStorageUuids" }
    if !stores.isEmpty { given["backupStorageUuids"] = .list(stores.map { .string($0.value) }) }
    if let mode = query.last(where: { $0.name == "deleteMode" }) { given["deleteMode"] = .string(mode.value) }
    return given
  }

  /// The texts of a list.
  func texts(_ name: String) -> [String] { (parameters[name]?.list ?? []).compactMap { $0.string } }

  /// Whether a parameter is given at all.
  func has(_ name: String) -> Bool { parameters[name].map { !$0.isNull } ?? false }

  func text(_ name: String) -> String? {
    if case .string(let text)? = parameters[name], !text.isEmpty { return text }
    return nil
  }
}

extension [String: Value] {
  /// The texts of a list, whatever else it holds.
  fileprivate func noted(_ name: String) -> [String] { (self[name]?.list ?? []).compactMap { $0.string } }
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

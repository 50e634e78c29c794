import Runbook

/// Where each call is found.
struct ZStackTwinRoute {
  var operation: ZStackTwinOperation
  var subject = ""
  var object: String?
  /// What the body holds under the call's name, or under `params`.
  var parameters: Value?

  private typealias Actions = [String: ZStackTwinOperation]

  private static let powers: Actions = [
    "stopVmInstance": .stop, "startVmInstance": .start, "rebootVmInstance": .reboot, "pauseVmInstance": .pause,
    "resumeVmInstance": .resume, "recoverVmInstance": .recover, "expungeVmInstance": .expunge,
    "setVmBootOrder": .bootOrder,
  ]
  private static let copies: Actions = [
    "revertVmFromVmBackup": .backupRestore, "syncVmBackupFromImageStoreBackupStorage": .backupCopy,
    "recoverVmBackupFromImageStoreBackupStorage": .backupCopy,
  ]

  /// nil: there is no such call at this path. A refusal: the path is known, and the body names nothing it offers.
  static func find(
    _ method: String, _ path: [String], _ body: [String: Value]
  ) throws(ZStackTwinRefusal) -> ZStackTwinRoute? {
    switch method {
    case "GET": return read(path)
    case "DELETE": return delete(path)
    case "POST":
      guard var route = create(path) else { return nil }
      route.parameters = body["params"]
      // What an ISO image is attached with is in the path.
      guard body["params"] != nil || route.operation == .isoAttach else {
        throw ZStackTwinRefusal(400, "the body has no `params`")
      }
      return route
    case "PUT":
      guard let (subject, known) = actions(at: path) else { return nil }
      for (name, parameters) in body.sorted(by: { $0.key < $1.key }) {
        guard let operation = known[name] else { continue }
        return ZStackTwinRoute(operation: operation, subject: subject, parameters: parameters)
      }
      throw ZStackTwinRefusal(400, "invalid action in the body")
    default: return nil
    }
  }

  /// Whether there is any call at this path.
  static func isKnown(_ path: [String]) -> Bool {
    read(path) != nil || delete(path) != nil || create(path) != nil || actions(at: path) != nil
  }

  private static func read(_ path: [String]) -> ZStackTwinRoute? {
    let second = path.count > 1 ? path[1] : ""
    switch (path.first ?? "", path.count) {
    case ("accounts", 4) where second == "sessions" && path[3] == "valid":
      return ZStackTwinRoute(operation: .sessionValid, subject: path[2])
    case ("api-jobs", 2): return ZStackTwinRoute(operation: .jobRead, subject: second)
    case ("vm-instances", 1): return ZStackTwinRoute(operation: .serverList)
    case ("vm-instances", 2): return ZStackTwinRoute(operation: .serverStatus, subject: second)
    case ("volume-snapshots", 3) where second == "groups" && path[2] == "availabilities":
      return ZStackTwinRoute(operation: .snapshotAvailability)
    case ("volume-snapshots", 2...3) where second == "group":
      return ZStackTwinRoute(operation: .snapshotList, subject: path.count > 2 ? path[2] : "")
    case (let plural, 1...2):
      return plurals[plural].map { ZStackTwinRoute(operation: $0, subject: second) }
    default: return nil
    }
  }

  private static let plurals: Actions = [
    "accounts": .accountRead, "backup-storage": .storeList, "images": .imageList, "system-tags": .tagList,
    "volume-backups": .backupList, "volume-snapshots": .volumeSnapshotList,
  ]

  private static func delete(_ path: [String]) -> ZStackTwinRoute? {
    let second = path.count > 1 ? path[1] : ""
    switch (path.first ?? "", path.count) {
    case ("accounts", 3) where second == "sessions": return ZStackTwinRoute(operation: .logout, subject: path[2])
    case ("vm-instances", 2): return ZStackTwinRoute(operation: .destroy, subject: second)
    case ("vm-instances", 3) where path[2] == "iso": return ZStackTwinRoute(operation: .isoDetach, subject: second)
    case ("volume-snapshots", 2): return ZStackTwinRoute(operation: .volumeSnapshotDelete, subject: second)
    case ("volume-snapshots", 3) where second == "group":
      return ZStackTwinRoute(operation: .snapshotDelete, subject: path[2])
    case ("volume-snapshots", 3) where second == "ungroup":
      return ZStackTwinRoute(operation: .snapshotUngroup, subject: path[2])
    case ("vm-backups", 2): return ZStackTwinRoute(operation: .backupDelete, subject: second)
    case ("tags", 2), ("system-tags", 2): return ZStackTwinRoute(operation: .tagDelete, subject: second)
    default: return nil
    }
  }

  private static func create(_ path: [String]) -> ZStackTwinRoute? {
    switch (path.first ?? "", path.count) {
    case ("system-tags", 1): ZStackTwinRoute(operation: .tagCreate)
    case ("volume-snapshots", 2) where path[1] == "group": ZStackTwinRoute(operation: .snapshotCreate)
    case ("volumes", 3) where path[2] == "volume-snapshots":
      ZStackTwinRoute(operation: .volumeSnapshotCreate, subject: path[1])
    case ("volumes", 3) where path[2] == "vm-backups": ZStackTwinRoute(operation: .backupCreate, subject: path[1])
    case ("volumes", 3) where path[2] == "volume-backups":
      ZStackTwinRoute(operation: .volumeBackupCreate, subject: path[1])
    case ("vm-instances", 4) where path[1] == "from" && path[2] == "vm-backups":
      ZStackTwinRoute(operation: .backupRestoreAs, subject: path[3])
    case ("vm-instances", 4) where path[2] == "iso":
      ZStackTwinRoute(operation: .isoAttach, subject: path[1], object: path[3])
    default: nil
    }
  }

  /// What a PUT may ask for there: the key of its body selects the call.
  private static func actions(at path: [String]) -> (subject: String, known: Actions)? {
    switch (path.first ?? "", path.count) {
    // The manual says `logIn`, the code `logInByAccount`; newer releases have a path of their own.
    case ("accounts", 2) where path[1] == "login": ("", ["logInByAccount": .login, "logIn": .login])
    case ("login", 1): ("", ["logIn": .login])
    case ("accounts", 4) where path[1] == "sessions" && path[3] == "renew": (path[2], ["renewSession": .sessionRenew])
    case ("volume-snapshots", 2) where path[1] == "batch-delete":
      ("", ["batchDeleteVolumeSnapshot": .volumeSnapshotBatchDelete])
    case (let plural, 3) where path[2] == "actions":
      switch plural {
      case "vm-instances": (path[1], powers)
      case "vm-backups": (path[1], copies)
      case "volume-snapshots": (path[1], ["revertVolumeFromSnapshot": .volumeSnapshotRestore])
      case "volume-backups": (path[1], ["revertVolumeFromVolumeBackup": .volumeBackupRestore])
      default: nil
      }
    case ("volume-snapshots", 4) where path[1] == "group" && path[3] == "actions":
      (path[2], ["revertVmFromSnapshotGroup": .snapshotRestore])
    case ("vm-backups", 4) where path[1] == "imageStore" && path[3] == "actions":
      (path[2], ["syncVmBackup": .backupSync])
    default: nil
    }
  }
}

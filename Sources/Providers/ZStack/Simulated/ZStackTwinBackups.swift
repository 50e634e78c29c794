import ProviderKit
import Runbook

/// Backups of machines in image stores, and machines made from them.
extension ZStackWorld {
  func checkBackup(_ call: ZStackTwinCall) throws(ZStackTwinError) -> ClosedRange<Int64> {
    switch call.operation {
    case .backupCreate:
      try checkNewBackup(call, machines[try machineIndex(ofRootVolume: call.subject)])
      return 60...900
    case .volumeBackupCreate:
      guard let volume = volumes.first(where: { $0.uuid == call.subject }) else {
        throw .notFound("VolumeVO", call.subject)
      }
      try checkNewBackup(call, machines[try machineIndex(volume.machine)])
      return 30...600
    case .backupRestore, .volumeBackupRestore:
      let members = members(of: call)
      try checkUsable(members, call.subject)
      try checkOriginals(members)
      try checkStrategy(call)
      try checkStopped(members.first?.machine ?? "")
      if let store = call.text("backupStorageUuid") { try checkHas(members, store) }
      return 60...900
    case .backupRestoreAs:
      try checkUsable(members(of: call), call.subject)
      try checkStrategy(call)
      try checkName(call)
      guard call.has("instanceOfferingUuid") || call.has("cpuNum") && call.has("memorySize") else {
        throw .invalid("instanceOfferingUuid, or cpuNum and memorySize, must be set")
      }
      for size in ["cpuNum", "memorySize"] where call.has(size) && (call.parameters[size]?.int ?? 0) < 1 {
        throw .invalid("\(size) must be a whole number, 1 or more")
      }
      guard ["l3NetworkUuids", "zoneUuid", "clusterUuid", "hostUuid"].contains(where: { call.has($0) }) else {
        throw .invalid("at least one of l3NetworkUuids, zoneUuid, clusterUuid, hostUuid must be set")
      }
      try checkResource(call)
      return 120...900
    case .backupSync:
      try checkStore(call.subject, "imageStoreUuid")
      return 5...60
    case .backupCopy:
      try checkUsable(members(of: call), call.subject)
      try checkStore(call.text("dstBackupStorageUuid"), "dstBackupStorageUuid")
      try checkStore(call.text("srcBackupStorageUuid"), "srcBackupStorageUuid")
      try checkHas(members(of: call), call.text("srcBackupStorageUuid") ?? "")
      return 60...600
    default: return 2...30
    }
  }

  /// The backups that a call names: of one volume, or of all of a machine.
  func members(of call: ZStackTwinCall) -> [Backup] {
    call.operation == .volumeBackupRestore
      ? backups.filter { $0.uuid == call.subject } : members(ofBackup: call.subject)
  }

  private func checkNewBackup(_ call: ZStackTwinCall, _ machine: Machine) throws(ZStackTwinError) {
    try checkName(call)
    try checkResource(call)
    try checkStore(call.text("backupStorageUuid"), "backupStorageUuid")
    guard machine.state != "Stopped" else {
      throw ZStackTwinError(
        "SYS.1006", "An operation failed", "unable to back up vm[uuid:\(machine.uuid)]",
        cause: [
          "code": "VOL_BACKUP.1000", "description": "no volume backup of a stopped vm",
          "details": "the vm is Stopped, it must be Running or Paused",
        ])
    }
    guard machine.state == "Running" || machine.state == "Paused" else {
      throw .state("SYS.1006", "back up", machine.uuid, machine.state)
    }
    if let mode = call.parameters["mode"], mode != "full" { throw .invalid("mode must be full") }
    for kind in ["volumeRead", "volumeWrite", "networkRead", "networkWrite"] {
      guard let bandwidth = call.parameters["\(kind)Bandwidth"], !bandwidth.isNull else { continue }
      guard let rate = bandwidth.int, rate >= 1024 else { throw .invalid("\(kind)Bandwidth must be at least 1024") }
    }
  }

  /// Each volume is to be put back where it was.
  private func checkOriginals(_ members: [Backup]) throws(ZStackTwinError) {
    for member in members {
      guard let volume = volumes.first(where: { $0.uuid == member.volume }) else {
        throw .failed("the original volume[uuid:\(member.volume)] of the backup is gone")
      }
      guard volume.machine == member.machine else {
        throw .failed("the original volume[uuid:\(member.volume)] is not attached to vm[uuid:\(member.machine)]")
      }
    }
  }

  /// What becomes of the machine in the end.
  private func checkStrategy(_ call: ZStackTwinCall) throws(ZStackTwinError) {
    guard let strategy = call.parameters["strategy"], !strategy.isNull else { return }
    guard ["CreateStopped", "InstantStart", "JustCreate"].contains(strategy) else {
      throw .invalid("strategy must be CreateStopped, InstantStart or JustCreate")
    }
  }

  private func checkStore(_ uuid: String?, _ field: String) throws(ZStackTwinError) {
    guard let uuid else { throw .invalid("field[\(field)] is mandatory, can not be null") }
    guard let store = stores.first(where: { $0.uuid == uuid }) else { throw .notFound("BackupStorageVO", uuid) }
    guard store.state == "Enabled" else { throw .failed("backup storage[uuid:\(uuid)] is \(store.state)") }
    guard store.type == "ImageStoreBackupStorage" else {
      throw .invalid("backup storage[uuid:\(uuid)] is not an image store")
    }
  }

  private func checkUsable(_ members: [Backup], _ id: String) throws(ZStackTwinError) {
    guard !members.isEmpty else { throw .notFound("VolumeBackupVO", id) }
    guard members.allSatisfy({ $0.state == "Enabled" && $0.status == "Ready" }) else {
      throw .failed("backup(s) of [uuid:\(id)] are not enabled and ready")
    }
  }

  private func checkHas(_ members: [Backup], _ store: String) throws(ZStackTwinError) {
    for member in members where !member.stores.contains(store) {
      throw .failed("backup[uuid:\(member.uuid)] is not in backup storage[uuid:\(store.excerpt(64))]")
    }
  }

  mutating func beginBackup(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    let name = job.call.text("name") ?? ""
    let group = job.call.operation == .backupCreate ? nextUUID() : nil
    for volume in volumes(of: job.machine ?? "") where group != nil || volume.uuid == job.call.subject {
      let uuid = volume.isRoot || group == nil ? job.call.text("resourceUuid") ?? nextUUID() : nextUUID()
      backups.append(
        Backup(
          uuid: uuid, group: group, name: name, description: job.call.text("description") ?? "", volume: volume.uuid,
          isRoot: volume.isRoot, machine: volume.machine, status: job.twist.word ?? "Creating",
          size: random.draw(1...4) << 30, stores: [job.call.text("backupStorageUuid") ?? ""], createdAt: now))
      job.made.append(uuid)
    }
    record(job.call.operation, group ?? job.made.first ?? "", name, now)
  }

  mutating func endBackup(_ job: ZStackTwinJob) throws(ZStackTwinError) -> Value {
    if job.twist.fails {
      backups.removeAll { job.made.contains($0.uuid) }
      throw ZStackWorld.hasFailed
    }
    for index in backups.indices where job.made.contains(backups[index].uuid) { backups[index].status = "Ready" }
    if job.call.operation == .volumeBackupCreate, let one = backups.first(where: { job.made.contains($0.uuid) }) {
      return ["inventory": document(one)]
    }
    // The documents' reply has `groupUuid` in the entry of the root volume only.
    let entries = backups.filter { job.made.contains($0.uuid) }.map { backup -> Value in
      .map((document(backup).map ?? [:]).filter { backup.isRoot || $0.key != "groupUuid" })
    }
    return ["inventories": .list(entries)]
  }

  mutating func beginBackupDelete(_ job: ZStackTwinJob, _ now: Timestamp) {
    let named = job.call.query.filter { $0.name == "backupStorageUuids" }.map { $0.value }
    let doomed = backups.first { backup in
      backup.group == job.call.subject && (named.isEmpty || backup.stores.contains { named.contains($0) })
    }
    guard let name = doomed?.name else { return }
    for index in backups.indices where backups[index].group == job.call.subject { backups[index].status = "Deleting" }
    record(.backupDelete, job.call.subject, name, now)
  }

  /// From the named stores; from all of them if none is named. What lies in no store any more is gone.
  mutating func endBackupDelete(_ job: ZStackTwinJob) -> Value {
    let named = job.call.query.filter { $0.name == "backupStorageUuids" }.map { $0.value }
    for index in backups.indices where backups[index].group == job.call.subject {
      backups[index].stores.removeAll { named.isEmpty || named.contains($0) }
      backups[index].status = "Ready"
    }
    backups.removeAll { $0.group == job.call.subject && $0.stores.isEmpty }
    return [:]
  }

  mutating func endSync(_ job: ZStackTwinJob) -> Value {
    let found = unknownBackups.filter { $0.stores.contains(job.call.subject) }
    unknownBackups.removeAll { $0.stores.contains(job.call.subject) }
    backups += found
    return [:]
  }

  mutating func endCopy(_ job: ZStackTwinJob) throws(ZStackTwinError) -> Value {
    if job.twist.fails { throw ZStackWorld.hasFailed }
    let target = job.call.text("dstBackupStorageUuid") ?? ""
    for index in backups.indices
    where backups[index].group == job.call.subject && !backups[index].stores.contains(target) {
      backups[index].stores.append(target)
    }
    return ["inventories": .list(members(of: job.call).map { document($0) })]
  }

  mutating func beginMachine(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    let uuid = job.call.text("resourceUuid") ?? nextUUID()
    addMachine(uuid, name: job.call.text("name") ?? "", state: job.twist.word ?? "Starting", now)
    if let index = machines.firstIndex(where: { $0.uuid == uuid }) {
      machines[index].cpus = job.call.parameters["cpuNum"]?.int ?? 2
      machines[index].memory = job.call.parameters["memorySize"]?.int ?? 4 << 30
    }
    for backup in members(of: job.call) where !backup.isRoot {
      let data = nextUUID()
      volumes.append(
        Volume(
          uuid: data, name: backup.name, machine: uuid, isRoot: false, size: backup.size, installPath: nextPath(data)))
    }
    job.made = [uuid]
    record("server.create", uuid, job.call.subject, now)
  }

  mutating func endMachine(_ job: ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) -> Value {
    let index = try machineIndex(job.made.first)
    if job.twist.fails {
      let uuid = machines.remove(at: index).uuid
      volumes.removeAll { $0.machine == uuid }
      throw ZStackWorld.hasFailed
    }
    machines[index].state = job.call.text("strategy") == "CreateStopped" ? "Stopped" : "Running"
    machines[index].lastOpAt = now
    return ["inventory": document(machines[index])]
  }
}

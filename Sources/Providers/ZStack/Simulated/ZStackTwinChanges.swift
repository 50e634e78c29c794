import ProviderKit
import Runbook

/// What each change checks, begins and ends with.
extension ZStackWorld {
  /// The machine in whose queue a change stands.
  func machine(of call: ZStackTwinCall) -> String? {
    switch call.operation {
    case .stop, .start, .reboot, .pause, .resume, .destroy, .recover, .expunge, .bootOrder, .isoAttach, .isoDetach:
      call.subject
    case .snapshotCreate: volumes.first { $0.uuid == call.text("rootVolumeUuid") }?.machine
    case .volumeSnapshotCreate, .backupCreate, .volumeBackupCreate:
      volumes.first { $0.uuid == call.subject }?.machine
    case .snapshotRestore, .snapshotDelete, .snapshotUngroup: groups.first { $0.uuid == call.subject }?.machine
    case .volumeSnapshotRestore, .volumeSnapshotDelete, .volumeSnapshotBatchDelete:
      snapshots.first { $0.uuid == call.subject || call.texts("uuids").contains($0.uuid) }.flatMap { snapshot in
        volumes.first { $0.uuid == snapshot.volume }?.machine
      }
    case .backupRestore, .volumeBackupRestore: members(of: call).first?.machine
    default: nil
    }
  }

  /// Whether it can begin now.
  /// - Returns: how many seconds it takes.
  func check(_ job: ZStackTwinJob) throws(ZStackTwinError) -> ClosedRange<Int64> {
    let call = job.call
    try checkDeleteMode(call)
    switch call.operation {
    case .stop, .start, .reboot, .pause, .resume, .destroy, .recover, .expunge: return try checkPower(call)
    case .bootOrder, .isoAttach, .isoDetach: return try checkDrive(call)
    case .snapshotCreate, .volumeSnapshotCreate, .snapshotRestore, .volumeSnapshotRestore, .snapshotDelete,
      .volumeSnapshotDelete, .volumeSnapshotBatchDelete, .snapshotUngroup:
      return try checkSnapshot(call)
    case .backupCreate, .backupRestore, .backupRestoreAs, .backupDelete, .backupSync, .backupCopy,
      .volumeBackupCreate, .volumeBackupRestore:
      return try checkBackup(call)
    case .tagCreate:
      for field in ["resourceType", "resourceUuid", "tag"] where call.text(field) == nil {
        throw .invalid("field[\(field)] is mandatory, can not be null")
      }
      return 1...1
    case .tagDelete: return 1...1
    default: throw .failed("not simulated: \(call.operation.rawValue)")
    }
  }

  /// In the query of a deletion, or in the body where a PUT deletes.
  private func checkDeleteMode(_ call: ZStackTwinCall) throws(ZStackTwinError) {
    let mode: Value? =
      switch call.operation {
      case .destroy, .volumeSnapshotDelete, .snapshotDelete, .snapshotUngroup, .backupDelete, .tagDelete:
        call.query.last { $0.name == "deleteMode" }.map { .string($0.value) }
      case .volumeSnapshotBatchDelete: call.parameters["deleteMode"]
      default: nil
      }
    guard let mode, !mode.isNull, mode != "Permissive", mode != "Enforcing" else { return }
    throw .invalid("deleteMode must be Permissive or Enforcing")
  }

  mutating func begin(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    switch job.call.operation {
    case .stop, .start, .reboot, .pause, .resume, .destroy, .recover, .expunge: try beginPower(&job, now)
    case .snapshotCreate, .volumeSnapshotCreate: try beginSnapshot(&job, now)
    case .snapshotRestore, .volumeSnapshotRestore, .backupRestore, .volumeBackupRestore: try beginRevert(&job, now)
    case .snapshotDelete, .volumeSnapshotDelete, .volumeSnapshotBatchDelete: beginSnapshotDelete(job, now)
    case .backupCreate, .volumeBackupCreate: try beginBackup(&job, now)
    case .backupRestoreAs: try beginMachine(&job, now)
    case .backupDelete: beginBackupDelete(job, now)
    case .backupSync: record(.backupSync, job.call.subject, "", now)
    case .backupCopy: record(.backupCopy, job.call.subject, job.call.text("dstBackupStorageUuid") ?? "", now)
    default: break
    }
  }

  /// - Returns: the job's result.
  mutating func end(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) -> Value {
    switch job.call.operation {
    case .stop, .start, .reboot, .pause, .resume, .destroy, .recover, .expunge: return try endPower(job, now)
    case .bootOrder, .isoAttach, .isoDetach: return try endDrive(job, now)
    case .snapshotCreate, .volumeSnapshotCreate: return try endSnapshot(job)
    case .snapshotRestore, .volumeSnapshotRestore, .backupRestore, .volumeBackupRestore:
      return try endRevert(job, now)
    case .snapshotDelete, .volumeSnapshotDelete, .volumeSnapshotBatchDelete: return endSnapshotDelete(job)
    case .snapshotUngroup:
      groups.removeAll { $0.uuid == job.call.subject }
      for index in snapshots.indices where snapshots[index].group == job.call.subject { snapshots[index].group = nil }
      record(.snapshotUngroup, job.call.subject, "", now)
      return [:]
    case .backupCreate, .volumeBackupCreate: return try endBackup(job)
    case .backupRestoreAs: return try endMachine(job, now)
    case .backupDelete: return endBackupDelete(job)
    case .backupSync: return endSync(job)
    case .backupCopy: return try endCopy(job)
    case .tagCreate:
      let tag = Tag(
        uuid: nextUUID(), resource: job.call.text("resourceUuid") ?? "",
        resourceType: job.call.text("resourceType") ?? "VmInstanceVO", tag: job.call.text("tag") ?? "")
      tags.append(tag)
      record(.tagCreate, tag.resource, tag.tag, now)
      return ["inventory": document(tag)]
    case .tagDelete:
      if let tag = tags.first(where: { $0.uuid == job.call.subject }) {
        tags.removeAll { $0.uuid == tag.uuid }
        record(.tagDelete, tag.resource, tag.tag, now)
      }
      return [:]
    default: return [:]
    }
  }

  /// The tags that stand beside `params` belong to what was made.
  mutating func tag(_ job: ZStackTwinJob) {
    guard !job.call.systemTags.isEmpty || !job.call.userTags.isEmpty else { return }
    let (kind, made): (String, [String]) =
      switch job.call.operation {
      case .snapshotCreate: ("VolumeSnapshotGroupVO", groups.filter { $0.snapshots == job.made }.map { $0.uuid })
      case .volumeSnapshotCreate: ("VolumeSnapshotVO", job.made)
      case .backupCreate, .volumeBackupCreate: ("VolumeBackupVO", job.made)
      case .backupRestoreAs: ("VmInstanceVO", job.made)
      default: ("", [])
      }
    for uuid in made {
      for tag in job.call.systemTags {
        tags.append(Tag(uuid: nextUUID(), resource: uuid, resourceType: kind, tag: tag))
      }
      for tag in job.call.userTags {
        tags.append(Tag(uuid: nextUUID(), resource: uuid, resourceType: kind, tag: tag, isUser: true))
      }
    }
  }

  static let hasFailed = ZStackTwinError(
    "SYS.1006", "An operation failed", "the host reported an error",
    cause: ["code": "HOST.1005", "description": "Host operation failed", "details": "qemu: no space left on device"])
}

// MARK: - Power

extension ZStackWorld {
  private static let powers:
    [ZStackTwinOperation: (
      code: String, what: String, from: Set<String>, word: String, end: String, seconds: ClosedRange<Int64>
    )] = [
      .stop: (
        "VM.1002", "stop", ["Running", "Stopped", "Paused", "Unknown", "Crashed", "NoState"], "Stopping", "Stopped",
        5...60
      ),
      .start: ("VM.1001", "start", ["Stopped", "Running", "Created", "Crashed"], "Starting", "Running", 5...40),
      .reboot: ("VM.1003", "reboot", ["Running", "Crashed", "NoState"], "Rebooting", "Running", 10...60),
      .pause: ("SYS.1006", "pause", ["Running"], "Pausing", "Paused", 1...5),
      .resume: ("SYS.1006", "resume", ["Paused"], "Resuming", "Running", 1...5),
      .recover: ("SYS.1006", "recover", ["Destroyed"], "", "Stopped", 1...5),
      .destroy: ("VM.1004", "destroy", [], "Destroying", "Destroyed", 5...20),
      .expunge: ("SYS.1006", "expunge", ["Destroyed"], "Expunging", "", 5...20),
    ]

  private func checkPower(_ call: ZStackTwinCall) throws(ZStackTwinError) -> ClosedRange<Int64> {
    guard let power = ZStackWorld.powers[call.operation] else { throw .failed("no such action") }
    if call.operation == .destroy, !machines.contains(where: { $0.uuid == call.subject }) { return 0...0 }
    let machine = machines[try machineIndex(call.subject)]
    guard power.from.isEmpty || power.from.contains(machine.state) else {
      throw .state(power.code, power.what, machine.uuid, machine.state)
    }
    if let type = call.parameters["type"], call.operation == .stop, type != "grace", type != "cold" {
      throw .invalid("type must be grace or cold")
    }
    if machine.state == power.end, call.operation != .reboot { return 0...0 }
    if machine.slow?.status == power.end, call.text("type") != "cold" { return 0...0 }
    return call.text("type") == "cold" ? 1...5 : power.seconds
  }

  private mutating func beginPower(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    guard let power = ZStackWorld.powers[job.call.operation],
      let index = machines.firstIndex(where: { $0.uuid == job.call.subject })
    else { return }
    job.former = machines[index].state
    guard job.former != power.end || job.call.operation == .reboot else { return }
    if machines[index].slow?.status == power.end, job.call.text("type") != "cold" { return }
    machines[index].slow = nil
    if let slow = job.twist.slow {
      machines[index].slow = TwinSlowChange(showsAt: now + slow, status: job.twist.fails ? job.former : power.end)
      record(job.call.operation, machines[index].uuid, job.call.text("type") ?? "", now)
      return
    }
    let word = job.twist.word ?? power.word
    if !word.isEmpty { machines[index].state = word }
    machines[index].lastOpAt = now
    record(job.call.operation, machines[index].uuid, job.call.text("type") ?? "", now)
  }

  private mutating func endPower(_ job: ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) -> Value {
    guard let power = ZStackWorld.powers[job.call.operation],
      let index = machines.firstIndex(where: { $0.uuid == job.call.subject })
    else { return [:] }
    if machines[index].slow?.status == power.end, job.call.operation != .reboot {
      return ["inventory": document(machines[index])]
    }
    machines[index].lastOpAt = now
    if job.twist.fails {
      machines[index].state = job.former
      throw ZStackWorld.hasFailed
    }
    if job.call.operation == .expunge {
      let uuid = machines.remove(at: index).uuid
      volumes.removeAll { $0.machine == uuid }
      return [:]
    }
    machines[index].state = job.twist.losesHost ? "Unknown" : power.end
    return job.call.operation == .destroy ? [:] : ["inventory": document(machines[index])]
  }

  private func checkDrive(_ call: ZStackTwinCall) throws(ZStackTwinError) -> ClosedRange<Int64> {
    let machine = machines[try machineIndex(call.subject)]
    guard ["Running", "Stopped", "Paused"].contains(machine.state) else {
      throw .state("SYS.1006", "change the drives of", machine.uuid, machine.state)
    }
    if call.operation == .isoAttach {
      guard images.contains(where: { $0.uuid == call.object }) else { throw .notFound("ImageVO", call.object) }
      if machine.images.contains(call.object ?? "") { throw .failed("the ISO is attached already") }
    }
    if call.operation == .bootOrder {
      let words = call.parameters["bootOrder"]?.list ?? []
      guard !words.isEmpty, words.allSatisfy({ ["CdRom", "HardDisk", "Network"].contains($0) }) else {
        throw .invalid("bootOrder must be a list of CdRom, HardDisk, Network")
      }
    }
    return 1...3
  }

  private mutating func endDrive(_ job: ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) -> Value {
    if job.twist.fails { throw ZStackWorld.hasFailed }
    let index = try machineIndex(job.call.subject)
    machines[index].lastOpAt = now
    switch job.call.operation {
    case .isoAttach:
      machines[index].images.append(job.call.object ?? "")
      record(.isoAttach, machines[index].uuid, job.call.object ?? "", now)
    case .isoDetach:
      let image = job.call.query.first { $0.name == "isoUuid" }?.value
      machines[index].images.removeAll { image == nil || $0 == image }
      record(.isoDetach, machines[index].uuid, image ?? "", now)
    default:
      machines[index].bootOrder = (job.call.parameters["bootOrder"]?.list ?? []).compactMap { $0.string }
      record(.bootOrder, machines[index].uuid, machines[index].bootOrder.joined(separator: ","), now)
    }
    return ["inventory": document(machines[index])]
  }
}

import ProviderKit
import Runbook

/// Snapshots of volumes, their groups, and what puts a machine back.
extension ZStackWorld {
  func checkSnapshot(_ call: ZStackTwinCall) throws(ZStackTwinError) -> ClosedRange<Int64> {
    switch call.operation {
    case .snapshotCreate:
      let machine = machines[try machineIndex(ofRootVolume: call.text("rootVolumeUuid"))]
      try checkName(call)
      let needsMemory = call.parameters["withMemory"] == true
      let allowed: Set<String> = needsMemory ? ["Running", "Paused"] : ["Running", "Stopped", "Paused"]
      guard allowed.contains(machine.state) else {
        throw .state("SYS.1006", "take a snapshot of", machine.uuid, machine.state)
      }
      try checkResource(call)
      try checkQuota(volumes(of: machine.uuid).count)
      return 10...120
    case .volumeSnapshotCreate:
      guard let volume = volumes.first(where: { $0.uuid == call.subject }) else {
        throw .notFound("VolumeVO", call.subject)
      }
      try checkName(call)
      try checkResource(call)
      let machine = machines[try machineIndex(volume.machine)]
      guard ["Running", "Stopped", "Paused"].contains(machine.state) else {
        throw .state("SYS.1006", "take a snapshot of", machine.uuid, machine.state)
      }
      try checkQuota(1)
      return 10...120
    case .snapshotRestore:
      let group = groups[try groupIndex(call.subject)]
      guard reason(group) == nil else { throw .failed(reason(group) ?? "") }
      try checkStopped(group.machine)
      return 10...120
    case .volumeSnapshotRestore:
      guard let snapshot = snapshots.first(where: { $0.uuid == call.subject }) else {
        throw .notFound("VolumeSnapshotVO", call.subject)
      }
      guard snapshot.status == "Ready" else { throw .failed("the snapshot is \(snapshot.status)") }
      guard let volume = volumes.first(where: { $0.uuid == snapshot.volume }) else {
        throw .failed("the volume of the snapshot is gone")
      }
      try checkStopped(volume.machine)
      return 10...120
    case .snapshotUngroup:
      _ = try groupIndex(call.subject)
      return 1...2
    case .volumeSnapshotBatchDelete:
      let uuids = call.texts("uuids")
      guard !uuids.isEmpty else { throw .invalid("field[uuids] is mandatory, can not be empty") }
      for uuid in uuids where !snapshots.contains(where: { $0.uuid == uuid }) {
        throw .notFound("VolumeSnapshotVO", uuid)
      }
      guard Set(snapshots.filter { uuids.contains($0.uuid) }.map { $0.volume }).count == 1 else {
        throw .invalid("the snapshots must be of one volume")
      }
      return 2...30
    default: return 2...30
    }
  }

  /// `snapshot.volume.num`, as it is by default.
  private func checkQuota(_ more: Int) throws(ZStackTwinError) {
    guard snapshots.count + more > 200 else { return }
    throw ZStackTwinError(
      "ID.1003", "Quota exceeding",
      "quota[snapshot.volume.num] is 200, \(snapshots.count) are used, \(more) are asked for")
  }

  func checkName(_ call: ZStackTwinCall) throws(ZStackTwinError) {
    guard let name = call.text("name") else { throw .invalid("field[name] is mandatory, can not be null") }
    guard name.count <= 255 else { throw .invalid("field[name] exceeds max length of 255") }
    if let text = call.text("description"), text.count > 2048 {
      throw .invalid("field[description] exceeds max length of 2048")
    }
  }

  /// The id that the caller chose for what is to be made: of nothing that is there already.
  func checkResource(_ call: ZStackTwinCall) throws(ZStackTwinError) {
    guard call.has("resourceUuid") else { return }
    guard let id = call.text("resourceUuid"), id.isZStackTwinID else {
      throw .invalid("resourceUuid is not a valid uuid; it must be a v4 uuid without dashes")
    }
    let isUsed =
      machines.contains { $0.uuid == id } || volumes.contains { $0.uuid == id }
      || snapshots.contains { $0.uuid == id } || groups.contains { $0.uuid == id }
      || backups.contains { $0.uuid == id || $0.group == id } || stores.contains { $0.uuid == id }
    if isUsed { throw .invalid("resourceUuid[\(id.excerpt(64))] is used already") }
  }

  func checkStopped(_ uuid: String) throws(ZStackTwinError) {
    let machine = machines[try machineIndex(uuid)]
    guard machine.state == "Stopped" else {
      throw .failed(
        "unable to revert, vm[uuid:\(machine.uuid)] is not in Stopped state, current state is \(machine.state)")
    }
  }

  func groupIndex(_ uuid: String?) throws(ZStackTwinError) -> Int {
    guard let index = groups.firstIndex(where: { $0.uuid == uuid }) else {
      throw .notFound("VolumeSnapshotGroupVO", uuid)
    }
    return index
  }

  /// Why a group cannot be reverted to; nil if it can.
  func reason(_ group: Group) -> String? {
    let members = snapshots.filter { $0.group == group.uuid }
    if members.count < group.snapshots.count { return "snapshot(s) of the group have been deleted" }
    if members.contains(where: { $0.status != "Ready" }) { return "snapshot(s) of the group are not ready" }
    let attached = Set(volumes(of: group.machine).map { $0.uuid })
    if members.contains(where: { !attached.contains($0.volume) }) {
      return "volume(s) of the group are no longer attached"
    }
    return nil
  }

  /// A group and its snapshots are known from the beginning; the snapshots are `Creating` until the end.
  mutating func beginSnapshot(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    let isGroup = job.call.operation == .snapshotCreate
    let name = job.call.text("name") ?? ""
    let text = job.call.text("description") ?? ""
    let machine = job.machine ?? ""
    let group = isGroup ? job.call.text("resourceUuid") ?? nextUUID() : nil
    let saved = isGroup ? volumes(of: machine) : volumes.filter { $0.uuid == job.call.subject }
    for volume in saved {
      let uuid = isGroup ? nextUUID() : job.call.text("resourceUuid") ?? nextUUID()
      snapshots.append(
        Snapshot(
          uuid: uuid, name: "\(name)\(isGroup && !volume.isRoot ? "-data" : "")", description: text,
          volume: volume.uuid, group: group, status: job.twist.word ?? "Creating", size: random.draw(1...8) << 27,
          createdAt: now))
      job.made.append(uuid)
    }
    if let group {
      groups.append(
        Group(uuid: group, name: name, description: text, machine: machine, snapshots: job.made, createdAt: now))
      record(.snapshotCreate, group, name, now)
    } else {
      record(.volumeSnapshotCreate, job.made.first ?? "", name, now)
    }
  }

  mutating func endSnapshot(_ job: ZStackTwinJob) throws(ZStackTwinError) -> Value {
    let group = groups.first { $0.snapshots == job.made && !job.made.isEmpty }
    if job.twist.fails {
      snapshots.removeAll { job.made.contains($0.uuid) }
      groups.removeAll { $0.uuid == group?.uuid }
      throw ZStackWorld.hasFailed
    }
    for index in snapshots.indices where job.made.contains(snapshots[index].uuid) { snapshots[index].status = "Ready" }
    if let group, job.call.operation == .snapshotCreate { return ["inventory": document(group)] }
    guard let one = snapshots.first(where: { job.made.contains($0.uuid) }) else { return [:] }
    return ["inventory": document(one)]
  }

  mutating func beginRevert(_ job: inout ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) {
    let index = try machineIndex(job.machine)
    job.former = machines[index].state
    if [.backupRestore, .volumeBackupRestore].contains(job.call.operation) {
      machines[index].state = job.twist.word ?? "VolumeRecovering"
    }
    machines[index].lastOpAt = now
    record(job.call.operation, machines[index].uuid, job.call.subject, now)
  }

  /// A group's revert is told by volume: the whole succeeds even where one of them failed.
  mutating func endRevert(_ job: ZStackTwinJob, _ now: Timestamp) throws(ZStackTwinError) -> Value {
    let index = try machineIndex(job.machine)
    machines[index].state = job.former
    machines[index].lastOpAt = now
    if job.twist.fails { throw ZStackWorld.hasFailed }
    let reverted: [(volume: String, snapshot: String)] =
      switch job.call.operation {
      case .snapshotRestore: snapshots.filter { $0.group == job.call.subject }.map { ($0.volume, $0.uuid) }
      case .volumeSnapshotRestore: snapshots.filter { $0.uuid == job.call.subject }.map { ($0.volume, $0.uuid) }
      default: members(of: job.call).map { ($0.volume, $0.uuid) }
      }
    let failed = job.twist.partial ? reverted.last?.volume : nil
    for place in volumes.indices where reverted.contains(where: { $0.volume == volumes[place].uuid }) {
      guard volumes[place].uuid != failed else { continue }
      volumes[place].installPath = nextPath(volumes[place].uuid)
    }
    if job.call.text("strategy") == "InstantStart", machines[index].state == "Stopped", !job.twist.losesHost {
      machines[index].state = "Running"
      record(.start, machines[index].uuid, "InstantStart", now)
    }
    guard job.call.operation == .snapshotRestore else { return [:] }
    return ["results": .list(reverted.map { result($0.volume, $0.snapshot, hasFailed: $0.volume == failed) })]
  }

  private func result(_ volume: String, _ snapshot: String, hasFailed: Bool) -> Value {
    var entry: [String: Value] = [
      "snapshotUuid": .string(snapshot), "volumeUuid": .string(volume), "success": .bool(!hasFailed),
    ]
    if hasFailed {
      entry["error"] =
        ZStackTwinError.failed("volume[uuid:\(volume)] is not in Stopped state on its host").document["error"]
    }
    return .map(entry)
  }

  mutating func beginSnapshotDelete(_ job: ZStackTwinJob, _ now: Timestamp) {
    let doomed = members(of: job)
    guard !doomed.isEmpty else { return }
    for index in snapshots.indices where doomed.contains(snapshots[index].uuid) { snapshots[index].status = "Deleting" }
    if job.call.operation == .snapshotDelete {
      record(.snapshotDelete, job.call.subject, groups.first { $0.uuid == job.call.subject }?.name ?? "", now)
    } else {
      for uuid in doomed { record(.volumeSnapshotDelete, uuid, "", now) }
    }
  }

  mutating func endSnapshotDelete(_ job: ZStackTwinJob) -> Value {
    var doomed = members(of: job)
    var results: [Value] = []
    let failed = job.twist.partial ? doomed.last : nil
    doomed.removeAll { $0 == failed }
    for snapshot in snapshots where doomed.contains(snapshot.uuid) || snapshot.uuid == failed {
      results.append(result(snapshot.volume, snapshot.uuid, hasFailed: snapshot.uuid == failed))
    }
    snapshots.removeAll { doomed.contains($0.uuid) }
    for index in snapshots.indices where snapshots[index].uuid == failed { snapshots[index].status = "Ready" }
    if failed == nil { groups.removeAll { $0.uuid == job.call.subject } }
    return job.call.operation == .volumeSnapshotDelete ? [:] : ["results": .list(results)]
  }

  private func members(of job: ZStackTwinJob) -> [String] {
    let call = job.call
    return snapshots.filter { snapshot in
      switch call.operation {
      case .snapshotDelete: snapshot.group == call.subject
      case .volumeSnapshotBatchDelete: call.texts("uuids").contains(snapshot.uuid)
      default: snapshot.uuid == call.subject
      }
    }.map { $0.uuid }
  }
}

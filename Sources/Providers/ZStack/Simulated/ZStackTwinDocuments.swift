import Runbook

/// Inventories, as the documents show them.
extension ZStackWorld {
  func time(_ time: Timestamp) -> Value { .string(ZStackTwinTime.local(time, zone: zone)) }

  /// Typed Long, printed as `1.073741824E9`.
  static func size(_ bytes: Int64) -> Value { .double(Double(bytes)) }

  func document(_ machine: Machine) -> Value {
    [
      "uuid": .string(machine.uuid), "name": .string(machine.name), "description": "",
      "zoneUuid": .string(ZStackWorld.zoneUUID), "clusterUuid": .string(ZStackWorld.clusterUUID),
      "imageUuid": .string(ZStackWorld.imageUUID),
      "hostUuid": machine.state == "Running" ? .string(ZStackWorld.hostUUID) : .null,
      "lastHostUuid": .string(ZStackWorld.hostUUID), "instanceOfferingUuid": .null,
      "rootVolumeUuid": .string(machine.rootVolume), "platform": "Linux", "architecture": "x86_64",
      "defaultL3NetworkUuid": .string(ZStackWorld.networkUUID), "type": "UserVm", "hypervisorType": "KVM",
      "memorySize": .int(machine.memory), "cpuNum": .int(machine.cpus), "state": .string(machine.state),
      "vmNics": [
        [
          "vmInstanceUuid": .string(machine.uuid), "l3NetworkUuid": .string(ZStackWorld.networkUUID),
          "ip": .string(machine.ip), "netmask": "255.255.255.0", "gateway": "192.0.2.1",
        ]
      ],
      "allVolumes": .list(volumes(of: machine.uuid).map { document($0) }),
      "vmCdRoms": .list(
        machine.images.enumerated().map { index, image in
          ["deviceId": .int(Int64(index)), "vmInstanceUuid": .string(machine.uuid), "isoUuid": .string(image)]
        }), "guestOsType": "Linux", "createDate": time(machine.createdAt), "lastOpDate": time(machine.lastOpAt),
    ]
  }

  func document(_ volume: Volume) -> Value {
    [
      "uuid": .string(volume.uuid), "name": .string(volume.name), "vmInstanceUuid": .string(volume.machine),
      "type": volume.isRoot ? "Root" : "Data", "size": ZStackWorld.size(volume.size), "state": "Enabled",
      "status": "Ready", "installPath": .string(volume.installPath), "deviceId": volume.isRoot ? 0 : 1,
    ]
  }

  func document(_ snapshot: Snapshot) -> Value {
    let volume = volumes.first { $0.uuid == snapshot.volume }
    return [
      "uuid": .string(snapshot.uuid), "name": .string(snapshot.name), "description": .string(snapshot.description),
      "type": "Storage", "volumeUuid": .string(snapshot.volume),
      "volumeType": volume?.isRoot ?? true ? "Root" : "Data", "format": "qcow2", "latest": true,
      "size": ZStackWorld.size(snapshot.size), "state": "Enabled", "status": .string(snapshot.status),
      "groupUuid": snapshot.group.map { .string($0) } ?? .null, "createDate": time(snapshot.createdAt),
      "lastOpDate": time(snapshot.createdAt),
    ]
  }

  func document(_ group: Group) -> Value {
    let refs = group.snapshots.map { uuid -> Value in
      let snapshot = snapshots.first { $0.uuid == uuid && $0.group == group.uuid }
      return [
        "volumeSnapshotUuid": .string(uuid), "volumeSnapshotGroupUuid": .string(group.uuid),
        "snapshotDeleted": .bool(snapshot == nil), "volumeUuid": snapshot.map { .string($0.volume) } ?? .null,
      ]
    }
    return [
      "uuid": .string(group.uuid), "snapshotCount": .int(Int64(group.snapshots.count)), "name": .string(group.name),
      "description": .string(group.description), "vmInstanceUuid": .string(group.machine),
      "volumeSnapshotRefs": .list(refs), "createDate": time(group.createdAt), "lastOpDate": time(group.createdAt),
    ]
  }

  /// As the query shows it. A new backup's reply has `groupUuid` in the entry of the root volume only.
  func document(_ backup: Backup) -> Value {
    [
      "uuid": .string(backup.uuid), "volumeUuid": .string(backup.volume), "name": .string(backup.name),
      "description": .string(backup.description), "type": backup.isRoot ? "Root" : "Data",
      "state": .string(backup.state), "status": .string(backup.status), "size": ZStackWorld.size(backup.size),
      "metadata": "", "mode": "full", "vmInstanceUuid": .string(backup.machine),
      "groupUuid": backup.group.map { .string($0) } ?? .null,
      "createDate": time(backup.createdAt), "lastOpDate": time(backup.createdAt),
      "backupStorageRefs": .list(
        backup.stores.map { store in
          [
            "volumeBackupUuid": .string(backup.uuid), "backupStorageUuid": .string(store),
            "installPath": .string("zstore://\(backup.uuid)/\(backup.volume)"), "status": .string(backup.status),
            "createDate": time(backup.createdAt), "lastOpDate": time(backup.createdAt),
          ]
        }),
    ]
  }

  func document(_ store: Store) -> Value {
    [
      "uuid": .string(store.uuid), "name": .string(store.name), "type": .string(store.type),
      "state": .string(store.state), "status": "Connected", "totalCapacity": ZStackWorld.size(store.total),
      "availableCapacity": ZStackWorld.size(store.available), "attachedZoneUuids": [.string(ZStackWorld.zoneUUID)],
    ]
  }

  func document(_ image: Image) -> Value {
    [
      "uuid": .string(image.uuid), "name": .string(image.name), "mediaType": "ISO", "state": "Enabled",
      "status": "Ready", "format": "iso", "system": false, "platform": "Linux",
    ]
  }

  func document(_ tag: Tag) -> Value {
    [
      "uuid": .string(tag.uuid), "resourceUuid": .string(tag.resource), "resourceType": .string(tag.resourceType),
      "tag": .string(tag.tag), "inherent": false, "type": tag.isUser ? "User" : "System",
    ]
  }
}

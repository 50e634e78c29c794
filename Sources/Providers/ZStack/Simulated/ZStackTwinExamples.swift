import Runbook

/// What the documents show: root and data volume of one machine, its backups, and image stores.
extension ZStackWorld {
  static let zoneUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0001"
  static let clusterUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0002"
  static let hostUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0003"
  static let imageUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0004"
  static let networkUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0005"
  /// The machine whose root volume the documents back up.
  static let machineUUID = "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"
  static let rootUUID = "aa6fad9b71af3785a9fdec200bab3ee8"
  static let dataUUID = "f6c7d5276c873eba8accddd4a09a1ee6"
  /// Where the documents put a backup.
  static let storeUUID = "fc50c1ece4753c1981e3e3f65a151e0e"
  /// From where they delete one.
  static let otherStoreUUID = "255fc896605f3237a22940fa92d8670b"

  mutating func addExamples() {
    let made = Timestamp("2017-11-14T14:20:57Z") ?? Timestamp(seconds: 0)
    addMachine(ZStackWorld.machineUUID, name: "web", state: "Running", made)
    if let index = machines.firstIndex(where: { $0.uuid == ZStackWorld.machineUUID }) {
      volumes.removeAll { $0.machine == ZStackWorld.machineUUID }
      machines[index].rootVolume = ZStackWorld.rootUUID
      machines[index].ip = "192.0.2.10"
      for (uuid, isRoot) in [(ZStackWorld.rootUUID, true), (ZStackWorld.dataUUID, false)] {
        volumes.append(
          Volume(
            uuid: uuid, name: isRoot ? "ROOT-for-web" : "data-1", machine: ZStackWorld.machineUUID, isRoot: isRoot,
            size: 40 << 30, installPath: nextPath(uuid)))
      }
    }
    for (uuid, name) in [
      (ZStackWorld.storeUUID, "store-1"), (ZStackWorld.otherStoreUUID, "store-2"),
      ("087b41055fbc4875aef622142cbe5ac3", "remote-1"), ("7c3e52e35de449c9abc1343c83b93cd5", "remote-2"),
      ("07270eb0ae25428586b224c33e88e485", "remote-3"),
    ] { stores.append(Store(uuid: uuid, name: name)) }
    let group = "2f7c0a5bb86430e8a5ac48312172d70d"
    for (uuid, name, volume, size) in [
      ("785edb93bb1b3a31857dac1e69cc8392", "Root-Volume-Backup-1", ZStackWorld.rootUUID, Int64(1_073_741_824)),
      ("3084eea905f4311b9d484bfe97142bdf", "Data-Volume-Backup-1", ZStackWorld.dataUUID, Int64(2_147_483_648)),
    ] {
      backups.append(
        Backup(
          uuid: uuid, group: group, name: name, description: "volume backup", volume: volume,
          isRoot: volume == ZStackWorld.rootUUID, machine: ZStackWorld.machineUUID, status: "Ready", size: size,
          stores: [ZStackWorld.storeUUID], createdAt: made))
    }
    backups.append(
      Backup(
        uuid: "92046c016d7c3af7bdd4a5077fb91451", group: "92046c016d7c3af7bdd4a5077fb91450", name: "old",
        description: "", volume: ZStackWorld.rootUUID, isRoot: true, machine: ZStackWorld.machineUUID, status: "Ready",
        size: 1 << 30, stores: [ZStackWorld.otherStoreUUID], createdAt: made - .seconds(86_400)))
    unknownBackups.append(
      Backup(
        uuid: "b5c2a9d04f6e4b1a8c3d2e1f0a9b8c7d", group: "b5c2a9d04f6e4b1a8c3d2e1f0a9b8c7e", name: "from-elsewhere",
        description: "", volume: ZStackWorld.rootUUID, isRoot: true, machine: ZStackWorld.machineUUID, status: "Ready",
        size: 1 << 30, stores: ["087b41055fbc4875aef622142cbe5ac3"], createdAt: made))
    images = [
      Image(uuid: "5eed1500a0004000800000000000a001", name: "SystemRescue 11"),
      Image(uuid: "5eed1500a0004000800000000000a002", name: "Debian 12 netinst"),
    ]
  }

  mutating func addServer(_ id: String, _ now: Timestamp) {
    guard !id.isEmpty, !machines.contains(where: { $0.uuid == id }) else { return }
    addMachine(id, name: "server-\(id)", state: "Running", now)
  }

  mutating func addMachine(_ uuid: String, name: String, state: String, _ now: Timestamp) {
    let root = nextUUID()
    machines.append(
      Machine(
        uuid: uuid, name: name, state: state, ip: "192.0.2.\(20 + machines.count % 200)", rootVolume: root,
        createdAt: now, lastOpAt: now))
    volumes.append(
      Volume(
        uuid: root, name: "ROOT-for-\(name)", machine: uuid, isRoot: true, size: 40 << 30, installPath: nextPath(root)))
  }
}

import ProviderKit
import Runbook

/// What the documents show: a machine with the backup they print and the one they delete, another whose root volume
/// they back up, and image stores.
extension ZStackWorld {
  static let zoneUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0001"
  static let clusterUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0002"
  static let hostUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0003"
  static let imageUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0004"
  static let networkUUID = "c2de2f8a0a6a4b6d9f4d1f9b6f1f0005"
  /// The machine whose backup the documents print, with its volumes.
  static let machineUUID = "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"
  static let rootUUID = "2ae6b881bb1239cd907d48993e86a2e8"
  static let dataUUID = "f6c7d5276c873eba8accddd4a09a1ee6"
  /// The machine whose root volume they back up.
  static let otherMachineUUID = "6d1f0e2b3a4c4d5e8f60718293a4b5c6"
  static let otherRootUUID = "aa6fad9b71af3785a9fdec200bab3ee8"
  static let otherDataUUID = "c3a1d5e7f9024b6c8d0e1f2a3b4c5d6e"
  /// Where the documents put a backup.
  static let storeUUID = "fc50c1ece4753c1981e3e3f65a151e0e"
  /// From where they delete one.
  static let otherStoreUUID = "255fc896605f3237a22940fa92d8670b"

  mutating func addExamples() {
    let made = Timestamp("2017-11-14T14:20:57Z") ?? Timestamp(seconds: 0)
    addExample(ZStackWorld.machineUUID, "web", "192.0.2.10", [ZStackWorld.rootUUID, ZStackWorld.dataUUID], made)
    addExample(
      ZStackWorld.otherMachineUUID, "db", "192.0.2.11", [ZStackWorld.otherRootUUID, ZStackWorld.otherDataUUID], made)
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
          isRoot: volume == ZStackWorld.rootUUID, machine: ZStackWorld.machineUUID, status: "Ready",
          size: size,
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

  /// - Parameter saved: its volumes, the root volume first.
  private mutating func addExample(_ uuid: String, _ name: String, _ ip: String, _ saved: [String], _ at: Timestamp) {
    guard let root = saved.first else { return }
    machines.append(
      Machine(uuid: uuid, name: name, state: "Running", ip: ip, rootVolume: root, createdAt: at, lastOpAt: at))
    for (number, volume) in saved.enumerated() {
      volumes.append(
        Volume(
          uuid: volume, name: number == 0 ? "ROOT-for-\(name)" : "data-\(number)", machine: uuid, isRoot: number == 0,
          size: 40 << 30, installPath: nextPath(volume)))
    }
  }

  mutating func addServer(_ id: String, _ now: Timestamp) {
    guard !id.isEmpty, !machines.contains(where: { $0.uuid == id }) else { return }
    addMachine(id, name: "server-\(id)", state: "Running", now)
    if hasLastNight { addLastNight(id, now) }
  }

  /// A backup of last night, by the clock, of all volumes: what a drill restores.
  mutating func addLastNight(_ machine: String, _ now: Timestamp) {
    func id() -> String {
      let number = String(backups.count)
      return "5eed0000000040008000" + String(repeating: "0", count: max(0, 12 - number.utf8.count)) + number
    }
    let group = "5eed0001" + id().dropFirst(8)
    for volume in volumes(of: machine) {
      backups.append(
        Backup(
          uuid: id(), group: group, name: "daily", description: "scheduled", volume: volume.uuid,
          isRoot: volume.isRoot, machine: machine, status: "Ready", size: 1 << 30, stores: [ZStackWorld.storeUUID],
          createdAt: LastNight.backup(before: now)))
    }
  }

  /// A backup of a machine is made of one for each volume, and as old as the oldest of them.
  func backups(of machine: String) -> [LedgerEntry] {
    var groups: [String: LedgerEntry] = [:]
    for backup in backups where backup.machine == machine {
      guard let group = backup.group, backup.createdAt < groups[group]?.at ?? backup.createdAt + .seconds(1) else {
        continue
      }
      groups[group] = LedgerEntry(
        at: backup.createdAt, effect: "backup.create", subject: group, detail: backup.name)
    }
    return groups.values.sorted { ($0.at, $0.subject) < ($1.at, $1.subject) }
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

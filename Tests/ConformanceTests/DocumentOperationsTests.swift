import Runbook
import Testing

/// Every operation of the five founding documents, named as its document names it, carried out against the twin of its
/// cloud by the action that stands for it.
@Suite struct DocumentOperationsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var document: String
    var operation: String
    var cloud: String
    var action: String
    var with: [String: Value] = [:]
    /// Actions carried out before it, with their fields; `id` of the last one's outputs goes into `field`.
    var before: [(action: String, with: [String: Value])] = []
    var field: String?
    /// What the twin was asked for; nil: the action's own name.
    var asked: String?

    var testDescription: String { "\(document): \(operation)" }
  }

  static let zomroBackups = "Zomro, backups"
  static let zomroRescue = "Zomro, rescue"
  static let vpsSnapshots = "VPS.org, snapshots"
  static let vpsBackups = "VPS.org, backups"
  static let zstackBackups = "ZStack, VM backups"

  static let rows: [Row] = [
    Row(
      document: zomroBackups, operation: "create a backup (instances.fleio_bckps.edit)", cloud: "zomro",
      action: "backup.create", with: ["name": "MyBackup-2"]),
    Row(
      document: zomroBackups, operation: "get the list of backups (instances.fleio_bckps)", cloud: "zomro",
      action: "backup.list"),
    Row(
      document: zomroBackups, operation: "delete a backup (image.delete)", cloud: "zomro", action: "backup.delete",
      before: [("backup.create", ["name": "doomed"])], field: "backup"),
    Row(
      document: zomroRescue, operation: "enter rescue (instances.fleio.rescue)", cloud: "zomro",
      action: "rescue.enter", with: ["image": "Debian 12", "password": .secret(Secret("MyPassword1", named: ["pw"]))]),
    Row(
      document: zomroRescue, operation: "preview the images (instances.fleio.rescue without sok)", cloud: "zomro",
      action: "rescue.images", asked: "rescue.preview"),
    Row(
      document: zomroRescue, operation: "leave rescue (instances.fleio.unrescue)", cloud: "zomro",
      action: "rescue.exit", before: [("rescue.enter", ["image": "Debian 12"])]),
    Row(
      document: vpsSnapshots, operation: "list all snapshots (GET /snapshots/)", cloud: "vps_org",
      action: "snapshot.list"),
    Row(
      document: vpsSnapshots, operation: "create a snapshot (POST /snapshots/)", cloud: "vps_org",
      action: "snapshot.create", with: ["name": "before-update-snapshot"]),
    Row(
      document: vpsSnapshots, operation: "restore from a snapshot (POST /snapshots/{id}/restore/)", cloud: "vps_org",
      action: "snapshot.restore", with: ["snapshot": "801"]),
    Row(
      document: vpsSnapshots, operation: "delete a snapshot (DELETE /snapshots/{id}/)", cloud: "vps_org",
      action: "snapshot.delete", with: ["snapshot": "801"]),
    Row(
      document: vpsBackups, operation: "list all backups (GET /backups/)", cloud: "vps_org", action: "backup.list"),
    Row(
      document: vpsBackups, operation: "list manual backups (GET /backups/?backup_type=manual)", cloud: "vps_org",
      action: "backup.list", with: ["type": "manual"]),
    Row(
      document: vpsBackups, operation: "list automatic backups (GET /backups/?backup_type=automatic)", cloud: "vps_org",
      action: "backup.list", with: ["type": "automatic"]),
    Row(
      document: vpsBackups, operation: "create a backup (POST /backups/)", cloud: "vps_org", action: "backup.create",
      with: ["description": "Pre-deployment backup"]),
    Row(
      document: vpsBackups, operation: "delete a backup (DELETE /backups/{id}/)", cloud: "vps_org",
      action: "backup.delete", with: ["backup": "499"]),
    Row(
      document: vpsBackups, operation: "restore from a backup (POST /servers/{id}/restore/)", cloud: "vps_org",
      action: "backup.restore", with: ["backup": "501"]),
    Row(
      document: zstackBackups, operation: "create a VM backup (POST /volumes/{uuid}/vm-backups)", cloud: "zstack",
      action: "backup.create", with: ["name": "backup-1"]),
    Row(
      document: zstackBackups, operation: "delete a VM backup (DELETE /vm-backups/{groupUuid})", cloud: "zstack",
      action: "backup.delete", before: [("backup.create", ["name": "doomed"])], field: "backup"),
    Row(
      document: zstackBackups, operation: "rescan a backup store (PUT /vm-backups/imageStore/{uuid}/actions)",
      cloud: "zstack", action: "backup.sync"),
  ]

  @Test(arguments: rows)
  func anOperationOfTheDocumentsIsCarriedOut(_ row: Row) async throws {
    let cloud = try #require(CloudUnderTest.all.first { $0.type == row.cloud })
    let world = try CloudWorld(cloud)
    var with = row.with
    for (number, step) in row.before.enumerated() {
      let outputs = try await world.run(step.action, step.with, key: "before-\(number)")
      if let field = row.field { with[field] = .string(try #require(outputs["id"]?.string)) }
    }
    let effects = world.twin.ledger.count
    try await world.run(row.action, with)
    let changes = try #require(try cloud.kind.actions.first { $0.name == row.action }).effect != .none
    #expect(world.twin.requests.contains(row.asked ?? row.action), "\(world.twin.requests)")
    #expect(changes == (world.twin.ledger.count > effects), "\(world.twin.ledger)")
  }
}

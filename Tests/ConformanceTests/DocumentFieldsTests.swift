import Runbook
import Testing

/// Every field that the five founding documents show in a reply, transcribed from their samples, read by an expression
/// as a runbook reads it: checked against what the action declares, worked out from what it gave at the twin.
@Suite struct DocumentFieldsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    /// As the document writes it: `results[].server.name`.
    var field: String
    var cloud: String
    var action: String
    var with: [String: Value] = [:]
    /// Is true of the outputs.
    var expression: String
    var testDescription: String { "\(cloud) \(action): \(field)" }
  }

  private static func rows(
    _ cloud: String, _ action: String, with: [String: Value] = [:], _ fields: [(String, String)]
  ) -> [Row] {
    fields.map { Row(field: $0.0, cloud: cloud, action: action, with: with, expression: $0.1) }
  }

  static let snapshot = "outputs.snapshots.filter(s, s.id == '801')[0]"
  static let vpsSnapshots =
    rows(
      "vps_org", "snapshot.list",
      [
        ("count", "outputs.count == 2"), ("results[].id", "\(snapshot).id == '801'"),
        ("results[].server.id", "\(snapshot).server.id == '12345'"),
        ("results[].server.name", "\(snapshot).server.name == 'web-server-01'"),
        ("results[].name", "\(snapshot).name == 'pre-migration-snapshot'"),
        ("results[].status", "\(snapshot).native_state == 'completed'"),
        ("results[].size_mb", "\(snapshot).size_mb == 5120"),
        ("results[].created_at", "\(snapshot).created_at == timestamp('2025-01-15T18:30:00Z')"),
        ("results[].description", "\(snapshot).description == 'Before major migration'"),
      ])
    + rows(
      "vps_org", "snapshot.find", with: ["name": "pre-migration-snapshot"],
      [
        ("results[].server.id", "outputs.server.id == '12345'"),
        ("results[].description", "outputs.description == 'Before major migration'"),
      ])
    + rows(
      "vps_org", "snapshot.create",
      with: ["name": "before-update-snapshot", "description": "Snapshot before system update"],
      [
        ("id", "outputs.id == '802'"), ("server.id", "outputs.server.id == '12345'"),
        ("server.name", "outputs.server.name == 'web-server-01'"), ("name", "outputs.name == 'before-update-snapshot'"),
        ("status", "outputs.native_state == 'completed'"), ("size_mb", "outputs.size_mb > 0"),
        ("created_at", "outputs.created_at > timestamp('2020-01-01T00:00:00Z')"),
        ("description", "outputs.description == 'Snapshot before system update'"),
        ("message", "outputs.message.startsWith('Snapshot is being created.')"),
      ])
    + rows(
      "vps_org", "snapshot.restore", with: ["snapshot": "801"],
      [
        ("status", "outputs.status == 'success'"),
        ("message", "outputs.message.startsWith('Server is being restored from snapshot.')"),
        ("snapshot.id", "outputs.snapshot.id == '801'"),
        ("snapshot.name", "outputs.snapshot.name == 'pre-migration-snapshot'"),
        ("snapshot.created_at", "outputs.snapshot.created_at == timestamp('2025-01-15T18:30:00Z')"),
        ("server.id", "outputs.server.id == '12345'"), ("server.name", "outputs.server.name == 'web-server-01'"),
        ("server.status", "outputs.server.status == 'restoring'"),
      ])

  static let automatic = "outputs.backups.filter(b, b.id == '501')[0]"
  static let vpsBackups =
    rows(
      "vps_org", "backup.list",
      [
        ("count", "outputs.count >= 3"), ("results[].id", "\(automatic).id == '501'"),
        ("results[].server.id", "\(automatic).server.id == '12345'"),
        ("results[].server.name", "\(automatic).server.name == 'web-server-01'"),
        ("results[].backup_type", "\(automatic).backup_type == 'automatic'"),
        ("results[].status", "\(automatic).native_state == 'completed'"),
        ("results[].size_mb", "\(automatic).size_mb == 4523"),
        ("results[].created_at", "\(automatic).created_at == timestamp('2025-01-16T03:00:00Z')"),
        ("results[].expires_at", "\(automatic).expires_at == timestamp('2025-02-16T03:00:00Z')"),
        ("results[].expires_at (null)", "outputs.backups.filter(b, b.id == '499')[0].expires_at == null"),
        ("results[].description", "\(automatic).description == 'Automatic daily backup'"),
      ])
    + rows(
      "vps_org", "backup.create", with: ["description": "Pre-deployment backup"],
      [
        ("id", "outputs.id == '502'"), ("server.id", "outputs.server.id == '12345'"),
        ("server.name", "outputs.server.name == 'web-server-01'"), ("backup_type", "outputs.backup_type == 'manual'"),
        ("status", "outputs.native_state == 'completed'"), ("size_mb", "outputs.size_mb > 0"),
        ("created_at", "outputs.created_at > timestamp('2020-01-01T00:00:00Z')"),
        ("expires_at", "outputs.expires_at == null"),
        ("description", "outputs.description.startsWith('Pre-deployment backup')"),
        ("message", "outputs.message.startsWith('Backup is being created.')"),
      ])

  static let own = "outputs.backups.filter(b, b.id == '5203980')[0]"
  static let zomroBackups =
    rows(
      "zomro", "backup.list",
      [
        ("architecture", "\(own).architecture == 'x86_64'"), ("backup_type", "\(own).backup_type == 'manual'"),
        // A date without a zone: the earliest instant it can be, and how much later it may have been.
        (
          "createdate",
          "\(own).created_at == timestamp('2024-07-22T10:00:00Z') && \(own).created_at_error == duration('50h')"
        ),
        ("disk_format", "\(own).disk_format == 'qcow2'"),
        ("fleio_id", "\(own).fleio_id == 'b26c0f34-48b2-4cb2-b4eb-388eac959df6'"),
        ("fleio_status", "\(own).native_state == 'Active'"),
        ("hypervisor_type", "\(own).hypervisor_type == 'any_hypervisor'"), ("id", "\(own).id == '5203980'"),
        ("image_size", "\(own).size_mb == 3 * 1024"), ("item_real_status", "\(own).item_real_status == '2'"),
        ("min_disk", "\(own).min_disk == 20"), ("min_ram", "\(own).min_ram == 0"),
        ("name", "\(own).name == 'MyBackup'"),
        ("os_distro", "\(own).os_distro == 'Ubuntu'"), ("os_version", "\(own).os_version == '22.04 x64'"),
        ("protected", "\(own).protected == false"), ("region", "\(own).region == 'Netherlands-2'"),
        ("visibility", "\(own).visibility == 'private'"),
      ])
    + rows(
      "zomro", "backup.create", with: ["name": "MyBackup-2"],
      [("fleio_id", "size(outputs.fleio_id) == 36"), ("min_disk", "outputs.min_disk == 20")])

  static let mine = "outputs.images.filter(i, i.scope == 'own')[0]"
  static let zomroRescue = rows(
    "zomro", "rescue.images",
    [
      ("slist zone $key", "outputs.zones == ['pub', 'own']"),
      ("slist select_boot $depend", "outputs.images.exists(i, i.name == 'Debian 12' && i.scope == 'pub')"),
      ("slist select_boot $key", "\(mine).id == 'a9e7c223-5f11-4546-a298-6af546bebde6'"),
      ("slist select_boot $", "\(mine).os == 'Centos 9 x64'"), ("slist select_boot $name", "\(mine).name == 'foo'"),
    ])

  static let group = "outputs.backups.filter(b, b.id == '2f7c0a5bb86430e8a5ac48312172d70d')[0]"
  static let root = "\(group).inventories[0]"
  static let zstackBackups =
    rows(
      "zstack", "backup.list",
      [
        ("uuid", "\(root).uuid == '785edb93bb1b3a31857dac1e69cc8392'"),
        ("volumeUuid", "\(root).volumeUuid == '2ae6b881bb1239cd907d48993e86a2e8'"),
        ("name", "\(root).name == 'Root-Volume-Backup-1'"), ("description", "\(root).description == 'volume backup'"),
        ("type", "\(root).type == 'Root'"), ("state", "\(root).state == 'Enabled'"),
        ("status", "\(root).status == 'Ready'"), ("size", "\(root).size == 1073741824"),
        ("metadata", "\(root).metadata == ''"), ("createDate", "\(root).createDate == 'Nov 14, 2017 10:20:57 PM'"),
        ("lastOpDate", "\(root).lastOpDate == 'Nov 14, 2017 10:20:57 PM'"),
        ("groupUuid", "\(root).groupUuid == '2f7c0a5bb86430e8a5ac48312172d70d'"),
        ("the second entry", "\(group).inventories[1].uuid == '3084eea905f4311b9d484bfe97142bdf'"),
        ("backupStorageRefs.volumeBackupUuid", "\(root).backupStorageRefs[0].volumeBackupUuid == \(root).uuid"),
        (
          "backupStorageRefs.backupStorageUuid",
          "\(root).backupStorageRefs[0].backupStorageUuid == 'fc50c1ece4753c1981e3e3f65a151e0e'"
        ),
        ("backupStorageRefs.installPath", "\(root).backupStorageRefs[0].installPath.startsWith('zstore://')"),
        ("backupStorageRefs.status", "\(root).backupStorageRefs[0].status == 'Ready'"),
        ("backupStorageRefs.createDate", "\(root).backupStorageRefs[0].createDate == \(root).createDate"),
        ("backupStorageRefs.lastOpDate", "\(root).backupStorageRefs[0].lastOpDate == \(root).lastOpDate"),
      ])
    + rows(
      "zstack", "backup.create", with: ["name": "backup-1", "description": "a critical volume backup"],
      [
        ("groupUuid", "outputs.inventories.all(i, i.groupUuid == outputs.id)"), ("name", "outputs.name == 'backup-1'"),
        ("description", "outputs.description.startsWith('a critical volume backup')"),
        ("size", "outputs.inventories.all(i, i.size > 0)"),
      ])

  @Test(arguments: vpsSnapshots + vpsBackups)
  func aFieldOfTheDocumentsOfVPSOrgIsRead(_ row: Row) async throws { try await check(row) }

  @Test(arguments: zomroBackups + zomroRescue)
  func aFieldOfTheDocumentsOfZomroIsRead(_ row: Row) async throws { try await check(row) }

  @Test(arguments: zstackBackups)
  func aFieldOfTheDocumentOfZStackIsRead(_ row: Row) async throws { try await check(row) }

  private func check(_ row: Row) async throws {
    let cloud = try #require(CloudUnderTest.all.first { $0.type == row.cloud })
    let world = try CloudWorld(cloud)
    let declaration = try #require(try cloud.kind.actions.first { $0.name == row.action })
    let outputs = try await world.run(row.action, row.with)
    let types = TypeEnvironment(roots: ["outputs": .object(declaration.outputs)])
    let expression = try Expression.parse(row.expression, at: .beginning, in: types, expecting: .bool).get()
    let value = try expression.evaluate(in: DictionaryScope(["outputs": .map(outputs)], now: world.clock.now))
    #expect(value == .bool(true), "\(row.expression): \(outputs)")
  }
}

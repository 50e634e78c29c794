import ProviderKit
import Runbook

/// Every action of ZStack: how it is declared, what is sent for it, how a lost call is found again, how it is bound.
extension ZStackProvider {
  /// An action with how it is bound to an account.
  typealias Row = CloudRow<ZStackClient>

  static let table: [Row] = reads + servers + snapshots + backups + rescue + raw

  private static let byJob = "sent again under its job's id, which ZStack carries out once, for 3h"
  private static let window = "`max_request_life`, default 90s"

  private static let reads: [Row] = [
    Row(ServerVocabulary.status(), Operation("GET /vm-instances/{uuid}", evidence: .found)) {
      ServerStatus(cloud: $0, declaration: $1)
    },
    Row(ServerVocabulary.list(), Operation("GET /vm-instances", evidence: .found)) {
      ServerList(cloud: $0, declaration: $1)
    },
    Row(ServerVocabulary.find(), Operation("GET /vm-instances", evidence: .found)) {
      ServerFind(cloud: $0, declaration: $1)
    },
  ]

  // MARK: Servers

  private static let acting: Set<PowerState> = [.running, .stopped, .paused, .unknown, .error]

  private static let servers: [Row] = [
    Row(
      ServerVocabulary.stop(within: .seconds(1800)).keyed,
      change(
        "PUT …/actions stopVmInstance grace, cold", needs: acting, leaves: .becomes(.stopped),
        note: "`clean` is ACPI; it is not documented what happens if the guest ignores it")
    ) { ZStackServerStop(cloud: $0, declaration: $1) },
    Row(
      ServerVocabulary.start(within: .seconds(1800)).keyed,
      change("PUT …/actions startVmInstance", needs: [.stopped, .running, .error], leaves: .becomes(.running))
    ) { ZStackPowerChange(cloud: $0, power: .start, declaration: $1) },
    Row(
      ServerVocabulary.reboot(within: .seconds(1800), class: .keyed),
      change(
        "PUT …/actions rebootVmInstance", needs: [.running, .unknown, .error], leaves: .becomes(.running),
        later: "then by the server's `lastOpDate`")
    ) { ZStackServerReboot(cloud: $0, declaration: $1) },
    Row(
      ServerVocabulary.delete(within: .seconds(1800)).keyed,
      change(
        "DELETE /vm-instances/{uuid}", leaves: .becomes(.absent),
        note: "ZStack keeps it as `Destroyed`, for 7 days by default: `zstack.recover` brings it back")
    ) { ZStackServerDelete(cloud: $0, declaration: $1) },
    Row(
      own("zstack.pause", "pause a running server and wait until it is paused", until: "paused"),
      change("PUT …/actions pauseVmInstance", needs: [.running, .paused], leaves: .becomes(.paused))
    ) { ZStackPowerChange(cloud: $0, power: .pause, declaration: $1) },
    Row(
      own("zstack.resume", "resume a paused server and wait until it is running", until: "running"),
      change("PUT …/actions resumeVmInstance", needs: [.paused, .running], leaves: .becomes(.running))
    ) { ZStackPowerChange(cloud: $0, power: .resume, declaration: $1) },
    Row(
      own("zstack.recover", "bring a deleted server back and wait until it is stopped", until: "stopped"),
      change("PUT …/actions recoverVmInstance", needs: [.absent, .stopped], leaves: .becomes(.stopped))
    ) { ZStackPowerChange(cloud: $0, power: .recover, declaration: $1) },
  ]

  private static func own(_ name: String, _ summary: String, until: String) -> ActionDeclaration {
    ActionDeclaration(
      name, summary, fields: [ServerVocabulary.server], outputs: ["state": .string], effect: .change, class: .keyed,
      wait: WaitDefaults(until: until, failsOn: "error, suspended, absent", timeout: .seconds(1800)),
      suggestedUndo: "none", before: ServerVocabulary.before, serverField: "server")
  }

  // MARK: Snapshots and backups

  private static let restoreNote =
    "ZStack wants the server stopped and leaves it stopped: it is stopped first, and brought to the state of `power`"

  private static let snapshotWords = ItemVocabulary(word: "snapshot", details: ZStackDetails.ofSnapshots)
  private static let backupWords = ItemVocabulary(word: "backup", details: ZStackDetails.ofBackups)

  private static let snapshots: [Row] = [
    Row(
      snapshotWords.create(name: name, within: .seconds(3 * 3600), class: .keyed),
      change(
        "POST /volume-snapshots/group", later: "then by its id, name and mark",
        note: "one snapshot of each volume, taken together; of a running server it may catch file systems half-written")
    ) { ZStackSnapshotCreate(cloud: $0, declaration: $1) },
    Row(snapshotWords.list(), Operation("GET /volume-snapshots/group, /volume-snapshots", evidence: .found)) {
      ItemList(cloud: $0, kind: .snapshot, declaration: $1)
    },
    Row(snapshotWords.find(), Operation("GET /volume-snapshots/group, /volume-snapshots", evidence: .found)) {
      ItemFind(cloud: $0, kind: .snapshot, declaration: $1)
    },
    Row(
      restore(snapshotWords, within: .seconds(24 * 3600)),
      change(
        "PUT /volume-snapshots/group/{uuid}/actions revertVmFromSnapshotGroup", leaves: .asAsked,
        later: "then by the paths of its volumes; else a person is asked", note: restoreNote)
    ) { ZStackItemRestore(cloud: $0, kind: .snapshot, declaration: $1) },
    Row(
      snapshotWords.prune(within: .seconds(6 * 3600)),
      change("DELETE /volume-snapshots/group/{uuid}", later: "and by the list: a missing one counts as deleted")
    ) { ItemPrune(cloud: $0, kind: .snapshot, declaration: $1) },
    Row(
      snapshotWords.delete(within: .seconds(6 * 3600)).keyed,
      change("DELETE /volume-snapshots/group/{uuid}", later: "then by the list: a missing one counts as deleted")
    ) { ZStackItemDelete(cloud: $0, kind: .snapshot, declaration: $1) },
  ]

  private static let backups: [Row] = [
    Row(
      backupCreate,
      change(
        "POST /volumes/{rootVolumeUuid}/vm-backups", needs: [.running, .paused], later: "then by its id, name and mark",
        note: "all volumes; ZStack refuses to back up a server that is stopped", evidence: .documented)
    ) { ZStackBackupCreate(cloud: $0, declaration: $1) },
    Row(backupWords.list(), Operation("GET /volume-backups", evidence: .found)) {
      ItemList(cloud: $0, kind: .backup, declaration: $1)
    },
    Row(backupWords.find(), Operation("GET /volume-backups", evidence: .found)) {
      ItemFind(cloud: $0, kind: .backup, declaration: $1)
    },
    Row(
      restore(backupWords, within: .seconds(72 * 3600)).adding(storage("the one to restore from")),
      change(
        "PUT /vm-backups/{groupUuid}/actions revertVmFromVmBackup", leaves: .asAsked,
        later: "then by the paths of its volumes; else a person is asked", note: restoreNote)
    ) { ZStackItemRestore(cloud: $0, kind: .backup, declaration: $1) },
    Row(
      ZStackRestoreAs.declaration,
      change("POST /vm-instances/from/vm-backups/{groupUuid}", later: "then by its id, or its name")
    ) { ZStackRestoreAs(cloud: $0, declaration: $1) },
    Row(
      backupWords.prune(within: .seconds(6 * 3600)).requiring(
        "prefix", "only those whose name begins with this; required, as ZStack does not say which a schedule made"),
      change(
        "DELETE /vm-backups/{groupUuid}",
        later: "and by the list: a missing one counts as "
          + "deleted", evidence: .documented)
    ) { ItemPrune(cloud: $0, kind: .backup, declaration: $1) },
    Row(
      backupWords.delete(within: .seconds(6 * 3600)).keyed.adding(storage("the only one to delete it from"))
        .adding(ZStackBackupOptions.delete).adding(ZStackTags.field),
      change(
        "DELETE /vm-backups/{groupUuid}",
        later: "then by the list: a missing one counts as "
          + "deleted", evidence: .documented)
    ) { ZStackItemDelete(cloud: $0, kind: .backup, declaration: $1) },
    Row(
      ZStackBackupSync.declaration,
      change(
        "PUT /vm-backups/imageStore/{uuid}/actions syncVmBackup", later: "then it is made again, which does no harm",
        evidence: .documented)
    ) { ZStackBackupSync(cloud: $0, declaration: $1) },
    Row(
      ZStackBackupCopy.declaration,
      change(
        "PUT /vm-backups/{groupUuid}/actions syncVmBackupFromImageStoreBackupStorage, "
          + "recoverVmBackupFromImageStoreBackupStorage", later: "then by the stores that the backup is in")
    ) { ZStackBackupCopy(cloud: $0, declaration: $1) },
  ]

  private static let name = Field("name", .string, required: true, help: "at most 255 characters")

  private static func storage(_ which: String) -> Field {
    Field("storage", .string, help: "id of an image store: \(which); default: as the block and the backup say")
  }

  private static var backupCreate: ActionDeclaration {
    backupWords.create(name: name, within: .seconds(24 * 3600), class: .keyed)
      .adding(
        Field("storage", .string, help: "id of the image store it goes to; default: the block's `backup_storage`")
      )
      .adding(Field("full", .bool, default: false, help: "a full backup and no increment; default `false`"))
      .adding(ZStackBackupOptions.create).adding(ZStackTags.field)
  }

  private static func restore(_ words: ItemVocabulary, within timeout: Duration) -> ActionDeclaration {
    var declaration = words.restore(within: timeout, class: .keyed)
    declaration.before["volumes"] = .string
    return declaration
  }

  // MARK: Rescue, and everything else

  private static let rescueNote = "a recipe of an ISO image, the boot order and a restart, and no operation of ZStack"

  private static let rescue: [Row] = [
    Row(
      RescueVocabulary.images(),
      Operation("GET /images?q=mediaType=ISO", evidence: .inferred, note: "the ISO images of the installation")
    ) { ZStackRescueImages(cloud: $0, declaration: $1) },
    Row(
      enter,
      change(
        "POST /vm-instances/{vm}/iso/{iso}, setVmBootOrder, rebootVmInstance", needs: [.running, .stopped],
        leaves: .becomes(.rescue), later: "then a person is asked", note: rescueNote, evidence: .inferred)
    ) { ZStackRescue(cloud: $0, enters: true, declaration: $1) },
    Row(
      exit,
      change(
        "DELETE /vm-instances/{vm}/iso, setVmBootOrder, rebootVmInstance", needs: [.rescue, .running, .stopped],
        leaves: .becomes(.running), later: "then a person is asked", note: rescueNote, evidence: .inferred)
    ) { ZStackRescue(cloud: $0, enters: false, declaration: $1) },
  ]

  private static var enter: ActionDeclaration {
    var declaration = RescueVocabulary.enter(
      password: "not on ZStack, where the image has its own: leave it out", within: .seconds(1800), class: .keyed)
    declaration.summary += "; on ZStack a recipe, no operation of its own"
    return declaration
  }

  private static var exit: ActionDeclaration {
    var declaration = RescueVocabulary.exit(within: .seconds(1800), class: .keyed)
    declaration.summary += "; on ZStack a recipe, no operation of its own"
    return declaration
  }

  private static let raw: [Row] = [
    Row(
      ZStackRawRequest.declaration,
      Operation("any", recovery: "never repeated, unless `idempotent: true`", leaves: .unknown, evidence: .found)
    ) { ZStackRawRequest(cloud: $0, declaration: $1) }
  ]

  private static func change(
    _ request: String, needs: Set<PowerState> = [], leaves: PowerEffect = .unchanged,
    later: String = "then by its state", note: String? = nil, evidence: Operation.Evidence = .found
  ) -> Operation {
    Operation(
      request, recovery: "\(byJob); \(later)", absence: window, needs: needs, leaves: leaves, evidence: evidence,
      note: note)
  }
}

extension ActionDeclaration {
  /// The same, of class E1.
  fileprivate var keyed: ActionDeclaration {
    var declaration = self
    declaration.effectClass = .keyed
    return declaration
  }

  /// An optional field becomes one that must be written.
  fileprivate func requiring(_ name: String, _ help: String) -> ActionDeclaration {
    var declaration = self
    for index in declaration.fields.indices where declaration.fields[index].name == name {
      declaration.fields[index].required = true
      declaration.fields[index].help = help
    }
    return declaration
  }
}

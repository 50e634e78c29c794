import Runbook

/// What the twin knows to do, by `func`.
enum ZomroTwinFunction: String, Sendable, CaseIterable {
  case auth, whoami, keepalive, logon
  case totpConfirm = "totp.confirm"
  case instances
  case instancesEdit = "instances.edit"
  case instancesDelete = "instances.delete"
  case stop = "service.stop"
  case start = "service.start"
  case reboot = "service.reboot"
  case rescue = "instances.fleio.rescue"
  case unrescue = "instances.fleio.unrescue"
  case bootFromISO = "instances.fleio.boot_from_iso"
  case rebuild = "instances.fleio.rebuild"
  case changePassword = "instances.fleio.changepassword"
  case confirmResize = "instances.confirm.resize"
  case backups = "instances.fleio_bckps"
  case backupEdit = "instances.fleio_bckps.edit"
  case snapshots = "instances.snapshots"
  case snapshotEdit = "instances.snapshots.edit"
  case images = "image"
  case imageEdit = "image.edit"
  case imageCopy = "image.copy"
  case imageDelete = "image.delete"
  case schedules = "instances.fleio_bckps.schedule"
  case scheduleEdit = "instances.fleio_bckps.schedule.edit"
  case scheduleDelete = "instances.fleio_bckps.schedule.delete"
  case instancesFilter = "instances.filter"
  case backupsFilter = "instances.fleio_bckps.filter"
  case snapshotsFilter = "instances.snapshots.filter"
  case imagesFilter = "image.filter"
  case sshKeys = "sshkeys"
  // What costs money or leads away from servers and their images is refused.
  case changePricelist = "service.changepricelist"
  case resize = "service.changepricelist.getmoney"
  case orderPricelist = "v2.instances.order.pricelist"
  case orderParam = "v2.instances.order.param"
  case imagePricelist = "v2.image.order.pricelist"
  case imageParam = "v2.image.order.param"
  case basket
  case sshKeyEdit = "sshkeys.edit"
  case sshKeyDelete = "sshkeys.delete"
}

/// What a request asks for in the words of the language, which faults, `requests` and the ledger use.
enum ZomroTwinOperation: String, Sendable, CaseIterable {
  case auth, whoami, keepalive, logon
  case totpConfirm = "totp.confirm"
  case serverList = "server.list"
  case serverForm = "server.form"
  case serverEdit = "server.edit"
  case serverDelete = "server.delete"
  case stop = "server.stop"
  case start = "server.start"
  case reboot = "server.reboot"
  case password = "server.password"
  case resize = "server.resize"
  case confirmResize = "server.confirm_resize"
  case rebuild = "server.rebuild"
  case rebuildPreview = "rebuild.preview"
  case rescuePreview = "rescue.preview"
  case rescueEnter = "rescue.enter"
  case rescueExit = "rescue.exit"
  case isoPreview = "iso.preview"
  case isoMount = "iso.mount"
  case isoUnmount = "iso.unmount"
  case backupList = "backup.list"
  case backupForm = "backup.form"
  case backupCreate = "backup.create"
  case backupRestore = "backup.restore"
  case backupDelete = "backup.delete"
  case snapshotList = "snapshot.list"
  case snapshotForm = "snapshot.form"
  case snapshotCreate = "snapshot.create"
  case snapshotRestore = "snapshot.restore"
  case snapshotDelete = "snapshot.delete"
  case imageList = "image.list"
  case imageForm = "image.form"
  case imageEdit = "image.edit"
  case imageCopy = "image.copy"
  case imageRestore = "image.restore"
  case imageDelete = "image.delete"
  case scheduleList = "schedule.list"
  case scheduleForm = "schedule.form"
  case scheduleEdit = "schedule.edit"
  case scheduleDelete = "schedule.delete"
  case filter = "list.filter"
  case keyList = "key.list"
  case order
  /// A backup that a schedule made, and one that it overwrote: in the ledger only.
  case backupAuto = "backup.auto"
  case backupRotate = "backup.rotate"
  /// A look for the answer of a long request.
  case longPoll = "long_request.poll"
  case unknown
}

/// One call understood.
struct ZomroTwinCall: Sendable {
  var form: ZomroTwinForm
  /// nil: there is no such function, or none was named.
  var function: ZomroTwinFunction?
  var operation: ZomroTwinOperation

  init(_ form: ZomroTwinForm, in world: ZomroWorld) {
    self.form = form
    function = form["func"].flatMap { ZomroTwinFunction(rawValue: $0) }
    operation = .unknown
    if let function { operation = ZomroTwinCall.operation(function, form, world) }
  }

  private static func operation(
    _ function: ZomroTwinFunction, _ form: ZomroTwinForm, _ world: ZomroWorld
  ) -> ZomroTwinOperation {
    let commits = form.isCommitted
    return switch function {
    case .auth: .auth
    case .whoami: .whoami
    case .keepalive: .keepalive
    case .logon: .logon
    case .totpConfirm: .totpConfirm
    case .instances: .serverList
    case .instancesEdit: commits ? .serverEdit : .serverForm
    case .instancesDelete: .serverDelete
    case .stop: .stop
    case .start: .start
    case .reboot: .reboot
    case .rescue: commits ? .rescueEnter : .rescuePreview
    case .unrescue: world.server(form["elid"])?.status == "booted_from_iso" ? .isoUnmount : .rescueExit
    case .bootFromISO: commits ? .isoMount : .isoPreview
    case .rebuild: commits ? restore(form, world) : .rebuildPreview
    case .changePassword: commits ? .password : .serverForm
    case .confirmResize: .confirmResize
    case .backups: .backupList
    case .backupEdit: commits ? .backupCreate : .backupForm
    case .snapshots: .snapshotList
    case .snapshotEdit: commits ? .snapshotCreate : .snapshotForm
    case .images: .imageList
    case .imageEdit: commits ? .imageEdit : .imageForm
    case .imageCopy: commits ? .imageCopy : .imageForm
    case .imageDelete: world.image(form["elid"])?.kind.delete ?? .imageDelete
    case .schedules: .scheduleList
    case .scheduleEdit: commits ? .scheduleEdit : .scheduleForm
    case .scheduleDelete: .scheduleDelete
    case .instancesFilter, .backupsFilter, .snapshotsFilter, .imagesFilter: .filter
    case .sshKeys: .keyList
    case .resize, .changePricelist: .resize
    case .orderPricelist, .orderParam, .imagePricelist, .imageParam, .basket: .order
    case .sshKeyEdit, .sshKeyDelete: .unknown
    }
  }

  private static func restore(_ form: ZomroTwinForm, _ world: ZomroWorld) -> ZomroTwinOperation {
    guard form["zone"] == "own", let image = world.images.first(where: { $0.fleioID == form["select_rebuild"] }) else {
      return .rebuild
    }
    return image.kind.restore
  }
}

extension ZomroWorld.ImageKind {
  var delete: ZomroTwinOperation {
    switch self {
    case .backup: .backupDelete
    case .snapshot: .snapshotDelete
    case .image: .imageDelete
    }
  }
  var restore: ZomroTwinOperation {
    switch self {
    case .backup: .backupRestore
    case .snapshot: .snapshotRestore
    case .image: .imageRestore
    }
  }
  var create: ZomroTwinOperation {
    switch self {
    case .backup: .backupCreate
    case .snapshot: .snapshotCreate
    case .image: .imageCopy
    }
  }
}

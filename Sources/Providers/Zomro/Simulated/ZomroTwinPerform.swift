import ProviderKit
import Runbook

/// What each function does with its form.
extension ZomroTwinState {
  /// - Returns: what is in `doc`.
  mutating func perform(_ call: ZomroTwinCall, _ now: Timestamp) throws(ZomroTwinRefusal) -> [String: Value] {
    let form = call.form
    guard let function = call.function else { throw .missed("func", form["func"]) }
    let style = style(for: form)
    let effects = world.ledger.count
    defer { world.note(form.given, since: effects) }
    switch function {
    case .auth, .whoami, .keepalive, .logon, .totpConfirm: return try account(function, form, now)
    case .instances, .images, .backups, .snapshots, .schedules, .sshKeys:
      return try list(function, form, style, now)
    case .instancesFilter: return filter(.instances, form)
    case .backupsFilter: return filter(.backups, form)
    case .snapshotsFilter: return filter(.snapshots, form)
    case .imagesFilter: return filter(.images, form)
    case .stop, .start, .reboot, .unrescue, .instancesDelete, .confirmResize: return try act(call, now)
    case .rescue, .bootFromISO, .rebuild, .changePassword, .instancesEdit:
      return try edit(server: call, style, now)
    case .backupEdit: return try create(.backup, call, now)
    case .snapshotEdit: return try create(.snapshot, call, now)
    case .imageEdit, .imageCopy: return try edit(image: call, style, now)
    case .imageDelete:
      try world.deleteImage(required("elid", form), of: form["plid"], now)
      return done(form)
    case .scheduleEdit: return try edit(schedule: form, now)
    case .scheduleDelete:
      try world.deleteSchedule(required("elid", form), now)
      return done(form)
    case .changePricelist, .resize, .orderPricelist, .orderParam, .imagePricelist, .imageParam, .basket, .sshKeyEdit,
      .sshKeyDelete:
      throw .notSimulated(function.rawValue)
    }
  }

  /// Functions that take effect at once, with `sok` or without.
  private mutating func act(_ call: ZomroTwinCall, _ now: Timestamp) throws(ZomroTwinRefusal) -> [String: Value] {
    let id = try required("elid", call.form)
    let twist = twist(call.operation)
    switch call.function {
    case .unrescue: try world.leave(server: id, now, twist)
    case .instancesDelete: try world.delete(server: id, now, twist)
    case .confirmResize: try world.confirmResize(server: id, choice: call.form["select_resize"], now, twist)
    default: try world.power(call.operation, server: id, now, twist)
    }
    return done(call.form)
  }

  func required(_ name: String, _ form: ZomroTwinForm) throws(ZomroTwinRefusal) -> String {
    guard let value = form[name] else { throw .missed(name) }
    return value
  }

  /// The reply of a call that was carried out: an empty `ok`, and what was asked.
  func done(_ form: ZomroTwinForm) -> [String: Value] {
    var asked: [String: Value] = [:]
    for name in ["func", "elid", "plid", "out"] { if let text = form[name] { asked[name] = .zomro(text.excerpt(100)) } }
    return ["ok": [:], "tparams": .map(asked)]
  }
}

// MARK: - The account

extension ZomroTwinState {
  private mutating func account(
    _ function: ZomroTwinFunction, _ form: ZomroTwinForm, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> [String: Value] {
    switch function {
    case .auth:
      let (username, password) = (form["username"] ?? "", form["password"] ?? "")
      return session(try sessions.logIn(username, password, isTemporary: secondFactor != nil, now))
    case .totpConfirm:
      let id = try required("auth", form)
      let code = try required("qrcode", form)
      guard sessions.isTemporary(id), let secondFactor, form.isCommitted else { throw .missed("qrcode") }
      guard secondFactor(code, now) else { throw .value("qrcode", nil) }
      return session(sessions.confirm(id, now))
    case .whoami:
      if sessions.isTemporary(form["auth"]) { return ["ok": .zomro("func=totp.confirm")] }
      return ["user": ["$name": "ops@example.com", "$level": "16"]]
    case .logon:
      if let id = form["auth"] { sessions.end(id) }
      return ["ok": [:]]
    default: return ["ok": [:]]
    }
  }

  private func session(_ id: String) -> [String: Value] {
    ["auth": ["$id": .string(id), "$level": "16", "$": .string(id)]]
  }
}

// MARK: - Lists

extension ZomroTwinState {
  private func list(
    _ function: ZomroTwinFunction, _ form: ZomroTwinForm, _ style: ZomroTwinStyle, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> [String: Value] {
    var list = ZomroTwinList(rows: [])
    var extra: [String: Value] = [:]
    switch function {
    case .instances: list.rows = world.servers.map { world.row($0, style) }
    case .images: list.rows = world.images.filter { $0.kind == .image }.map { world.row($0, style) }
    case .sshKeys:
      list.rows = [
        ["comment": .zomro(ZomroWorld.key.name), "fleio_key_uuid": .zomro(ZomroWorld.key.id), "id": .zomro("1")]
      ]
    default:
      let server = world.servers[try world.serverIndex(required("elid", form), field: "elid")]
      if function == .schedules {
        list.rows = world.schedules.filter { $0.server == server.id }.map { world.row($0) }
        extra["backup_rotation"] = .zomro(server.rotation)
      } else {
        let kind = function == .backups ? ZomroWorld.ImageKind.backup : .snapshot
        list.rows = world.images.filter { $0.kind == kind && $0.server == server.id }.map { world.row($0, style) }
        extra = world.counters(kind, server: server, now)
      }
    }
    list.filter(world.filters[function.rawValue] ?? [:])
    if let column = form["p_col"] { list.sort(column) }
    return list.document(form, style).merging(extra) { line, _ in line }
  }

  /// Fields of a filter's form; others are ignored.
  private static let filterFields = [
    ZomroTwinFunction.instances: [
      "id", "servername", "name", "ip", "instance_status", "pricelist", "datacentername", "instances_os",
    ],
    .backups: ["id", "name", "fleio_id", "fleio_status", "backup_type", "createdate", "protected", "region"],
    .snapshots: ["id", "name", "fleio_id", "fleio_status", "createdate", "protected", "region"],
    .images: ["id", "name", "fleio_id", "fleio_status", "createdate", "protected", "region"],
  ]

  /// Shows the stored filter of a list, or with `sok` stores another in its place.
  private mutating func filter(_ list: ZomroTwinFunction, _ form: ZomroTwinForm) -> [String: Value] {
    let fields = ZomroTwinState.filterFields[list] ?? []
    if form.isCommitted {
      var stored: [String: String] = [:]
      for field in fields { if let text = form[field] { stored[field] = text.excerpt(200) } }
      world.filters[list.rawValue] = stored
      return done(form)
    }
    let stored = world.filters[list.rawValue] ?? [:]
    return Dictionary(fields.map { ($0, .zomro(stored[$0] ?? "")) }, uniquingKeysWith: { first, _ in first })
  }
}

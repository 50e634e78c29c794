import ProviderKit
import Runbook

/// Functions with a form: without `sok` they show it, with `sok` they carry it out.
extension ZomroTwinState {
  mutating func edit(
    server call: ZomroTwinCall, _ style: ZomroTwinStyle, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> [String: Value] {
    let form = call.form
    let index = try world.serverIndex(try required("elid", form), field: "elid")
    guard form.isCommitted else { return preview(call.function, world.servers[index], style) }
    switch call.function {
    case .rescue:
      let image = try world.checkRescueImage(form)
      try checkPassword(form)
      try world.rescue(server: index, image: image, now, twist(call.operation))
    case .bootFromISO:
      try world.bootFromISO(server: index, image: world.checkISO(form), now, twist(call.operation))
    case .rebuild: try rebuild(index, call, now)
    case .changePassword:
      guard form["password"] != nil else { throw .missed("password") }
      try checkPassword(form)
      try world.changePassword(server: index, now)
    default:
      let rotation = form["backup_rotation"].map { Int64($0) ?? 0 }
      if let rotation, !(1...10).contains(rotation) { throw .value("backup_rotation", form["backup_rotation"]) }
      let name = form["servername"]
      if let name, name.count > ZomroWorld.longestName { throw .value("servername", name) }
      try world.edit(
        server: index, name: name, reverseName: form["rdns_record"].map { $0.excerpt(253) }, rotation: rotation, now)
    }
    return done(form)
  }

  private func preview(
    _ function: ZomroTwinFunction?, _ server: ZomroWorld.Server, _ style: ZomroTwinStyle
  ) -> [String: Value] {
    let elid: [String: Value] = ["elid": .zomro(server.id)]
    switch function {
    case .rescue: return elid.merging(["slist": .list(world.rescueChoices(style))]) { first, _ in first }
    case .bootFromISO: return elid.merging(["slist": .list(world.isoChoices(style))]) { first, _ in first }
    case .rebuild: return elid.merging(["slist": .list(world.rebuildChoices(style))]) { first, _ in first }
    case .changePassword: return elid
    default: return world.form(server)
    }
  }

  /// A password is checked where one is sent.
  private func checkPassword(_ form: ZomroTwinForm) throws(ZomroTwinRefusal) {
    guard let password = form["password"] else { return }
    guard ZomroTwinPassword.isAccepted(password) else { throw .value("password", nil) }
  }

  private mutating func rebuild(_ index: Int, _ call: ZomroTwinCall, _ now: Timestamp) throws(ZomroTwinRefusal) {
    let form = call.form
    let zone = try required("zone", form)
    let id = try required("select_rebuild", form)
    try checkPassword(form)
    switch form["enablessh"] {
    case nil, "off": break
    case "on":
      let key = try required("ssh_keys", form)
      guard key == ZomroWorld.key.id || key == "1" else { throw .value("ssh_keys", key) }
    case let other: throw .value("enablessh", other)
    }
    switch zone {
    case "own":
      let image = try world.restorable(id, onto: world.servers[index])
      try world.rebuild(
        call.operation, server: index, os: "\(image.osDistro) \(image.osVersion)".osName, detail: image.id, now,
        twist(call.operation))
    case "image":
      guard let image = ZomroWorld.publicImages.first(where: { $0.id == id }) else {
        throw .value("select_rebuild", id)
      }
      guard form["password"] != nil || form["enablessh"] == "on" else { throw .missed("password") }
      try world.rebuild(.rebuild, server: index, os: image.name, detail: id, now, twist(call.operation))
    default: throw .value("zone", zone)
    }
  }

  mutating func create(
    _ kind: ZomroWorld.ImageKind, _ call: ZomroTwinCall, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> [String: Value] {
    let form = call.form
    let id = try required("plid", form)
    guard form.isCommitted else {
      _ = try world.serverIndex(id, field: "plid")
      return ["plid": .zomro(id), "name": .zomro("")]
    }
    try world.create(kind, server: id, name: form["name"], now, twist(call.operation))
    return done(form)
  }

  mutating func edit(
    image call: ZomroTwinCall, _ style: ZomroTwinStyle, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> [String: Value] {
    let form = call.form
    let index = try world.imageIndex(try required("elid", form))
    let isCopy = call.function == .imageCopy
    guard form.isCommitted else {
      var fields = world.form(world.images[index], style)
      if isCopy {
        let regions = ZomroWorld.regions.map { region -> Value in ["$key": .string(region), "$": .string(region)] }
        fields["slist"] = style.many([style.choice("region", regions)])
      }
      return fields
    }
    let name = form["image_name"]
    if let name, name.count > ZomroWorld.longestName { throw .value("image_name", name) }
    if isCopy {
      guard let name else { throw .missed("image_name") }
      let region = try required("region", form)
      guard ZomroWorld.regions.contains(region) else { throw .value("region", region) }
      try world.copyImage(index, name: name, region: region, now, twist(call.operation))
    } else {
      let flag = form["protected"]
      if let flag, flag != "on", flag != "off" { throw .value("protected", flag) }
      try world.editImage(index, name: name, isProtected: flag.map { $0 == "on" }, now)
    }
    return done(form)
  }

  mutating func edit(schedule form: ZomroTwinForm, _ now: Timestamp) throws(ZomroTwinRefusal) -> [String: Value] {
    if form.isCommitted {
      try world.editSchedule(form, now)
      return done(form)
    }
    let server = try world.serverIndex(try required("plid", form), field: "plid")
    var fields: [String: Value] = ["plid": .zomro(world.servers[server].id)]
    if let id = form["elid"] {
      guard let schedule = world.schedules.first(where: { $0.id == id }) else { throw .missed("elid", id) }
      fields.merge(world.row(schedule)) { first, _ in first }
    }
    return fields
  }
}

extension String {
  /// `Ubuntu 22.04 x64` is shown as `Ubuntu 22.04`.
  fileprivate var osName: String { hasSuffix(" x64") ? String(dropLast(4)) : self }
}

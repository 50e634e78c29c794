import ProviderKit
import Runbook

/// What the state of a server allows: the gate in front of every change.
enum ZomroTwinGate {
  enum Wish: Sendable {
    case start, stop, reboot, image, rebuild, rescue, bootFromISO, leave, changePassword, edit, resizing, delete
  }

  /// On the way to another status: everything has to wait.
  static let transitional: Set<String> = [
    "stopping", "starting", "rebooting", "rescuing", "unrescuing", "rebuilding", "building", "creating", "resizing",
    "suspending", "processing", "booting_from_iso", "image_uploading",
  ]

  static func allows(_ wish: Wish, _ status: String) -> Bool {
    switch (status, wish) {
    case ("active", .reboot), ("active", .stop), ("active", .changePassword), ("stopped", .start): true
    case ("active", .image), ("active", .rebuild), ("active", .rescue), ("active", .bootFromISO): true
    case ("stopped", .image), ("stopped", .rebuild), ("stopped", .rescue), ("stopped", .bootFromISO): true
    case ("active", .edit), ("stopped", .edit), ("active", .delete), ("stopped", .delete): true
    case ("rescued", .leave), ("booted_from_iso", .leave), ("resized", .resizing): true
    default: false
    }
  }

  static func check(_ wish: Wish, _ server: ZomroWorld.Server) throws(ZomroTwinRefusal) {
    if server.change != nil || transitional.contains(server.status) { throw .runningOperation }
    guard allows(wish, server.status) else { throw .state(server.status) }
  }
}

// MARK: - What can be asked of a server

extension ZomroWorld {
  /// Begins a change of a server: `word` until it ends, then `result`, or what the twist makes of it.
  private mutating func begin(
    _ index: Int, _ word: String, then result: String?, seconds: ClosedRange<Int64>, _ now: Timestamp, _ twist: Twist
  ) {
    let length = draw(seconds)
    servers[index].slow = nil
    if let slow = twist.slow, let result {
      servers[index].slow = TwinSlowChange(showsAt: now + slow, status: twist.fails ? "error" : result)
      return
    }
    servers[index].status = twist.word ?? word
    servers[index].change = Change(
      endsAt: twist.isStuck ? nil : now + .seconds(length), status: twist.fails ? "error" : result)
  }

  /// Start, stop and reboot. Nothing converges: a stop of a stopped server is refused.
  mutating func power(_ operation: ZomroTwinOperation, server id: String?, _ now: Timestamp, _ twist: Twist)
    throws(ZomroTwinRefusal)
  {
    let index = try serverIndex(id, field: "elid")
    switch operation {
    case .stop where servers[index].slow?.status == "stopped", .start where servers[index].slow?.status == "active":
      throw .runningOperation
    case .stop:
      try ZomroTwinGate.check(.stop, servers[index])
      begin(index, "stopping", then: "stopped", seconds: 5...70, now, twist)
    case .start:
      try ZomroTwinGate.check(.start, servers[index])
      begin(index, "starting", then: "active", seconds: 10...60, now, twist)
    default:
      try ZomroTwinGate.check(.reboot, servers[index])
      begin(index, "rebooting", then: "active", seconds: 10...60, now, twist)
    }
    record(operation, servers[index].id, "", now)
  }

  mutating func rescue(server index: Int, image: String, _ now: Timestamp, _ twist: Twist) throws(ZomroTwinRefusal) {
    try ZomroTwinGate.check(.rescue, servers[index])
    begin(index, "rescuing", then: "rescued", seconds: 20...120, now, twist)
    record(.rescueEnter, servers[index].id, image, now)
  }

  mutating func bootFromISO(server index: Int, image: String, _ now: Timestamp, _ twist: Twist)
    throws(ZomroTwinRefusal)
  {
    try ZomroTwinGate.check(.bootFromISO, servers[index])
    begin(index, "booting_from_iso", then: "booted_from_iso", seconds: 20...120, now, twist)
    record(.isoMount, servers[index].id, image, now)
  }

  /// Leaves rescue or unmounts an image: the server is active afterwards, even if it was stopped before.
  mutating func leave(server id: String?, _ now: Timestamp, _ twist: Twist) throws(ZomroTwinRefusal) {
    let index = try serverIndex(id, field: "elid")
    try ZomroTwinGate.check(.leave, servers[index])
    let wasISO = servers[index].status == "booted_from_iso"
    begin(index, "unrescuing", then: "active", seconds: 20...120, now, twist)
    record(wasISO ? .isoUnmount : .rescueExit, servers[index].id, "", now)
  }

  /// Writes an image over the disk. The power state is afterwards what it was.
  mutating func rebuild(
    _ operation: ZomroTwinOperation, server index: Int, os: String, detail: String, _ now: Timestamp, _ twist: Twist
  ) throws(ZomroTwinRefusal) {
    try ZomroTwinGate.check(.rebuild, servers[index])
    begin(index, "rebuilding", then: servers[index].status, seconds: 60...600, now, twist)
    servers[index].os = os
    record(operation, servers[index].id, detail, now)
  }

  mutating func changePassword(server index: Int, _ now: Timestamp) throws(ZomroTwinRefusal) {
    try ZomroTwinGate.check(.changePassword, servers[index])
    record(.password, servers[index].id, "", now)
  }

  mutating func edit(
    server index: Int, name: String?, reverseName: String?, rotation: Int64?, _ now: Timestamp
  ) throws(ZomroTwinRefusal) {
    try ZomroTwinGate.check(.edit, servers[index])
    if let name { servers[index].name = name }
    if let reverseName { servers[index].reverseName = reverseName }
    if let rotation { servers[index].rotation = rotation }
    record(.serverEdit, servers[index].id, servers[index].name, now)
  }

  /// A server that came out of a resize keeps its new plan, or goes back to the old one.
  mutating func confirmResize(server id: String?, choice: String?, _ now: Timestamp, _ twist: Twist)
    throws(ZomroTwinRefusal)
  {
    let index = try serverIndex(id, field: "elid")
    guard let choice else { throw .missed("select_resize") }
    guard choice == "confirm" || choice == "rollback" else { throw .value("select_resize", choice) }
    try ZomroTwinGate.check(.resizing, servers[index])
    begin(index, "resizing", then: "active", seconds: 10...60, now, twist)
    record(.confirmResize, servers[index].id, choice, now)
  }

  /// Irreversible. Its images stay.
  mutating func delete(server id: String?, _ now: Timestamp, _ twist: Twist) throws(ZomroTwinRefusal) {
    let index = try serverIndex(id, field: "elid")
    try ZomroTwinGate.check(.delete, servers[index])
    let status = servers[index].status
    begin(index, status, then: nil, seconds: 30...120, now, twist)
    servers[index].isBeingDeleted = true
    record(.serverDelete, servers[index].id, servers[index].name, now)
  }

  /// While an image of it is made the server is not available; it comes back some seconds after the image is there.
  mutating func occupy(_ index: Int, until imageEnd: Timestamp) {
    let status = servers[index].status
    servers[index].status = "image_uploading"
    servers[index].change = Change(endsAt: imageEnd + .seconds(draw(0...10)), status: status)
  }
}

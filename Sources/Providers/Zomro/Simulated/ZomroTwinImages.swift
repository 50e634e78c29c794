import ProviderKit
import Runbook

/// What can be asked of backups, snapshots and images.
extension ZomroWorld {
  static let longestName = 100
  /// Snapshots, and backups made by hand, of one server on one day (UTC).
  static let mostADay: Int64 = 5
  /// Backups of one server, those of schedules included.
  static let mostBackups = 100

  /// How many of the kind somebody asked for today, deleted ones included.
  func madeToday(_ kind: ImageKind, server: Server, _ now: Timestamp) -> Int64 {
    guard let made = server.made[kind], made.day == ZomroWorld.day(now) else { return 0 }
    return made.count
  }

  private static func day(_ time: Timestamp) -> Int64 {
    (time.seconds - Timestamp.minimumSeconds) / 86_400
  }

  /// A backup or a snapshot: `Saving` at once, without a size until it is `Active`.
  mutating func create(_ kind: ImageKind, server id: String?, name: String?, _ now: Timestamp, _ twist: Twist)
    throws(ZomroTwinRefusal)
  {
    let index = try serverIndex(id, field: "plid")
    guard let name else { throw .missed("name") }
    guard name.count <= ZomroWorld.longestName else { throw .value("name", name) }
    try ZomroTwinGate.check(.image, servers[index])
    let made = madeToday(kind, server: servers[index], now)
    guard made < ZomroWorld.mostADay else {
      throw .limit("Only \(ZomroWorld.mostADay) \(kind.rawValue)s of a server can be made a day.")
    }
    let server = servers[index].id
    if kind == .backup {
      guard images.count(where: { $0.kind == .backup && $0.server == server }) < ZomroWorld.mostBackups else {
        throw .limit("A server can have \(ZomroWorld.mostBackups) backups.")
      }
    }
    servers[index].made[kind] = (ZomroWorld.day(now), made + 1)
    let image = save(kind, server: index, name: name, isManual: true, now, twist)
    record(kind.create, image, name, now)
  }

  /// - Returns: the id of the image that begins to be saved.
  @discardableResult
  mutating func save(
    _ kind: ImageKind, server index: Int, name: String, isManual: Bool, _ now: Timestamp, _ twist: Twist
  ) -> String {
    let id = nextID()
    let length = draw(60...900)
    let size = draw(2...8)
    let os = servers[index].os.split(separator: " ", maxSplits: 1).map { String($0) }
    var image = Image(
      kind: kind, id: id, fleioID: nextUUID(), server: servers[index].id, name: name, status: twist.word ?? "Saving",
      createdAt: now, minDiskGB: servers[index].diskGB)
    image.osDistro = os.first ?? ""
    image.osVersion = os.count > 1 ? os[1] + " x64" : ""
    image.isManual = isManual
    image.isProtected = twist.isProtected
    image.change = Change(
      endsAt: twist.isStuck ? nil : now + .seconds(length), status: twist.fails ? "Killed" : "Active",
      sizeGB: twist.fails ? nil : size)
    images.append(image)
    occupy(index, until: now + .seconds(length))
    return id
  }

  /// Of backups, snapshots and images. The row stays for some seconds, as `Pending_delete`.
  mutating func deleteImage(_ id: String?, of server: String?, _ now: Timestamp) throws(ZomroTwinRefusal) {
    let index = try imageIndex(id)
    let image = images[index]
    if image.status == "Pending_delete" { throw .missed("elid", id) }
    // Documented as required; an image of the account has no server.
    if let owner = image.server {
      guard let server else { throw .missed("plid") }
      guard owner == server else { throw .missed("elid", id) }
    }
    if image.isProtected { throw .protected }
    // One whose saving never ends can be deleted; else nobody could ever get rid of it.
    if image.change?.endsAt != nil { throw .runningOperation }
    images[index].status = "Pending_delete"
    images[index].change = Change(endsAt: now + .seconds(draw(0...10)), status: nil)
    record(image.kind.delete, image.id, image.name, now)
  }

  mutating func editImage(_ index: Int, name: String?, isProtected: Bool?, _ now: Timestamp)
    throws(ZomroTwinRefusal)
  {
    if images[index].change != nil { throw .runningOperation }
    if let name { images[index].name = name }
    if let isProtected { images[index].isProtected = isProtected }
    record(.imageEdit, images[index].id, images[index].name, now)
  }

  /// A copy is an image of the account, whatever it is a copy of.
  mutating func copyImage(_ index: Int, name: String, region: String, _ now: Timestamp, _ twist: Twist)
    throws(ZomroTwinRefusal)
  {
    var copy = images[index]
    guard copy.status == "Active" else { throw copy.change == nil ? .imageState(copy.status) : .runningOperation }
    copy.kind = .image
    copy.id = nextID()
    copy.fleioID = nextUUID()
    copy.server = nil
    copy.name = name
    copy.region = region
    copy.isProtected = twist.isProtected
    copy.createdAt = now
    copy.status = twist.word ?? "Saving"
    let length = draw(60...900)
    copy.change = Change(
      endsAt: twist.isStuck ? nil : now + .seconds(length), status: twist.fails ? "Killed" : "Active",
      sizeGB: twist.fails ? nil : copy.sizeGB)
    copy.sizeGB = nil
    images.append(copy)
    record(.imageCopy, copy.id, name, now)
  }

  /// An image of the account that can be written over a server's disk.
  func restorable(_ fleioID: String, onto server: Server) throws(ZomroTwinRefusal) -> Image {
    guard let image = images.first(where: { $0.fleioID == fleioID }) else { throw .value("select_rebuild", fleioID) }
    guard image.status == "Active" else { throw image.change == nil ? .imageState(image.status) : .runningOperation }
    guard image.region == ZomroWorld.home else {
      throw .validation("image", "The image is in another region: \(image.region).")
    }
    guard image.minDiskGB <= server.diskGB else {
      throw .validation("image", "The image needs \(image.minDiskGB) GB of disk; the server has \(server.diskGB).")
    }
    return image
  }
}

import ProviderKit
import Runbook

/// Everything Zomro knows, as a value: servers, images and schedules. Time comes in with every call; what a change
/// becomes, and when, is drawn when it begins.
struct ZomroWorld: Sendable {
  struct Server: Sendable {
    var id: String
    /// Of the server in Fleio.
    var fleioID: String
    var name: String
    var ip: String
    var os: String
    var diskGB: Int64 = 20
    /// `instance_status`.
    var status: String
    var createdAt: Timestamp
    var reverseName = ""
    /// How many backups of schedules are kept: 1 to 10.
    var rotation: Int64 = 5
    var isBeingDeleted = false
    /// nil at rest.
    var change: Change?
    var slow: TwinSlowChange?
    /// Backups and snapshots that somebody asked for, by day.
    var made: [ImageKind: (day: Int64, count: Int64)] = [:]
  }
  /// How an image came about: `snapshot` and `backup` belong to a server; the rest are images of the account.
  enum ImageKind: String, Sendable, CaseIterable {
    case backup, snapshot, image
  }
  struct Image: Sendable {
    var kind: ImageKind
    /// In the billing system; one numbering with servers.
    var id: String
    /// In Fleio: a UUID.
    var fleioID: String
    var server: String?
    var name: String
    /// `fleio_status`.
    var status: String
    var createdAt: Timestamp
    /// Known once it is finished.
    var sizeGB: Int64?
    var minDiskGB: Int64 = 20
    var region = ZomroWorld.home
    var osDistro = "Ubuntu"
    var osVersion = "22.04 x64"
    var isManual = true
    var isProtected = false
    var change: Change?
  }
  struct Schedule: Sendable {
    var id: String
    var server: String
    var name: String
    /// 0 is Sunday.
    var days: Set<Int64>
    /// Minutes after midnight, three hours ahead of UTC.
    var minute: Int64
    /// Nothing before this is made up for.
    var since: Timestamp
  }
  struct Change: Sendable {
    /// Without an end, it never ends.
    var endsAt: Timestamp?
    /// What it ends in; nil: the thing is gone then.
    var status: String?
    var sizeGB: Int64?
  }
  /// What a fault does to a change that begins.
  @dynamicMemberLookup
  struct Twist: Sendable {
    var common = TwinTwist()
    /// The image made is protected.
    var isProtected = false

    subscript<Part>(dynamicMember path: KeyPath<TwinTwist, Part>) -> Part { common[keyPath: path] }
  }

  static let home = "Netherlands-2"
  static let regions = ["Netherlands-2", "Poland-1", "Ukraine-1"]

  var servers: [Server] = []
  var images: [Image] = []
  var schedules: [Schedule] = []
  var ledger: [LedgerEntry] = []
  /// Stored filters by the list they shape: for the whole account, for all its users.
  var filters: [String: [String: String]] = [:]
  private var random: TwinRandom
  private var lastNumber: Int64 = 5_203_980
  /// Servers have a scheduled backup of last night.
  var hasLastNight = false

  init(seed: UInt64) { random = TwinRandom(seed: seed) }

  func server(_ id: String?) -> Server? { servers.first { $0.id == id } }
  func image(_ id: String?) -> Image? { images.first { $0.id == id } }

  func serverIndex(_ id: String?, field: String) throws(ZomroTwinRefusal) -> Int {
    guard let id, let index = servers.firstIndex(where: { $0.id == id }) else { throw .missed(field, id) }
    return index
  }

  func imageIndex(_ id: String?) throws(ZomroTwinRefusal) -> Int {
    guard let id, let index = images.firstIndex(where: { $0.id == id }) else { throw .missed("elid", id) }
    return index
  }

  /// The next id of the one numbering that servers, images and schedules share.
  mutating func nextID() -> String {
    repeat { lastNumber += 1 } while server(String(lastNumber)) != nil
    return String(lastNumber)
  }

  mutating func nextUUID() -> String {
    func digits(_ count: Int, _ number: Int64) -> String {
      let text = String(number, radix: 16)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    let parts = [
      digits(8, random.draw(0...0xffff_ffff)), digits(4, random.draw(0...0xffff)),
      "4" + digits(3, random.draw(0...0xfff)), "a" + digits(3, random.draw(0...0xfff)),
      digits(12, random.draw(0...0xffff_ffff_ffff)),
    ]
    return parts.joined(separator: "-")
  }

  mutating func draw(_ range: ClosedRange<Int64>) -> Int64 { random.draw(range) }

  mutating func record(_ effect: ZomroTwinOperation, _ subject: String, _ detail: String = "", _ now: Timestamp) {
    ledger.append(LedgerEntry(at: now, effect: effect.rawValue, subject: subject, detail: detail))
  }

  /// Notes what a form gave with the effects it had.
  /// - Parameter count: of the effects before it.
  mutating func note(_ form: [String: Value], since count: Int) {
    for index in ledger.indices where index >= count { ledger[index].parameters = form }
  }

  /// Ends the changes whose time has come, and makes the backups that were due.
  mutating func settle(_ now: Timestamp) {
    while let due = nextDue(now) {
      endChanges(due.at)
      runSchedule(due.schedule, due.at)
    }
    endChanges(now)
  }

  private mutating func endChanges(_ now: Timestamp) {
    var gone: Set<String> = []
    for index in servers.indices {
      if let slow = servers[index].slow, slow.showsAt <= now {
        servers[index].slow = nil
        // While an image is made the status is the image's.
        if servers[index].change == nil {
          servers[index].status = slow.status
        } else {
          servers[index].change?.status = slow.status
        }
      }
      guard let change = servers[index].change, let end = change.endsAt, end <= now else { continue }
      servers[index].change = nil
      servers[index].isBeingDeleted = false
      if let status = change.status { servers[index].status = status } else { gone.insert(servers[index].id) }
    }
    for index in images.indices {
      guard let change = images[index].change, let end = change.endsAt, end <= now else { continue }
      images[index].change = nil
      images[index].sizeGB = change.sizeGB ?? images[index].sizeGB
      if let status = change.status { images[index].status = status } else { gone.insert(images[index].id) }
    }
    guard !gone.isEmpty else { return }
    servers.removeAll { gone.contains($0.id) }
    images.removeAll { gone.contains($0.id) }
    schedules.removeAll { gone.contains($0.server) }
  }
}

import ProviderKit
import Runbook

/// Everything ZStack knows, as a value: machines with their volumes, snapshots, backups, stores, images, tags, and the
/// jobs that change them. Time comes in with every call; what a change becomes, and when, is drawn when it begins.
struct ZStackWorld: Sendable {
  struct Machine: Sendable {
    var uuid: String
    var name: String
    var state: String
    var ip: String
    var rootVolume: String
    var cpus: Int64 = 2
    var memory: Int64 = 4 << 30
    var createdAt: Timestamp
    var lastOpAt: Timestamp
    var slow: TwinSlowChange?
    var bootOrder = ["HardDisk"]
    var images: [String] = []
  }
  struct Volume: Sendable {
    var uuid: String
    var name: String
    var machine: String
    var isRoot: Bool
    var size: Int64
    /// A revert gives it another one.
    var installPath: String
  }
  struct Snapshot: Sendable {
    var uuid: String
    var name: String
    var description: String
    var volume: String
    var group: String?
    var status: String
    var size: Int64
    var createdAt: Timestamp
  }
  struct Group: Sendable {
    var uuid: String
    var name: String
    var description: String
    var machine: String
    var snapshots: [String]
    var createdAt: Timestamp
  }
  /// The backup of one volume; those of one group are a machine's.
  struct Backup: Sendable {
    var uuid: String
    var group: String?
    var name: String
    var description: String
    var volume: String
    var isRoot: Bool
    var machine: String
    var status: String
    var state = "Enabled"
    var size: Int64
    var stores: [String]
    var createdAt: Timestamp
  }
  struct Store: Sendable {
    var uuid: String
    var name: String
    var type = "ImageStoreBackupStorage"
    var state = "Enabled"
    var total: Int64 = 1 << 40
    var available: Int64 = 700 << 30
  }
  struct Image: Sendable {
    var uuid: String
    var name: String
  }
  struct Tag: Sendable {
    var uuid: String
    var resource: String
    var resourceType: String
    var tag: String
    var isUser = false
  }

  var machines: [Machine] = []
  var volumes: [Volume] = []
  var snapshots: [Snapshot] = []
  var groups: [Group] = []
  var backups: [Backup] = []
  /// Backups that lie in a store and are not known here until it is read anew.
  var unknownBackups: [Backup] = []
  var stores: [Store] = []
  var images: [Image] = []
  var tags: [Tag] = []
  var jobs: [String: ZStackTwinJob] = [:]
  var ledger: [LedgerEntry] = []
  let zone: Int64
  /// Servers have a backup of last night.
  var hasLastNight = false
  var random: TwinRandom
  private var lastPath = 0

  init(seed: UInt64, zone: Int64) {
    random = TwinRandom(seed: seed)
    self.zone = zone
  }

  mutating func nextUUID() -> String { ZStackWorld.uuid(&random) }

  static func uuid(_ random: inout TwinRandom) -> String {
    let digits = (0..<2).map { _ in
      let part = String(random.draw(0...Int64.max), radix: 16)
      return String(repeating: "0", count: max(0, 16 - part.utf8.count)) + part
    }.joined()
    var bytes = Array(digits.utf8.prefix(32))
    guard bytes.count == 32 else { return "" }
    bytes[12] = UInt8(ascii: "4")
    bytes[16] = UInt8(ascii: "8")
    return String(decoding: bytes, as: UTF8.self)
  }

  mutating func nextPath(_ volume: String) -> String {
    lastPath += 1
    return "/zstack_ps/rootVolumes/\(volume)/\(lastPath).qcow2"
  }

  func machineIndex(_ uuid: String?) throws(ZStackTwinError) -> Int {
    guard let index = machines.firstIndex(where: { $0.uuid == uuid }) else { throw .notFound("VmInstanceVO", uuid) }
    return index
  }

  func volumes(of machine: String) -> [Volume] { volumes.filter { $0.machine == machine } }

  /// The volume backups that a backup of a machine consists of.
  func members(ofBackup group: String) -> [Backup] { backups.filter { $0.group == group } }

  /// The machine of a root volume.
  func machineIndex(ofRootVolume uuid: String?) throws(ZStackTwinError) -> Int {
    guard let volume = volumes.first(where: { $0.uuid == uuid }) else { throw .notFound("VolumeVO", uuid) }
    guard volume.isRoot else { throw .failed("volume[uuid:\(volume.uuid)] is not a root volume") }
    return try machineIndex(volume.machine)
  }

  mutating func record(_ effect: ZStackTwinOperation, _ subject: String, _ detail: String = "", _ now: Timestamp) {
    record(effect.rawValue, subject, detail, now)
  }

  mutating func record(_ effect: String, _ subject: String, _ detail: String, _ now: Timestamp) {
    ledger.append(LedgerEntry(at: now, effect: effect, subject: subject, detail: detail))
  }
}

/// ZStack's error object.
struct ZStackTwinError: Error, Sendable {
  var code: String
  var description: String
  var details: String
  var cause: [String: String]?

  init(_ code: String, _ description: String, _ details: String, cause: [String: String]? = nil) {
    self.code = code
    self.description = description
    self.details = details
    self.cause = cause
  }

  static let session = ZStackTwinError("ID.1001", "Invalid session", "Session expired or never was")
  static func failed(_ details: String) -> ZStackTwinError {
    ZStackTwinError("SYS.1006", "An operation failed", details)
  }
  static func invalid(_ details: String) -> ZStackTwinError {
    ZStackTwinError("SYS.1007", "One or more API argument is invalid", details)
  }
  static func notFound(_ kind: String, _ uuid: String?) -> ZStackTwinError {
    ZStackTwinError(
      "SYS.1003", "A required resource does not exist", "cannot find \(kind)[uuid:\((uuid ?? "").excerpt(64))]")
  }
  static let timeout = ZStackTwinError(
    "SYS.1001", "A message or a operation timeout", "Create VM on KVM timeout after 300s")
  /// The outer code tells what was asked for, the cause why not.
  static func state(_ code: String, _ what: String, _ uuid: String, _ state: String) -> ZStackTwinError {
    ZStackTwinError(
      code, "Failed to \(what) vm", "unable to \(what) vm[uuid:\(uuid)]",
      cause: [
        "code": "VM.1010", "description": "VM is in a wrong state",
        "details": "current vm instance state[\(state)] doesn't allow to proceed message",
      ])
  }

  var document: Value {
    var error: [String: Value] = [
      "code": .string(code), "description": .string(description), "details": .string(details), "elaboration": .null,
      "opaque": .null, "cause": .null,
    ]
    if let cause { error["cause"] = .map(cause.mapValues { .string($0) }) }
    return ["error": .map(error)]
  }
}

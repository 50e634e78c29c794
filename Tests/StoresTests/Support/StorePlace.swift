import Glibc
import Runbook
import Stores
import TestSupport

/// A store in a folder of its own, and beside that folder the one in which its user keeps witnesses.
struct StorePlace {
  static let files = ["runbook.db", "runbook.db-wal", "runbook.db-shm", "runbook.db.lock", "runbook.db.reserve"]

  let folder = TemporaryFolder(inMemory: true)
  let clock = ManualClock()
  /// By file name; a file that is not there is not in it.
  typealias Copy = [String: [UInt8]]

  init() {
    for name in ["state", "data", "data/runbook", "data/runbook/witness"] { unsafe mkdir(folder.path(name), 0o700) }
  }

  var store: String { folder.path("state/runbook.db") }
  var witnesses: String { folder.path("data/runbook/witness") }

  func open(
    checkpointFrames: Int = 1_000_000, witnesses: [String]? = nil, creates: Bool = true
  ) throws(StoreFailure) -> SQLiteStore {
    var options = SQLiteStore.Options()
    options.checkpointFrames = checkpointFrames
    options.reserve = 4096
    options.creates = creates
    options.witnesses = witnesses ?? [self.witnesses]
    return try SQLiteStore(at: store, clock: clock, options: options)
  }

  func copy() -> Copy { copy(of: "state", StorePlace.files) }
  func witnessCopy() -> Copy { copy(of: "data/runbook/witness", witnessNames) }
  var witnessNames: [String] { names(in: "data/runbook/witness") }

  private func copy(of place: String, _ names: [String]) -> Copy {
    var copy: Copy = [:]
    for name in names where unsafe access(folder.path("\(place)/\(name)"), F_OK) == 0 {
      copy[name] = folder.read("\(place)/\(name)")
    }
    return copy
  }

  /// Puts the named files back as they were in `copy`.
  func put(_ copy: Copy, only names: [String] = StorePlace.files) {
    for name in names {
      unsafe unlink(folder.path("state/\(name)"))
      if let content = copy[name] { folder.write("state/\(name)", content) }
    }
  }

  func putWitnesses(_ copy: Copy) {
    for name in witnessNames { unsafe unlink(folder.path("data/runbook/witness/\(name)")) }
    for (name, content) in copy { folder.write("data/runbook/witness/\(name)", content) }
  }

  func names(in place: String) -> [String] {
    guard let stream = unsafe opendir(folder.path(place)) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

import Glibc
import Posix
public import Runbook
import Synchronization

/// The folder of folders: which one it is, and what is swept from it.
extension DetachedScripts {
  /// The file that tells this folder from every other that ever stood in its place.
  private static let placeFile = ".place"
  /// A file each engine makes and locks; `attached` folders bear the letters behind it.
  private static let enginePrefix = ".engine-"
  private static let attachedPrefix = "attached-"

  public func place() async throws(StepFailure) -> String {
    if let known = knownPlace.withLock({ $0 }) { return known }
    do throws(PosixError) {
      try Folder.make(folder)
      let id: String
      if let known = try readPlace() { id = known } else { id = try makePlace() }
      // Not the machine's id itself, which its owner may want to keep.
      let machine = SHA256.hash(Array("runbook scripts \(Host.machineID)".utf8)).prefix(8)
      let place = "\(id)-\(Hex.text(machine))-\(changeOfPlace)"
      knownPlace.withLock { $0 = place }
      return place
    } catch {
      throw Self.failure("the folder of the scripts `\(folder)` could not be used", error)
    }
  }

  /// When the file that names the place was last changed in the file system. A copy has the same content, and another
  /// time, which nobody can set: what is missing in a folder that was put back may have been started.
  private var changeOfPlace: String {
    var info = stat()
    guard unsafe stat("\(folder)/\(Self.placeFile)", &info) == 0 else { return "0" }
    return "\(info.st_ctim.tv_sec).\(info.st_ctim.tv_nsec)"
  }

  private func readPlace() throws(PosixError) -> String? {
    do throws(FileFailure) {
      let bytes = try FileReading.all(of: "\(folder)/\(Self.placeFile)", limit: 200)
      return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch {
      if error == .missing { return nil }
      if case .unreadable(let cause) = error { throw cause }
      throw PosixError(EIO, in: "read")
    }
  }

  /// Whole and on the disk before it has its name; of two that make it at once, the first one's counts.
  private func makePlace() throws(PosixError) -> String {
    let id = Self.randomLetters()
    let temporary = "\(folder)/\(Self.placeFile).\(id)"
    let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    defer { _ = unsafe unlink(temporary) }
    try file.write(Array("\(id)\n".utf8))
    try file.synchronize()
    let isOurs = try FileWriting.move(temporary, toNew: "\(folder)/\(Self.placeFile)")
    for folder in [folder, folder + "/.."] { try Descriptor.open(folder, O_RDONLY | O_DIRECTORY).synchronize() }
    if isOurs { return id }
    guard let id = try readPlace() else { throw PosixError(EIO, in: "read") }
    return id
  }

  private static func randomLetters() -> String {
    var random = SystemRandomNumberGenerator()
    return Hex.text((0..<8).map { _ in UInt8.random(in: .min ... .max, using: &random) })
  }

  public func isSeen(_ key: String) async throws(StepFailure) -> Bool {
    try await blocking { !ProcessEntry.bearing(ScriptFolder.mark(key)).isEmpty }
  }

  public func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async {
    var answers: [String: Bool] = [:]
    for name in FileReading.names(in: folder) {
      guard let run = ScriptKey.run(of: name) else { continue }
      let answer = if let known = answers[run] { known } else { await isOver(run) }
      answers[run] = answer
      guard answer else { continue }
      // Whatever cannot be told is swept another time.
      let state = try? await state(of: name)
      if state != nil, state != .running { await forget(name) }
    }
    removeStrays()
  }

  /// A name for the folder of an attached program. The lock that proves that its engine lives is taken first.
  func attachedName() throws(PosixError) -> String {
    let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
    let result = ownLock.withLock { own -> Result<String, PosixError> in
      if let own { return .success(own.name) }
      do throws(PosixError) {
        while true {
          let name = Self.randomLetters()
          // nil: somebody took it for a stray before we had the lock.
          guard let lock = try FileLock.take("\(folder)/\(Self.enginePrefix)\(name)", isNew: true) else { continue }
          own = (name, lock)
          return .success(name)
        }
      } catch {
        return .failure(error)
      }
    }
    return "\(Self.attachedPrefix)\(try result.get())-\(number)"
  }

  /// Output of attached programs whose engine is gone.
  func removeStrays() {
    let names = FileReading.names(in: folder)
    for name in names where name.hasPrefix(Self.attachedPrefix) {
      let owner = name.dropFirst(Self.attachedPrefix.count).prefix { $0 != "-" }
      // An older release put its pid there, which says nothing for sure: its runs have long ended.
      let isLeft = (try? FileLock.isHeld("\(folder)/\(Self.enginePrefix)\(owner)")) != .some(.some(true))
      if isLeft, owner.count == 16 || Int32(owner).map({ ProcessIdentity($0) == nil }) == true {
        Folder.removeTree("\(folder)/\(name)")
      }
    }
    for name in names where name.hasPrefix(Self.enginePrefix) {
      let path = "\(folder)/\(name)"
      // Under its lock, so that no engine takes it meanwhile.
      guard let lock = try? FileLock.take(path) else { continue }
      _ = unsafe unlink(path)
      withExtendedLifetime(lock) {}
    }
  }
}

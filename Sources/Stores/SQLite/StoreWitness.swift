import Glibc
import Runbook

/// What one user has seen of one store last, kept outside of the store's folder: `INCARNATION.mark` in a folder of that
/// user alone. A store that is put back from an older copy, with everything that lies beside it, lacks the entry of its
/// witness. One that is newer is normal: others use it too.
final class StoreWitness {
  let mark: MarkFile
  let isWritable: Bool

  fileprivate init(file: Int32, isWritable: Bool) {
    mark = MarkFile(file: file)
    self.isWritable = isWritable
  }
  deinit { close(mark.file) }
}

/// The folders in which a witness may lie. Only those that do not lie below the store's folder count, and only those
/// that nobody else can write.
struct WitnessFolders {
  private let folders: [String]

  /// A store remembers what it removed, and a witness is believed, for so long.
  static let memory = Duration.seconds(366 * 86_400)

  /// - Parameters:
  ///   - candidates: absolute, the best first.
  ///   - store: the store's file, in a folder that exists.
  init(_ candidates: [String], besides store: String) {
    let folder = WitnessFolders.real(StoreFolder.parent(of: store))
    let below = folder == "/" ? "/" : folder + "/"
    folders = candidates.filter { !(WitnessFolders.real($0) + "/").hasPrefix(below) }
  }

  /// Those there are, that can be read, and that are not too old.
  func existing(_ incarnation: String, at now: Timestamp) -> [StoreWitness] {
    folders.filter(WitnessFolders.isSafe).compactMap { folder in
      guard let witness = open("\(folder)/\(incarnation).mark", 0) else { return nil }
      var info = stat()
      guard unsafe fstat(witness.mark.file, &info) == 0,
        now - Timestamp(seconds: Int64(info.st_mtim.tv_sec)) < WitnessFolders.memory
      else { return nil }
      return witness
    }
  }

  /// The first that can be written, made if it is missing and then a copy of `mark`. nil if there is none.
  func make(_ incarnation: String, as mark: MarkFile) -> StoreWitness? {
    for folder in folders {
      WitnessFolders.make(folder)
      guard WitnessFolders.isSafe(folder) else { continue }
      let path = "\(folder)/\(incarnation).mark"
      let isNew = StoreFolder.status(of: path) == nil
      guard let witness = open(path, O_CREAT), witness.isWritable else { continue }
      if !witness.mark.isSame(as: mark) { witness.mark.copy(from: mark) }
      guard witness.mark.isSame(as: mark) else { continue }
      if isNew { flush(witness, in: folder) }
      return witness
    }
    return nil
  }

  /// Removes those that nobody has written for longer than they are believed.
  /// - Returns: how many.
  func sweep(at now: Timestamp) -> Int {
    var count = 0
    for folder in folders where WitnessFolders.isSafe(folder) {
      for name in StoreFolder.names(in: folder) where name.hasSuffix(".mark") {
        guard let info = StoreFolder.status(of: "\(folder)/\(name)"),
          now - Timestamp(seconds: Int64(info.st_mtim.tv_sec)) >= WitnessFolders.memory
        else { continue }
        if unsafe unlink("\(folder)/\(name)") == 0 { count += 1 }
      }
    }
    return count
  }

  private func open(_ path: String, _ flags: Int32) -> StoreWitness? {
    let common = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    var isWritable = true
    var file = unsafe Glibc.open(path, O_RDWR | common, 0o600)
    if file < 0, flags == 0 {
      isWritable = false
      file = unsafe Glibc.open(path, O_RDONLY | common)
    }
    guard file >= 0 else { return nil }
    var info = stat()
    guard unsafe fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid() else {
      close(file)
      return nil
    }
    return StoreWitness(file: file, isWritable: isWritable)
  }

  /// Once: the file and its name are on the disk. A failure leaves a witness that may be gone after a power failure.
  private func flush(_ witness: StoreWitness, in folder: String) {
    _ = fsync(witness.mark.file)
    let directory = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return }
    _ = fsync(directory)
    close(directory)
  }

  /// It and the folder above it belong to this user (the one above also to root), and nobody else may write in them.
  private static func isSafe(_ folder: String) -> Bool {
    isOurs(folder, orRoots: false) && isOurs(StoreFolder.parent(of: folder), orRoots: true)
  }

  private static func isOurs(_ folder: String, orRoots: Bool) -> Bool {
    var info = stat()
    guard unsafe lstat(folder, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_mode & 0o022 == 0 else {
      return false
    }
    return info.st_uid == geteuid() || (orRoots && info.st_uid == 0)
  }

  /// What is missing, 0700. Others may look for theirs in `/var/lib/runbook`.
  private static func make(_ folder: String) {
    guard StoreFolder.status(of: folder) == nil else { return }
    let above = StoreFolder.parent(of: folder)
    if above != "/" && above != "." { make(above) }
    _ = unsafe mkdir(folder, folder == "/var/lib/runbook" ? 0o755 : 0o700)
  }

  /// Without symbolic links, also if its end does not exist.
  private static func real(_ path: String) -> String {
    if let resolved = unsafe realpath(path, nil) {
      defer { unsafe free(resolved) }
      return unsafe String(cString: resolved)
    }
    guard path != "/", path.hasPrefix("/") else { return path }
    let above = real(StoreFolder.parent(of: path))
    let name = path.split(separator: "/").last ?? ""
    return (above == "/" ? "" : above) + "/" + name
  }
}

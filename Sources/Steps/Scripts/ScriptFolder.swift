import Glibc
import Posix
import Runbook

/// What is known of a script's end.
struct ScriptEnding: Equatable {
  enum Cause: Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// It was ended because its time was over.
    case timedOut
  }
  /// Bytes of one stream: all that were written, and how many of them, counted from the first, went to its file. nil:
  /// as many as are there (an older release kept no tail).
  struct Amount: Equatable {
    var total: Int
    var kept: Int?
  }
  var cause: Cause
  var stdout: Amount
  var stderr: Amount

  /// One line: `exit 0 120 0 120 0`.
  var line: String {
    let (word, number) =
      switch cause {
      case .exited(let code): ("exit", code)
      case .signalled(let signal): ("signal", signal)
      case .timedOut: ("timeout", 0)
      }
    return "\(word) \(number) \(stdout.total) \(stderr.total) \(stdout.kept ?? 0) \(stderr.kept ?? 0)"
  }

  init(_ cause: Cause, stdout: Amount, stderr: Amount) {
    self.cause = cause
    self.stdout = stdout
    self.stderr = stderr
  }

  init?(line: String) {
    let fields = line.split(separator: " ")
    guard fields.count == 4 || fields.count == 6, let number = Int32(fields[1]) else { return nil }
    let counts = fields.dropFirst(2).compactMap { Int($0) }
    guard counts.count == fields.count - 2, counts.allSatisfy({ $0 >= 0 }) else { return nil }
    switch fields[0] {
    case "exit": cause = .exited(number)
    case "signal": cause = .signalled(number)
    case "timeout": cause = .timedOut
    default: return nil
    }
    let kept: (Int?, Int?) = counts.count == 4 ? (min(counts[2], counts[0]), min(counts[3], counts[1])) : (nil, nil)
    stdout = Amount(total: counts[0], kept: kept.0)
    stderr = Amount(total: counts[1], kept: kept.1)
  }
}

/// Who a script is, so that another engine can find it: one line of `process`. It is on the disk before the program
/// begins, and removed by the child itself if that never happens.
struct ScriptProcess: Equatable {
  var identity: ProcessIdentity
  /// The keeper that started it and adopts its orphans.
  var keeper: ProcessIdentity
  /// Orphans the keeper had adopted before: they are others'.
  var bystanders: Set<Int32>
  /// In which the pids are told; 0: not known.
  var namespace: UInt64

  var line: String {
    let others = bystanders.sorted().map { " \($0)" }.joined()
    return "2 \(namespace) \(identity.bootID) \(identity.pid) \(identity.start) \(keeper.pid) \(keeper.start)\(others)"
  }

  init(
    identity: ProcessIdentity, keeper: ProcessIdentity, bystanders: Set<Int32>, namespace: UInt64 = Host.pidNamespace
  ) {
    self.identity = identity
    self.keeper = keeper
    self.bystanders = bystanders
    self.namespace = namespace
  }

  init?(line: String) {
    // Empty where there was no `/proc`.
    var fields = line.split(separator: " ", omittingEmptySubsequences: false)[...]
    var namespace: UInt64 = 0
    // An older release wrote neither the version nor the namespace.
    if fields.first == "2", fields.count >= 2, let number = UInt64(fields[1]) {
      namespace = number
      fields = fields.dropFirst(2)
    }
    let words = Array(fields)
    guard words.count >= 5, let pid = Int32(words[1]), let start = UInt64(words[2]),
      let keeperPID = Int32(words[3]),
      let keeperStart = UInt64(words[4])
    else { return nil }
    let bootID = String(words[0])
    identity = ProcessIdentity(pid: pid, start: start, bootID: bootID)
    keeper = ProcessIdentity(pid: keeperPID, start: keeperStart, bootID: bootID)
    bystanders = Set(words[5...].compactMap { Int32($0) })
    self.namespace = namespace
  }

  /// Whether its pids mean something here.
  var isOfOurNamespace: Bool { namespace == 0 || Host.pidNamespace == 0 || namespace == Host.pidNamespace }

  func family(_ key: String) -> ProcessFamily {
    ProcessFamily(
      root: identity, adopter: keeper.state == .alive ? keeper.pid : 0, bystanders: bystanders,
      mark: ScriptFolder.mark(key))
  }

  /// Whether something of the script lives on after its end was written down.
  func hasSurvivors(_ key: String) -> Bool {
    guard isOfOurNamespace else {
      return identity.bootID == Host.bootID && !ProcessEntry.bearing(ScriptFolder.mark(key)).isEmpty
    }
    return !family(key).members().isEmpty
  }

  /// Whether something of the script lives, for one that no keeper keeps any more.
  func isAlive(_ key: String) -> Bool {
    if isOfOurNamespace {
      switch identity.state {
      case .alive: return true
      // The keeper of an older release, which holds no lock, is about to write `rc`.
      case .zombie where keeper.state == .alive: return true
      case .zombie, .gone: break
      }
    }
    return hasSurvivors(key)
  }
}

/// The folder of one script, 0700, named by its key.
///
/// - `lock`: made with the folder, and holds the boot in which it was made; the keeper holds its lock (`FileLock`) from
///   before the start until after the end, and adds a line that says until when it may start the script.
/// - `process`: made under the lock before the program begins. In the boot in which the folder was made nothing was
///   started without it. Of a folder that another boot has made, or that was emptied, nobody can tell.
/// - `rc`: how it ended; made under the lock.
/// - `stop`: somebody has begun to end it.
/// - `stdout`, `stderr`: see `ScriptOutput`.
struct ScriptFolder: Sendable {
  static let files = ["stdout", "stderr", "process", "rc", "stop", "lock", hosts]
  /// Host keys that the run has pinned, in a folder in which no script is kept (`RescuePin`).
  static let hosts = "known_hosts"

  /// Stands in the environment of a script, so that all that comes from it can be found.
  static func mark(_ key: String) -> String { "RUNBOOK_SCRIPT=\(key)" }

  let path: String

  var lockPath: String { path + "/lock" }
  var processPath: String { path + "/process" }

  var exists: Bool {
    get throws(PosixError) { try Folder.isThere(path) }
  }

  /// Whole lines only: one without its newline is still being written. nil if there is none; what else keeps us from
  /// reading it (no descriptor left) is an error, for "no trace" would be taken as "nobody can tell".
  private func line(of name: String) throws(PosixError) -> String? {
    do throws(FileFailure) {
      let bytes = try FileReading.all(of: "\(path)/\(name)", limit: 64 << 10)
      return bytes.last == UInt8(ascii: "\n") ? String(decoding: bytes.dropLast(), as: UTF8.self) : nil
    } catch {
      if case .unreadable(let cause) = error { throw cause }
      return nil
    }
  }

  var process: ScriptProcess? {
    get throws(PosixError) { try line(of: "process").flatMap { ScriptProcess(line: $0) } }
  }
  var ending: ScriptEnding? {
    get throws(PosixError) { try line(of: "rc").flatMap { ScriptEnding(line: $0) } }
  }
  var isBeingStopped: Bool {
    get throws(PosixError) { try Folder.isThere(path + "/stop") }
  }

  /// - Parameter isDurable: the folder itself outlasts a power failure. What is in it need not: after another boot
  ///   nothing of the script runs, and a folder alone says that it may have been started.
  func write(_ line: String, to name: String, isDurable: Bool = false) throws(PosixError) {
    let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    try file.write(Array("\(line)\n".utf8))
    guard isDurable else { return }
    try Descriptor.open(path + "/..", O_RDONLY | O_DIRECTORY).synchronize()
  }

  /// Whether it is as this boot has made it.
  var isOfThisBoot: Bool {
    get throws(PosixError) {
      let boot = try line(of: "lock")?.split(separator: "\n").first.map(String.init)
      return !Host.bootID.isEmpty && boot == Host.bootID
    }
  }

  /// What a keeper says of itself in `lock`. - Parameter notAfter: see `KeeperOrder`.
  static func claim(notAfter: Int) -> String { "\(notAfter)\n" }

  /// Whether the keeper that holds the lock has started nothing and never will: its time for it is over, and what it
  /// was about to start then has ended by itself. Such a keeper is stopped, or it would have let go.
  private func isStartTooLate() throws(PosixError) -> Bool {
    guard try isOfThisBoot, let claim = try line(of: "lock")?.split(separator: "\n").dropFirst().last,
      let notAfter = Int64(claim), notAfter > 0
    else { return false }
    guard BootClock.now > .nanoseconds(notAfter) + TenureLimit.stretch + .seconds(1) else { return false }
    // In this order: what began in time had its `process` before.
    let (process, ending) = (try process, try ending)
    return process == nil && ending == nil
  }

  /// Removes it although a keeper holds it, if that one is too late: when it goes on, it finds nothing to write into.
  func removeLate() throws(PosixError) -> Bool {
    guard try isStartTooLate() else { return false }
    let aside = ScriptFolder(path: "\(path)~\(getpid())")
    aside.remove()
    guard unsafe rename(path, aside.path) == 0 else {
      let error = PosixError(errno, in: "rename")
      if error.isMissing { return false }
      throw error
    }
    aside.remove()
    return true
  }

  /// Writes down that the script was ended, in place of a keeper that is stopped and would do so only when it goes on.
  /// - Returns: false if something of the script is left, or nobody can tell.
  func recordStop(of key: String) throws(PosixError) -> Bool {
    guard let process = try process, process.isOfOurNamespace, process.family(key).members().isEmpty else {
      return false
    }
    func amount(_ name: String) -> ScriptEnding.Amount {
      let size = (try? Descriptor.open("\(path)/\(name)", O_RDONLY).size()) ?? 0
      return ScriptEnding.Amount(total: size, kept: size)
    }
    let ending = ScriptEnding(.timedOut, stdout: amount("stdout"), stderr: amount("stderr"))
    do throws(PosixError) { try write(ending.line, to: "rc") } catch {
      // It has gone on just now.
      if !error.isExisting { throw error }
    }
    return true
  }

  /// What it wrote is read when it is needed.
  func end(_ ending: ScriptEnding) -> ScriptEnd {
    let output = ScriptOutput.bytes(path + "/stdout", total: ending.stdout.total, kept: ending.stdout.kept)
    let errors = ScriptOutput.bytes(path + "/stderr", total: ending.stderr.total, kept: ending.stderr.kept)
    let (code, signal): (Int32?, Int32?) =
      switch ending.cause {
      case .exited(let code): (code, nil)
      case .signalled(let signal): (nil, signal)
      case .timedOut: (nil, nil)
      }
    return ScriptEnd(
      exitCode: code, signal: signal, isTimedOut: ending.cause == .timedOut, output: output, errors: errors)
  }

  /// What it wrote, unmasked, goes; how it ended stays.
  func removeOutput() {
    for name in OutputStream.allCases { _ = unsafe unlink("\(path)/\(name.rawValue)") }
  }

  /// What a program that still runs has written to stdout; empty if there is no more.
  func written(from offset: Int, limit: Int) -> [UInt8] {
    guard let file = try? Descriptor.open(path + "/stdout", O_RDONLY) else { return [] }
    return (try? file.read(at: offset, limit: limit)) ?? []
  }

  /// Makes it, empty. - Returns: false if it is there already.
  func make() throws(PosixError) -> Bool {
    guard try !exists else { return false }
    // Under another name first: no folder of this name is ever without its lock.
    let new = ScriptFolder(path: "\(path)~\(getpid())")
    if try !Folder.makeNew(new.path) {
      // Of an earlier process that had our number.
      new.remove()
      guard try Folder.makeNew(new.path) else { return false }
    }
    do throws(PosixError) {
      try new.write(Host.bootID, to: "lock")
      guard unsafe rename(new.path, path) != 0 else { return true }
      let error = PosixError(errno, in: "rename")
      guard error.code == EEXIST || error.code == ENOTEMPTY else { throw error }
    } catch {
      new.remove()
      throw error
    }
    new.remove()
    return false
  }

  /// Removes it if nothing was started in it and nobody is about to: whoever has the order to start it finds it gone.
  /// - Returns: false if somebody holds it, or has started the script meanwhile.
  func removeUnstarted() throws(PosixError) -> Bool {
    let lock: FileLock?
    do throws(PosixError) { lock = try FileLock.take(lockPath, isNew: true) } catch {
      // Another one has just done the same.
      if error.isMissing { return false }
      throw error
    }
    guard let lock, try process == nil, try ending == nil else { return false }
    remove()
    withExtendedLifetime(lock) {}
    return true
  }

  func remove() { Folder.remove(path, files: Self.files) }
}

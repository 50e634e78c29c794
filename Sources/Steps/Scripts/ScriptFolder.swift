import Glibc
import Posix
import Runbook

/// What is known of a script's end.
struct ScriptEnding: Equatable {
  enum Cause: Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// An attached one was ended because its time was over.
    case timedOut
  }
  var cause: Cause
  /// Bytes it wrote, kept or not.
  var stdoutBytes: Int
  var stderrBytes: Int

  /// One line: `exit 0 120 0`.
  var line: String {
    let (word, number) =
      switch cause {
      case .exited(let code): ("exit", code)
      case .signalled(let signal): ("signal", signal)
      case .timedOut: ("timeout", 0)
      }
    return "\(word) \(number) \(stdoutBytes) \(stderrBytes)"
  }

  init(_ cause: Cause, stdoutBytes: Int, stderrBytes: Int) {
    self.cause = cause
    self.stdoutBytes = stdoutBytes
    self.stderrBytes = stderrBytes
  }

  init?(line: String) {
    let fields = line.split(separator: " ")
    guard fields.count == 4, let number = Int32(fields[1]), let stdout = Int(fields[2]), let stderr = Int(fields[3])
    else {
      return nil
    }
    switch fields[0] {
    case "exit": cause = .exited(number)
    case "signal": cause = .signalled(number)
    case "timeout": cause = .timedOut
    default: return nil
    }
    stdoutBytes = stdout
    stderrBytes = stderr
  }
}

/// Who a script is, so that another engine can find it: one line of `process`.
struct ScriptProcess: Equatable {
  var identity: ProcessIdentity
  /// The keeper that started it and adopts its orphans.
  var keeper: ProcessIdentity
  /// Orphans the keeper had adopted before: they are others'.
  var bystanders: Set<Int32>

  var line: String {
    let others = bystanders.sorted().map { " \($0)" }.joined()
    return "\(identity.bootID) \(identity.pid) \(identity.start) \(keeper.pid) \(keeper.start)\(others)"
  }

  init(identity: ProcessIdentity, keeper: ProcessIdentity, bystanders: Set<Int32>) {
    self.identity = identity
    self.keeper = keeper
    self.bystanders = bystanders
  }

  init?(line: String) {
    let fields = line.split(separator: " ")
    guard fields.count >= 5, let pid = Int32(fields[1]), let start = UInt64(fields[2]),
      let keeperPID = Int32(fields[3]),
      let keeperStart = UInt64(fields[4])
    else { return nil }
    let bootID = String(fields[0])
    identity = ProcessIdentity(pid: pid, start: start, bootID: bootID)
    keeper = ProcessIdentity(pid: keeperPID, start: keeperStart, bootID: bootID)
    bystanders = Set(fields[5...].compactMap { Int32($0) })
  }

  var family: ProcessFamily {
    ProcessFamily(root: identity, adopter: keeper.state == .alive ? keeper.pid : 0, bystanders: bystanders)
  }
}

/// The folder of one script, 0700, named by its key. Its being there is what says that the script was started.
struct ScriptFolder: Sendable {
  /// Kept of each stream on the disk; what comes after is counted and thrown away.
  static let diskLimit = 64 << 20
  /// Of each stream in the result: the first and the last half of it.
  static let valueLimit = 1 << 20

  static let files = ["stdout", "stderr", "process", "rc"]

  let path: String

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

  func write(_ line: String, to name: String) throws(PosixError) {
    let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    try file.write(Array("\(line)\n".utf8))
  }

  func end(_ ending: ScriptEnding) -> ScriptEnd {
    let stdout = output("stdout", of: ending.stdoutBytes)
    let stderr = output("stderr", of: ending.stderrBytes)
    switch ending.cause {
    case .exited(let code): return ScriptEnd(exitCode: code, stdout: stdout, stderr: stderr)
    case .signalled(let signal): return ScriptEnd(exitCode: nil, signal: signal, stdout: stdout, stderr: stderr)
    case .timedOut: return ScriptEnd(exitCode: nil, stdout: stdout, stderr: stderr)
    }
  }

  private func output(_ name: String, of total: Int) -> [UInt8] {
    guard total > 0 else { return [] }
    guard let file = try? Descriptor.open("\(path)/\(name)", O_RDONLY), let kept = try? file.size() else {
      return Self.marker(leftOut: total)
    }
    let half = Self.valueLimit / 2
    do throws(PosixError) {
      if kept <= Self.valueLimit {
        return try file.read(at: 0, limit: kept) + (total > kept ? Self.marker(leftOut: total - kept) : [])
      }
      let (head, tail) = (try file.read(at: 0, limit: half), try file.read(at: kept - half, limit: half))
      let end = total > kept ? Self.marker(leftOut: total - kept) : []
      return head + Self.marker(leftOut: kept - 2 * half) + tail + end
    } catch {
      return Self.marker(leftOut: total)
    }
  }

  /// Where output is missing, in the place where it is missing.
  static func marker(leftOut count: Int) -> [UInt8] { Array("\n[\(count) bytes left out]\n".utf8) }

  func remove() { Folder.remove(path, files: Self.files) }
}

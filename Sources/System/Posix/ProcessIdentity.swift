import CPosix

/// Tells a process from every other that ever was: pids are reused, a pid with its start time and boot is not.
public struct ProcessIdentity: Sendable, Equatable {
  public let pid: Int32
  /// Clock ticks since boot at which it started: `/proc/PID/stat`, field 22.
  public let start: UInt64
  public let bootID: String

  public init(pid: Int32, start: UInt64, bootID: String) {
    self.pid = pid
    self.start = start
    self.bootID = bootID
  }

  /// Of a living process or a zombie; nil if there is none.
  public init?(_ pid: Int32) {
    guard let entry = ProcessEntry(pid) else { return nil }
    self.init(pid: pid, start: entry.start, bootID: Host.bootID)
  }

  public static let own = ProcessIdentity(getpid()) ?? ProcessIdentity(pid: getpid(), start: 0, bootID: Host.bootID)

  public enum State: Sendable, Equatable { case alive, zombie, gone }

  /// `gone` only if that is certain: when the process table cannot be read (no descriptor left, no `/proc`, or one that
  /// hides the processes of others) it counts as alive, for a wrong verdict of death would let two processes work on
  /// the same thing. Pids of another namespace (`Host.pidNamespace`) must not be asked for.
  public var state: State {
    guard bootID == Host.bootID || bootID.isEmpty || Host.bootID.isEmpty else { return .gone }
    do throws(FileFailure) {
      guard let entry = try ProcessEntry.read(pid) else { return ProcessIdentity.exists(pid) ? .alive : .gone }
      guard entry.start == start else { return .gone }
      return entry.isZombie ? .zombie : .alive
    } catch {
      return .alive
    }
  }

  /// Whether the kernel has such a process, asked without `/proc`.
  static func exists(_ pid: Int32) -> Bool { pid > 0 && (kill(pid, 0) == 0 || posix_errno() != ESRCH) }
}

public enum Host {
  /// Changes with every boot of the kernel. Empty if `/proc` is not there.
  public static let bootID: String = {
    let bytes = try? FileReading.all(of: "/proc/sys/kernel/random/boot_id", limit: 100)
    return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }()

  /// Tells the pid namespace of this process from every other that there is now; 0 if `/proc` is not there. A pid means
  /// nothing in another one.
  public static let pidNamespace: UInt64 = {
    var status = stat()
    return unsafe stat("/proc/self/ns/pid", &status) == 0 ? UInt64(status.st_ino) : 0
  }()

  /// What this installation of the system is known by: `/etc/machine-id`. Empty if it has none.
  public static let machineID: String = {
    let bytes = try? FileReading.all(of: "/etc/machine-id", limit: 100)
    return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }()

  public static let name: String = {
    var buffer = [UInt8](repeating: 0, count: 256)
    unsafe buffer.withUnsafeMutableBytes { bytes in
      if let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) {
        _ = unsafe gethostname(start, 255)
      }
    }
    let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    return name.isEmpty ? "localhost" : name
  }()
}

/// One line of the process table.
public struct ProcessEntry: Sendable, Equatable {
  public let pid: Int32
  public let parent: Int32
  public let group: Int32
  public let session: Int32
  public let start: UInt64
  public let isZombie: Bool

  /// nil if there is no such process, or if it cannot be told.
  public init?(_ pid: Int32) {
    guard let entry = try? ProcessEntry.read(pid) else { return nil }
    self = entry
  }

  /// nil if there is certainly no such process. - Throws: if it cannot be told.
  static func read(_ pid: Int32) throws(FileFailure) -> ProcessEntry? {
    guard pid > 0 else { return nil }
    do throws(FileFailure) {
      return ProcessEntry(pid: pid, line: try FileReading.all(of: "/proc/\(pid)/stat", limit: 4096))
    } catch {
      if error == .missing { return nil }
      throw error
    }
  }

  /// The program's name, in parentheses, may hold anything: everything is counted from the last `)`.
  init?(pid: Int32, line: [UInt8]) {
    guard let close = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = line[(close + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count > 19, let parent = Int32(fields[1]), let group = Int32(fields[2]),
      let session = Int32(fields[3]),
      let start = UInt64(fields[19])
    else { return nil }
    self.pid = pid
    self.parent = parent
    self.group = group
    self.session = session
    self.start = start
    isZombie = fields[0] == "Z" || fields[0] == "X"
  }

  /// `NAME=value` each, as it was started with them; empty if that cannot be read.
  var environment: [ArraySlice<UInt8>] {
    let bytes = (try? FileReading.all(of: "/proc/\(pid)/environ", limit: 4 << 20)) ?? []
    return bytes.split(separator: 0)
  }

  /// Whether both run the same file; false if that cannot be told.
  func isOfTheProgram(of other: ProcessEntry) -> Bool {
    var (mine, theirs) = (stat(), stat())
    return unsafe stat("/proc/\(pid)/exe", &mine) == 0 && stat("/proc/\(other.pid)/exe", &theirs) == 0
      && mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
  }

  /// Living processes that were started with `variable` (`NAME=value`); those of other users cannot be told.
  public static func bearing(_ variable: String) -> [ProcessEntry] {
    let wanted = Array(variable.utf8)
    return all().filter { entry in !entry.isZombie && entry.environment.contains { $0.elementsEqual(wanted) } }
  }

  /// Every process there is; those that end meanwhile are left out.
  public static func all() -> [ProcessEntry] {
    FileReading.names(in: "/proc").compactMap { Int32($0) }.compactMap { ProcessEntry($0) }
  }
}

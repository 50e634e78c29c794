import CPosix

/// A child to be started. It gets exactly these descriptors and this environment, default signals, and nothing else
/// of ours.
public struct SpawnRequest: Sendable {
  /// Absolute, or relative to `workingDirectory` with a `/` in it. No look-up.
  public var program: String
  /// The first is the name the program is told.
  public var arguments: [String]
  /// `NAME=value` each; complete.
  public var environment: [String]
  /// nil: ours.
  public var workingDirectory: String?
  /// Becomes descriptor 0, 1, 2, 3 … of the child; every other one is closed.
  public var descriptors: [Int32]
  /// A session (and process group) of its own, without a terminal; else a process group of its own.
  public var newSession: Bool

  public init(
    _ program: String, arguments: [String], environment: [String], workingDirectory: String? = nil,
    descriptors: [Int32],
    newSession: Bool = true
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.descriptors = descriptors
    self.newSession = newSession
  }
}

extension SpawnRequest {
  /// Starts the child without waiting for it. - Returns: its pid; the caller must reap it.
  public func start() throws(PosixError) -> Int32 {
    // A source within the range of targets could be overwritten before it is copied: lift such a one above it.
    var lifted: [Descriptor] = []
    var sources = descriptors
    for (target, source) in descriptors.enumerated() where source < descriptors.count {
      let copy = posix_duplicate_above(source, Int32(descriptors.count))
      if copy < 0 { throw PosixError("fcntl") }
      lifted.append(Descriptor(adopting: copy))
      sources[target] = copy
    }
    defer { withExtendedLifetime(lifted) {} }
    var actions = unsafe posix_spawn_file_actions_t()
    var code = unsafe posix_spawn_file_actions_init(&actions)
    if code != 0 { throw PosixError(code, in: "posix_spawn") }
    defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
    for (target, source) in sources.enumerated() where code == 0 {
      code = unsafe posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
    }
    if code == 0 { code = unsafe posix_spawn_file_actions_addclosefrom_np(&actions, Int32(sources.count)) }
    if code == 0, let workingDirectory {
      code = unsafe posix_spawn_file_actions_addchdir_np(&actions, workingDirectory)
    }
    if code != 0 { throw PosixError(code, in: "posix_spawn") }

    var attributes = posix_spawnattr_t()
    code = unsafe posix_spawnattr_init(&attributes)
    if code != 0 { throw PosixError(code, in: "posix_spawn") }
    defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_all_signals(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let group = newSession ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var pid: pid_t = 0
    code = unsafe CStrings.lend(arguments) { arguments in
      unsafe CStrings.lend(environment) { environment in
        unsafe posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
      }
    }
    if code != 0 { throw PosixError(code, in: "posix_spawn") }
    return pid
  }
}

/// Lists of text as C wants them: pointers to NUL-terminated bytes, ended by a null pointer.
enum CStrings {
  static func lend<R>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for text in texts {
      starts.append(bytes.count)
      bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
      bytes.append(0)
    }
    return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      let base = buffer.baseAddress
      var pointers = unsafe starts.map { unsafe base?.advanced(by: $0) }
      unsafe pointers.append(nil)
      return unsafe pointers.withUnsafeMutableBufferPointer { list in
        guard let first = list.baseAddress else { preconditionFailure("a list that ends with null is never empty") }
        return unsafe body(first)
      }
    }
  }
}

import Glibc
import Posix
import Runbook
import Synchronization

/// A program that prints a secret: a password manager. Nothing that it prints is shown, logged or written down, not
/// even when it fails.
struct SecretCommand {
  /// The program and its arguments. No shell reads them.
  let words: [String]
  /// The runbook's, in which it runs.
  let folder: String
  /// How long it may take; then it is ended, with all that came from it.
  var patience = Duration.seconds(30)

  /// Largest output of the program, in bytes.
  static let limit = MachineSecrets.fileLimit
  /// From TERM to KILL.
  private static let grace = Duration.seconds(2)
  /// The variables of a script, and the variables that lead to the user's own agents.
  private static let variables: Set<String> = [
    "PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "SSH_AUTH_SOCK", "GNUPGHOME", "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
  ]

  struct Failure: Error {
    /// To follow "is missing: ".
    var reason: String
  }

  /// - Throws: in words without anything that it has printed.
  func output() throws(Failure) -> [UInt8] {
    let environment = environment()
    let program = try resolve(environment["PATH"] ?? "")
    let mark = "RUNBOOK_SECRET=\(getpid()).\(SecretCommand.number.add(1, ordering: .relaxed).newValue)"
    let outcome: Result<[UInt8], Failure>
    do throws(PosixError) {
      let (reader, writer) = try Descriptor.pipe()
      let nothing = try Descriptor.open("/dev/null", O_RDWR)
      let request = SpawnRequest(
        program, arguments: words, environment: environment.map { "\($0.key)=\($0.value)" } + [mark],
        workingDirectory: folder, descriptors: [nothing.number, writer.number, nothing.number])
      // Under the lock, so that `abandon` finds it however early it comes.
      let pid = try SecretCommand.running.withLock { running throws(PosixError) in
        running.pid = try request.start()
        return running.pid
      }
      defer {
        SecretCommand.finish()
        Children.reap(pid)
      }
      writer.closeEarly()
      try reader.setNonblocking()
      outcome = try watch(pid, reader, mark)
    } catch {
      throw Failure(reason: "`\(shown)` \(words(for: error))")
    }
    return try outcome.get()
  }

  private func watch(_ pid: Int32, _ reader: Descriptor, _ mark: String) throws(PosixError) -> Result<[UInt8], Failure>
  {
    let handle = try ProcessHandle(pid)
    let family = ProcessIdentity(pid).map { ProcessFamily(root: $0, mark: mark) }
    let deadline = Monotonic.now + patience
    var bytes: [UInt8] = []
    var isOpen = true
    while true {
      let left = deadline - Monotonic.now
      guard left > .zero else {
        _ = family?.stop(grace: SecretCommand.grace)
        return .failure(Failure(reason: "`\(shown)` had not ended after \(patience.text), and was ended"))
      }
      var interests = [Poll.Interest(handle.descriptor.number, .readable)]
      if isOpen { interests.append(Poll.Interest(reader.number, .readable)) }
      _ = try Poll.wait(for: interests, timeout: left)
      let end = Children.ended(pid)?.end
      while isOpen, let piece = try reader.read(limit: 4096) {
        if piece.isEmpty { isOpen = false }
        bytes += piece
        guard bytes.count <= SecretCommand.limit else {
          _ = family?.stop(grace: .zero)
          return .failure(Failure(reason: "`\(shown)` prints more than \(SecretCommand.limit >> 10) KiB"))
        }
      }
      switch end {
      case nil: continue
      case .exited(0): return .success(bytes)
      case .exited(let code): return .failure(Failure(reason: "`\(shown)` ended with exit code \(code)"))
      case .signalled(let signal): return .failure(Failure(reason: "`\(shown)` was ended by signal \(signal)"))
      }
    }
  }

  private func environment() -> [String: String] {
    var environment = Environment.all.filter { SecretCommand.variables.contains($0.key) }
    if environment["PATH"] == nil { environment["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
    if environment["HOME"] == nil, let home = User.home { environment["HOME"] = home }
    return environment
  }

  /// As written if it has a `/`, seen from the runbook's folder; else from `PATH`.
  private func resolve(_ path: String) throws(Failure) -> String {
    guard let name = words.first, !name.isEmpty else { throw Failure(reason: "its `argv` names no program") }
    if name.contains("/") { return name }
    for folder in path.split(separator: ":") where folder.hasPrefix("/") {
      let candidate = "\(folder)/\(name)"
      if unsafe access(candidate, X_OK) == 0, !Folder.exists(candidate) { return candidate }
    }
    throw Failure(reason: "there is no program `\(shown)` on PATH")
  }

  /// The program, for messages.
  private var shown: String { DisplayText.escaped(words.first ?? "", limit: 200) }

  private func words(for error: PosixError) -> String {
    guard error.call == "posix_spawn" else { return "could not be started: \(error.reason)" }
    return switch error.code {
    case ENOENT: "does not exist, or the interpreter that it names"
    case EACCES: "is not executable"
    case ENOEXEC: "is no program: it has no `#!` line"
    case E2BIG: "has arguments that are too long"
    default: "could not be started: \(error.reason)"
    }
  }

  /// How a person runs it.
  var line: String {
    "(cd \(AdvisedCommands.quoted(folder)) && \(words.map { AdvisedCommands.quoted($0) }.joined(separator: " ")))"
  }

  // MARK: When a signal ends this process

  private static let number = Atomic<Int>(0)
  private static let running = Mutex<(pid: Int32, isAbandoned: Bool)>((0, false))

  /// Ends the program that runs, if any: it is in a session of its own, where no Ctrl-C reaches it. The caller ends
  /// this process next.
  static func abandon() {
    running.withLock { running in
      running.isAbandoned = true
      if running.pid > 0 { _ = kill(-running.pid, SIGKILL) }
    }
  }

  /// The program has ended. If `abandon` has ended it, this process ends at once with its own exit code: the failure of
  /// the program must not come first.
  private static func finish() {
    while running.withLock({ running in
      running.pid = 0
      return running.isAbandoned
    }) {
      _ = pause()
    }
  }
}

import Glibc
import Posix
public import Runbook

/// A real OpenSSH server on loopback, with keys of its own, for the current user. Each account is a key of the client:
/// what stands before it in `authorized_keys` is the login shell, or what stands in its place.
///
/// What scripts leave on the "other machine" lies in `state`.
public final class SSHServer: Sendable {
  public enum Account: String, Sendable, CaseIterable {
    /// Nothing stands before the user's own shell.
    case plain
    // The login shell.
    case fish, bash, dash, busybox
    /// `/bin/sh` of that machine is another one, everywhere.
    case shIsBash, shIsBusybox
    /// What its start files say stands in the output.
    case noisy
    // What runs no script.
    case forced, forcedFailing, nologin, restricted
    /// On whose `PATH` there is a `sudo` of ours: see `sudo`.
    case sudoer
    /// A machine that can be booted: see `SSHServer.rebooting`.
    case bootable
    /// Whose programs write down that they were started: see `SSHServer.started`.
    case counted
  }

  static let program = "/usr/sbin/sshd"
  /// Why the server cannot be started here; nil: it can.
  public static let missing: String? = {
    for path in [program, "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/fish", "/bin/busybox"]
    where unsafe access(path, X_OK) != 0 {
      return "\(path) is missing"
    }
    return nil
  }()

  private let folder = TemporaryFolder()
  public let port: UInt16
  private let pid: Int32
  private let life: Descriptor
  public let user: String

  public struct NotStarted: Error, CustomStringConvertible {
    public var description: String
  }

  /// - Parameters:
  ///   - settings: lines of its configuration that go before all others.
  ///   - password: a line of `/etc/shadow` that holds for the server alone. Needs `canTakePasswords`.
  public init(settings: String = "", password: String? = nil) throws {
    if getuid() == 0 { _ = unsafe mkdir("/run/sshd", 0o755) }
    user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "root"
    port = Self.freePort()
    _ = unsafe mkdir(folder.path("state"), 0o700)
    _ = unsafe mkdir(folder.path("machine"), 0o700)
    _ = unsafe mkdir(folder.path("home"), 0o700)
    folder.write("machine/boot_id", Array("11111111-aaaa\n".utf8))
    try Self.makeKey(folder.path("host"))
    var authorized = ""
    for account in Account.allCases {
      let name = "key-\(account.rawValue)"
      try Self.makeKey(folder.path(name))
      authorized += Self.options(account, folder) + String(decoding: folder.read("\(name).pub"), as: UTF8.self)
    }
    folder.write("authorized", Array(authorized.utf8))
    // A banner may say what it likes.
    let banner = "Authenticated to backup\nAuthenticated to x ([192.0.2.1]:22) using \"publickey\".\n"
    folder.write("banner", Array(banner.utf8))
    _ = unsafe mkdir(folder.path("counted"), 0o700)
    for name in Self.counted {
      let text = "#!/bin/sh\necho \(name) >> \(folder.path("started"))\nexec /usr/bin/\(name) \"$@\"\n"
      _ = folder.file("counted/\(name)", text, mode: 0o755)
    }
    let hostKey = String(decoding: folder.read("host.pub"), as: UTF8.self).split(separator: " ").prefix(2)
    folder.write("known", Array("* \(hostKey.joined(separator: " "))\n".utf8))
    _ = unsafe mkdir(folder.path("sudo"), 0o700)
    _ = folder.file("sudo/sudo", Self.sudo(folder.path("sudo.log")), mode: 0o755)
    let configured = settings
    let settings = """
      \(configured)
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(folder.path("host"))
      PidFile none
      AuthorizedKeysFile \(folder.path("authorized"))
      StrictModes no
      UsePAM no
      PasswordAuthentication no
      KbdInteractiveAuthentication no
      PermitRootLogin yes
      PermitUserEnvironment yes
      PrintMotd no
      Banner \(folder.path("banner"))
      MaxStartups 200
      LogLevel ERROR

      """
    let configuration = folder.file("sshd_config", settings)
    let log = try Descriptor.open(folder.path("log"), O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
    // It ends with this process, however that ends: then nobody holds the other end of the pipe.
    let (reader, writer) = try Descriptor.pipe()
    life = writer
    var text = "\"$0\" -D -e -f \"$1\" & read -r end; kill $!"
    var words = ["sh", "-c", text, Self.program, configuration]
    if let password {
      text = "mount --bind \"$2\" /etc/shadow || exit; " + text
      words = ["unshare", "-m", "sh", "-c", text, Self.program, configuration, folder.file("shadow", password + "\n")]
    }
    pid = try SpawnRequest(
      password == nil ? "/bin/sh" : "/usr/bin/unshare", arguments: words,
      environment: ["PATH=/usr/bin:/bin"], descriptors: [reader.number, log.number, log.number]
    ).start()
    try awaitStart()
  }

  deinit {
    life.closeEarly()
    Children.reap(pid)
  }

  private func awaitStart() throws {
    for _ in 0..<2000 {
      if RawConnection(port: port) != nil { return }
      if Children.ended(pid) != nil { break }
      usleep(5000)
    }
    throw NotStarted(description: "sshd: " + String(decoding: folder.read("log"), as: UTF8.self))
  }

  /// Whether a server can have passwords of its own, in a name space of its own.
  public static let canTakePasswords: Bool = {
    guard getuid() == 0, let null = try? Descriptor.open("/dev/null", O_RDWR) else { return false }
    let request = SpawnRequest(
      "/usr/bin/unshare", arguments: ["unshare", "-m", "mount", "--bind", "/etc/shadow", "/etc/shadow"],
      environment: ["PATH=/usr/bin:/bin"], descriptors: [null.number, null.number, null.number])
    guard let pid = try? request.start() else { return false }
    while true {
      if let (_, end) = Children.ended(pid) {
        Children.reap(pid)
        if case .exited(0) = end { return true }
        return false
      }
      usleep(1000)
    }
  }()

  /// Says in the log what it was asked, and becomes nobody: a `sudo` that tells how it was called. It asks for a
  /// password for the user `asks`, and knows no user `unknown`.
  private static func sudo(_ log: String) -> String {
    """
    #!/bin/sh
    echo "$*" >> \(log)
    case "$1 $2 $3 $4 $5" in
    '-n -H -u asks --') echo 'sudo: a password is required' >&2; exit 1 ;;
    '-n -H -u unknown --') echo 'sudo: unknown user unknown' >&2; exit 1 ;;
    '-n -H -u '*' --') ;;
    *) echo "sudo: strange words: $*" >&2; exit 1 ;;
    esac
    became=$4
    shift 5
    exec env -i PATH="$PATH" HOME="$HOME" XDG_STATE_HOME="$XDG_STATE_HOME" BECAME="$became" "$@"
    """ + "\n"
  }
  /// What the `sudo` was asked, a line each.
  public var sudoCalls: [String] {
    String(decoding: folder.read("sudo.log"), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static let counted = [
    "cat", "chmod", "cp", "date", "find", "grep", "head", "id", "ls", "mkdir", "mkfifo", "mv", "rm", "setsid", "stat",
    "tail", "tee", "tr",
  ]
  /// The small programs that the account `counted` has started, in the order of their names; `sleep` is not told.
  public var started: [String] {
    String(decoding: folder.read("started"), as: UTF8.self).split(separator: "\n").map(String.init).sorted()
  }
  public func forgetStarted() { folder.write("started", []) }

  /// Lines of the server's log that hold these words. How much it says is a matter of its settings.
  public func logged(_ words: String) -> Int {
    String(decoding: folder.read("log"), as: UTF8.self).split(whereSeparator: { $0.isNewline })
      .count { $0.contains(words) }
  }

  /// How often somebody has logged in. Needs `LogLevel VERBOSE`.
  public var logins: Int { logged("Accepted publickey for ") + logged("Accepted password for ") }

  /// Where the other side keeps its scripts: `STATE/runbook/ssh/KEY`.
  public var state: String { folder.path("state") }
  public var knownHosts: String { folder.path("known") }
  public func key(_ account: Account) -> String { folder.path("key-\(account.rawValue)") }

  /// Fields of `ssh.*` that lead there.
  public func place(_ account: Account = .plain, through port: UInt16? = nil) -> [String: Value] {
    [
      "host": "127.0.0.1", "port": .int(Int64(port ?? self.port)), "user": .string(user),
      "key": .string(key(account)), "known_hosts": .string(knownHosts),
    ]
  }

  /// Words that reboot the machine of the account `bootable`: it counts its boots, ends the connection, lets nobody in
  /// for a while, and has another boot id then.
  public func rebooting(cuts: Bool = true) -> [Value] {
    let machine = folder.path("machine")
    let text = """
      cd \(machine); echo boot >> boots; touch down
      \(cuts ? "kill -KILL \"$(cat session)\"" : ":")
      { sleep 0.3; echo "$(wc -l < boots)-bbbb" > boot_id; rm down; } >/dev/null 2>&1 &
      """
    return ["/bin/sh", "-c", .string(text)]
  }

  /// How often it was rebooted.
  public var boots: Int { folder.read("machine/boots").count { $0 == UInt8(ascii: "\n") } }

  /// The names of what is kept of a script.
  public func kept(_ key: String) -> [String] {
    FileReading.names(in: "\(state)/runbook/ssh/\(key)").sorted()
  }

  private static func options(_ account: Account, _ folder: TemporaryFolder) -> String {
    // A home of its own: start files of whoever runs the tests are none of theirs, and may take long.
    var options =
      "environment=\"XDG_STATE_HOME=\(folder.path("state"))\",environment=\"HOME=\(folder.path("home"))\","
    let programs: [Account: String] = [.sudoer: "sudo", .counted: "counted"]
    if let own = programs[account] { options += "environment=\"PATH=\(folder.path(own)):/usr/bin:/bin\"," }
    let asked = "\\\"$SSH_ORIGINAL_COMMAND\\\""
    let command: String? =
      switch account {
      case .plain, .sudoer, .counted: nil
      case .fish: "exec /usr/bin/fish --no-config -c \(asked)"
      case .bash: "exec /bin/bash -c \(asked)"
      case .dash: "exec /bin/dash -c \(asked)"
      case .busybox: "exec /bin/busybox sh -c \(asked)"
      case .shIsBash: other("/bin/bash", "bash", folder)
      case .shIsBusybox: other("/bin/busybox", "busybox", folder)
      case .noisy: "printf 'Last login: never'; echo 'mesg: no tty' >&2; exec /bin/sh -c \(asked)"
      case .forced: "echo 'only backups here'"
      case .forcedFailing: "echo 'fatal: unrecognized command' >&2; exit 128"
      case .nologin: "/usr/sbin/nologin"
      case .restricted: "exec /bin/bash -r -c \(asked)"
      case .bootable:
        "cd \(folder.path("machine")) || exit; if test -e down; then echo System is going down.; exit 1; fi; "
          + "echo $PPID > session; sed 's#/proc/sys/kernel/random/boot_id#\(folder.path("machine"))/boot_id#g' "
          + "| /bin/sh -s"
      }
    if let command { options += "command=\"\(command)\"," }
    return String(options.dropLast()) + " "
  }

  /// A login under which `/bin/sh` is another shell, in all that is run.
  private static func other(_ shell: String, _ name: String, _ folder: TemporaryFolder) -> String {
    _ = unsafe mkdir(folder.path(name), 0o700)
    _ = unsafe symlink(shell, folder.path(name) + "/sh")
    let sh = folder.path(name) + "/sh"
    return "sed 's#/bin/sh#\(sh)#g' | \(sh) -s"
  }

  /// A port where nobody listens now.
  private static func freePort() -> UInt16 {
    let server = RawServer { _, _ in }
    defer { server.stop() }
    return server.port
  }

  private static func makeKey(_ path: String) throws {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let program = "/usr/bin/ssh-keygen"
    let pid = try SpawnRequest(
      program, arguments: [program, "-q", "-t", "ed25519", "-N", "", "-f", path], environment: ["PATH=/usr/bin:/bin"],
      descriptors: [null.number, null.number, null.number]
    ).start()
    while Children.ended(pid) == nil { usleep(1000) }
    Children.reap(pid)
  }
}

import Runbook

/// The system's OpenSSH client. A name without `/` is looked up on `PATH` when it is started.
public struct SSHProgram: Sendable {
  public var path: String
  /// Connections that the steps of a run share; nil: each opens its own.
  public var connections: SSHConnections?
  /// The folder in which a run pins the host keys of servers that it has put into rescue, in a folder of its own that
  /// `ScriptHost.sweep` removes; nil: it can pin none.
  public var pins: String?
  public init(path: String = "ssh", connections: SSHConnections? = nil, pins: String? = nil) {
    self.path = path
    self.connections = connections
    self.pins = pins
  }
}

/// One call of the client: where to, and how.
///
/// The user's own ssh configuration applies (host names, keys, agent), except for what would make a run depend on a
/// terminal, a person or another connection: those are switched off, and options on the command line come first.
struct SSHCommand {
  let program: SSHProgram
  let host: String
  let user: String?
  let port: Int64?
  let jump: String?
  let knownHosts: String?
  let acceptsNewHostKeys: Bool
  /// Where the host key of a rescue system is pinned, with `host_key: rescue`.
  let pin: RescuePin?
  /// The path of a private key, or what stands in its place until the key in memory has one.
  let keyPath: String?
  let key: Secret?
  let password: Secret?
  /// Who to be there after the login.
  let become: String?
  let connectTimeout: Duration
  /// Whether a connection may serve that another step has opened, and be left to the next one.
  var isShared = true
  /// A connection that says nothing for so long is given up: seconds between two questions, and how many of them.
  var silence = (interval: 15, count: 4)

  init(_ program: SSHProgram, _ with: Arguments) throws(StepFailure) {
    self.program = program
    password = try Self.password(with)
    become = try with.optionalText("become")
    if let become, !SSHWord.isUser(become) { throw StepFailure.unfit("`become` is not a user name") }
    host = try with.text("host")
    user = try with.optionalText("user")
    jump = try with.optionalText("jump")
    port = try with.int("port")
    guard SSHWord.isHost(host) else { throw StepFailure.unfit("`host` is not a host name or an address") }
    if let user, !SSHWord.isUser(user) { throw StepFailure.unfit("`user` is not a user name") }
    if let jump, !SSHWord.isJump(jump) {
      throw StepFailure.unfit("`jump` must be `host`, `user@host` or `user@host:port`")
    }
    if let port, !(1...65_535).contains(port) { throw StepFailure.unfit("`port` must be 1 to 65535") }
    switch try with.optionalText("host_key") ?? "strict" {
    case "strict", "rescue": acceptsNewHostKeys = false
    case "accept_new": acceptsNewHostKeys = true
    default: throw StepFailure.unfit("`host_key` must be `strict`, `accept_new` or `rescue`")
    }
    pin = try RescuePin(with, in: program.pins)
    // Another machine answers there, for as long as it is in rescue.
    if pin != nil { isShared = false }
    knownHosts = try Self.path(try with.optionalText("known_hosts"), in: with)
    if case .secret(let secret)? = with["key"] {
      let text = secret.reveal()
      // Without its last newline, which many secret stores cut off, OpenSSH does not read a key.
      key = text.hasSuffix("\n") ? secret : Secret(text + "\n", named: secret.names)
      keyPath = ScriptRequest.secretFilePlaceholder
    } else {
      key = nil
      keyPath = try Self.path(try with.optionalText("key"), in: with)
    }
    connectTimeout = try with.duration("connect_timeout") ?? .seconds(10)
  }

  private static func password(_ with: Arguments) throws(StepFailure) -> Secret? {
    let password: Secret
    switch with["password"] {
    case nil, .null?: return nil
    case .secret(let secret)?: password = secret
    default: password = Secret(try with.text("password"), named: [])
    }
    let bytes = password.reveal().utf8
    guard !bytes.isEmpty, bytes.count <= 1000, !bytes.contains(where: { $0 == 0 || $0 == 0x0a || $0 == 0x0d }) else {
      throw StepFailure.unfit("`password` must be one line of 1 to 1000 bytes")
    }
    return password
  }

  /// `~/` is left to OpenSSH, which knows the home directory. A path in an option may not hold what would end or
  /// expand it.
  private static func path(_ path: String?, in with: Arguments) throws(StepFailure) -> String? {
    guard let path else { return nil }
    guard
      !path.utf8.contains(where: {
        $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "$")
      })
    else {
      throw StepFailure.unfit(
        "the path of a key or of known hosts may not hold quotes, `%`, `$` or control characters")
    }
    return path.hasPrefix("~/") ? path : try with.inFolder(path)
  }

  /// Whether a call with these fields reaches the same user of the same machine by the same way.
  func isSamePlace(as with: Arguments) -> Bool {
    guard var other = try? SSHCommand(program, with) else { return false }
    other.silence = silence
    return other.become == become && other.argv(running: []) == argv(running: [])
  }

  /// The whole command line; `words` are what the other side's shell runs, and are ours, never an author's.
  func argv(running words: [String]) -> [String] {
    let pinned = pin?.options ?? []
    return [program.path, "-T", "-o", "LogLevel=VERBOSE"] + pinned + options(Self.alone) + login + way + ["--", host]
      + words
  }

  /// Of the client that opens a connection for others, runs nothing itself, and listens at `socket`.
  func keepingArgv(socket: String) -> [String] {
    let listening = ["ControlMaster=yes", "ControlPath=\(socket)", "ControlPersist=no"]
    return [program.path, "-T", "-N", "-o", "LogLevel=VERBOSE"] + options(listening) + login + way + ["--", host]
  }

  /// Of the client that runs `words` over a connection that is open. It never opens one itself: of its input a part may
  /// have been sent already, and the rest alone would be another script. Its own words go to the file `log`.
  func sharingArgv(socket: String, log: String, running words: [String]) -> [String] {
    let settings = ["LogLevel=DEBUG2", "BatchMode=yes", "ProxyCommand=false", "CanonicalizeHostname=no"]
    let joining = ["ControlMaster=no", "ControlPath=\(socket)"]
    let all = (settings + Self.nothingElse + joining).flatMap { ["-o", $0] }
    return [program.path, "-T", "-E", log] + all + way + ["--", host] + words
  }

  private static let alone = ["ControlMaster=no", "ControlPath=none"]
  /// What a configuration could ask for besides.
  private static let nothingElse = [
    "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none",
  ]

  private var way: [String] {
    (user.map { ["-l", $0] } ?? []) + (port.map { ["-p", String($0)] } ?? [])
  }

  /// How to get in, and through which machine.
  private var login: [String] {
    var settings: [String]
    if password != nil {
      settings = ["BatchMode=no", "NumberOfPasswordPrompts=1"]
      if keyPath == nil { settings.append("PubkeyAuthentication=no") }
    } else {
      settings = ["BatchMode=yes"]
    }
    if let jump { settings.append("ProxyCommand=" + proxyCommand(jump)) }
    return settings.flatMap { ["-o", $0] }
  }

  private func options(_ control: [String]) -> [String] {
    let seconds = max(1, min(connectTimeout, .seconds(3600)).components.seconds)
    var settings = [
      "ConnectTimeout=\(seconds)", "ServerAliveInterval=\(silence.interval)",
      "ServerAliveCountMax=\(silence.count)",
      "StrictHostKeyChecking=\(acceptsNewHostKeys ? "accept-new" : "yes")",
    ]
    settings += Self.nothingElse + control
    if let knownHosts { settings.append("UserKnownHostsFile=\"\(knownHosts)\"") }
    var options = settings.flatMap { ["-o", $0] }
    if let keyPath { options += ["-o", "IdentitiesOnly=yes", "-i", keyPath] }
    return options
  }

  /// The way through another machine, under the same rules: `-J` would apply none of our options to it. OpenSSH gives
  /// this text to a shell after expanding `%`.
  private func proxyCommand(_ jump: String) -> String {
    var place = jump[...]
    // It never gets the password, which is another machine's.
    var words = [program.path, "-T", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"] + options(Self.alone)
    if let at = place.lastIndex(of: "@") {
      words += ["-l", String(place[..<at])]
      place = place[place.index(after: at)...]
    }
    if let colon = place.lastIndex(of: ":") {
      words += ["-p", String(place[place.index(after: colon)...])]
      place = place[..<colon]
    }
    let quoted = words.map { ShellText.quoted($0).replacing("%", with: "%%") }.joined(separator: " ")
    return "\(quoted) -W '[%h]:%p' -- \(ShellText.quoted(String(place)))"
  }
}

/// What may stand on a command line as a host or a user: nothing that a shell or OpenSSH reads as anything else.
enum SSHWord {
  static func isHost(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 253 else { return false }
    return (isAlphanumeric(first) || first == UInt8(ascii: ":"))
      && text.utf8.allSatisfy { isAlphanumeric($0) || ".:_-".utf8.contains($0) }
  }

  static func isUser(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 64 else { return false }
    return (isAlphanumeric(first) || first == UInt8(ascii: "_"))
      && text.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
  }

  static func isJump(_ text: String) -> Bool {
    var place = text[...]
    if let at = place.lastIndex(of: "@") {
      guard isUser(String(place[..<at])) else { return false }
      place = place[place.index(after: at)...]
    }
    if let colon = place.lastIndex(of: ":") {
      guard let port = UInt16(place[place.index(after: colon)...]), port > 0 else { return false }
      place = place[..<colon]
    }
    return !place.contains(":") && isHost(String(place))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}

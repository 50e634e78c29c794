import Runbook

/// The system's OpenSSH client. A name without `/` is looked up on `PATH` when it is started.
public struct SSHProgram: Sendable {
  public var path: String
  /// The folder in which a run pins the host keys of servers that it has put into rescue, in a folder of its own that
  /// `ScriptHost.sweep` removes; nil: it can pin none.
  public var pins: String?
  public init(path: String = "ssh", pins: String? = nil) {
    self.path = path
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
  let connectTimeout: Duration
  /// A connection that says nothing for so long is given up: seconds between two questions, and how many of them.
  var silence = (interval: 15, count: 4)

  init(_ program: SSHProgram, _ with: Arguments) throws(StepFailure) {
    self.program = program
    if with["password"] != nil { throw StepFailure.unfit("`password` is not supported yet; use `key` or an agent") }
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

  /// The whole command line; `words` are what the other side's shell runs, and are ours, never an author's.
  func argv(running words: [String]) -> [String] {
    var argv = [program.path, "-T", "-o", "LogLevel=VERBOSE"] + (pin?.options ?? []) + options
    if let jump { argv += ["-o", "ProxyCommand=" + proxyCommand(jump)] }
    if let user { argv += ["-l", user] }
    if let port { argv += ["-p", String(port)] }
    return argv + ["--", host] + words
  }

  private var options: [String] {
    let seconds = max(1, min(connectTimeout, .seconds(3600)).components.seconds)
    var settings = [
      "BatchMode=yes", "ConnectTimeout=\(seconds)", "ServerAliveInterval=\(silence.interval)",
      "ServerAliveCountMax=\(silence.count)",
      "StrictHostKeyChecking=\(acceptsNewHostKeys ? "accept-new" : "yes")", "ForwardAgent=no", "ForwardX11=no",
      "ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none", "ControlMaster=no", "ControlPath=none",
    ]
    if let knownHosts { settings.append("UserKnownHostsFile=\"\(knownHosts)\"") }
    var options = settings.flatMap { ["-o", $0] }
    if let keyPath { options += ["-o", "IdentitiesOnly=yes", "-i", keyPath] }
    return options
  }

  /// The way through another machine, under the same rules: `-J` would apply none of our options to it. OpenSSH gives
  /// this text to a shell after expanding `%`.
  private func proxyCommand(_ jump: String) -> String {
    var place = jump[...]
    var words = [program.path, "-T", "-o", "LogLevel=ERROR"] + options
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

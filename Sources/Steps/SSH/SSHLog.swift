import Runbook

/// What OpenSSH wrote to stderr, at its level VERBOSE, between what the other side wrote there.
///
/// Only whole lines in the client's own form count: a banner, a login script or a message of the day may hold the same
/// words.
struct SSHLog {
  let bytes: [UInt8]
  private let lines: [String]
  /// Masks the run's secrets (`ActionCall.mask`).
  private let mask: @Sendable ([UInt8]) -> [UInt8]

  init(_ bytes: [UInt8], mask: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.bytes = bytes
    self.mask = mask
    lines = SSHLog.lines(bytes)
  }

  func position(after mark: String) -> Int? { find(mark).map { $0 + mark.utf8.count } }
  func position(before mark: String) -> Int? { find(mark) }

  private func find(_ mark: String) -> Int? {
    bytes.firstRange(of: Array(mark.utf8))?.lowerBound
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0.isNewline }).map { String($0) }
  }

  /// The last lines, as a person would want to see them.
  var detail: [String: Value] { ["ssh": .string(String(decoding: mask(bytes).suffix(1024), as: UTF8.self))] }

  /// `Authenticated to web01 ([192.0.2.1]:22) using "publickey".`
  private static func isLogin(_ line: String) -> Bool {
    line.hasPrefix("Authenticated to ") && line.hasSuffix("\".") && line.contains("]:") && line.contains(") using \"")
      || line.hasPrefix("Authenticated to ") && line.hasSuffix("\".") && line.contains(" (via proxy) using \"")
  }

  /// `deploy@web01: Permission denied (publickey,password).`
  private static func isDenial(_ line: String) -> Bool {
    guard let colon = line.firstRange(of: ": Permission denied (") else { return false }
    let place = line[..<colon.lowerBound]
    return line.hasSuffix(").") && place.contains("@") && !place.contains(" ")
  }

  /// `Transferred: sent 2768, received 2824 bytes, in 0.1 seconds`: the client says so when its session is over.
  private static func isEnd(_ line: String) -> Bool {
    line.hasPrefix("Transferred: sent ") && line.hasSuffix(" seconds")
  }

  private static func isLoss(_ line: String) -> Bool {
    line.hasPrefix("Connection to ") && line.hasSuffix(" closed by remote host.")
      || line.hasPrefix("client_loop: ") || line.hasPrefix("Timeout, server ")
      || line.hasPrefix("Connection reset by ") || line.hasPrefix("Read from remote host ")
  }

  /// The client's own lines, which are none of the other side's.
  private static func isOwn(_ line: String) -> Bool {
    isLogin(line) || isEnd(line) || isLoss(line) || line.hasPrefix("Bytes per second: sent ")
      || line.hasPrefix("Warning: Permanently added ")
  }

  /// The line with which the client says that it is in.
  var login: String? { lines.first { Self.isLogin($0) } }

  /// Our own program was asked for the password a second time.
  var isPasswordRefused: Bool { login == nil && lines.contains(PasswordAnswer.refused) }

  /// What the client would say of a session over a connection that it shares.
  static let orderlyEnd = "Transferred: sent 0, received 0 bytes, in 0.0 seconds"
  static let sharedLoss = "client_loop: the shared connection has ended"

  /// The session came to an orderly end on the other side: a status of 255 is that of its program.
  var isOrderlyEnd: Bool { lines.contains { Self.isEnd($0) } && !lines.contains { Self.isLoss($0) } }

  /// Words with which OpenSSH ends before it has logged in, at the beginning of its line.
  private static let beforeLogin = [
    "ssh: Could not resolve hostname", "ssh: connect to host", "kex_exchange_identification", "banner exchange",
    "Connection closed by", "Connection reset by", "Unable to negotiate", "Received disconnect from",
    "Disconnected from",
    "Bad configuration option", "Bad owner or permissions", "no matching", "Connection timed out",
    "ssh_exchange_identification", "ssh_dispatch_run_fatal",
  ]

  /// Why the client could not even begin; the effect is `none` only if that is certain.
  func failure(at place: String) -> StepFailure {
    // The client's last word, whatever a banner said before.
    if let last = lines.last, Self.isDenial(last) { return denied(place) }
    if !lines.contains(where: { Self.isLogin($0) }) {
      let isUnknownKey = lines.contains { $0 == "Host key verification failed." }
      if isUnknownKey || lines.contains(where: { $0.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") }) {
        return StepFailure(
          .auth, "the host key of \(place) is not the known one: check it, then correct `known_hosts`",
          detail: detail.merging(["host_key": "refused"]) { $1 })
      }
      if isPasswordRefused { return denied(place) }
      if lines.contains(where: { Self.isDenial($0) || $0.hasSuffix(": Too many authentication failures") }) {
        return denied(place)
      }
      let isBefore = lines.contains { line in
        Self.beforeLogin.contains { line.hasPrefix($0) } || line.hasSuffix("bad configuration options")
      }
      if isBefore {
        return StepFailure(
          .unreachable, "\(place) cannot be reached by ssh: \(reason)", retryable: true, detail: detail,
          beforeFirstByte: true)
      }
    }
    return StepFailure(
      .unreachable, "the connection to \(place) was lost: whether anything was run is not known", effect: .unknown,
      detail: detail)
  }

  private func denied(_ place: String) -> StepFailure {
    let fields = lines.contains(PasswordAnswer.given) ? "`user` and `password`" : "`user` and `key`"
    return StepFailure(.auth, "\(place) refused the login: check \(fields)", detail: detail)
  }

  /// Why `sudo` has not let us become this user; nil if it said nothing.
  func sudoRefusal(at place: String, become: String) -> StepFailure? {
    let said = SSHLog.lines(mask(bytes)).filter { line in
      line.hasPrefix("sudo: ") || line.contains(": sudo: ") || line.contains("not in the sudoers file")
        || line.hasPrefix("Sorry, user ")
    }
    guard let last = said.last else { return nil }
    let words =
      if said.contains(where: { $0.contains("a password is required") || $0.contains("terminal is required") }) {
        "sudo on \(place) asks for a password: allow the login `NOPASSWD` there, or log in as `\(become)`"
      } else if said.contains(where: { $0.contains("not found") }) {
        "there is no sudo on \(place): log in as `\(become)`"
      } else {
        "sudo on \(place) does not let the login become `\(become)`: \(last.prefix(200))"
      }
    return StepFailure(.rejected, words, detail: detail)
  }

  /// Nothing of ours was run: what stood in its place has answered, and with which words.
  ///
  /// - Parameter become: who was to run it, by `sudo`.
  func rejection(at place: String, stdout: [UInt8], become: String? = nil) -> StepFailure {
    if let become, let refusal = sudoRefusal(at: place, become: become) { return refusal }
    // A banner comes before the login.
    let shown = SSHLog.lines(mask(bytes))
    let afterLogin = shown[((shown.lastIndex { Self.isLogin($0) } ?? -1) + 1)...]
    let said = SSHLog.lines(mask(stdout)) + afterLogin.filter { !Self.isOwn($0) }
    let words = said.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(3).map { String($0.prefix(200)) }
    let answer = words.isEmpty ? "it said nothing" : "it said: " + words.joined(separator: " / ")
    return StepFailure(
      .rejected,
      "\(place) accepted the login, and ran something else than the script (a forced command, or a login shell "
        + "that refuses): \(answer)", detail: detail)
  }

  /// OpenSSH's last line, shortened.
  private var reason: String {
    let lines = SSHLog.lines(mask(bytes))
    return String((lines.last ?? "it said nothing").prefix(200))
  }
}

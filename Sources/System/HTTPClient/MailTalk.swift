/// What has been said between us and a mail server, as far as it decides something. A value: no socket, no clock.
///
/// What we say holds the password, too; nothing of it is kept but the command's first word and a recipient.
struct MailTalk {
  enum Stage: Equatable {
    /// Before the server's first words.
    case greeting
    case hello
    /// To TLS.
    case turn
    case login
    case sender
    case recipient(String)
    /// Asked whether the message may come.
    case data
    /// The message is leaving.
    case message
    /// All of it has been handed over; the answer decides.
    case end
  }

  let security: ClientMail.Security
  let hasLogin: Bool
  private(set) var stage = Stage.greeting
  /// The whole answer to what was said last.
  private(set) var reply: MailReply?
  private(set) var hasSaidGoodbye = false
  private var hasTurned = false
  private var words: [UInt8] = []
  /// First words of the lines in which the server tells what it can, and the ways to log in.
  private var abilities: Set<String> = []
  private var mechanisms: Set<String> = []

  /// Longest answer that is kept, in bytes.
  static let longestReply = 4 << 10
  /// No server has more words for what it can.
  static let mostAbilities = 256
  /// How we can tell a password: both in clear text, inside TLS.
  static let spoken: Set<String> = ["PLAIN", "LOGIN"]

  init(security: ClientMail.Security, hasLogin: Bool) {
    self.security = security
    self.hasLogin = hasLogin
  }

  // MARK: What we say

  mutating func said(_ line: some Collection<UInt8>) {
    func isCommand(_ text: String) -> Bool { line.starts(with: text.utf8) }
    if isCommand("QUIT\r\n") {
      hasSaidGoodbye = true
      return
    }
    if isCommand("EHLO ") || isCommand("HELO ") {
      abilities = []
      mechanisms = []
      begin(.hello)
    } else if isCommand("STARTTLS\r\n") {
      hasTurned = true
      begin(.turn)
    } else if isCommand("AUTH ") {
      begin(.login)
    } else if isCommand("MAIL FROM:") {
      begin(.sender)
    } else if isCommand("RCPT TO:") {
      let address = line.drop { $0 != UInt8(ascii: "<") }.dropFirst().prefix { $0 != UInt8(ascii: ">") }
      begin(.recipient(String(decoding: address, as: UTF8.self)))
    } else if isCommand("DATA\r\n"), stage != .login {
      begin(.data)
    } else {
      begin(stage)  // a part of the login
    }
  }

  /// A piece of the message leaves.
  mutating func uploads(isLast: Bool) { begin(isLast ? .end : .message) }

  private mutating func begin(_ stage: Stage) {
    self.stage = stage
    reply = nil
    words = []
  }

  // MARK: What it says

  /// - Returns: why the talk must end here; nil: it goes on.
  mutating func heard(_ line: some Collection<UInt8>) -> MailFailure.Kind? {
    guard !hasSaidGoodbye else { return nil }
    let text = line.filter { $0 != 0x0a && $0 != 0x0d }
    guard let code = MailTalk.code(of: text) else { return stage == .greeting ? .badReply : nil }
    let said = text.dropFirst(4)
    if words.count < MailTalk.longestReply {
      words += (words.isEmpty || said.isEmpty ? [] : [0x20]) + said.prefix(MailTalk.longestReply - words.count)
    }
    if stage == .hello { note(said) }
    guard text.count == 3 || text[3] == 0x20 else { return nil }  // more lines follow
    reply = MailReply(code: code, words: words)
    words = []
    return stage == .hello && code / 100 == 2 ? lack : nil
  }

  private mutating func note(_ ability: ArraySlice<UInt8>) {
    // `AUTH PLAIN LOGIN`; old servers write `AUTH=PLAIN LOGIN`.
    let words = String(decoding: ability, as: UTF8.self).uppercased().split { $0 == " " || $0 == "=" }
    guard let first = words.first, abilities.count + mechanisms.count < MailTalk.mostAbilities else { return }
    abilities.insert(String(first))
    if first == "AUTH" { mechanisms.formUnion(words.dropFirst().map { String($0) }) }
  }

  /// What was asked for and the server does not offer.
  private var lack: MailFailure.Kind? {
    if security == .starttls, !hasTurned { return abilities.contains("STARTTLS") ? nil : .noTLS }
    return hasLogin && mechanisms.isDisjoint(with: MailTalk.spoken) ? .noLogin : nil
  }

  private static func code(of line: [UInt8]) -> Int? {
    guard line.count >= 3, line.count == 3 || line[3] == 0x20 || line[3] == UInt8(ascii: "-") else { return nil }
    let digits = line.prefix(3)
    guard digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}

extension MailTalk.Stage {
  /// To follow "refused".
  var object: String {
    switch self {
    case .greeting: "the connection"
    case .hello: "the greeting"
    case .turn: "to turn to TLS"
    case .login: "the user or the password"
    case .sender: "the sender"
    case .recipient(let address): "the recipient `\(address)`"
    case .data, .message, .end: "the mail"
    }
  }

  /// To follow "no answer to", or "broke after".
  var act: String {
    switch self {
    case .greeting: "the connection"
    case .hello: "the greeting"
    case .turn: "STARTTLS"
    case .login: "the login"
    case .sender: "the sender"
    case .recipient(let address): "the recipient `\(address)`"
    case .data: "DATA"
    case .message, .end: "the mail itself"
    }
  }
}

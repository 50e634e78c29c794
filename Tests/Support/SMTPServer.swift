import Glibc
import Synchronization

/// A mail that a test's server took.
public struct TakenMail: Sendable {
  public var sender = ""
  public var recipients: [String] = []
  /// As it came over the line, before the dots were unstuffed, without the final dot.
  public var raw: [UInt8] = []
  /// The name and the password that came with it; empty without a login.
  public var user = ""
  public var password = ""
  public var isEncrypted = false

  /// Lines without their stuffing.
  public var lines: [String] {
    String(decoding: raw, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(".") ? String($0.dropFirst()) : String($0) }
  }
  /// What stands behind the name of a header, its folding taken out; nil: there is none.
  public func header(_ name: String) -> String? {
    let head = lines.prefix { !$0.isEmpty }
    guard let start = head.firstIndex(where: { $0.lowercased().hasPrefix(name.lowercased() + ":") }) else { return nil }
    let rest = head[(start + 1)...].prefix { $0.hasPrefix(" ") }
    return (head[start].dropFirst(name.count + 1) + rest.joined()).trimmingPrefix { $0 == " " }.description
  }
  public var text: String { lines.drop { !$0.isEmpty }.dropFirst().joined(separator: "\n") }
}

/// A mail server on loopback that does as it is told.
public final class SMTPServer: Sendable {
  public enum Security: Sendable { case plain, starttls, tls }
  /// Where it answers.
  public enum Point: String, Sendable, CaseIterable {
    case greeting, ehlo, starttls, auth, mail, rcpt, data, dot, quit
  }

  /// What it does other than a good server.
  public struct Ways: Sendable {
    public var security = Security.plain
    /// Says nothing there until the other side leaves.
    public var hangsAt: Point?
    /// Closes the connection there without an answer.
    public var cutsAt: Point?
    /// What it says there instead of yes.
    public var answers: [Point: String] = [:]
    /// What it says to one recipient.
    public var recipients: [String: String] = [:]
    public var mechanisms = ["PLAIN", "LOGIN"]
    /// The only login it takes; nil: any, and none is needed.
    public var login: (user: String, password: String)?
    public init() {}
  }

  private final class Book: Sendable {
    let mails = Mutex<[TakenMail]>([])
    let commands = Mutex<[String]>([])
  }
  private let book: Book
  private let server: RawServer
  /// Signs its certificate.
  public let authority: TestAuthority?

  public init(_ ways: Ways = Ways()) throws {
    let book = Book()
    self.book = book
    let authority = ways.security == .plain ? nil : try TestAuthority()
    self.authority = authority
    server = RawServer { connection, _ in
      var talk = SMTPTalk(
        connection, ways, authority, take: { mail in book.mails.withLock { $0.append(mail) } },
        note: { line in book.commands.withLock { $0.append(line) } })
      talk.run()
      connection.hangUp()
    }
  }

  deinit { server.stop() }

  public var port: Int { Int(server.port) }
  public var mails: [TakenMail] { book.mails.withLock { $0 } }
  /// Every line it was told before a message, secrets included.
  public var commands: [String] { book.commands.withLock { $0 } }
  public var connections: Int { server.connections }
}

/// One connection.
private struct SMTPTalk {
  private let connection: RawConnection
  private let ways: SMTPServer.Ways
  private let authority: TestAuthority?
  private let take: (TakenMail) -> Void
  private let note: (String) -> Void
  private var front: TLSFront?
  private var mail = TakenMail()
  private var isOver = false

  init(
    _ connection: RawConnection, _ ways: SMTPServer.Ways, _ authority: TestAuthority?,
    take: @escaping (TakenMail) -> Void, note: @escaping (String) -> Void
  ) {
    self.connection = connection
    self.ways = ways
    self.authority = authority
    self.take = take
    self.note = note
  }

  mutating func run() {
    if ways.security == .tls { encrypt() }
    answer(.greeting, "220 mail.example.com ESMTP")
    while !isOver, let line = readLine() {
      note(line)
      obey(line)
    }
  }

  private mutating func obey(_ line: String) {
    let word = line.prefix { $0 != " " && $0 != ":" }.uppercased()
    switch word {
    case "EHLO": answer(.ehlo, abilities)
    case "HELO": answer(.ehlo, "250 mail.example.com")
    case "STARTTLS":
      if answer(.starttls, "220 go ahead") { encrypt() }
    case "AUTH": logIn(line)
    case "MAIL":
      mail.sender = Self.address(in: line)
      answer(.mail, "250 ok")
    case "RCPT":
      let address = Self.address(in: line)
      mail.recipients.append(address)
      if let own = ways.recipients[address] { send(own) } else { answer(.rcpt, "250 ok") }
    case "DATA":
      if answer(.data, "354 go ahead") { receiveMessage() }
    case "QUIT":
      answer(.quit, "221 bye")
      isOver = true
    default: send("500 what?")
    }
  }

  private var abilities: String {
    var lines = ["mail.example.com", "SIZE 10000000"]
    if ways.security == .starttls, front == nil { lines.append("STARTTLS") }
    if !ways.mechanisms.isEmpty { lines.append("AUTH " + ways.mechanisms.joined(separator: " ")) }
    return lines.dropLast().map { "250-\($0)\r\n" }.joined() + "250 \(lines[lines.count - 1])"
  }

  private mutating func logIn(_ line: String) {
    let words = line.split(separator: " ").map { String($0) }
    if words.count > 1, words[1] == "PLAIN" {
      let parts = (words.count > 2 ? decoded(words[2]) : ask("")).split(
        separator: "\0", omittingEmptySubsequences: false)
      if parts.count == 3 { (mail.user, mail.password) = (String(parts[1]), String(parts[2])) }
    } else {
      mail.user = ask("VXNlcm5hbWU6")
      mail.password = ask("UGFzc3dvcmQ6")
    }
    let isRight = ways.login.map { $0.user == mail.user && $0.password == mail.password } ?? true
    answer(.auth, isRight ? "235 welcome" : "535 5.7.8 Authentication credentials invalid")
  }

  private mutating func ask(_ question: String) -> String {
    send("334 \(question)")
    let line = readLine() ?? ""
    note(line)
    return decoded(line)
  }

  private func decoded(_ text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var (bits, count, bytes) = (0, 0, [UInt8]())
    for letter in text.utf8 {
      guard let value = alphabet.firstIndex(of: letter) else { continue }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(bits >> count & 0xff))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func receiveMessage() {
    var lines: [String] = []
    while true {
      guard let line = readLine() else {
        isOver = true
        return
      }
      if line == "." { break }
      lines.append(line)
    }
    mail.raw = Array(lines.joined(separator: "\r\n").utf8)
    mail.isEncrypted = front != nil
    // A server that says nothing may have taken the mail all the same.
    if ways.answers[.dot] == nil { take(mail) }
    answer(.dot, "250 2.0.0 Ok: queued as 4XYZ")
    mail.recipients = []
  }

  /// - Returns: whether it was the good answer.
  @discardableResult
  private mutating func answer(_ point: SMTPServer.Point, _ good: String) -> Bool {
    if ways.hangsAt == point {
      while !receive(4096).isEmpty {}
      isOver = true
    } else if ways.cutsAt == point {
      connection.hangUp()
      isOver = true
    } else if let own = ways.answers[point] {
      send(own)
    } else {
      send(good)
      return true
    }
    return false
  }

  private mutating func encrypt() {
    front = authority.flatMap { TLSFront(connection, $0) }
    if front == nil { isOver = true }
  }

  private static func address(in line: String) -> String {
    String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
  }

  private func send(_ text: String) {
    if let front { front.send(text + "\r\n") } else { connection.send(text + "\r\n") }
  }

  private func receive(_ limit: Int) -> [UInt8] { front?.receive(limit) ?? connection.receive(limit) }

  /// Without its end; nil when the other side has left.
  private func readLine() -> String? {
    var line: [UInt8] = []
    while true {
      let byte = receive(1)
      guard let byte = byte.first else { return nil }
      line.append(byte)
      if line.suffix(2).elementsEqual([0x0d, 0x0a]) { return String(decoding: line.dropLast(2), as: UTF8.self) }
    }
  }
}

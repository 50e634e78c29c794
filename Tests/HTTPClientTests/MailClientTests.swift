import Glibc
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// Against a mail server of our own that does as it is told.
@Suite struct MailClientTests {
  private static let text = "Subject: hello\r\n\r\n.one dot\r\n..two dots\r\nlast line\r\n"

  private func mail(to server: SMTPServer, _ recipients: [String] = ["ops@example.com"]) -> ClientMail {
    var mail = ClientMail(
      host: "127.0.0.1", port: server.port, sender: "runbook@example.com", recipients: recipients,
      message: Array(Self.text.utf8))
    mail.security = .none
    return mail
  }

  private func ending(of mail: ClientMail) async -> Result<MailReply, MailFailure> {
    do throws(MailFailure) { return .success(try await MailClient().send(mail)) } catch { return .failure(error) }
  }

  private func failure(_ ways: SMTPServer.Ways, _ change: (inout ClientMail) -> Void = { _ in }) async throws -> (
    MailFailure, SMTPServer
  ) {
    let server = try SMTPServer(ways)
    var mail = mail(to: server)
    change(&mail)
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    return (failure, server)
  }

  struct Sent: Error {}

  @Test func aMailArrivesAsItWasWrittenWithItsDots() async throws {
    let server = try SMTPServer()
    let reply = try await MailClient().send(mail(to: server, ["ops@example.com", "db@example.com"]))
    #expect(reply == MailReply(code: 250, words: Array("2.0.0 Ok: queued as 4XYZ".utf8)))
    let taken = try #require(server.mails.first)
    #expect(server.mails.count == 1)
    #expect(taken.sender == "runbook@example.com")
    #expect(taken.recipients == ["ops@example.com", "db@example.com"])
    #expect(taken.text == ".one dot\n..two dots\nlast line")
    #expect(String(decoding: taken.raw, as: UTF8.self).contains("\r\n..one dot\r\n...two dots\r\n"))
    #expect(!taken.isEncrypted)
  }

  @Test func aLongMailArrivesWhole() async throws {
    let server = try SMTPServer()
    var mail = mail(to: server)
    let lines = (0..<20_000).map { ".\($0)" }.joined(separator: "\r\n")
    mail.message = Array("Subject: long\r\n\r\n\(lines)\r\n".utf8)
    #expect(try await MailClient().send(mail).code == 250)
    #expect(server.mails.first?.text == lines.replacing("\r\n", with: "\n"))
  }

  @Test(arguments: [SMTPServer.Security.starttls, .tls])
  func aMailAndItsPasswordTravelInsideTLS(_ security: SMTPServer.Security) async throws {
    for mechanism in ["PLAIN", "LOGIN"] {
      var ways = SMTPServer.Ways()
      ways.security = security
      ways.mechanisms = ["CRAM-MD5", mechanism]
      ways.login = ("ops", "a secret äß")
      let server = try SMTPServer(ways)
      var mail = mail(to: server)
      mail.host = "localhost"
      mail.security = security == .tls ? .tls : .starttls
      mail.caFile = server.authority?.authority
      mail.login = ("ops", "a secret äß")
      #expect(try await MailClient().send(mail).code == 250)
      let taken = try #require(server.mails.first)
      #expect(taken.isEncrypted && taken.user == "ops" && taken.password == "a secret äß")
      #expect(taken.text == ".one dot\n..two dots\nlast line")
    }
  }

  @Test(arguments: [SMTPServer.Security.starttls, .tls])
  func aCertificateThatNobodyVouchesForIsRefused(_ security: SMTPServer.Security) async throws {
    var ways = SMTPServer.Ways()
    ways.security = security
    let (failure, server) = try await failure(ways) {
      $0.security = security == .tls ? .tls : .starttls
      $0.login = ("ops", "hunter22")
    }
    #expect(failure.kind == .certificate)
    #expect(
      failure.message.contains("TLS with 127.0.0.1:\(server.port) failed: its certificate's issuer"), "\(failure)")
    #expect(!failure.mayHaveArrived && server.mails.isEmpty)
    #expect(!server.commands.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
  }

  @Test func aServerWithoutSTARTTLSGetsNothing() async throws {
    let (failure, server) = try await failure(SMTPServer.Ways()) {
      $0.security = .starttls
      $0.login = ("ops", "hunter22")
    }
    #expect(failure.kind == .noTLS)
    #expect(failure.message.contains("offers no STARTTLS, so nothing was sent"), "\(failure)")
    #expect(!server.commands.contains { !$0.hasPrefix("EHLO") && $0 != "QUIT" }, "\(server.commands)")
  }

  /// Without EHLO there is no STARTTLS: HELO is for those who want none.
  @Test func aServerThatKnowsNoEHLOGetsNothingEither() async throws {
    var ways = SMTPServer.Ways()
    ways.security = .starttls
    ways.answers[.ehlo] = "502 5.5.1 what?"
    let (failure, server) = try await failure(ways) { $0.security = .starttls }
    #expect(failure.kind == .refused && failure.reply?.code == 502, "\(failure)")
    #expect(!server.commands.contains { $0.hasPrefix("MAIL") })
  }

  /// Somebody in between answers the commands that will come inside TLS.
  @Test func whatIsSaidBeforeTLSIsNotBelievedAfterIt() async throws {
    var ways = SMTPServer.Ways()
    ways.security = .starttls
    ways.answers[.starttls] =
      [
        "220 go ahead", "250-mail.example.com", "250 AUTH PLAIN", "235 welcome", "250 ok", "250 ok",
      ].joined(separator: "\r\n")
    let (failure, server) = try await failure(ways) {
      $0.security = .starttls
      $0.login = ("ops", "hunter22")
      $0.timeout = .seconds(5)
    }
    #expect(!failure.mayHaveArrived && server.mails.isEmpty)
    #expect(!server.commands.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") }, "\(server.commands)")
  }

  @Test func aServerThatRefusesToTurnToTLSIsToldInItsWords() async throws {
    var ways = SMTPServer.Ways()
    ways.security = .starttls
    ways.answers[.starttls] = "454 4.7.0 TLS not available due to local problem"
    let (failure, _) = try await failure(ways) { $0.security = .starttls }
    #expect(failure.kind == .noTLS)
    #expect(failure.reply?.code == 454)
    #expect(failure.message.contains("refused to turn to TLS"))
  }

  @Test func aServerThatTakesNoPasswordGetsNothing() async throws {
    for mechanisms in [[], ["CRAM-MD5", "NTLM"]] {
      var ways = SMTPServer.Ways()
      ways.mechanisms = mechanisms
      let (failure, server) = try await failure(ways) { $0.login = ("ops", "hunter22") }
      #expect(failure.kind == .noLogin, "\(failure)")
      #expect(!server.commands.contains { $0.hasPrefix("MAIL") || $0.hasPrefix("AUTH") })
    }
  }

  @Test func aWrongPasswordIsToldInTheServersWords() async throws {
    var ways = SMTPServer.Ways()
    ways.login = ("ops", "right")
    let (failure, server) = try await failure(ways) { $0.login = ("ops", "wrong-one") }
    #expect(failure.kind == .refused)
    #expect(failure.reply == MailReply(code: 535, words: Array("5.7.8 Authentication credentials invalid".utf8)))
    #expect(failure.message == "127.0.0.1:\(server.port) refused the user or the password")
  }

  @Test(
    arguments: [
      (.greeting, "554 no mail here", "the connection"), (.ehlo, "550 go away", "the greeting"),
      (.mail, "550-5.7.1 not you\r\n550 5.7.1 really", "the sender"),
      (.rcpt, "550 5.1.1 No such user", "the recipient `ops@example.com`"), (.data, "451 later", "the mail"),
      (.dot, "552 5.3.4 too big", "the mail"),
    ] as [(SMTPServer.Point, String, String)])
  func aRefusalSaysWhatWasRefused(_ point: SMTPServer.Point, _ answer: String, _ what: String) async throws {
    var ways = SMTPServer.Ways()
    ways.answers[point] = answer
    let (failure, server) = try await failure(ways)
    #expect(failure.kind == .refused)
    #expect(failure.message == "127.0.0.1:\(server.port) refused \(what)", "\(failure)")
    #expect(failure.reply?.code == Int(answer.prefix(3)))
    let words = answer.replacing("550-", with: "").replacing("\r\n550 ", with: " ").drop { $0.isNumber && $0 != " " }
    #expect(
      String(decoding: failure.reply?.words ?? [], as: UTF8.self)
        == (point == .mail ? "5.7.1 not you 5.7.1 really" : String(words.dropFirst())))
    #expect(!failure.mayHaveArrived && server.mails.isEmpty)
  }

  @Test func oneBadRecipientStopsTheMailForAll() async throws {
    var ways = SMTPServer.Ways()
    ways.recipients["gone@example.com"] = "550 5.1.1 No such user"
    let server = try SMTPServer(ways)
    let result = await ending(of: mail(to: server, ["ops@example.com", "gone@example.com", "db@example.com"]))
    guard case .failure(let failure) = result else { throw Sent() }
    #expect(failure.message.hasSuffix("refused the recipient `gone@example.com`"))
    #expect(server.mails.isEmpty)
  }

  @Test(arguments: SMTPServer.Point.allCases.filter { $0 != .starttls && $0 != .quit })
  func aServerThatHangsEndsWithTheMailsTime(_ point: SMTPServer.Point) async throws {
    var ways = SMTPServer.Ways()
    ways.hangsAt = point
    let (failure, server) = try await failure(ways) {
      $0.timeout = .milliseconds(700)
      $0.login = ("ops", "hunter22")
    }
    #expect(failure.kind == .timeout, "\(failure)")
    #expect(failure.message.contains("127.0.0.1:\(server.port)") && failure.message.contains("within 700ms"))
    #expect(failure.mayHaveArrived == (point == .dot))
  }

  @Test(arguments: SMTPServer.Point.allCases.filter { $0 != .starttls && $0 != .quit })
  func aServerThatLeavesIsTold(_ point: SMTPServer.Point) async throws {
    var ways = SMTPServer.Ways()
    ways.cutsAt = point
    let (failure, _) = try await failure(ways) { $0.login = ("ops", "hunter22") }
    #expect(failure.kind == .broken, "\(failure)")
    #expect(failure.mayHaveArrived == (point == .dot))
  }

  @Test func aServerThatDoesNotSayGoodbyeHasTakenTheMail() async throws {
    for cuts in [true, false] {
      var ways = SMTPServer.Ways()
      if cuts { ways.cutsAt = .quit } else { ways.hangsAt = .quit }
      let server = try SMTPServer(ways)
      #expect(try await MailClient().send(mail(to: server)).code == 250)
      #expect(server.mails.count == 1)
    }
  }

  @Test(arguments: [SMTPServer.Point.greeting, .mail, .dot])
  func aMailThatIsCancelledEnds(_ point: SMTPServer.Point) async throws {
    var ways = SMTPServer.Ways()
    ways.hangsAt = point
    let server = try SMTPServer(ways)
    let mail = mail(to: server)
    let sending = Task { try await MailClient().send(mail) }
    let isThere = {
      point == .greeting ? server.connections > 0 : point == .dot ? !server.mails.isEmpty : server.commands.count > 1
    }
    while !isThere() { try await Task.sleep(for: .milliseconds(1)) }
    sending.cancel()
    let result = await sending.result
    guard case .failure(let failure as MailFailure) = result else { throw Sent() }
    #expect(failure.kind == .cancelled)
    #expect(failure.mayHaveArrived == (point == .dot))
  }

  @Test func aServerThatSpeaksSomethingElseIsSaid() async throws {
    var ways = SMTPServer.Ways()
    ways.answers[.greeting] = "HTTP/1.1 400 Bad Request"
    let (failure, server) = try await failure(ways)
    #expect(failure.kind == .badReply)
    #expect(failure.message == "127.0.0.1:\(server.port) does not speak SMTP")
  }

  /// A server that goes on telling what it can, and one whose answer has no end.
  @Test(arguments: ["250-AUTH NONE", "250-A", "2", ""])
  func aServerThatNeverComesToAnEndEndsWithTheMailsTime(_ line: String) async throws {
    let server = RawServer { connection, _ in
      connection.send("220 mail.example.com\r\n")
      _ = connection.receive(until: "\r\n")
      var number = 0
      while connection.send("\(line)\(number)\(line.isEmpty ? "" : "\r\n")") { number += 1 }
    }
    defer { server.stop() }
    var mail = ClientMail(
      host: "127.0.0.1", port: Int(server.port), sender: "a@example.com", recipients: ["b@example.com"],
      message: [0x0a])
    mail.timeout = .milliseconds(500)
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    #expect(!failure.mayHaveArrived)
  }

  @Test func nobodyListeningIsSaid() async throws {
    let server = RawServer { _, _ in }
    server.stop()
    while RawConnection(port: server.port) != nil { try await Task.sleep(for: .milliseconds(1)) }
    var mail = ClientMail(
      host: "127.0.0.1", port: Int(server.port), sender: "a@example.com", recipients: ["b@example.com"], message: [0x0a]
    )
    mail.security = .none
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    #expect(failure.kind == .connect)
    #expect(failure.message == "cannot connect to 127.0.0.1:\(server.port): connection refused")
  }

  @Test(arguments: ["169.254.169.254", "192.0.2.1"])
  func anAddressThatMayNotBeReachedIsRefused(_ host: String) async throws {
    var mail = ClientMail(
      host: host, port: 25, sender: "a@example.com", recipients: ["b@example.com"], message: [0x0a])
    mail.security = .none
    mail.login = ("ops", "hunter22")
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    #expect(failure.kind == .refusedAddress)
  }

  @Test(
    arguments: [
      ("mail example", 25, "a@example.com", "b@example.com"), ("mail/x", 25, "a@example.com", "b@example.com"),
      ("mail", 0, "a@example.com", "b@example.com"), ("mail", 25, "a@example.com\r\nDATA", "b@example.com"),
      ("mail", 25, "a@example.com", "b@example.com> SIZE=1"), ("mail", 25, "a@example.com", ""),
    ] as [(String, Int, String, String)])
  func aMailThatCannotBeSentAsItIsWrittenIsRefused(
    _ host: String, _ port: Int, _ sender: String, _ recipient: String
  ) async throws {
    let mail = ClientMail(host: host, port: port, sender: sender, recipients: [recipient], message: [0x0a])
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    #expect(failure.kind == .badRequest)
  }

  private final class Gate: Departure {
    let counts = Mutex((begun: 0, ended: 0))
    let isOpen: Bool
    init(isOpen: Bool) { self.isOpen = isOpen }
    func begin() -> Bool {
      counts.withLock { $0.begun += 1 }
      return isOpen
    }
    func end() { counts.withLock { $0.ended += 1 } }
  }

  @Test func aMailThatMayNotLeaveIsNotSent() async throws {
    let server = try SMTPServer()
    var mail = mail(to: server)
    mail.departure = Gate(isOpen: false)
    guard case .failure(let failure) = await ending(of: mail) else { throw Sent() }
    #expect(failure.kind == .held && !failure.mayHaveArrived)
    #expect(server.mails.isEmpty)
  }

  @Test func theWordThatAMailHasLeftComesThoughTheServerThinks() async throws {
    var ways = SMTPServer.Ways()
    ways.hangsAt = .dot
    let server = try SMTPServer(ways)
    let gate = Gate(isOpen: true)
    var mail = mail(to: server)
    mail.departure = gate
    let waiting = mail
    let sending = Task { try await MailClient().send(waiting) }
    while gate.counts.withLock({ $0.ended }) == 0 { try await Task.sleep(for: .milliseconds(1)) }
    sending.cancel()
    _ = await sending.result
    #expect(gate.counts.withLock { $0.begun == 1 && $0.ended == 1 })
  }
}

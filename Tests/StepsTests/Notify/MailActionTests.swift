import Runbook
import Testing

@testable import Steps

@Suite struct MailActionTests {
  @Test func theMailIsTheOneThatIsWritten() async throws {
    let mail = FakeMail()
    let result = try #require(await mail.send().success)
    #expect(
      mail.lines == [
        "Date: Tue, 14 Nov 2023 22:13:20 +0000", "From: runbook@example.com", "To: ops@example.com", "Subject: hello",
        "Message-ID: <r0000000000000000000.tell@example.com>", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit", "", "all is well", "",
      ])
    let sent = try #require(mail.mails.first)
    #expect(sent.host == "mail.example.com" && sent.sender == "runbook@example.com")
    #expect(sent.recipients == ["ops@example.com"])
    #expect(
      result.outputs == [
        "message_id": "<r0000000000000000000.tell@example.com>", "answer": "250 queued as 4X",
      ])
  }

  @Test(
    arguments: [
      (nil, 587, MailRequest.Security.starttls), ("starttls", 587, .starttls), ("tls", 465, .tls), ("none", 25, .none),
    ] as [(String?, Int, MailRequest.Security)])
  func tlsDecidesThePort(_ tls: String?, _ port: Int, _ security: MailRequest.Security) async throws {
    let mail = FakeMail()
    #expect(await mail.send(["tls": tls.map { .string($0) } ?? .null]).success != nil)
    #expect(mail.mails.first?.port == port && mail.mails.first?.security == security)
    let other = FakeMail()
    #expect(await other.send(["tls": tls.map { .string($0) } ?? .null, "port": 2525]).success != nil)
    #expect(other.mails.first?.port == 2525)
  }

  @Test func everyRecipientGetsItOnce() async throws {
    let mail = FakeMail()
    let to: Value = ["Operations <ops@example.com>", "db@example.com"]
    #expect(await mail.send(["to": to, "cc": ["boss@example.com", "ops@example.com"]]).success != nil)
    #expect(mail.mails.first?.recipients == ["ops@example.com", "db@example.com", "boss@example.com"])
    let head = mail.lines.joined(separator: "\n")
    #expect(head.contains("To: Operations <ops@example.com>,\n db@example.com\n"))
    #expect(head.contains("Cc: boss@example.com,\n ops@example.com\n"))
  }

  @Test(
    arguments: [
      ("Runbook <r@example.com>", "Runbook <r@example.com>"),
      ("Dr. Who <r@example.com>", "\"Dr. Who\" <r@example.com>"),
      ("\"Who, Dr.\" <r@example.com>", "\"Who, Dr.\" <r@example.com>"),
      ("Müller <r@example.com>", "=?utf-8?B?TcO8bGxlcg==?= <r@example.com>"),
      ("a \"b\\c <r@example.com>", "\"a \\\"b\\\\c\" <r@example.com>"),
      (" <r@example.com> ", "r@example.com"),
    ] as [(String, String)])
  func aNameIsWrittenSoThatItIsRead(_ from: String, _ written: String) async throws {
    let mail = FakeMail()
    #expect(await mail.send(["from": .string(from)]).success != nil)
    #expect(mail.mails.first?.sender == "r@example.com")
    #expect(mail.lines.contains("From: \(written)"), "\(mail.lines)")
  }

  @Test(
    arguments: [
      ("to", "ops@example.com\r\nBcc: x@example.com"), ("to", "ops"), ("to", "ops@"), ("to", "a b@example.com"),
      ("to", "ops@example.com>, <x@example.com"), ("to", "a@b@c"), ("to", "ops@exämple.com"), ("to", ""),
      ("to", []), ("to", 5), ("to", ["ops@example.com", ["x@example.com"]]), ("cc", "x\n@example.com"),
      ("from", "Ops\u{0}<o@example.com>"), ("from", "\r\n <o@example.com>"), ("from", "..o@example.com"),
      ("subject", "hello\r\nBcc: x@example.com"), ("subject", "a\nb"), ("subject", "a\u{7f}"), ("subject", "a\u{85}b"),
      ("subject", ""), ("text", ""), ("host", ""),
    ] as [(String, Value)])
  func whatCouldSmuggleAHeaderInIsRefused(_ field: String, _ value: Value) async throws {
    let mail = FakeMail()
    let failure = try #require(await mail.send([field: value]).failure)
    #expect(failure.kind == .input && failure.message.contains("`\(field)`"), "\(failure.message)")
    #expect(mail.mails.isEmpty)
  }

  @Test func aSubjectThatIsNotASCIIIsEncodedInPieces() async throws {
    let mail = FakeMail()
    #expect(await mail.send(["subject": .string(String(repeating: "ü", count: 40))]).success != nil)
    let start = try #require(mail.lines.firstIndex { $0.hasPrefix("Subject: ") })
    let words =
      [mail.lines[start].dropFirst(9)]
      + mail.lines[(start + 1)...].prefix { $0.hasPrefix(" ") }
      .map { $0.dropFirst() }
    #expect(words.count == 2 && words.allSatisfy { $0.count <= 75 && $0.hasPrefix("=?utf-8?B?") })
    // Each piece is whole characters: 19 and 21 of two bytes.
    #expect(words[0] == "=?utf-8?B?" + Array(String(repeating: "ü", count: 19).utf8).base64 + "?=")
  }

  @Test(arguments: ["=?utf-8?B?eA==?=", String(repeating: "x", count: 950)])
  func aSubjectThatWouldBeReadAsSomethingElseIsEncoded(_ subject: String) async throws {
    let mail = FakeMail()
    #expect(await mail.send(["subject": .string(subject)]).success != nil)
    #expect(mail.lines.contains { $0.hasPrefix("Subject: =?utf-8?B?") })
    #expect(mail.lines.allSatisfy { $0.utf8.count <= 76 || $0.hasPrefix("Message-ID") })
  }

  @Test func aLongSubjectIsFoldedAtItsSpaces() async throws {
    let mail = FakeMail()
    let subject = (0..<30).map { "word\($0)" }.joined(separator: " ")
    #expect(await mail.send(["subject": .string(subject)]).success != nil)
    let start = try #require(mail.lines.firstIndex { $0.hasPrefix("Subject: ") })
    let folded = [mail.lines[start]] + mail.lines[(start + 1)...].prefix { $0.hasPrefix(" ") }
    #expect(folded.count > 2 && folded.allSatisfy { $0.count <= 77 })
    #expect(folded.joined() == "Subject: \(subject)")
  }

  @Test(
    arguments: [
      ("one\ntwo\n", "7bit", "one\r\ntwo\r\n"), ("one\r\ntwo", "7bit", "one\r\ntwo\r\n"),
      (".\n..\nFrom here", "7bit", ".\r\n..\r\nFrom here\r\n"), ("a\n\n\nb", "7bit", "a\r\n\r\n\r\nb\r\n"),
      ("50 € = viel", "quoted-printable", "50 =E2=82=AC =3D viel\r\n"),
      ("ü \nx\t", "quoted-printable", "=C3=BC=20\r\nx=09\r\n"),
      (String(repeating: "x", count: 998), "7bit", String(repeating: "x", count: 998) + "\r\n"),
    ] as [(String, String, String)])
  func theTextTravelsSoThatItArrivesAsItIs(_ text: String, _ encoding: String, _ body: String) async throws {
    let mail = FakeMail()
    #expect(await mail.send(["text": .string(text)]).success != nil)
    #expect(mail.lines.contains("Content-Transfer-Encoding: \(encoding)"))
    let message = String(decoding: mail.mails.first?.message ?? [], as: UTF8.self)
    #expect(message.hasSuffix("\r\n\r\n" + body), "\(message)")
  }

  @Test func aLineThatIsTooLongIsBroken() async throws {
    let mail = FakeMail()
    #expect(await mail.send(["text": .string(String(repeating: "x", count: 999))]).success != nil)
    #expect(mail.lines.contains("Content-Transfer-Encoding: quoted-printable"))
    #expect(mail.lines.allSatisfy { $0.count <= 76 })
    let body = mail.lines.drop { !$0.isEmpty }.dropFirst()
    #expect(body.map { $0.hasSuffix("=") ? String($0.dropLast()) : $0 }.joined() == String(repeating: "x", count: 999))
  }

  @Test(arguments: [("wave[2].one", "wave-2.one"), ("update.undo[0]", "update.undo-0"), ("", "")])
  func everyAttemptOfAStepHasTheSameMessageID(_ step: String, _ place: String) async throws {
    let id = "<r0000000000000000000\(place.isEmpty ? "" : ".\(place)")@example.com>"
    for _ in 0..<2 { #expect(await FakeMail().send(step: step).success?.outputs["message_id"] == .string(id)) }
  }

  @Test func aSecretThatStandsInTheMailIsMasked() async throws {
    let mail = FakeMail()
    let masker = Masker([Secret("hunter22", named: ["p"])])
    let result = await mail.send(["subject": "hunter22", "text": "it said hunter22"], mask: { masker.mask($0) })
    #expect(result.success != nil)
    #expect(mail.lines.contains("Subject: ***") && mail.lines.contains("it said ***"))
  }

  @Test func thePasswordIsASecretUntilItIsSent() async throws {
    let mail = FakeMail()
    let password: Value = .secret(Secret("hunter22", named: ["p"]))
    #expect(await mail.send(["user": "ops", "password": password]).success != nil)
    let login = try #require(mail.mails.first?.login)
    #expect(login.user == "ops" && login.password.reveal() == "hunter22")
    for fields in [["user": "ops"], ["password": password]] as [[String: Value]] {
      #expect(await FakeMail().send(fields).failure?.kind == .input)
    }
  }

  @Test func theTimeOfTheStepBoundsTheMail() async throws {
    let mail = FakeMail()
    #expect(await mail.send(timeout: .seconds(7)).success != nil)
    #expect(mail.mails.first?.timeout == .seconds(7))
    let unbounded = FakeMail()
    #expect(await unbounded.send(["timeout": .duration(.seconds(90))]).success != nil)
    #expect(unbounded.mails.first?.timeout == .seconds(90))
  }

  struct No: Sendable {
    var refusal: MailRefusal
    var kind: StepFailure.Kind
    var isRetryable: Bool
    var isBefore = false
  }

  private static func answered(_ code: Int) -> MailRefusal {
    MailRefusal(.refused, "mail:25 refused it", answer: MailAnswer(code: code, words: Array("5.1.1 no".utf8)))
  }

  @Test(
    arguments: [
      No(refusal: answered(550), kind: .rejected, isRetryable: false),
      No(refusal: answered(535), kind: .auth, isRetryable: false),
      No(refusal: answered(530), kind: .auth, isRetryable: false),
      No(refusal: answered(454), kind: .server, isRetryable: true),
      No(refusal: answered(421), kind: .server, isRetryable: true),
      No(refusal: MailRefusal(.unfit, "no STARTTLS"), kind: .rejected, isRetryable: false),
      No(
        refusal: MailRefusal(.unfit, "no", answer: MailAnswer(code: 454, words: [])), kind: .rejected,
        isRetryable: true),
      No(refusal: MailRefusal(.lookup, "no name"), kind: .unreachable, isRetryable: true, isBefore: true),
      No(refusal: MailRefusal(.connect, "refused"), kind: .unreachable, isRetryable: true, isBefore: true),
      No(refusal: MailRefusal(.tls, "no"), kind: .unreachable, isRetryable: true),
      No(refusal: MailRefusal(.certificate, "no"), kind: .auth, isRetryable: false),
      No(refusal: MailRefusal(.input, "no"), kind: .input, isRetryable: false),
      No(refusal: MailRefusal(.broken, "cut"), kind: .unreachable, isRetryable: true),
      No(refusal: MailRefusal(.timeout, "slow", mayHaveArrived: true), kind: .timeout, isRetryable: true),
      No(refusal: MailRefusal(.cancelled, "stop"), kind: .cancelled, isRetryable: false),
    ])
  func aRefusalCarriesItsDecision(_ no: No) async throws {
    let failure = try #require(await FakeMail(.failure(no.refusal)).send().failure)
    #expect(failure.kind == no.kind && failure.retryable == no.isRetryable && failure.beforeFirstByte == no.isBefore)
    #expect(failure.effect == .none)
    #expect(failure.detail["arrival"] == (no.refusal.mayHaveArrived ? "unknown" : nil))
    if let answer = no.refusal.answer { #expect(failure.message.contains(": \(answer.code) "), "\(failure.message)") }
  }

  @Test func theServersWordsAreMaskedBeforeTheyAreCut() async throws {
    let words = Array((String(repeating: "x", count: 396) + "hunter22").utf8)
    let masker = Masker([Secret("hunter22", named: ["p"])])
    let refusal = MailRefusal(.refused, "no", answer: MailAnswer(code: 535, words: words))
    let failure = try #require(await FakeMail(.failure(refusal)).send(mask: { masker.mask($0) }).failure)
    #expect(!failure.message.contains("hunt"))
  }
}

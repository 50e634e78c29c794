import Runbook

/// `notify.mail`: sends a mail in plain text by SMTP. Without effect, for the reason that `notify.webhook` has; a mail
/// that is sent again has the same `Message-ID`, by which mailboxes know it.
struct MailAction: StandardAction {
  static let declaration = ActionDeclaration(
    "notify.mail", "sends a mail in plain text",
    fields: [
      Field(
        "host", .string, required: true, pattern: "^[A-Za-z0-9._:-]+$", help: "name or address of the mail server"),
      Field(
        "port", .int, bounds: .int(1...65_535),
        help: "default: 587 with `tls: starttls`, 465 with `tls`, 25 with `none`"),
      Field(
        "from", .string, required: true, pattern: "[^ <@]@[^ @>]", help: "an address, or `Name <address>`"),
      Field("to", .any, required: true, help: "an address, or a list of them"),
      Field("cc", .any, help: "who gets a copy: an address, or a list of them"),
      Field("subject", .string, required: true, pattern: "^[^\\r\\n]+$", help: "one line"),
      Field("text", .string, required: true, help: "the mail; its lines stay as they are"),
      Field(
        "tls", .choice(MailRequest.Security.allCases.map(\.rawValue)), default: "starttls",
        help: "`starttls`: the connection must turn to TLS first; `tls`: from the first byte; `none`: in the clear, "
          + "with a password to loopback alone; default `starttls`"),
      Field("user", .string, help: "who logs in"),
      Field("password", .string, acceptsSecret: true, help: "by AUTH PLAIN or LOGIN; with `user`"),
      Field("ca_file", .string, help: "PEM file of the authorities to trust instead of the system's"),
      Field(
        "timeout", .duration, default: .duration(.seconds(60)), help: "longest the mail may take; default `1m`"),
    ],
    outputs: ["message_id": .string, "answer": .string], effect: .none, class: .opaque, isDiagnostic: true
  ).given([.folder]).with(
    rules: [
      FieldRule("user", without: "password", isError: true, "a `user` logs in with a `password`"),
      FieldRule("password", without: "user", isError: true, "a `password` belongs to a `user`"),
    ])

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let with = call.with
    let letter = try letter(call)
    let security = MailRequest.Security(rawValue: try with.optionalText("tls") ?? "") ?? .starttls
    let port = try with.int("port").flatMap { Int(exactly: $0) } ?? Self.port(security)
    var mail = MailRequest(
      host: try with.text("host"), port: port, security: security, sender: letter.from.address,
      recipients: letter.recipients, message: letter.bytes)
    mail.login = try login(with)
    if let file = try with.optionalText("ca_file") { mail.caFile = try with.inFolder(file) }
    let left = call.deadline - call.clock.now
    guard left > .zero else { throw StepFailure(.timeout, "no time is left for the mail") }
    let timeout = try with.duration("timeout") ?? .seconds(60)
    guard timeout > .zero else { throw StepFailure.unfit("`timeout` must be more than 0s") }
    mail.timeout = min(timeout, left)
    let answer: MailAnswer
    do throws(MailRefusal) { answer = try await call.mail.send(mail) } catch {
      throw Self.failure(error, call.mask)
    }
    return ActionResult(outputs: [
      "message_id": .string(letter.id), "answer": .string(Self.words(answer, call.mask)),
    ])
  }

  private static func port(_ security: MailRequest.Security) -> Int {
    switch security {
    case .starttls: 587
    case .tls: 465
    case .none: 25
    }
  }

  private func login(_ with: Arguments) throws(StepFailure) -> (user: String, password: Secret)? {
    let user = try with.optionalText("user")
    guard let value = with["password"] else {
      if user != nil { throw StepFailure.unfit("`password` is missing: a `user` logs in with one") }
      return nil
    }
    guard let password = HTTPText.secret(value), !password.isEmpty else {
      throw StepFailure.unfit("`password` must be text, and not empty")
    }
    guard let user, !user.isEmpty else { throw StepFailure.unfit("`user` is missing: a `password` belongs to one") }
    return (user, password)
  }

  private func letter(_ call: ActionCall) throws(StepFailure) -> MailLetter {
    let with = call.with
    let from = try MailAddress(try with.text("from"), field: "from")
    let to = try addresses(with, "to")
    guard !to.isEmpty else { throw StepFailure.unfit("`to` is empty: the mail has nobody to go to") }
    return try MailLetter(
      from: from, to: to, cc: try addresses(with, "cc"),
      subject: HTTPText.shown(try with.text("subject"), call.mask),
      text: HTTPText.shown(try with.text("text"), call.mask),
      at: call.clock.now, id: MailLetter.id(run: call.runID, step: call.step, domain: from.domain))
  }

  private func addresses(_ with: Arguments, _ field: String) throws(StepFailure) -> [MailAddress] {
    var addresses: [MailAddress] = []
    for item in with[field].map({ $0.list ?? [$0] }) ?? [] {
      guard let text = item.string else { throw StepFailure.unfit("`\(field)` must be an address or a list of them") }
      addresses.append(try MailAddress(text, field: field))
    }
    return addresses
  }

  // MARK: No

  /// The server's own words, masked before they are cut.
  private static func words(_ answer: MailAnswer, _ mask: ([UInt8]) -> [UInt8]) -> String {
    let words = mask(answer.words).map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: ".") : $0 }
    let text = "\(answer.code) " + String(decoding: words.prefix(400), as: UTF8.self)
    return words.count > 400 ? text + "…" : text
  }

  static func failure(_ refusal: MailRefusal, _ mask: ([UInt8]) -> [UInt8]) -> StepFailure {
    let isConnecting = [.lookup, .connect, .held].contains(refusal.kind)
    var failure = StepFailure(
      kind(refusal), refusal.message, retryable: isRetryable(refusal), beforeFirstByte: isConnecting)
    if let answer = refusal.answer {
      failure.message += ": \(words(answer, mask))"
      failure.detail["code"] = .int(Int64(answer.code))
    }
    failure.detail["reason"] = .string(refusal.kind.rawValue)
    if refusal.mayHaveArrived { failure.detail["arrival"] = "unknown" }
    return failure
  }

  private static func kind(_ refusal: MailRefusal) -> StepFailure.Kind {
    switch refusal.kind {
    case .input: .input
    case .lookup, .connect, .tls, .broken, .held: .unreachable
    case .certificate: .auth
    case .timeout: .timeout
    case .cancelled: .cancelled
    case .unfit: .rejected
    case .refused:
      switch refusal.answer?.code ?? 0 {
      case 530, 534, 535, 538: .auth
      case 400..<500: .server
      default: .rejected
      }
    }
  }

  /// What begins with 4 passes, what begins with 5 stays (RFC 5321, 4.2.1).
  private static func isRetryable(_ refusal: MailRefusal) -> Bool {
    switch refusal.kind {
    case .input, .certificate, .cancelled: false
    case .lookup, .connect, .tls, .timeout, .broken, .held: true
    case .unfit, .refused: (400..<500).contains(refusal.answer?.code ?? 0)
    }
  }
}

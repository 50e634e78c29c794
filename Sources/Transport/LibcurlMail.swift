import HTTPClient
public import Runbook

/// Mail to the real world. The password is revealed here, and nowhere before.
public struct LibcurlMail: MailTransport {
  public init() {}

  public func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
    var wire = ClientMail(
      host: mail.host, port: mail.port, sender: mail.sender, recipients: mail.recipients, message: mail.message)
    wire.security =
      switch mail.security {
      case .starttls: .starttls
      case .tls: .tls
      case .none: .none
      }
    wire.login = mail.login.map { ($0.user, $0.password.reveal()) }
    wire.caFile = mail.caFile
    wire.timeout = mail.timeout
    wire.departure = mail.tenure.map { TenureDeparture(tenure: $0) }
    do throws(MailFailure) {
      let reply = try await MailClient().send(wire)
      return MailAnswer(code: reply.code, words: reply.words)
    } catch {
      throw MailRefusal(
        LibcurlMail.kind(error.kind), error.message,
        answer: error.reply.map { MailAnswer(code: $0.code, words: $0.words) }, mayHaveArrived: error.mayHaveArrived)
    }
  }

  private static func kind(_ kind: MailFailure.Kind) -> MailRefusal.Kind {
    switch kind {
    case .unavailable, .badRequest, .refusedAddress: .input
    case .lookup: .lookup
    case .connect: .connect
    case .tls: .tls
    case .certificate: .certificate
    case .timeout: .timeout
    case .broken, .badReply: .broken
    case .noTLS, .noLogin: .unfit
    case .refused: .refused
    case .held: .held
    case .cancelled: .cancelled
    }
  }
}

import CCurl
import Synchronization

extension MailExchange {
  /// What libcurl's result and the talk mean to us.
  func outcome(_ code: CURLcode, _ easy: EasyHandle, _ curl: Curl) -> Outcome {
    let isEnd = talk.stage == .end
    if isEnd, let reply = talk.reply, reply.code / 100 == 2 { return .success(reply) }
    if let refusal { return .failure(failure(refusal)) }
    if let reply = talk.reply, reply.code >= 400 {
      let kind = talk.stage == .turn ? MailFailure.Kind.noTLS : .refused
      return .failure(MailFailure(kind, "\(mail.place) refused \(talk.stage.object)", reply: reply))
    }
    let (kind, message) = unsafe meaning(of: code, easy, curl)
    return .failure(MailFailure(kind, message, mayHaveArrived: isEnd))
  }

  private func failure(_ kind: MailFailure.Kind) -> MailFailure {
    let place = mail.place
    let message =
      switch kind {
      case .noTLS:
        "\(place) offers no STARTTLS, so nothing was sent; a server that speaks TLS from the first byte, usually on "
          + "port 465, needs `tls: tls`"
      case .noLogin: "\(place) takes no password by AUTH PLAIN or LOGIN, so nothing was sent"
      case .badReply: "\(place) does not speak SMTP"
      case .held: "the mail to \(place) was held back before it left"
      default:
        mail.security == .none && mail.login != nil
          ? "the password would be sent to \(place) in the clear: `tls: starttls`, or `tls: tls`"
          : "\(place) is a link-local or metadata address, which is never connected to"
      }
    return MailFailure(kind, message)
  }

  private func meaning(of code: CURLcode, _ easy: EasyHandle, _ curl: Curl) -> (MailFailure.Kind, String) {
    let place = mail.place
    if isCancelled.load(ordering: .acquiring) { return (.cancelled, "the mail to \(place) was cancelled") }
    switch code {
    case CURLE_URL_MALFORMAT: return (.badRequest, "the mail server's host is no name and no address")
    case CURLE_COULDNT_RESOLVE_HOST: return (.lookup, "the name of \(place) cannot be looked up")
    case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED:
      return unsafe (.connect, "cannot connect to \(place)" + curl.systemReason(easy))
    case CURLE_OPERATION_TIMEDOUT, CURLE_ABORTED_BY_CALLBACK: return unsafe (.timeout, silence(easy, curl))
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_ISSUER_ERROR:
      return unsafe (.certificate, "TLS with \(place) failed: " + curl.tlsReason(code, easy))
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED:
      let hint =
        mail.security == .tls ? "; a server that begins in the clear, usually on port 587, needs `tls: starttls`" : ""
      return unsafe (.tls, "TLS with \(place) failed: " + curl.tlsReason(code, easy) + hint)
    case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_UNSUPPORTED_PROTOCOL:
      return (.unavailable, "libcurl cannot send mail here")
    default:
      return (
        .broken,
        talk.stage == .greeting
          ? "\(place) closed the connection without a greeting"
          : "the connection to \(place) broke after \(talk.stage.act)"
      )
    }
  }

  /// What was waited for when the time was over.
  private func silence(_ easy: EasyHandle, _ curl: Curl) -> String {
    let (place, limit) = (mail.place, mail.timeout.words)
    guard unsafe curl_info_size(curl.table, easy, CURLINFO_CONNECT_TIME_T) > 0 else {
      return "no connection to \(place) within \(limit)"
    }
    guard talk.stage == .greeting else { return "no answer from \(place) to \(talk.stage.act) within \(limit)" }
    return "no greeting from \(place) within \(limit)"
      + (mail.security == .tls
        ? "" : "; a server that speaks TLS from the first byte, usually on port 465, needs `tls: tls`")
  }
}

import CCurl
import Glibc

extension Transfers {
  /// - Returns: a failure that knows whether anything left.
  func failure(of exchange: Exchange, _ kind: ClientFailure.Kind, _ message: String) -> ClientFailure {
    ClientFailure(kind, message, beforeFirstByte: hasNothingLeft(exchange))
  }

  private func hasNothingLeft(_ exchange: Exchange) -> Bool {
    guard exchange.requestAt != nil, let easy = unsafe exchange.easy else { return true }
    return unsafe curl_info_long(curl.table, easy, CURLINFO_REQUEST_SIZE) == 0
  }

  /// What libcurl's result means to us.
  func failure(of exchange: Exchange, _ code: CURLcode) -> ClientFailure {
    let nothingLeft = hasNothingLeft(exchange)
    if var refusal = exchange.refusal, !nothingLeft || exchange.requestAt == nil {
      refusal.beforeFirstByte = nothingLeft
      return refusal
    }
    let host = authority(of: exchange.request.url)
    let (kind, message) = meaning(of: code, for: exchange, host: host)
    // Before anything left, whatever broke is a connection that could not be made.
    let isReset = kind == .reset && nothingLeft
    return ClientFailure(
      isReset ? .connect : kind, isReset ? "the connection to \(host) broke before the request left" : message,
      beforeFirstByte: nothingLeft)
  }

  private func meaning(of code: CURLcode, for exchange: Exchange, host: String) -> (ClientFailure.Kind, String) {
    let request = exchange.request
    switch code {
    case CURLE_URL_MALFORMAT:
      return (.badURL, "the URL of \(host) is not one")
    case CURLE_COULDNT_RESOLVE_PROXY:
      return (.lookup, "the name of the proxy on the way to \(host) cannot be looked up")
    case CURLE_COULDNT_RESOLVE_HOST:
      return (.lookup, "the name of \(host) cannot be looked up")
    case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED:
      return (.connect, "cannot connect to \(host)" + systemReason(exchange))
    case CURLE_OPERATION_TIMEDOUT:
      let isConnecting = exchange.requestAt == nil
      let limit = isConnecting ? min(request.connectTimeout, request.totalTimeout) : request.totalTimeout
      return (
        .timeout,
        (isConnecting ? "no connection to \(host) within " : "no whole answer from \(host) within ") + limit.words
      )
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_ISSUER_ERROR:
      return (.certificate, "TLS with \(host) failed: " + tlsReason(code, exchange))
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED:
      return (.tls, "TLS with \(host) failed: " + tlsReason(code, exchange))
    case CURLE_FILESIZE_EXCEEDED:
      return (.tooLarge, exchange.tooLarge.message)
    case CURLE_PARTIAL_FILE:
      return (.badReply, "the answer of \(host) broke off before its announced end")
    case CURLE_BAD_CONTENT_ENCODING:
      return (.badReply, "the answer of \(host) does not match its content encoding")
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      return (.badReply, "the answer of \(host) is not valid HTTP")
    case CURLE_GOT_NOTHING:
      return (.reset, "\(host) closed the connection without an answer")
    case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
      return (.unavailable, "no memory is left for HTTP")
    default:
      // libcurl has one code for a connection that broke and for chunks that are none.
      return exchange.hasReceived
        ? (.badReply, "the answer of \(host) broke off or is not valid HTTP")
        : (.reset, "the connection to \(host) broke without an answer")
    }
  }

  private func systemReason(_ exchange: Exchange) -> String {
    guard let easy = unsafe exchange.easy else { return "" }
    return unsafe curl.systemReason(easy)
  }

  private func tlsReason(_ code: CURLcode, _ exchange: Exchange) -> String {
    unsafe curl.tlsReason(code, exchange.easy)
  }
}

extension Curl {
  /// Why no connection was made, to follow what failed; empty if nobody knows.
  func systemReason(_ easy: EasyHandle) -> String {
    switch unsafe CInt(truncatingIfNeeded: curl_info_long(table, easy, CURLINFO_OS_ERRNO)) {
    case ECONNREFUSED: return ": connection refused"
    case ENETUNREACH: return ": network unreachable"
    case EHOSTUNREACH: return ": no route to host"
    case ETIMEDOUT: return ": connection timed out"
    case EMFILE, ENFILE: return ": no file descriptor is left"
    case ECONNRESET: return ": connection reset"
    default: return ""
    }
  }

  /// Why TLS was not established.
  func tlsReason(_ code: CURLcode, _ easy: EasyHandle?) -> String {
    if code == CURLE_SSL_CACERT_BADFILE {
      return "the file of trusted authorities cannot be read as PEM certificates"
    }
    guard let easy = unsafe easy else { return "unknown reason" }
    let verified = unsafe curl_info_long(table, easy, CURLINFO_SSL_VERIFYRESULT)
    return tlsReasons[verified]
      ?? (code == CURLE_PEER_FAILED_VERIFICATION && verified <= 1  // nothing found, or not asked: libcurl's own check
        ? "its certificate is for another host name"
        : code == CURLE_PEER_FAILED_VERIFICATION
          ? "its certificate is refused (OpenSSL code \(verified))" : "the handshake was not completed")
  }
}

/// OpenSSL's `X509_V_ERR_…`, as an operator would say it.
private let tlsReasons: [Int: String] = [
  2: "its certificate's issuer is not trusted here (`ca_file` names another authority)",
  9: "its certificate is not valid yet; is this machine's clock right?",
  10: "its certificate has expired (or this machine's clock is ahead)",
  18: "its certificate is self-signed",
  19: "its certificate chain ends in an authority that is not trusted here (`ca_file` names another)",
  20: "its certificate's issuer is not trusted here (`ca_file` names another authority)",
  21: "its certificate cannot be verified: the chain is incomplete",
  23: "its certificate has been revoked",
  24: "a certificate of its chain is no authority",
  26: "its certificate is not meant for servers",
  62: "its certificate is for another host name",
  64: "its certificate is for another address",
  66: "its certificate's key is too weak",
  67: "an authority's key in its chain is too weak",
  68: "its certificate uses a digest that is too weak",
]

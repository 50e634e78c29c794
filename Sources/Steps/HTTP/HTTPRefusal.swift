import Runbook

/// An answer whose status says no, as a failure.
struct HTTPRefusal {
  let method: String
  let isSafe: Bool
  let request: HTTPRequest
  /// Everything secret that was sent, in the clear.
  let secrets: [String]
  /// Masks the run's secrets (`ActionCall.mask`).
  let mask: @Sendable ([UInt8]) -> [UInt8]
  let response: HTTPResponse

  func failure(now: Timestamp) -> StepFailure {
    let status = response.status
    let effect: StepFailure.Effect = isSafe || HTTPStatus.isRefusal(status) ? .none : .unknown
    let pause = isRetryable ? RetryAfter.pause(of: response, now: now) : nil
    let asked = pause.map { "; \(RetryAfter.words($0))" } ?? ""
    return StepFailure(
      kind, "\(method) \(place) answered \(status)\(reason)\(asked)", effect: effect, retryable: isRetryable,
      retryAfter: pause,
      detail: ["status": .int(Int64(status)), "body": .string(HTTPExcerpt.of(mask(response.body), hiding: secrets))])
  }

  private var kind: StepFailure.Kind {
    switch response.status {
    case 401, 403, 407: .auth
    case 404, 410: .notFound
    case 408: .timeout
    case 409, 412, 423: .conflict
    case 429: .rateLimited
    case 500...: .server
    case 400..<500: .input
    default: .expect
    }
  }

  private var isRetryable: Bool {
    switch response.status {
    case 408, 425, 429: true
    case 501, 505: false
    case 500...: true
    default: false
    }
  }

  private var reason: String {
    switch response.status {
    case 301, 302, 303, 307, 308: redirect
    case 404 where method == "DELETE": "; if it may be gone already, say so: `expect: result.status in [204, 404]`"
    default: HTTPRefusal.phrases[response.status].map { " (\($0))" } ?? ""
    }
  }

  private var redirect: String {
    switch (request.redirects, response.status) {
    case (.none, _): ", a redirect, and `redirects: none` follows none"
    case (_, 301...302) where !["GET", "HEAD"].contains(method):
      ", a redirect that is not followed: a \(method) is sent elsewhere only on 307 and 308; use the address it names"
    default:
      response.header("location") == nil
        ? ", a redirect without an address"
        : ", a redirect that is not followed: it leads to another scheme, host or port; use that address"
    }
  }

  /// Scheme and host: a path or a query may hold a secret.
  var place: String {
    let parts = request.url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return "the URL" }
    return parts[0] + "//" + parts[2].prefix { !"/?#".contains($0) }
  }

  private static let phrases = [
    400: "bad request", 401: "unauthorized", 403: "forbidden", 404: "not found", 405: "method not allowed",
    409: "conflict", 410: "gone", 413: "content too large", 422: "unprocessable content", 429: "too many requests",
    500: "internal server error", 502: "bad gateway", 503: "service unavailable", 504: "gateway timeout",
  ]
}

/// The beginning of an answer, for an error: enough to understand it, without control characters and known secrets.
enum HTTPExcerpt {
  /// In bytes.
  static let longest = 1024

  /// - Parameter secrets: masked before the end is cut off; one that is cut would not be found.
  static func of(_ body: [UInt8], hiding secrets: [String]) -> String {
    let masked = Masker(secrets.map { Secret($0, named: []) }).mask(body)
    var bytes = Array(masked.prefix(longest))
    for (index, byte) in bytes.enumerated() where (byte < 0x20 && byte != 0x0a && byte != 0x09) || byte == 0x7f {
      bytes[index] = UInt8(ascii: ".")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return masked.count > longest ? text + "…" : text
  }
}

import Runbook
import Synchronization

/// One request that was sent, and what was answered.
struct Exchange: Sendable {
  var method: String
  var url: String
  var headers: [(name: String, value: String)]
  var body: [UInt8]
  var response: HTTPResponse

  /// What is asked, without whom it is asked about: replies to the same question are compared with one another. The
  /// method, the path with `*` for ids, and for one address of many functions the function.
  var question: String {
    let path = url.split(separator: "?", maxSplits: 1).first.map { String($0) } ?? url
    let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropFirst(2)
    let words = parts.map { Exchange.isID($0) ? "*" : String($0) }
    let function = Exchange.pairs(in: body).first { $0.name == "func" }.map { " \($0.value)" } ?? ""
    return "\(method) /\(words.joined(separator: "/"))\(function)"
  }

  /// A number, or a long word of hexadecimal digits.
  private static func isID(_ part: Substring) -> Bool {
    let digits = part.filter { $0 != "-" }
    if digits.isEmpty { return false }
    return digits.allSatisfy { $0.isASCII && $0.isNumber } || digits.count >= 16 && digits.allSatisfy { $0.isHexDigit }
  }

  /// Of a form: `name=value&…`, as it was sent.
  static func pairs(in body: [UInt8]) -> [(name: String, value: String)] {
    String(decoding: body, as: UTF8.self).split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
  }

  var json: Value? { try? JSONReader.read(response.body) }
}

/// Lets read requests through, and keeps what was said; refuses everything else, so that a survey changes nothing.
final class SurveyTransport: HTTPTransport {
  private let inner: any HTTPTransport
  private let kept = Mutex<[Exchange]>([])
  private let rewrite: @Sendable (Exchange) -> [UInt8]

  /// - Parameter rewrite: what the client gets as the body of an answer.
  init(_ inner: any HTTPTransport, rewrite: @escaping @Sendable (Exchange) -> [UInt8] = { $0.response.body }) {
    self.inner = inner
    self.rewrite = rewrite
  }

  var exchanges: [Exchange] { kept.withLock { $0 } }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    guard request.isRead else {
      throw HTTPFailure(.refusedAddress, "a survey sends no request that may change something", beforeFirstByte: true)
    }
    var response = try await inner.send(request)
    let exchange = Exchange(
      method: request.method, url: request.url, headers: request.headers.map { ($0.name, $0.value.reveal()) },
      body: request.body ?? [], response: response)
    kept.withLock { $0.append(exchange) }
    response.body = rewrite(exchange)
    return response
  }
}

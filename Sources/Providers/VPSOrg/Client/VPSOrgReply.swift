import ProviderKit
import Runbook

/// A request to VPS.org, before it has an address.
struct VPSOrgRequest: Sendable {
  var method: String
  /// Segments below the API's root, unencoded.
  var path: [String]
  var query: [(String, String)] = []
  var json: Value?

  /// A read may be repeated freely; the effect of anything else is unknown while there is no answer.
  var isRead: Bool { method == "GET" || method == "HEAD" }

  /// For messages: `POST /snapshots/`.
  var text: String { "\(method) /\(path.joined(separator: "/"))/".excerpt(200) }

  var target: String {
    let arguments = query.map { "\($0.0.percentEncoded)=\($0.1.percentEncoded)" }.joined(separator: "&")
    let path = "/" + path.map { $0.percentEncoded + "/" }.joined()
    return arguments.isEmpty ? path : "\(path)?\(arguments)"
  }
}

/// An answer, with what is needed to turn it into a failure an operator can act on.
struct VPSOrgReply: Sendable {
  let request: VPSOrgRequest
  let response: HTTPResponse
  let token: Secret
  /// Masked in whatever is shown of the answer.
  let secrets: [Secret]
  let now: Timestamp

  /// The body as JSON. An empty one, an HTML page or broken JSON is a `server` failure: the call may well have been
  /// done.
  func json() throws(StepFailure) -> Value {
    try parsed { body throws(JSONError) in try JSONReader.read(body) }
  }

  /// The body of a list as JSON, without its `results`: these go to `take`, one after the other.
  func json(results take: (Value) -> Void) throws(StepFailure) -> Value {
    let rest = try parsed { body throws(JSONError) in
      try JSONReader.read(body, handingOver: "results", to: take)
    }
    guard rest["results"]?.list != nil else { throw malformed("`results` is not a list") }
    return rest
  }

  private func parsed(_ read: ([UInt8]) throws(JSONError) -> Value) throws(StepFailure) -> Value {
    guard !response.body.isEmpty else { throw malformed("the body is empty") }
    do { return try read(response.body) } catch {
      throw malformed(response.isHTML ? "it is an HTML page" : "it is not JSON: \(error.message)")
    }
  }

  /// The same, of an answer that was read and does not fit.
  func misshapen(_ reason: String) -> StepFailure {
    var failure = malformed(reason)
    failure.isMisshapen = true
    return failure
  }

  /// Applies a schema to the body.
  func decode<Model>(_ model: (Value) throws(SchemaError) -> Model) throws(StepFailure) -> Model {
    let json = try json()
    do { return try model(json) } catch { throw misshapen(error.message) }
  }

  /// A reply of success that does not have the shape it should.
  func malformed(_ reason: String) -> StepFailure {
    StepFailure(
      .server, "VPS.org answered \(response.status) to \(request.text), but not as it should: \(reason)",
      effect: request.isRead ? .none : .unknown, retryable: true, detail: detail)
  }

  /// The failure a status means; nil for 2xx.
  var failure: StepFailure? {
    switch response.status {
    case 200..<300: nil
    case 400, 405, 406, 410, 413, 415, 422: make(.input, "VPS.org refused \(request.text)", effect: .none)
    case 401:
      make(
        .auth, "VPS.org does not accept \(tokenText): make a new token in the account's developer page", effect: .none)
    case 403: make(.auth, "\(tokenText) has no permission for \(request.text)", effect: .none)
    case 404: make(.notFound, "VPS.org knows nothing at \(request.text)", effect: .none)
    case 408: make(.timeout, "VPS.org gave up waiting for \(request.text)", effect: unanswered, retryable: true)
    case 409, 423:
      make(
        .conflict,
        "VPS.org refused \(request.text), because another change is in "
          + "progress", effect: .none, retryable: true
      )
      .passing(response.status == 423)
    case 429:
      make(.rateLimited, "VPS.org wants fewer requests and refused \(request.text)", effect: .none, retryable: true)
    case 400..<500: make(.input, "VPS.org refused \(request.text)", effect: certain)
    case 500...: make(.server, "VPS.org failed at \(request.text)", effect: unanswered, retryable: true)
    default:
      make(.server, "VPS.org answered \(request.text) with a redirect, which is not followed", effect: unanswered)
    }
  }

  private var unanswered: StepFailure.Effect { request.isRead ? .none : .unknown }
  private var certain: StepFailure.Effect { HTTPStatus.isRefusal(response.status) ? .none : unanswered }

  private var tokenText: String {
    token.names.isEmpty ? "the token" : "the token (\(token.names.map { "`\($0)`" }.joined(separator: ", ")))"
  }

  private func make(
    _ kind: StepFailure.Kind, _ message: String, effect: StepFailure.Effect, retryable: Bool = false
  ) -> StepFailure {
    let reason = reason.map { ": \($0)" } ?? ""
    return StepFailure(
      kind, "\(message) (\(response.status)\(reason))", effect: effect, retryable: retryable, detail: detail
    ).heeding(response, now: now)
  }

  private var detail: [String: Value] {
    [
      "status": .int(Int64(response.status)), "request": .string(request.text),
      "excerpt": .string(response.excerpt(hiding: secrets)),
    ]
  }

  /// What the body says is wrong: `{"detail": text}` or `{"field": [text]}`; nil for anything else.
  private var reason: String? {
    guard let entries = (try? JSONReader.read(response.body))?.map, !entries.isEmpty else { return nil }
    let texts = entries.sorted { $0.key < $1.key }.compactMap { key, value -> String? in
      guard let text = value.string ?? value.list?.compactMap({ $0.string }).joined(separator: " "), !text.isEmpty
      else {
        return nil
      }
      return key == "detail" || key == "non_field_errors" ? text : "\(key): \(text)"
    }
    return texts.isEmpty ? nil : texts.joined(separator: "; ").hiding(secrets).excerpt(200)
  }
}

import ProviderKit
import Runbook

/// An answer, with what is needed to turn it into a failure an operator can act on.
struct ZStackReply: Sendable {
  let request: ZStackRequest
  let response: HTTPResponse
  /// Masked in whatever is shown of the answer.
  let secrets: [Secret]
  let now: Timestamp
  /// The body as JSON, read once: each answer is asked for its error, and most for what they say.
  private let parsed: Result<Value, JSONError>

  init(request: ZStackRequest, response: HTTPResponse, secrets: [Secret], now: Timestamp) {
    self.request = request
    self.response = response
    self.secrets = secrets
    self.now = now
    do throws(JSONError) { parsed = .success(try JSONReader.read(response.body)) } catch { parsed = .failure(error) }
  }

  /// The body as JSON. An empty one, an HTML page or broken JSON is a `server` failure: the call may well have been
  /// done.
  func json() throws(StepFailure) -> Value {
    guard !response.body.isEmpty else { throw malformed("the body is empty") }
    let json: Value
    do throws(JSONError) { json = try parsed.get() } catch {
      throw malformed(response.isHTML ? "it is an HTML page" : "it is not JSON: \(error.message)")
    }
    guard json.map != nil else { throw malformed("it is not an object") }
    return json
  }

  /// The error object in the body, whatever the status.
  var error: ZStackError? {
    guard response.status == 503 || (200..<300).contains(response.status) else { return nil }
    return ZStackError((try? parsed.get())?["error"])
  }

  /// A job of this id has been accepted before.
  var isDuplicateJob: Bool {
    response.status == 400 && plainText?.lowercased().contains("duplicate job") == true
  }

  /// A reply of success that does not have the shape it should.
  func malformed(_ reason: String) -> StepFailure {
    StepFailure(
      .server, "ZStack answered \(response.status) to \(request.text), but not as it should: \(reason)",
      effect: unanswered, retryable: true, detail: detail)
  }

  /// The same, of an answer that was read and does not fit.
  func misshapen(_ reason: String) -> StepFailure {
    var failure = malformed(reason)
    failure.isMisshapen = true
    return failure
  }

  /// The failure a status means; nil for 2xx without an `error`.
  var failure: StepFailure? {
    if let error { return error.failure(of: request.text, hiding: secrets) }
    let text = request.text
    return switch response.status {
    case 200..<300: nil
    case 401: make(.auth, "ZStack does not accept the credential for \(text)", effect: .none)
    case 403 where plainText?.contains("requestTimeTooSkewed") == true:
      make(
        .auth,
        "this machine's clock and ZStack's are more than 15 minutes apart, so that no signed request is accepted",
        effect: .none)
    case 403: make(.auth, "ZStack does not permit \(text)", effect: .none)
    case 404: make(.notFound, "ZStack knows nothing at \(text)", effect: .none)
    case 408: make(.timeout, "ZStack gave up waiting for \(text)", effect: unanswered, retryable: true)
    case 409, 423:
      make(.conflict, "ZStack refused \(text), because another change is in progress", effect: .none, retryable: true)
        .passing(response.status == 423)
    case 429: make(.rateLimited, "ZStack wants fewer requests and refused \(text)", effect: .none, retryable: true)
    case 400..<500: make(.input, "ZStack refused \(text)", effect: certain)
    case 500...: make(.server, "ZStack failed at \(text)", effect: unanswered, retryable: true)
    default: make(.server, "ZStack answered \(text) with a redirect, which is not followed", effect: unanswered)
    }
  }

  private var unanswered: StepFailure.Effect { request.isRead ? .none : .unknown }
  private var certain: StepFailure.Effect { HTTPStatus.isRefusal(response.status) ? .none : unanswered }

  private func make(
    _ kind: StepFailure.Kind, _ message: String, effect: StepFailure.Effect, retryable: Bool = false
  ) -> StepFailure {
    let reason = plainText.map { ": \($0)" } ?? ""
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

  /// Faults of a request are told in plain text; nil for a page or data.
  private var plainText: String? {
    guard !response.isHTML else { return nil }
    let text = response.excerpt(hiding: secrets).excerpt(200)
    return text.isEmpty || text.hasPrefix("<") || text.hasPrefix("{") ? nil : text
  }
}

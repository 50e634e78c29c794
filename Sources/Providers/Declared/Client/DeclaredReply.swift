import ProviderKit
import Runbook

/// An answer to a declared request, with what turns it into a failure an operator can act on.
struct DeclaredReply: Sendable {
  let service: String
  let rules: ErrorRules
  let request: RequestRule
  let response: HTTPResponse
  /// The credential, to be named.
  let secrets: [Secret]
  /// Of whatever is shown of the answer.
  let masker: Masker
  let now: Timestamp
  /// The body, read once: it is asked for an error, and then for what it says.
  private let parsed: Result<Value, JSONError>

  init(
    service: String, rules: ErrorRules, request: RequestRule, response: HTTPResponse, secrets: [Secret],
    masker: Masker, now: Timestamp
  ) {
    self.service = service
    self.rules = rules
    self.request = request
    self.response = response
    self.secrets = secrets
    self.masker = masker
    self.now = now
    do throws(JSONError) { parsed = .success(try JSONReader.read(response.body)) } catch { parsed = .failure(error) }
  }

  private var text: String { request.text.excerpt(200) }

  /// The body as JSON. An HTML page or broken JSON is a `server` failure: the call may well have been done.
  func json() throws(StepFailure) -> Value {
    if response.body.isEmpty, response.status == 204 { return .null }
    guard !response.body.isEmpty else { throw malformed("the body is empty") }
    do throws(JSONError) { return try parsed.get() } catch {
      throw malformed(response.isHTML ? "it is an HTML page" : "it is not JSON: \(error.message)")
    }
  }

  /// A reply of success that does not have the shape it should.
  func malformed(_ reason: String) -> StepFailure {
    StepFailure(
      .server, "\(service) answered \(response.status) to \(text), but not as it should: \(masker.mask(reason))",
      effect: request.isRead ? .none : .unknown, retryable: true, detail: detail)
  }

  /// The same, of an answer that was read and does not fit.
  func misshapen(_ reason: String) -> StepFailure {
    var failure = malformed(reason)
    failure.isMisshapen = true
    return failure
  }

  /// The failure that the answer is; nil if it is none. What the file says goes before what HTTP says: some clouds tell
  /// errors with status 200.
  var failure: StepFailure? {
    let isSuccess = (200..<300).contains(response.status)
    if isSuccess, rules.rules.isEmpty { return nil }
    let body = (try? parsed.get()) ?? .null
    let scope = DictionaryScope(["result": body, "status": .int(Int64(response.status))], now: now, masker: masker)
    guard let rule = rules.rules.first(where: { $0.fits(response.status, scope) }) else {
      if isSuccess { return nil }
      let (kind, words, effect, retryable) = usual
      return make(kind, words, effect: effect, retryable: retryable, scope).passing(response.status == 423)
    }
    let hint = rule.hint.map { ": \($0)" } ?? ""
    let refused = "\(service) \(DeclaredReply.verb(rule.kind)) \(text)"
    let said = isSuccess || rule.kind != usual.0 ? refused : usual.1
    let effect = rule.effect ?? DeclaredReply.effect(rule.kind, request, isSuccess ? nil : usual.2)
    return make(rule.kind, said + hint, effect: effect, retryable: rule.isRetryable, scope)
      .passing(rule.kind == .conflict && rule.isRetryable)
  }

  /// What the file calls a refusal did nothing.
  /// - Parameter usual: what the status means; nil: it is one of success, which says nothing of an error.
  private static func effect(
    _ kind: StepFailure.Kind, _ request: RequestRule, _ usual: StepFailure.Effect?
  ) -> StepFailure.Effect {
    switch kind {
    case .auth, .notFound, .conflict, .limit, .rateLimited, .input, .rejected: .none
    default: usual ?? (request.isRead ? .none : .unknown)
    }
  }

  private static func verb(_ kind: StepFailure.Kind) -> String {
    switch kind {
    case .server, .timeout, .unreachable: "failed at"
    case .notFound: "found nothing for"
    default: "refused"
    }
  }

  private var usual: (StepFailure.Kind, String, StepFailure.Effect, retryable: Bool) {
    let unanswered: StepFailure.Effect = request.isRead ? .none : .unknown
    let certain = HTTPStatus.isRefusal(response.status) ? .none : unanswered
    return switch response.status {
    case 401: (.auth, "\(service) does not accept \(credential): make a new one there", .none, false)
    case 403: (.auth, "\(credential) has no permission for \(text)", .none, false)
    case 404: (.notFound, "\(service) knows nothing at \(text)", .none, false)
    case 408: (.timeout, "\(service) gave up waiting for \(text)", unanswered, true)
    case 409, 423: (.conflict, "\(service) refused \(text), because another change is in progress", .none, true)
    case 429: (.rateLimited, "\(service) wants fewer requests and refused \(text)", .none, true)
    case 400..<500: (.input, "\(service) refused \(text)", certain, false)
    case 500...: (.server, "\(service) failed at \(text)", unanswered, true)
    default: (.server, "\(service) answered \(text) with a redirect, which is not followed", unanswered, false)
    }
  }

  private var credential: String {
    let names = secrets.flatMap { $0.names }
    return names.isEmpty ? "the credential" : "the credential (\(names.map { "`\($0)`" }.joined(separator: ", ")))"
  }

  private func make(
    _ kind: StepFailure.Kind, _ message: String, effect: StepFailure.Effect, retryable: Bool, _ scope: DictionaryScope
  ) -> StepFailure {
    let reason =
      (try? rules.message?.evaluate(in: scope))?.unwrapped.string
      .map { ": \(masker.mask($0).excerpt(200))" } ?? ""
    return StepFailure(
      kind, "\(message) (\(response.status)\(reason))", effect: effect, retryable: retryable, detail: detail
    ).heeding(response, now: now)
  }

  private var detail: [String: Value] {
    [
      "status": .int(Int64(response.status)), "request": .string(text),
      "excerpt": .string(response.excerpt(masker)),
    ]
  }
}

extension ErrorRules.Rule {
  /// A condition that cannot be worked out (a body of another shape) does not hold.
  func fits(_ status: Int, _ scope: DictionaryScope) -> Bool {
    if let wanted = self.status, wanted != status { return false }
    guard let condition else { return true }
    return (try? condition.evaluate(in: scope))?.bool == true
  }
}

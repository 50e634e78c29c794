import ProviderKit
import Runbook

/// An answer, with what is needed to turn it into a failure an operator can act on. Zomro's own refusals come with
/// status 200 and `doc.error`.
struct ZomroReply: Sendable {
  let call: ZomroCall
  let response: HTTPResponse
  /// Masked in whatever is shown of the answer.
  let secrets: [Secret]
  let now: Timestamp

  /// An address of Zomro's that is blocked is blocked for a while.
  static let blockedFor: Duration = .seconds(300)

  /// `doc`, or why there is none.
  func document() throws(StepFailure) -> Value {
    if let failure = statusFailure { throw failure }
    guard !response.body.isEmpty else { throw malformed("the body is empty") }
    let json: Value
    do { json = try JSONReader.read(response.body) } catch {
      throw malformed(response.isHTML ? "it is an HTML page" : "it is not JSON: \(error.message)")
    }
    guard let document = json["doc"], document.map != nil else { throw malformed("`doc` is missing") }
    if let error = ZomroError(document["error"]) { throw failure(error) }
    return document
  }

  /// What `doc.error` says, if that is what came.
  var error: ZomroError? {
    guard (200..<300).contains(response.status) else { return nil }
    return ZomroError((try? JSONReader.read(response.body))?["doc"]?["error"])
  }

  /// The link of a slow call: text that is no JSON and holds a link to `long…billmgr`.
  var longRequest: String? {
    guard (200..<300).contains(response.status), response.body.count <= 64 << 10 else { return nil }
    let text = String(decoding: response.body, as: UTF8.self)
    guard text.first(where: { !$0.isWhitespace }) != "{" else { return nil }
    let words = text.split { $0.isWhitespace || "\"'<>()".contains($0) }
    guard
      let word = words.first(where: { word in
        guard let start = word.firstRange(of: "long") else { return false }
        return word[start.upperBound...].contains("billmgr")
      })
    else { return nil }
    return String(word)
  }

  /// A reply of success that does not have the shape it should.
  func malformed(_ reason: String) -> StepFailure {
    StepFailure(
      .server, "Zomro answered \(response.status) to \(call.text), but not as it should: \(reason)",
      effect: unanswered, retryable: true, detail: detail)
  }

  /// The same, of an answer that was read and does not fit.
  func misshapen(_ reason: String) -> StepFailure {
    var failure = malformed(reason)
    failure.isMisshapen = true
    return failure
  }

  /// Applies a schema to the document.
  func decode<Model>(_ model: (Value) throws(SchemaError) -> Model) throws(StepFailure) -> Model {
    let document = try document()
    do { return try model(document) } catch { throw misshapen(error.message) }
  }

  private var unanswered: StepFailure.Effect { call.isRead ? .none : .unknown }
  private var certain: StepFailure.Effect { HTTPStatus.isRefusal(response.status) ? .none : unanswered }

  private var detail: [String: Value] {
    [
      "status": .int(Int64(response.status)), "request": .string(call.function.excerpt(100)),
      "excerpt": .string(response.excerpt(hiding: secrets)),
    ]
  }

  /// What a status other than 2xx means; these come from what stands before the panel.
  private var statusFailure: StepFailure? {
    let text = call.text
    switch response.status {
    case 200..<300: return nil
    case 403, 460:
      var failure = make(
        .rateLimited,
        "Zomro has blocked this machine's address for a while, as it does after too many failed log-ins; "
          + "it refused \(text)",
        effect: .none, retryable: true)
      failure.retryAfter = max(failure.retryAfter ?? .zero, ZomroReply.blockedFor)
      return failure
    case 408: return make(.timeout, "Zomro gave up waiting for \(text)", effect: unanswered, retryable: true)
    case 429:
      return make(.rateLimited, "Zomro wants fewer requests and refused \(text)", effect: .none, retryable: true)
    case 400..<500: return make(.input, "Zomro refused \(text)", effect: certain)
    case 500...: return make(.server, "Zomro failed at \(text)", effect: unanswered, retryable: true)
    default: return make(.server, "Zomro answered \(text) with a redirect, which is not followed", effect: unanswered)
    }
  }

  private func make(
    _ kind: StepFailure.Kind, _ message: String, effect: StepFailure.Effect, retryable: Bool = false
  ) -> StepFailure {
    StepFailure(
      kind, "\(message) (\(response.status))", effect: effect, retryable: retryable, detail: detail
    ).heeding(response, now: now)
  }

  /// What Zomro's own refusal means. Of one that nobody has described, only a look tells whether it had an effect.
  private func failure(_ error: ZomroError) -> StepFailure {
    let (kind, lead, effect, retryable): (StepFailure.Kind, String, StepFailure.Effect, Bool) =
      switch (error.type, error.object) {
      case (_, "runningoperation"): (.conflict, "another operation is in progress: Zomro refused", .none, true)
      case ("auth", "badip"): (.auth, "Zomro does not accept this machine's address for", .none, false)
      case ("auth", _): (.auth, "Zomro does not accept the log-in for", .none, false)
      case ("access", _): (.auth, "the account may not do this, or its session has ended: Zomro refused", .none, false)
      case ("missed", "elid"), ("missed", "plid"), ("missed", "elname"):
        (.notFound, "Zomro has nothing of that id for", .none, false)
      case ("missed", _), ("value", _): (.input, "Zomro refused", .none, false)
      case ("exists", _): (.conflict, "there is one already: Zomro refused", .none, false)
      case _ where error.isValidation: (.input, "Zomro refused", .none, false)
      default: (.input, "Zomro refused", unanswered, false)
      }
    var detail = detail
    detail["type"] = .string(error.type.hiding(secrets).excerpt(64))
    if let object = error.object { detail["object"] = .string(object.hiding(secrets).excerpt(200)) }
    let reason = error.reason(hiding: secrets).map { ": \($0)" } ?? ""
    return StepFailure(
      kind, "\(lead) \(call.text) (`\(error.type.hiding(secrets).excerpt(64))`\(reason))", effect: effect,
      retryable: retryable, detail: detail
    ).passing(error.object == "runningoperation")
  }
}

/// `doc.error`.
struct ZomroError: Sendable, Equatable {
  var type: String
  var object: String?
  private var texts: [String]

  init?(_ json: Value?) {
    guard let json, json.map != nil else { return nil }
    type = json["$type"]?.string ?? "unknown"
    object = json["$object"]?.string
    texts = ["msg", "detail"].compactMap { key in (try? json.element(key)) ?? nil }
  }

  /// Fleio's own words about a field, passed through as JSON: `{"field":["text"]}`.
  var isValidation: Bool { ([object].compactMap { $0 } + texts).contains { $0.hasPrefix("{") } }

  /// For people: the first text, or what stands in the passed-through JSON.
  func reason(hiding secrets: [Secret]) -> String? {
    let all = texts + [object].compactMap { $0 }
    guard let text = all.first(where: { $0.hasPrefix("{") }) ?? all.first else { return nil }
    guard let fields = (try? JSONReader.read(Array(text.utf8)))?.map else { return text.hiding(secrets).excerpt(200) }
    let parts = fields.sorted { $0.key < $1.key }.compactMap { key, value -> String? in
      (value.string ?? value.list?.compactMap { $0.string }.joined(separator: " ")).map { "\(key): \($0)" }
    }
    return parts.joined(separator: "; ").hiding(secrets).excerpt(200)
  }
}

extension Value {
  /// A document with the secrets in it masked, wherever Zomro repeats what was sent.
  func hiding(_ secrets: [Secret]) -> Value {
    Masker(secrets).mask(self)
  }
}

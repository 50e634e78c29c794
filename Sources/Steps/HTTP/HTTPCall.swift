import Runbook

/// One request of a built-in action: fields to request, answer to result, and what went wrong in the engine's words.
struct HTTPCall {
  let method: String
  /// Nothing is changed by it, so nothing can be unknown after it.
  let isSafe: Bool

  init(_ method: String, isSafe: Bool? = nil) {
    self.method = method
    self.isSafe = isSafe ?? (method == "GET")
  }

  func make(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let request = try request(call)
    let response = try await send(request, call)
    let acceptsAny = try call.with.bool(EngineField.acceptsAny("status")) ?? false
    guard acceptsAny || (200..<300).contains(response.status) else {
      let refusal = HTTPRefusal(
        method: method, isSafe: isSafe, request: request,
        secrets: HTTPText.secrets(in: .map(call.with.values)), mask: call.mask, response: response)
      throw refusal.failure(now: call.clock.now)
    }
    return ActionResult(result: HTTPCall.result(of: response))
  }

  /// Sends what is ready, and words a missing answer as a failure.
  func send(_ request: HTTPRequest, _ call: ActionCall) async throws(StepFailure) -> HTTPResponse {
    do { return try await call.transport.send(request) } catch { throw failure(error) }
  }

  // MARK: Request

  func request(_ call: ActionCall) throws(StepFailure) -> HTTPRequest {
    let with = call.with
    guard let url = try with.revealed("url"), !url.isEmpty else {
      throw StepFailure.unfit("`url` is missing or empty")
    }
    var request = HTTPRequest(method, try HTTPText.adding(with["query"], to: url), headers: try headers(with))
    request.body = try body(with, &request.headers)
    let left = call.deadline - call.clock.now
    guard left > .zero else { throw StepFailure(.timeout, "no time is left for the request") }
    let timeout = min(try with.duration("timeout") ?? HTTPFields.defaultTimeout, left)
    guard timeout > .zero else { throw StepFailure.unfit("`timeout` must be more than 0s") }
    if let life = try with.duration("max_request_life"), life <= .zero {
      throw StepFailure.unfit("`max_request_life` must be more than 0s")
    }
    request.totalTimeout = timeout
    request.connectTimeout = min(timeout, .seconds(10))
    request.firstByteTimeout = timeout
    request.idleTimeout = min(timeout, .seconds(30))
    if let file = try with.optionalText("ca_file") { request.caFile = try with.inFolder(file) }
    request.allowsPlainHTTP = try with.optionalText("plain_http") == "allow"
    request.redirects = try with.optionalText("redirects") == "none" ? .none : .sameHost
    return request
  }

  private func headers(_ with: Arguments) throws(StepFailure) -> [(name: String, value: Secret)] {
    guard let fields = with["headers"] else { return [] }
    guard let entries = fields.map else { throw StepFailure.unfit("`headers` must be a map") }
    var headers: [(name: String, value: Secret)] = []
    for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
      guard let text = HTTPText.secret(value) else { throw StepFailure.unfit("the header `\(name)` must be text") }
      guard !text.reveal().utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else {
        let source = text.names.sorted().map { "`\($0)`" }.joined(separator: ", ")
        throw StepFailure.unfit(
          "the header `\(name)` holds a line break or a NUL" + (source.isEmpty ? "" : ", from the secret \(source)"))
      }
      headers.append((name, text))
    }
    return headers
  }

  private func body(
    _ with: Arguments, _ headers: inout [(name: String, value: Secret)]
  ) throws(StepFailure) -> [UInt8]? {
    let text = try with.revealed("body")
    guard let json = with["json"] else {
      if text != nil { HTTPText.setDefault("content-type", "text/plain; charset=utf-8", in: &headers) }
      return text.map { Array($0.utf8) }
    }
    guard text == nil else { throw StepFailure.unfit("`json` and `body` exclude each other") }
    HTTPText.setDefault("content-type", "application/json", in: &headers)
    return JSONWriter.bytes(HTTPText.revealed(json))
  }

  // MARK: Answer

  static func result(of response: HTTPResponse) -> [String: Value] {
    var headers: [String: Value] = [:]
    for (name, value) in response.headers {
      // A cookie may hold a comma (RFC 6265, 3): each stands on a line of its own.
      let separator = name.lowercased() == "set-cookie" ? "\n" : ", "
      let earlier = headers[name]?.string.map { $0 + separator } ?? ""
      headers[name] = .string(earlier + value)
    }
    let body = HTTPText.utf8(of: response.body, contentType: response.header("content-type"))
    return [
      "status": .int(Int64(response.status)), "headers": .map(headers),
      "body": .string(String(decoding: body, as: UTF8.self)), "json": (try? JSONReader.read(body)) ?? .null,
      "duration": .duration(response.duration),
    ]
  }

  // MARK: No answer

  private func failure(_ failure: HTTPFailure) -> StepFailure {
    let effect: StepFailure.Effect = isSafe || failure.beforeFirstByte ? .none : .unknown
    func make(_ kind: StepFailure.Kind, retryable: Bool, connecting: Bool = false) -> StepFailure {
      StepFailure(
        kind, failure.message, effect: effect, retryable: retryable, detail: ["reason": .string(failure.kind.rawValue)],
        beforeFirstByte: connecting && failure.beforeFirstByte)
    }
    return switch failure.kind {
    case .badURL, .refusedAddress: make(.input, retryable: false)
    case .lookup, .connect, .tls, .reset: make(.unreachable, retryable: true, connecting: true)
    case .certificate: make(.auth, retryable: false)
    case .timeout: make(failure.beforeFirstByte ? .unreachable : .timeout, retryable: true, connecting: true)
    case .badReply: make(.server, retryable: true)
    case .tooLarge: make(.server, retryable: false)
    case .cancelled: make(.cancelled, retryable: false)
    }
  }
}

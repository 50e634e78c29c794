package import Runbook

/// The way to one account: the address, the limits and the gate that all requests of the account pass. Every client
/// sends through it; what the bytes mean is the client's.
package struct Connection: Sendable {
  /// For messages: "VPS.org".
  let service: String
  package let base: BaseURL
  let timeout: Duration
  /// How late a lost request may still take effect.
  let maxRequestLife: Duration
  private let caFile: String?
  private let allowsPlainHTTP: Bool
  private let gate: AccountGate
  /// Least time between two requests; nil: none.
  private let interval: Duration?
  /// Names the account and who enters it, without telling the credential.
  package let accountKey: String
  let powerRequests: PowerRequests
  private let transport: any HTTPTransport
  package let clock: any EngineClock
  /// All of the run's: masked in whatever is shown of an answer.
  package let secrets: [Secret]

  /// Reads the common fields of a provider block (`ProviderKind.commonFields`).
  /// - Parameters:
  ///   - service: its name for people.
  ///   - defaultURL: the documented address; nil: `url` must be given.
  ///   - example: what a `url` looks like, for messages.
  /// - Throws: `input`, naming the field.
  package init(
    to service: String, _ settings: Arguments, defaultURL: String?, example: String,
    environment: ProviderEnvironment
  ) throws(StepFailure) {
    self.service = service
    guard let url = try settings.optionalText("url") ?? defaultURL else {
      throw StepFailure.unfit("`url` is missing: where \(service) is, like `\(example)`")
    }
    guard let base = BaseURL(url) else { throw StepFailure.unfit("`url` of \(service) must be like `\(example)`") }
    self.base = base
    timeout = try settings.duration("timeout") ?? .seconds(30)
    guard timeout > .zero else { throw StepFailure.unfit("`timeout` must be above zero") }
    maxRequestLife = try settings.duration("max_request_life") ?? timeout + .seconds(60)
    caFile = try settings.optionalText("ca_file")
    allowsPlainHTTP = try settings.optionalText("plain_http") == "allow"
    interval = try Connection.interval(settings)
    accountKey = "\(service) \(base.host)\(base.path) \(Connection.digest(settings))"
    gate = environment.shared.object(for: "gate of \(accountKey)") { AccountGate(clock: environment.clock) }
    powerRequests = environment.shared.object(for: "power of \(accountKey)") { PowerRequests() }
    transport = environment.transport
    clock = environment.clock
    secrets = environment.secrets
  }

  /// One exchange; returns whatever status was answered. The body of an answer that says no is masked: it serves to be
  /// shown, in parts.
  /// - Parameters:
  ///   - target: path and query below the host, encoded: `/api/v1/servers/`.
  ///   - isRead: repeating it does no harm; the effect of anything else is unknown while there is no answer.
  ///   - text: the request for messages: `POST /snapshots/`.
  package func send(
    _ method: String, _ target: String, headers: [(name: String, value: Secret)], body: [UInt8]? = nil,
    isRead: Bool, text: String
  ) async throws(StepFailure) -> HTTPResponse {
    try await gate.pass(service, interval: interval)
    var exchange = HTTPRequest(method, base.origin + target, headers: headers, body: body)
    exchange.totalTimeout = timeout
    exchange.firstByteTimeout = timeout
    exchange.idleTimeout = timeout
    exchange.connectTimeout = min(timeout, exchange.connectTimeout)
    exchange.caFile = caFile
    exchange.allowsPlainHTTP = allowsPlainHTTP
    exchange.isRead = isRead
    do {
      var response = try await transport.send(exchange)
      let isThrottled = response.status == 429 || response.status == 503
      gate.note(
        isGood: response.status != 429 && response.status < 500,
        pause: isThrottled ? RetryAfter.pause(of: response, now: clock.now) : nil)
      if !(200..<300).contains(response.status) { response.body = Masker(secrets).mask(response.body) }
      return response
    } catch {
      if error.kind != .cancelled { gate.note(isGood: false, pause: nil) }
      throw StepFailure(error, from: service, to: text, isRead: isRead)
    }
  }

  /// From the field `max_requests_per_second`, clamped to 0.001 … 1000; nil if it is not given.
  private static func interval(_ settings: Arguments) throws(StepFailure) -> Duration? {
    let limit: Double
    switch settings["max_requests_per_second"] {
    case nil: return nil
    case .int(let number)?: limit = Double(number)
    case .double(let number)?: limit = number
    default: throw StepFailure.unfit("`max_requests_per_second` must be a number")
    }
    guard limit > 0 else { throw StepFailure.unfit("`max_requests_per_second` must be above zero") }
    return .seconds(1 / min(max(limit, 0.001), 1000))
  }

  /// Tells two credentials apart without holding them.
  private static func digest(_ settings: Arguments) -> String {
    let parts = settings.values.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
      if case .secret(let secret) = value { return "\(name)=\(secret.reveal())" }
      return value.string.map { "\(name)=\($0)" }
    }
    return SHA256.hash(Array(parts.joined(separator: "\n").utf8)).hexadecimal
  }
}

extension StepFailure {
  /// Why there was no answer at all.
  init(_ failure: HTTPFailure, from service: String, to request: String, isRead: Bool) {
    let (kind, retryable): (Kind, Bool) =
      switch failure.kind {
      case .badURL, .refusedAddress: (.input, false)
      case .lookup, .connect, .tls, .reset: (.unreachable, true)
      case .certificate: (.auth, false)
      case .timeout: (failure.beforeFirstByte ? .unreachable : .timeout, true)
      case .badReply: (.server, true)
      case .tooLarge: (.server, false)
      case .cancelled: (.cancelled, false)
      }
    self.init(
      kind, "no answer from \(service) to \(request): \(failure.message)",
      effect: failure.beforeFirstByte || isRead ? .none : .unknown, retryable: retryable,
      detail: ["request": .string(request)], beforeFirstByte: failure.beforeFirstByte)
  }

  /// The same, and whether what stands in the way passes by itself.
  package func passing(_ passes: Bool) -> StepFailure {
    var failure = self
    failure.passes = passes
    return failure
  }

  /// The same failure in words that name what was looked for.
  package func renamed(_ message: String, kind: Kind? = nil, retryable: Bool? = nil) -> StepFailure {
    var failure = self
    failure.kind = kind ?? self.kind
    failure.message = message
    failure.retryable = retryable ?? self.retryable
    return failure
  }
}

extension Secret {
  /// A header value that is no secret.
  package static func plain(_ text: String) -> Secret { Secret(text, named: []) }
}

extension HTTPResponse {
  /// At most 1 KiB of the body, the secrets masked before that, for `error.detail`.
  package func excerpt(hiding secrets: [Secret]) -> String { excerpt(Masker(secrets)) }

  package func excerpt(_ masker: Masker) -> String {
    String(decoding: masker.mask(body).prefix(4096), as: UTF8.self).excerpt(1024)
  }

  /// The other side's clock minus ours, from the `Date` header, which knows whole seconds; nil without one.
  package func clockSkew(now: Timestamp) -> Duration? {
    guard let date = header("date").flatMap({ HTTPDate.read($0) }) else { return nil }
    let skew = date - Timestamp(seconds: now.seconds)
    return .seconds(skew.components.seconds)
  }

  /// The body is a page for people where data for programs is due.
  package var isHTML: Bool { header("content-type")?.lowercased().contains("html") ?? false }
}

extension String {
  /// With the secrets masked, in every encoding in which they are found: before anything is cut.
  package func hiding(_ secrets: [Secret]) -> String { Masker(secrets).mask(self) }
}

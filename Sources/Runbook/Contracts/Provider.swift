/// A cloud, as known without reaching it: what its block in `providers:` takes and which actions it has.
public protocol ProviderKind: Sendable {
  /// The word after `type:`: `vps_org`.
  static var type: String { get }
  static var summary: String { get }
  /// Fields of the provider block besides `type` and the common ones (`commonFields`).
  static var fields: [Field] { get }
  static var actions: [ActionDeclaration] { get }
  /// Makes a client; sends nothing.
  static func connect(_ settings: Arguments, environment: ProviderEnvironment) throws(StepFailure) -> any Provider
}

extension ProviderKind {
  /// Fields every provider block takes.
  public static var commonFields: [Field] {
    [
      Field("url", .url, help: "where the API is; default: the documented address"),
      Field(
        "timeout", .duration, default: .duration(.seconds(30)), help: "longest one request may take; default `30s`"),
      Field(
        "max_request_life", .duration, help: "how late a lost request may still take effect; default `timeout` + 60s"),
      Field("ca_file", .string, help: "PEM file of the authorities to trust instead of the system's"),
      Field("max_requests_per_second", .number, help: "an upper bound for this run's requests; default none"),
      Field("plain_http", .choice(["allow"]), help: "`allow`: permit `http://` beyond loopback"),
    ]
  }
}

/// What a provider is made with.
public struct ProviderEnvironment: Sendable {
  public var transport: any HTTPTransport
  public var clock: any EngineClock
  public var random: any RandomSource
  public init(transport: any HTTPTransport, clock: any EngineClock, random: any RandomSource) {
    self.transport = transport
    self.clock = clock
    self.random = random
  }
}

/// A connected cloud account.
public protocol Provider: Sendable {
  /// Names the account in locks: stable, not secret (a URL's host, or host and a keyed digest of the token).
  var account: String { get }
  /// The action of this name, bound to this account; nil if the provider has none.
  func action(_ name: String) -> (any Action)?
  /// Checks before the run's first change: reachable, token valid. Returns problems an operator can act on.
  func liveCheck() async throws(StepFailure) -> [String]
}

/// A cloud, as known without reaching it: what its block in `providers:` takes and which actions it has. A value: a
/// cloud may be written in Swift or declared in a file.
public protocol ProviderKind: Sendable {
  /// The word after `type:`: `vps_org`.
  var type: String { get }
  var summary: String { get }
  /// Fields of the provider block besides `type` and the common ones (`commonFields`).
  var fields: [Field] { get }
  /// The ways to prove whose a block is, each by all of these fields; a block needs one of them. None: only `fields`
  /// say which fields are required.
  var credentials: [[String]] { get }
  /// Each with its row of the capability table (`operation`).
  var actions: [ActionDeclaration] { get }
  /// What an operator should know about it, besides its actions.
  var facts: ProviderFacts { get }
  /// Makes a client; sends nothing.
  func connect(_ settings: Arguments, environment: ProviderEnvironment) throws(StepFailure) -> any Provider
  /// A new simulated system of this kind, for simulations and tests.
  /// - Parameters:
  ///   - seed: draws the durations, inside their documented ranges.
  ///   - isSealed: any credential is accepted, for simulations with placeholder secrets.
  func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem
}

extension ProviderKind {
  public var credentials: [[String]] { [] }

  /// The fields of the block, its own first; an own one replaces the common one of its name.
  public var allFields: [Field] {
    fields + Self.commonFields.filter { common in !fields.contains { $0.name == common.name } }
  }

  /// Fields every provider block takes.
  public static var commonFields: [Field] {
    [
      Field("url", .url, help: "where the API is; default: the documented address"),
      Field(
        "timeout", .duration, default: .duration(.seconds(30)), help: "longest one request may take; default `30s`"),
      Field(
        "max_request_life", .duration, help: "how late a lost request may still take effect; default `timeout` + 60s"),
      Field("ca_file", .string, help: "PEM file of the authorities to trust instead of the system's"),
      Field(
        "max_requests_per_second", .number, bounds: .number(0.001...1000),
        help: "an upper bound for this run's requests, 0.001 to 1000; default none"),
      Field("plain_http", .choice(["allow"]), help: "`allow`: permit `http://` beyond loopback"),
    ]
  }
}

/// What a provider is made with.
public struct ProviderEnvironment: Sendable {
  public var transport: any HTTPTransport
  public var clock: any EngineClock
  public var random: any RandomSource
  /// What all runs of this process share of an account: its gate, its lists.
  public var shared: SharedObjects
  /// All of the run's, to be masked in whatever is shown of an answer, before it is cut.
  public var secrets: [Secret]
  public init(
    transport: any HTTPTransport, clock: any EngineClock, random: any RandomSource,
    shared: SharedObjects = SharedObjects(), secrets: [Secret] = []
  ) {
    self.transport = transport
    self.clock = clock
    self.random = random
    self.shared = shared
    self.secrets = secrets
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
  /// The power state of a server now; nil if this provider cannot tell. Reads only.
  /// - Throws: `not_found` if there is no such server.
  func state(ofServer id: String) async throws(StepFailure) -> PowerState?
  /// Everything that can be found out about the account without changing anything (`runbook providers check`).
  func report() async -> AccountReport
}

extension Provider {
  public func state(ofServer id: String) async throws(StepFailure) -> PowerState? { nil }
  public func report() async -> AccountReport {
    do throws(StepFailure) { return AccountReport(problems: try await liveCheck()) } catch {
      return AccountReport(problems: [error.message])
    }
  }
}

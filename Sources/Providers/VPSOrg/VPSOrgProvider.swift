import ProviderKit
package import Runbook

/// VPS.org: REST and JSON, a bearer token, no idempotency keys, no jobs; a resource's `status` tells when it is done.
package struct VPSOrgProvider: ProviderKind {
  package let type = "vps_org"
  package let summary = "servers, snapshots and backups at VPS.org"
  package static let defaultURL = "https://admin.vps.org/api/v1"

  package let fields = [
    Field("token", .string, required: true, acceptsSecret: true, help: "API token, begins with `vps_`"),
    Field(
      "api", .choice(VPSOrgDialect.allCases.map { $0.rawValue }), default: "d1",
      help: "`d1`: the published API; `d2`: the one of the vendor's own client (UUIDs); default `d1`"),
  ]

  package let actions: [ActionDeclaration] = VPSOrgProvider.table.map { $0.declaration }
  package let facts = VPSOrgProvider.knownFacts

  package init() {}

  package func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    SimulatedVPSOrg(clock: clock, seed: seed, tokens: isSealed ? .any : .wellFormed, withLastNight: true)
  }

  package func connect(
    _ settings: Arguments, environment: ProviderEnvironment
  ) throws(StepFailure) -> any Provider {
    let word = try settings.optionalText("api") ?? VPSOrgDialect.d1.rawValue
    guard let dialect = VPSOrgDialect(rawValue: word) else { throw StepFailure.unfit("`api` must be d1 or d2") }
    let connection = try Connection(
      to: "VPS.org", settings, defaultURL: VPSOrgProvider.defaultURL, example: VPSOrgProvider.defaultURL,
      environment: environment)
    var client = VPSOrgClient(connection: connection, dialect: dialect, token: try VPSOrgProvider.token(settings))
    let alone = client
    let readServers = { @Sendable () async throws(StepFailure) -> [CloudServer] in try await alone.servers() }
    let readItems = { @Sendable (kind: ItemKind) async throws(StepFailure) -> [CloudItem] in
      try await alone.items(kind, server: nil, type: nil, asOf: nil)
    }
    // The second dialect lists items by server only.
    client.watch = CloudWatch(
      of: connection.accountKey, environment, readServers: readServers,
      kinds: dialect == .d2 ? [] : ItemKind.allCases, readItems: readItems)
    return ConnectedVPSOrg(client: client)
  }

  private static func token(_ settings: Arguments) throws(StepFailure) -> Secret {
    if case .secret(let secret)? = settings["token"], !secret.isEmpty { return secret }
    return Secret(try settings.text("token"), named: [])
  }
}
